"""Go: which files declare what a file uses of other packages, and of its own.

An import names a package, which is all files of a folder. Going from a name to its declaration leads to one file
of them, and only such files count as used: those that declare a name that the user selects from the package. The same
holds within a package, whose files use each other without an import: a type, or a function that is called.

Which folder is meant stands in ``go.mod``, which need not be there, so modules are inferred from what imports have in
common: ``host/owner/name`` is the module in folder D when ``host/owner/name/a/b`` is imported, ``D/a/b`` is a package,
and declares most of what is selected. Each such import path is one vote, the module with most votes comes first, and
most of what is imported of a module must be there. So ``github.com/pkg/errors`` is not taken for ``pkg/errors``.
A folder that has the whole import path at its end (``vendor/github.com/a/b``) needs no vote. The standard library is
never looked for.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import join
from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import text_of
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("go",)

_QUERY = """
(import_spec) @import
(selector_expression operand: (identifier)) @selected
(qualified_type) @selected
(type_identifier) @used
(call_expression function: (identifier) @used)
"""
_PACKAGE = "package "
_OWN = "."
_INIT = "init"
_MAX_PARTS = 32
"""Import paths and folders of more parts are left alone."""
_MAX_ROOTS = 8
"""So many folders may hold the module that one import path hints at."""

_DECLARED = 0.7
"""A package is the one meant when it declares more than this share of what is selected from it; local variables with
the name of a package, and methods, are in the way of all."""

_NESTED_VOTES = 3
"""A module within another, or around it, under a name of its own is rare, and takes so many votes."""

_MAX_CLAIMS = 8

_VERSION = re.compile(r"v\d{1,9}")
_BUILTIN = """
append bool byte cap close comparable complex complex128 complex64 copy delete error float32 float64 imag int int16
int32 int64 int8 len make new panic print println real recover rune string uint uint16 uint32 uint64 uint8 uintptr
"""
# Not the late ones (min, max, clear, any), which older code declares itself.
_PREDECLARED = frozenset(_BUILTIN.split())
_LIBRARY = """
C archive bufio bytes cmd cmp compress container context crypto database debug embed encoding errors expvar flag fmt go
hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv
strings structs sync syscall testing text time unicode unique unsafe vendor weak
"""
# First parts of import paths of the standard library, and what no module is called.
_STANDARD = frozenset(_LIBRARY.split())
# On these hosts a module has at least so many parts.
_OWNED = {"github.com": 3, "gitlab.com": 3, "bitbucket.org": 3, "codeberg.org": 3, "golang.org": 3, "gopkg.in": 2}
_TESTS = "_test.go"


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return what a file declares and imports.

    Declares ``package p``, then each name at the top level. Imports ``path Name Name ...`` for each import, with the
    names that are selected from it (``init`` where it is imported for its effects), then ``. name name ...``: what may
    be declared by another file of the package.
    """
    found = trees.captures(tree, _QUERY)
    declared = _declared(tree)
    selected: dict[str, dict[str, None]] = {}
    for node in found.get("selected", []):
        operand, _, name = (part.strip() for part in text_of(node).partition("."))
        if name[:1].isupper():
            selected.setdefault(operand, {})[name] = None
    parts_of_others = {node.end_byte for node in found.get("selected", [])}
    own = {text_of(node): None for node in found.get("used", []) if node.end_byte not in parts_of_others}
    claims = _Claims(selected, own)
    imports = dict.fromkeys(filter(None, (_import(node, claims) for node in found.get("import", []))))
    unknown = [name for name in own if name not in _PREDECLARED and name not in declared]
    if unknown:
        imports[" ".join([_OWN, *unknown])] = None
    return Outline(tuple(declared), tuple(imports))


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    packages = _packages(sources)
    modules = _Modules(sources, packages)
    return pairs(sources, lambda user: _used(user, packages, modules))


