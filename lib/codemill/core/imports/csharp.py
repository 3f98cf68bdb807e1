"""Imports of C#: `using`.

A namespace may be declared in thousands of files, and a `using` names no type. So a file uses those files that declare,
in a namespace it names, a type that its text says where a type may stand. What its own namespace or one around it
declares comes first, as for the compiler, and is no edge; of the parts of one type the nearest is meant.
Calls of extension methods do not say their class, and are left out.
"""

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.declared import WILDCARD, Declared, compact, plain, qualified, said
from codemill.core.imports.source import Outline, Source

LANGUAGES: tuple[str, ...] = ("csharp",)

_KINDS = ("class", "interface", "struct", "enum", "record", "delegate")
_TYPES = [f"({kind}_declaration name: (identifier) @node)" for kind in _KINDS]
_DECLARED = trees.query(
    {
        "package": [
            "(namespace_declaration name: (_) @node)",
            "(file_scoped_namespace_declaration name: (_) @node)",
        ],
        "body": ["(namespace_declaration body: (_) @node)"],
        "declared": _TYPES,
        "hidden": [f"({kind}_declaration body: (_) @node)" for kind in _KINDS[:-1]],
        "import": ["using_directive"],
    }
)
_SAID = trees.query(
    {
        "said": [
            "(_ type: (identifier) @node)",
            "(_ returns: (identifier) @node)",
            "(array_type type: (identifier) @node)",
            "(nullable_type type: (identifier) @node)",
            "(base_list (identifier) @node)",
            "(type_argument_list (identifier) @node)",
            "(generic_name . (identifier) @node)",
            "(as_expression right: (identifier) @node)",
            "(constant_pattern (identifier) @node)",
            "(member_access_expression expression: (identifier) @node)",
            "(attribute name: (identifier) @node)",
        ],
        "attribute": ["(attribute name: (identifier) @node)"],
        "own": _TYPES,
    }
)
_USING = re.compile(r"(?:global )?using (static |unsafe )*(?:([^=]+)=)?([^=;]+);?")


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return the full names of the types that a file declares, and what it imports.

    `A.B.*` for a namespace; `A.B` for a type with an alias or `static`; and, where there is a namespace, the names that
    the text says of types, each behind a mark.
    """
    found = trees.captures(tree, _DECLARED)
    imports = [name for node in found.get("import", ()) if (name := _import(node)) is not None]
    if any(name.endswith(WILDCARD) for name in imports):
        said_nodes = trees.captures(tree, _SAID)
        imports.extend(said(said_nodes))
        imports.extend(f"{name}Attribute" for name in said({"said": said_nodes.get("attribute", ())}))
    return Outline(tuple(dict.fromkeys(qualified(found))), tuple(dict.fromkeys(imports)))


def _import(node: Node) -> str | None:
    using = _USING.fullmatch(plain(node))
    if using is None:
        return None
    static, alias, name = using.groups()
    name = compact(name.strip().removeprefix("global::"))
    return name if name is None or static or alias else f"{name}{WILDCARD}"


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    return Declared(sources).edges()
