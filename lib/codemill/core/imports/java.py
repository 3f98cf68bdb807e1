"""Imports of Java, Kotlin, Scala and Groovy, which import each other.

Where a file lies says nothing: its package stands in its text. An import names a class, or what is in one; or with a
wildcard all of a package, and then the files are used that declare a class which the text says. Of several files that
declare a name (tests, other modules, other platforms) the nearest is meant. Files of one package use each other without
a word about it: these are no edges.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from codemill.core import trees
from codemill.core.imports.declared import WILDCARD, Declared, compact, plain, qualified, said
from codemill.core.imports.source import Outline, Source

LANGUAGES: tuple[str, ...] = ("java", "kotlin", "scala", "groovy")

_SCALA_IMPORT = re.compile(r" ?([^,{}]+)(?:\{([^{}]*)\})?")
_GROOVY_LINE = re.compile(
    r"^(?:(?P<package>package)\s|(?P<import>import)\s|(?:(?:public|abstract|final|private)\s+)*"
    r"(?:class|interface|trait|enum|@interface)\s+(?P<declared>\w+))[^\n]*",
    re.M,
)
_GROOVY_TEXT = ("line_comment", "block_comment", "groovy_doc", "string")

_KOTLIN_DECLARED = (
    "class_declaration (type_identifier) @node",
    "object_declaration (type_identifier) @node",
    "type_alias . (type_identifier) @node",
    "function_declaration (simple_identifier) @node",
    "property_declaration (variable_declaration (simple_identifier) @node)",
)
_JAVA_DECLARED = ("class", "interface", "enum", "record", "annotation_type")
_SCALA_CLASSES = ("class_definition", "object_definition", "trait_definition", "enum_definition", "package_object")
_SCALA_VALUES = ("val_definition", "var_definition")
_DECLARED = {
    "java": trees.query(
        {
            "package": ["(package_declaration [(scoped_identifier) (identifier)] @node)"],
            "import": ["import_declaration"],
            "declared": [f"(program ({kind}_declaration name: (_) @node))" for kind in _JAVA_DECLARED],
        }
    ),
    "kotlin": trees.query(
        {
            "package": ["(package_header (identifier) @node)"],
            "import": ["import_header"],
            "declared": [f"(source_file ({entry}))" for entry in _KOTLIN_DECLARED],
        }
    ),
    "scala": trees.query(
        {
            "package": ["(package_clause name: (_) @node)"],
            "body": ["(package_clause body: (_) @node)"],
            "import": ["import_declaration"],
            "declared": [
                *(f"({kind} name: (_) @node)" for kind in (*_SCALA_CLASSES, "function_definition", "given_definition")),
                "(type_definition name: (_) @node)",
                "(val_definition pattern: (identifier) @node)",
            ],
            "hidden": [
                *(f"({kind} body: (_) @node)" for kind in (*_SCALA_CLASSES, "function_definition", "given_definition")),
                *(f"({kind} value: (_) @node)" for kind in _SCALA_VALUES),
            ],
        }
    ),
}
_SAID = {
    "java": trees.query(
        {
            "said": [
                "type_identifier",
                "(method_invocation object: (identifier) @node)",
                "(field_access object: (identifier) @node)",
                "(method_reference (identifier) @node)",
                "(annotation name: (identifier) @node)",
                "(marker_annotation name: (identifier) @node)",
            ],
            "qualified": ["(scoped_type_identifier (_) (type_identifier) @node)"],
            "own": [f"({kind}_declaration name: (_) @node)" for kind in _JAVA_DECLARED],
        }
    ),
    "kotlin": trees.query(
        {
            "said": [
                "type_identifier",
                "(navigation_expression . (simple_identifier) @node)",
                "(call_expression . (simple_identifier) @node)",
            ],
            "qualified": ["(user_type (type_identifier) . (type_identifier) @node)"],
            "own": [f"({entry})" for entry in _KOTLIN_DECLARED[:3]],
        }
    ),
    "scala": trees.query(
        {
            "said": [
                "type_identifier",
                "(call_expression function: (identifier) @node)",
                "(generic_function function: (identifier) @node)",
                "(field_expression value: (identifier) @node)",
                "(case_clause pattern: (identifier) @node)",
                "(arguments (identifier) @node)",
            ],
            "own": [f"({kind} name: (_) @node)" for kind in _SCALA_CLASSES],
        }
    ),
    "groovy": trees.query({"said": ["identifier"]}),
}


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return the full names that a file declares for others, and what it imports: `a.B`, or `a.*` for all of `a`.

    With a wildcard come the names that the text says where a class may stand, each behind a mark.
    """
    if language == "groovy":
        found = _groovy_lines(tree)
        declares = [f"{package}.{name}" for package in found["package"][:1] or [""] for name in found["declared"]]
        statements = found["import"]
    else:
        nodes = trees.captures(tree, _DECLARED[language])
        declares = list(qualified(nodes))
        statements = [plain(node) for node in nodes.get("import", ())]
    read = _scala_imports if language == "scala" else _imports
    imports = list(chain.from_iterable(map(read, statements)))
    if any(name.endswith(WILDCARD) for name in imports):
        imports.extend(said(trees.captures(tree, _SAID[language])))
    return Outline(tuple(dict.fromkeys(name.removeprefix(".") for name in declares)), tuple(dict.fromkeys(imports)))


def _imports(statement: str) -> Iterator[str]:
    words = statement.rstrip("; ").split(" ")[1:]
    if words[:1] == ["static"]:
        del words[0]
    if (name := compact("".join(words[: words.index("as")] if "as" in words else words))) is not None:
        yield name


def _scala_imports(statement: str) -> Iterator[str]:
    for start, selectors in _SCALA_IMPORT.findall(statement.removeprefix("import")):
        for selector in selectors.split(",") if selectors else [""]:
            name = re.split(r"=>| as ", f"{start.strip()}{selector.strip()}", maxsplit=1)[0]
            name = re.sub(r"\._\Z", WILDCARD, name.strip().removeprefix("_root_."))
            if (full := compact(name)) is not None:
                yield full


def _groovy_lines(tree: trees.Tree) -> dict[str, list[str]]:
    """Return what the lines say that look like declarations: the grammar knows words and comments, and no more."""
    found: dict[str, list[str]] = {"package": [], "import": [], "declared": []}
    to_byte = tree.byte_offsets()
    for line in _GROOVY_LINE.finditer(tree.text):
        start = to_byte(line.start())
        node = tree.root.descendant_for_byte_range(start, start + 1)
        if node is not None and node.type not in _GROOVY_TEXT:
            _read_groovy(line, found)
    return found


def _read_groovy(line: re.Match[str], found: Mapping[str, list[str]]) -> None:
    text = line[0].partition("//")[0].strip()
    if line["declared"] is not None:
        found["declared"].append(line["declared"])
    elif line["import"] is not None:
        found["import"].append(" ".join(text.split()))
    elif (package := compact(text.removeprefix("package").rstrip("; "))) is not None:
        found["package"].append(package)


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    return Declared(sources).edges(relative=("scala",))
