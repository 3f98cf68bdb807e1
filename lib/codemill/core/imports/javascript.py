"""Imports of JavaScript and TypeScript: ES modules, CommonJS, AMD, and TypeScript's own forms.

A path that begins with a dot is looked up from the user's folder as bundlers and compilers do: the file itself, with an
extension, or the folder's index; `./x.js` may stand for `x.ts`. Aliases `@/x` and `~/x` mean a folder that only a
configuration knows: they resolve where one folder above the user (or its `src` or `app`) has such a file, and no other.
All else names a package, which no file of the project is.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import parent, upwards
from codemill.core.imports.nodes import text_of
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("javascript", "typescript", "tsx")

_ARGUMENT = "arguments: (arguments . [(string) (template_string)] @node)"
_ENTRIES = [
    "(import_statement source: (string) @node)",
    "(export_statement source: (string) @node)",
    f"(call_expression function: (import) {_ARGUMENT})",
    f'(call_expression function: (identifier) @_name {_ARGUMENT} (#eq? @_name "require"))',
    "(call_expression function: (identifier) @_name arguments: (arguments (array (string) @node))"
    ' (#any-of? @_name "define" "require"))',
]
_QUERIES = {
    "javascript": trees.query({"import": _ENTRIES}),
    "typescript": trees.query({"import": [*_ENTRIES, "(import_require_clause source: (string) @node)"]}),
}
_REFERENCES = trees.query({"comment": ["(program (comment) @node)"]})
_REFERENCE = re.compile(r"///\s*<reference\s+path\s*=\s*[\"']([^\"'\n]+)[\"']")
_RELATIVE = re.compile(r"\.{1,2}(?:/|\Z)")
_FOLDER = re.compile(r"(?:^|/)\.{0,2}\Z")
_ALIAS = re.compile(r"[@~]/(.+)", re.S)
_SOURCE_FOLDERS = ("", "src", "app")
_MAX_NAME = 1_000

_TYPESCRIPT = (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".d.mts", ".d.cts")
_JAVASCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".es6", ".es", ".jsm")
# Of TypeScript's extensions, those that a path may name by JavaScript's, as the compiler writes it.
_WRITTEN_AS = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return the paths and names that a file imports, as they are written. Nothing is declared."""
    typed = language != "javascript"
    found = trees.captures(tree, _QUERIES["typescript" if typed else "javascript"]).get("import", ())
    imports = chain(_references(tree) if typed else (), map(_specifier, found))
    return Outline((), tuple(dict.fromkeys(filter(None, imports))))


def _references(tree: trees.Tree) -> Iterator[str]:
    if "<reference" not in tree.text:
        return
    for comment in trees.captures(tree, _REFERENCES).get("comment", ()):
        if (found := _REFERENCE.match(text_of(comment))) is not None:
            # These are relative whether or not they say so.
            yield found[1] if _RELATIVE.match(found[1]) else f"./{found[1]}"


def _specifier(node: Node) -> str:
    """Return what is between the quotes, without what bundlers take as orders; nothing for computed paths."""
    text = text_of(node)[1:-1]
    return "" if "${" in text or len(text) > _MAX_NAME else re.split(r"[?#]", text, maxsplit=1)[0]


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    project = _Project(sources)
    return pairs(sources, lambda user: (project.resolve(user, name) for name in user.outline.imports))


class _Project:
    """The files of a project by their paths."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._files = {source.path: index for index, source in enumerate(sources)}
        self._folders = {folder for source in sources for folder in upwards(parent(source.path))}
        self._known = self._folders.union(chain.from_iterable(_stems(source.path) for source in sources))
        """What may have an extension or an index added: most paths that are asked for do not exist."""

    def resolve(self, user: Source, name: str) -> int | None:
        """Return the file that an import of a user means; None for none of this project."""
        folder = parent(user.path)
        typed = user.language != "javascript"
        if _RELATIVE.match(name) is not None:
            return self._file(folder, name, typed=typed)
        alias = _ALIAS.fullmatch(name)
        if alias is None:
            return None
        roots = (posixpath.join(above, source) for above in upwards(folder) for source in _SOURCE_FOLDERS)
        found = {self._file(root, alias[1], typed=typed) for root in roots if root.removesuffix("/") in self._folders}
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def _file(self, folder: str, name: str, *, typed: bool) -> int | None:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path not in self._known and posixpath.splitext(path)[0] not in self._known and path != ".":
            return None
        candidates = _paths(posixpath.normpath(posixpath.join(path, "index")), typed=typed)
        if not _FOLDER.search(name):
            candidates = chain(_paths(path, typed=typed), candidates)
        return next((self._files[path] for path in candidates if path in self._files), None)


def _paths(path: str, *, typed: bool) -> Iterator[str]:
    """Yield the paths of files that a path without or with an extension may mean, best first."""
    stem, extension = posixpath.splitext(path)
    written = [f"{stem}{other}" for other in _WRITTEN_AS.get(extension, ())]
    yield from (*written, path) if typed else (path, *written)
    yield from (f"{path}{other}" for other in (_TYPESCRIPT + _JAVASCRIPT if typed else _JAVASCRIPT + _TYPESCRIPT))


def _stems(path: str) -> Iterator[str]:
    """Yield a path, and what is before each dot in the last part of it."""
    yield path
    name = path.rpartition("/")[2][:_MAX_NAME]
    start = len(path) - len(name)
    yield from (path[: start + at] for at, char in enumerate(name) if char == ".")
