"""PHP: which files declare the classes that a file names, and which it includes.

Classes, interfaces, traits, enums and functions are found by their full names, as ``use``, the namespace of the file
and leading backslashes make them; classes of the same namespace need no import. Of several files that declare a name
(stubs, fixtures, copies) the nearest counts. ``require`` and ``include`` count from ``__DIR__``, or with a literal path
from the file, then from the top of the project; behind a constant (``ABSPATH . 'a/b.php'``) from the top. Else a path
of several parts may be the end of the only one that has it.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import folders_above, seen_from
from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import beginning, in_order, text_of
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("php",)

_QUERY = """
(namespace_definition) @namespace
(namespace_use_declaration) @use
(class_declaration name: (name) @declared)
(interface_declaration name: (name) @declared)
(trait_declaration name: (name) @declared)
(enum_declaration name: (name) @declared)
(program (function_definition name: (name) @declared))
(namespace_definition body: (_ (function_definition name: (name) @declared)))
(base_clause [(name) (qualified_name) (relative_name)] @named)
(class_interface_clause [(name) (qualified_name) (relative_name)] @named)
(use_declaration [(name) (qualified_name) (relative_name)] @named)
(named_type [(name) (qualified_name) (relative_name)] @named)
(object_creation_expression [(name) (qualified_name) (relative_name)] @named)
(scoped_call_expression scope: [(name) (qualified_name) (relative_name)] @named)
(scoped_property_access_expression scope: [(name) (qualified_name) (relative_name)] @named)
(class_constant_access_expression . [(name) (qualified_name) (relative_name)] @named)
(binary_expression operator: "instanceof" right: [(name) (qualified_name) (relative_name)] @named)
(attribute [(name) (qualified_name) (relative_name)] @named)
[(include_expression) (include_once_expression) (require_expression) (require_once_expression)] @include
"""
_OWN = frozenset(("self", "static", "parent"))
_MAX_BYTES = 1000
_LITERAL = r"""(?:'([^'\n\\$]{1,300})'|"([^"\n\\$]{1,300})")"""
_INCLUDE = re.compile(
    r"\w{7,12}\s{0,9}[(\s]{0,9}(?:"
    r"(?P<up>(?:\\?dirname\s{0,9}\(\s{0,9}){0,9})__(?P<from>DIR|FILE)__"
    r"\s{0,9}(?:,\s{0,9}(?P<levels>\d)\s{0,9})?[)\s]{0,20}\.\s{0,9}|(?P<constant>[\w\\.\s]{1,200}\.\s{0,9})|)"
    + _LITERAL
    + r"[)\s]{0,9}"
)


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return the full names that a file declares, and those that it uses, in the order of the text.

    What it includes stands among the latter as ``beside path`` (from its folder), ``path path`` (a literal path) and
    ``under path`` (from a folder that a constant names).
    """
    found = trees.captures(tree, _QUERY)
    declares: dict[str, None] = {}
    imports: dict[str, None] = {}
    names: dict[str, str] = {}
    namespace = ""
    for node, kind in in_order(found):
        if kind == "namespace":
            name = node.child_by_field_name("name")
            namespace, names = "" if name is None else text_of(name), {}
        elif kind == "use":
            used = dict(_used(node))
            names.update(used)
            imports.update(dict.fromkeys(used.values()))
        elif kind == "declared":
            declares[_joined(namespace, text_of(node))] = None
        elif kind == "include":
            imports.update(dict.fromkeys(_included(beginning(tree, node, _MAX_BYTES))))
        elif (written := text_of(node)).lower() not in _OWN:
            imports[_full(written, namespace, names)] = None
    return Outline(tuple(declares), tuple(name for name in imports if name not in declares))


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    files = _Files(sources)
    return pairs(sources, lambda user: (files.found(user.path, entry) for entry in user.outline.imports))


class _Files:
    """The files of a project, by what they declare and by their paths."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_path = {source.path: i for i, source in enumerate(sources)}
        self._declaring = Nearest()
        self._ending = Nearest()
        wanted = {entry.partition(" ")[2] for source in sources for entry in source.outline.imports if " " in entry}
        for i, source in enumerate(sources):
            private = seen_from(posixpath.dirname(source.path) + "/")
            for name in source.outline.declares:
                # Names in namespaces are nobody else's.
                self._declaring.file(name, source.path, i, "" if "\\" in name else private)
            for root in folders_above(source.path):
                if source.path[len(root) :] in wanted:
                    self._ending.file(source.path[len(root) :], source.path, i, seen_from(root))

    def found(self, user: str, entry: str) -> int | None:
        """Return the file that an entry of a file's imports means."""
        kind, space, path = entry.partition(" ")
        if not space:
            return self._declaring.find(entry, user)
        beside = self._by_path.get(posixpath.normpath(posixpath.join(posixpath.dirname(user), path)))
        if kind == "beside" or (beside is not None and kind == "path"):
            return beside
        top = self._by_path.get(posixpath.normpath(path))
        if top is not None or "/" not in path or self._ending.count(path) != 1:
            return top
        return self._ending.find(path, user)


def _used(declaration: Node) -> Iterator[tuple[str, str]]:
    """Yield names as a ``use`` makes them known, with what they stand for."""
    prefix = next((text_of(node) for node in declaration.named_children if node.type == "namespace_name"), "")
    body = declaration.child_by_field_name("body")
    for clause in (declaration if body is None else body).named_children:
        if clause.type != "namespace_use_clause":
            continue
        alias = clause.child_by_field_name("alias")
        written = next((text_of(node) for node in clause.named_children if node.type in ("name", "qualified_name")), "")
        full = _joined(prefix.strip("\\"), written.strip("\\"))
        if full:
            yield (full.rpartition("\\")[2] if alias is None else text_of(alias)), full


def _full(written: str, namespace: str, names: Mapping[str, str]) -> str:
    if written.startswith("\\"):
        return written[1:]
    first, separator, rest = written.partition("\\")
    if first.lower() == "namespace" and separator:
        return _joined(namespace, rest)
    if first in names:
        return names[first] + separator + rest
    return _joined(namespace, written)


def _included(written: str) -> Iterator[str]:
    found = _INCLUDE.fullmatch(written)
    if found is None:
        return
    path = (found[5] or found[6]).lstrip("/")
    if found["from"]:
        up = found["up"].count("dirname") - (found["from"] == "FILE")
        up += int(found["levels"]) - 1 if found["levels"] and up >= 0 else 0
        if up >= 0:
            yield f"beside {'../' * up}{path}"
    else:
        yield f"{'under' if found['constant'] else 'path'} {path}"


def _joined(namespace: str, name: str) -> str:
    return f"{namespace}\\{name}" if namespace and name else name
