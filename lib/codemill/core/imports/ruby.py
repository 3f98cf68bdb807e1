"""Ruby: which files a file requires.

``require_relative`` and paths made of ``__dir__`` or ``__FILE__`` count from the file. ``require "a/b"`` is looked for
on the load path, which is set by tools and not in the text: ``a/b.rb`` in a folder ``lib`` (``test``, ``spec`` and the
like for what lies in them), the nearest if there are several. So ``require "json"`` finds ``lib/json.rb`` and not
``app/data/json.rb``. Constants that Rails loads by their names are not imports and lead nowhere, ``autoload`` does.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import folders_above, seen_from
from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import beginning, in_order
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("ruby",)

_QUERY = """
((call !receiver method: (identifier) @_method arguments: (argument_list)) @call
 (#any-of? @_method "require" "require_relative" "load" "require_dependency" "autoload" "autoload_under"))
(module name: (_)) @within
(class name: (_)) @within
"""
_STRING = re.compile(r"""(?:"([^"\n\\#]{0,300})"|'([^'\n\\]{0,300})')""")
_FROM_FILE = re.compile(r"(?:File|expand_path|join|dirname|__FILE__|__dir__|[\s.,()+]){1,60}")
_ROOTS = frozenset(("lib", "libs", "test", "tests", "spec", "specs", "features", "ext"))
_MAX_BYTES = 1000
"""Whatever is longer names no file."""
_MAX_PATH = 300


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return what a text requires: ``relative path`` from its folder, or ``require path``. It declares nothing."""
    found = trees.captures(tree, _QUERY)
    imports: dict[str, None] = {}
    # What adds to the paths of autoload: the end of a node, and the path so far.
    within: list[tuple[int, str]] = []
    for node, kind in in_order(found):
        while within and within[-1][0] <= node.start_byte:
            within.pop()
        path = within[-1][1] if within else ""
        if kind == "within":
            within.append((node.end_byte, _joined(path, _path_of(_field(tree, node, "name")))))
        elif _field(tree, node, "method") == "autoload_under":
            within.append((node.end_byte, _joined(path, _literal(_arguments(tree, node)[0]))))
        else:
            imports[_entry(tree, node, path)] = None
    return Outline((), tuple(entry for entry in imports if entry))


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    files = _Files(sources)
    return pairs(sources, lambda user: (files.required(user.path, entry) for entry in user.outline.imports))


class _Files:
    """The files of a project by what a file requires."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_path = {source.path: i for i, source in enumerate(sources)}
        self._on_load_path = Nearest()
        wanted = {_with_extension(entry.partition(" ")[2]) for source in sources for entry in source.outline.imports}
        for i, source in enumerate(sources):
            for root in folders_above(source.path):
                name = source.path[len(root) :]
                if name in wanted and root[:-1].rpartition("/")[2] in _ROOTS:
                    self._on_load_path.file(name, source.path, i, seen_from(root))

    def required(self, user: str, entry: str) -> int | None:
        """Return the file that an entry of a file's imports means."""
        kind, _, written = entry.partition(" ")
        name = _with_extension(written)
        if kind == "relative":
            return self._by_path.get(posixpath.normpath(posixpath.join(posixpath.dirname(user), name)))
        if name.startswith("./"):
            # From where the program is started: mostly the top.
            return self._by_path.get(posixpath.normpath(name))
        return self._on_load_path.find(name, user)


def _entry(tree: trees.Tree, call: Node, within: str) -> str:
    method, given = _field(tree, call, "method"), _arguments(tree, call)
    if method == "autoload" and given[0].startswith(":") and len(given) == 1:
        # ActiveSupport::Autoload: the path is made of the names of modules and of the constant.
        return f"require {_joined(within, _path_of(given[0][1:]))}"
    text = given[-1] if method == "autoload" else given[0]
    if _STRING.fullmatch(text) is None:
        return _from_file(text)
    path = _literal(text)
    return f"{'relative' if method == 'require_relative' else 'require'} {path}" if path else ""


def _arguments(tree: trees.Tree, call: Node) -> list[str]:
    """Return the first two arguments of a call, as written; at least one, which may be empty."""
    arguments = call.child_by_field_name("arguments")
    nodes = [] if arguments is None else [node for node in arguments.named_children if node.type != "comment"]
    return [beginning(tree, node, _MAX_BYTES) for node in nodes[:2]] or [""]


def _field(tree: trees.Tree, node: Node, name: str) -> str:
    field = node.child_by_field_name(name)
    return "" if field is None else beginning(tree, field, _MAX_BYTES)


def _literal(text: str) -> str:
    found = _STRING.fullmatch(text)
    return "" if found is None else found[1] or found[2] or ""


def _from_file(text: str) -> str:
    """Return the entry of a path made of the file's own and of literals, nothing for another."""
    literals = [each[1] or each[2] or "" for each in _STRING.finditer(text)]
    if not literals or _FROM_FILE.fullmatch(_STRING.sub("", text)) is None:
        return ""
    path = posixpath.normpath("/".join(each.strip("/") for each in literals))
    if "__dir__" in text or ("__FILE__" in text and "dirname" in text):
        return f"relative {path}"
    if "__FILE__" in text and path.startswith("../"):
        return f"relative {path[3:]}"
    return ""


def _path_of(name: str) -> str:
    """Return the path that a constant stands for: ``a/http_server`` for ``A::HTTPServer``."""
    return "/".join(_underscored(each) for each in name.split("::") if each)


def _joined(folder: str, path: str) -> str:
    return f"{folder}/{path}".strip("/")[:_MAX_PATH]


def _underscored(name: str) -> str:
    name = re.sub(r"([A-Z\d])([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()


def _with_extension(path: str) -> str:
    return path if path.endswith((".rb", ".rake", ".ru")) else f"{path}.rb"