class _Package:
    """The files of one folder that have the same package clause."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name = folder, name
        self.files = 0
        self._main: list[tuple[str, int]] = []
        self._names = _Names()
        self._in_tests = _Names()

    def add(self, source: Source, i: int) -> None:
        if source.path.endswith(_TESTS):
            self._in_tests.add(source, i)
            return
        self._names.add(source, i)
        self.files += 1
        if self.files == 1 or _stem(source.path) in (self.name, posixpath.basename(self.folder)):
            self._main.append((source.path, i))

    def declares(self, names: Iterable[str]) -> int:
        """Return how many of the names the package declares for others."""
        return sum(name in self._names for name in names)

    def declaring(self, names: Iterable[str], user: str) -> set[int]:
        """Return the files that declare the names for a file, one for each name."""
        found = self._names.files(names, user)
        return found | self._in_tests.files(names, user) if user.endswith(_TESTS) else found

    def main_file(self) -> list[int]:
        """Return the file that stands for the package: its only one, or the one that is called like it."""
        stems = {self.name, posixpath.basename(self.folder)}
        return [i for path, i in sorted(self._main) if self.files == 1 or _stem(path) in stems][:1]


class _Names:
    """The files of a package by the names that they declare."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._by_platform: dict[str, dict[str, tuple[int, str, int]]] = {}
        self._paths: dict[int, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def add(self, source: Source, i: int) -> None:
        self._paths[i] = source.path
        for name in source.outline.declares[1:]:
            first = self._first.setdefault(name, i)
            if first != i:
                # One file for each platform.
                by_platform = self._by_platform.setdefault(name, {})
                for each in (first, i):
                    self._enter(by_platform, each)

    def files(self, names: Iterable[str], user: str) -> set[int]:
        """Return one file for each name: that for the user's platform, else the one with the shortest path."""
        platform = _platform(user)
        found = set()
        for name in names:
            if (by_platform := self._by_platform.get(name)) is not None:
                found.add(by_platform.get(platform, by_platform[""])[2])
            elif name in self._first:
                found.add(self._first[name])
        return found

    def _enter(self, by_platform: dict[str, tuple[int, str, int]], i: int) -> None:
        entry = len(self._paths[i]), self._paths[i], i
        for platform in {"", _platform(self._paths[i])}:
            by_platform[platform] = min(by_platform.get(platform, entry), entry)


class _Hint:
    """What speaks for a module to lie in a folder."""

    def __init__(self) -> None:
        self.votes = 0
        self._against = 0
        self._silent = 0

    def add(self, declared: int, selected: int) -> None:
        """Count an import path whose package is there, and declares so many of the names that are selected from it."""
        if not selected:
            self._silent += 1
        elif declared > _DECLARED * selected:
            self.votes += 1
        else:
            self._against += 1

    def counts(self, imported: int, *, nested: bool) -> bool:
        """Return whether it is enough, of so many import paths that begin with the module."""
        there = self.votes + self._against + self._silent
        return 2 * there >= imported and self.votes > self._against and self.votes >= (_NESTED_VOTES if nested else 1)


class _Modules:
    """Where the modules of a project lie, by what its files import."""

    def __init__(self, sources: Sequence[Source], packages: Mapping[tuple[str, str], _Package]) -> None:
        self._by_folder = _importable(packages)
        self._packages = [self._by_folder[folder] for folder in sorted(self._by_folder, key=_rank)]
        self._selected = _selected(sources)
        self._whole = Nearest()
        self._roots: dict[str, str] = {}
        self._infer(self._hints())

    def package(self, path: str, user: str) -> _Package | None:
        """Return the package of the project that an import path names in a file."""
        if path.startswith(("./", "../")):
            return self._by_folder.get(posixpath.normpath(posixpath.join(posixpath.dirname(user), path)))
        whole = self._whole.find(path, user)
        if whole is not None:
            return self._packages[whole]
        for module, rest in _cuts(path):
            if (root := self._roots.get(module)) is not None:
                return self._by_folder.get(join(root, rest))
        return None

    def _hints(self) -> dict[tuple[str, str], _Hint]:
        """Return what import paths say for and against (module, folder)."""
        ends = {end for path in self._selected for end in _ends(path)}
        ending: dict[str, list[int]] = {}
        for i, package in enumerate(self._packages):
            for end in _ends(package.folder):
                if end in self._selected and "." in end.partition("/")[0]:
                    self._whole.file(end, package.folder + "/", i, _seen_from(package.folder, end))
                elif end in ends and len(ending.setdefault(end, [])) < _MAX_ROOTS:
                    ending[end].append(i)
        hints: dict[tuple[str, str], _Hint] = {}
        for path, selected in self._selected.items():
            names = selected - {_INIT}
            end = next((end for end in _ends(path) if end in ending), "")
            for package in (self._packages[i] for i in ending.get(end, ())):
                place = _place(path, package.folder, end)
                if _may_be_module(place[0]):
                    hints.setdefault(place, _Hint()).add(package.declares(names), len(names))
            if not end and self._is_top(path, names):
                hints.setdefault((path, ""), _Hint()).add(1, 1)
        return hints

    def _is_top(self, path: str, names: Collection[str]) -> bool:
        """Of a package at the top of a project nothing stands in its path, but all that is selected must be there."""
        top = self._by_folder.get("")
        if top is None or not names or not _may_be_module(path) or top.name not in _local_names(path):
            return False
        return top.declares(names) == len(names)

    def _infer(self, hints: Mapping[tuple[str, str], _Hint]) -> None:
        imported = Counter(module for path in self._selected for module, _ in _cuts(path))
        taken: set[str] = set()
        above: set[str] = set()
        for (module, root), hint in sorted(
            hints.items(), key=lambda item: (-item[1].votes, _rank(item[0][1]), item[0])
        ):
            nested = (root in above or not taken.isdisjoint(_folders(root))) and _last(root) != module
            if module in self._roots or root in taken or not hint.counts(imported[module], nested=nested):
                continue
            self._roots[module] = root
            taken.add(root)
            above.update(_folders(root))


def _used(user: Source, packages: Mapping[tuple[str, str], _Package], modules: _Modules) -> Iterator[int]:
    for entry in user.outline.imports:
        path, *names = entry.split(" ")
        if path == _OWN:
            yield from packages[posixpath.dirname(user.path), _clause(user)].declaring(names, user.path)
        elif (package := modules.package(path, user.path)) is not None:
            yield from package.declaring(names, "") or package.main_file()


def _packages(sources: Sequence[Source]) -> dict[tuple[str, str], _Package]:
    packages: dict[tuple[str, str], _Package] = {}
    for i, source in enumerate(sources):
        key = posixpath.dirname(source.path), _clause(source)
        packages.setdefault(key, _Package(*key)).add(source, i)
    return packages


def _importable(packages: Mapping[tuple[str, str], _Package]) -> dict[str, _Package]:
    """Return the package that an import of a folder means: no program, no tests, and of several the largest."""
    by_folder: dict[str, _Package] = {}
    for (folder, name), package in sorted(packages.items(), key=lambda item: (-item[1].files, item[0])):
        if package.files and name != "main" and folder.count("/") < _MAX_PARTS:
            by_folder.setdefault(folder, package)
    return by_folder


def _selected(sources: Sequence[Source]) -> dict[str, set[str]]:
    """Return the import paths that may be the project's, each with all that is selected from it anywhere."""
    selected: dict[str, set[str]] = {}
    for source in sources:
        for entry in source.outline.imports:
            path, *names = entry.split(" ")
            if path.partition("/")[0] not in _STANDARD and not path.startswith(".") and path.count("/") < _MAX_PARTS:
                selected.setdefault(path, set()).update(names)
    return selected


def _declared(tree: trees.Tree) -> dict[str, None]:
    package = ""
    declared: dict[str, None] = {}
    for node in tree.root.named_children:
        if node.type == "package_clause":
            package = package or text_of(node).removeprefix("package").strip()
        elif node.type == "function_declaration":
            declared.update(_names(node))
        elif node.type in ("type_declaration", "const_declaration", "var_declaration"):
            specs = node.named_children
            if specs and specs[0].type == "var_spec_list":
                specs = specs[0].named_children
            for spec in specs:
                declared.update(_names(spec))
    declared.pop("_", None)
    return {_PACKAGE + package.partition(" ")[0]: None, **declared}


def _names(node: Node) -> dict[str, None]:
    return {text_of(each): None for each in node.children_by_field_name("name") if each.is_named}


class _Claims:
    """What a file selects, by operand, and what it uses without one: for imports to claim.

    Several imports may be meant by one operand, until it is known what their packages call themselves; not a thousand.
    """

    def __init__(self, selected: Mapping[str, Iterable[str]], own: Iterable[str]) -> None:
        self._selected = {**selected, _OWN: [name for name in own if name[:1].isupper()]}
        self._claims: Counter[str] = Counter()

    def claim(self, operands: Iterable[str]) -> Iterator[str]:
        for operand in operands:
            if operand in self._selected and self._claims[operand] < _MAX_CLAIMS:
                self._claims[operand] += 1
                yield from self._selected[operand]


def _import(node: Node, claims: _Claims) -> str:
    """Return an entry for an import; nothing where it has no path."""
    path_node, name_node = node.child_by_field_name("path"), node.child_by_field_name("name")
    path = "" if path_node is None else text_of(path_node)[1:-1]
    if not path or path == _OWN or any(char.isspace() for char in path):
        return ""
    name = None if name_node is None else text_of(name_node)
    if name == "_":
        return f"{path} {_INIT}"
    return " ".join(dict.fromkeys([path, *claims.claim(_local_names(path) if name is None else [name])]))


def _local_names(path: str) -> list[str]:
    """Return what the package of an import path may call itself: that of ``go-yaml/v2`` is ``yaml``, or ``v2``."""
    parts = path.split("/")
    last = parts[-2] if len(parts) > 1 and _VERSION.fullmatch(parts[-1]) else parts[-1]
    pieces = re.split(r"[-.]", last)
    return list(dict.fromkeys([last, "".join(pieces), "_".join(pieces), *pieces, parts[-1]]))


def _may_be_module(path: str) -> bool:
    host = path.partition("/")[0]
    return bool(path) and path.count("/") + 1 >= _OWNED.get(host, 1)


def _clause(source: Source) -> str:
    return source.outline.declares[0].removeprefix(_PACKAGE)


def _ends(path: str) -> list[str]:
    """Return a path and what follows each of its slashes, the longest first; nothing for the top."""
    starts = [0, *(i + 1 for i, char in enumerate(path) if char == "/")]
    return [path[start:] for start in starts] if path else []


def _cuts(path: str) -> list[tuple[str, str]]:
    """Return a path as (start, rest) for each number of parts, the longest start first."""
    cuts = [i for i, char in enumerate(path) if char == "/"][:_MAX_PARTS]
    return [(path, ""), *((path[:cut], path[cut + 1 :]) for cut in reversed(cuts))]


def _folders(path: str) -> list[str]:
    return ["", *(path[:i] for i, char in enumerate(path) if char == "/"), path] if path else [""]


def _place(path: str, folder: str, end: str) -> tuple[str, str]:
    """Return the module and its folder when an import path and the folder of a package have an end in common."""
    module, root = path[: len(path) - len(end)].rstrip("/"), folder[: len(folder) - len(end)].rstrip("/")
    if module:
        return module, root
    # The folder of the module is called like the module, which is one word then: app/store in app/store.
    first = end.partition("/")[0]
    return first, join(root, first)


def _seen_from(folder: str, end: str) -> str:
    """What is vendored is seen from the folder that holds ``vendor``, anything else from everywhere."""
    root = folder[: len(folder) - len(end)]
    return root.removesuffix("vendor/") if root.endswith("vendor/") else ""


def _platform(path: str) -> str:
    """Return what follows the last underscore of a file's name: ``linux`` of ``file_linux.go``."""
    _, underscore, platform = _stem(path).removesuffix("_test").rpartition("_")
    return platform if underscore else ""


def _stem(path: str) -> str:
    return posixpath.basename(path).removesuffix(".go")


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _rank(path: str) -> tuple[int, int, str]:
    return path.count("/") + bool(path), len(path), path
