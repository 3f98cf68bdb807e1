"""Rust: which files declare the modules and items that a file names.

The modules of a crate are a tree that ``mod`` declarations span over files; where a macro hides one, the place of the
file says the same. A path (``crate::``, ``self::``, ``super::``, a module beside, another crate of the project) is
followed down this tree, through what modules re-export (``pub use``), to the file that declares what it ends in. A file
uses the modules that it declares, except those for tests alone. It uses a module above it only for what that module
declares itself, not for what a macro may have put there.

Crates are called what ``Cargo.toml`` says, which need not be there. A crate has the name of its folder when that is
used, else the name of which at least most paths lead to something: ``x_core::a::B`` is in the folder ``core`` where
that has a module ``a`` with a ``B``. In editions before 2018 (no file of the project says ``crate::``) paths of ``use``
begin at the top of the crate.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import parent, upwards
from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import in_order, text_of
from codemill.core.imports.source import Outline, Source

LANGUAGES: tuple[str, ...] = ("rust",)

_QUERY = """
(attribute_item) @attribute
(mod_item) @mod
(use_declaration argument: (_) @use)
(extern_crate_declaration) @extern
(scoped_identifier path: [(crate) (super) (self)]) @path
(scoped_type_identifier path: [(crate) (super) (self)]) @path
"""
_ITEM_NODES = """
const_item enum_item function_item macro_definition static_item struct_item trait_item type_item union_item
"""
_ITEMS = frozenset(_ITEM_NODES.split())
_PATH = re.compile(rb"(?:r#)?\w{1,200}(?:\s{0,50}::\s{0,50}(?:r#)?\w{1,200}){0,30}")
_PATH_ATTRIBUTE = re.compile(r'#\[\s{0,9}path\s{0,9}=\s{0,9}r?"([^"\n]{1,500})"')
_TEST_ATTRIBUTE = re.compile(r"#\[\s{0,9}cfg\s{0,9}\(\s{0,9}(?:all\s{0,9}\(\s{0,9})?test\b")
_DERIVE = re.compile(r"#\[\s{0,9}proc_macro_derive\s{0,9}\(\s{0,9}(\w{1,200})")
_COMMENTS = re.compile(rb"(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*")
_MAX_PATH = 1000
_MAX_NAME = 200
_MAX_SCOPE = 200
"""What is in modules within a file that have longer names together is left out."""
_MAX_ATTRIBUTES = 30

_VERIFIED = 0.7
"""More than this share of the paths that begin with a name must lead to something for a crate to have that name."""

_EVERYWHERE = frozenset(("", "Error", "Result", "error", "prelude"))
"""What all crates have says nothing about which is meant."""

_TOPS = ("lib", "main", "mod")
_LANGUAGE_CRATES = frozenset(("alloc", "core", "proc_macro", "std", "test"))
_NO_CRATES = _LANGUAGE_CRATES | {"crate", "self", "super"}
_HOPS = 12
"""So many re-exports are followed on the way to one item; one of all that a module has (``*``) counts for four."""
_GLOB_HOPS = 4
_MAX_GLOBS = 16
_MAX_LEVELS = 64


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return what a file declares and imports.

    Declares items by name, those of modules within the file by path (``a::Item``), the modules themselves with colons
    at their end (``a::``), macros once more with a mark (``m!``). Imports are ``mod a`` (``test mod a`` for tests,
    ``mod a = file.rs`` where it says in which file), ``use path``, ``use path as name`` (the name too by its path
    within the file), ``use path::*``, and paths that stand outside ``use``. Paths count from the top of the file.
    """
    found = trees.captures(tree, _QUERY)
    inline = [node for node in found.get("mod", []) if node.child_by_field_name("body") is not None]
    declares: dict[str, None] = {}
    imports: dict[str, None] = {}
    _declare(tree.root, "", declares)
    attributes: list[Node] = []
    uses_end = 0
    for node, name, scope in _scoped(in_order(found), inline):
        if name == "attribute":
            attributes = [*_directly_before(node, attributes, tree.source), node]
        elif name == "mod":
            _add_module(node, scope, _directly_before(node, attributes, tree.source), imports)
        elif name == "use":
            uses_end = node.end_byte
            imports.update(dict.fromkeys(_uses(node, scope)))
        elif name == "extern":
            imports.update(dict.fromkeys(_extern(node)))
        elif node.start_byte >= uses_end and (path := _PATH.match(tree.source, node.start_byte)) is not None:
            imports[_from_top(_cleaned(path[0].decode("utf-8", "replace")), scope)] = None
    return Outline(tuple(declares), tuple(imports))


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    # In the order of paths, since what is found first cuts circles of re-exports.
    order = sorted(range(len(sources)), key=lambda i: sources[i].path)
    project = _Project([sources[i] for i in order])
    for user in range(len(order)):
        yield from ((order[user], order[each]) for each in project.used(user) if each != user)


class _Mod(NamedTuple):
    """A ``mod`` declaration: the file that it names, if it does, and whether it is for tests alone."""

    file: str
    for_tests: bool


class _Imports:
    """The imports of a file, taken apart: all by names as they are known at the top of the file."""

    def __init__(self, entries: Sequence[str]) -> None:
        self.modules: dict[str, _Mod] = {}
        self.paths: list[str] = []
        self.names: dict[str, str] = {}
        self.globs: dict[str, list[str]] = {}
        for entry in entries:
            kind, _, rest = entry.partition(" ")
            if kind == "test":
                self._module(rest.partition(" ")[2], for_tests=True)
            elif kind == "mod":
                self._module(rest, for_tests=False)
            elif kind == "use":
                self._use(rest)
            else:
                self.paths.append(entry)

    def _module(self, written: str, *, for_tests: bool) -> None:
        name, _, file = written.partition(" = ")
        self.modules.setdefault(name, _Mod(file, for_tests))

    def _use(self, written: str) -> None:
        path, _, name = written.partition(" as ")
        last = path.rpartition("::")[2]
        name = name or last
        if last == "*":
            path = path[:-1].removesuffix("::")
            globs = self.globs.setdefault(name[:-1], [])
            if len(globs) < _MAX_GLOBS:
                globs.append(path)
        elif path.partition("::")[0] != name:
            self.names.setdefault(name, path)
        self.paths.append(path)


class _Tree:
    """Which file is which module of which: by declarations, else by the place of the files."""

    def __init__(self, paths: Sequence[str], modules: Sequence[Mapping[str, _Mod]]) -> None:
        self._paths = paths
        self._by_path = {path: i for i, path in enumerate(paths)}
        self.children: list[dict[str, int]] = [{} for _ in paths]
        self._parents: dict[int, tuple[int, str]] = {}
        # What lib.rs and main.rs both declare is the library's.
        by_rank = sorted(
            range(len(paths)), key=lambda i: (not paths[i].endswith("lib.rs"), _stem(paths[i]) != "main", i)
        )
        unfound = [(i, name) for i in by_rank for name, mod in modules[i].items() if not self._declared(i, name, mod)]
        for i, name in unfound:
            # The top of a crate has its modules beside it, whatever it is called: src/bin/x.rs, tests/x.rs.
            if i not in self._parents:
                self._adopt(i, name, posixpath.dirname(paths[i]))
        for i in range(len(paths)):
            if i not in self._parents and _stem(paths[i]) not in _TOPS[:2]:
                self._place(i)

    def parent(self, i: int) -> tuple[int, str] | None:
        """Return the file that a module is declared in, and the path of its parent within that file."""
        found = self._parents.get(i)
        return None if found is None else (found[0], found[1].rpartition("::")[0])

    def above(self, i: int) -> set[int]:
        """Return the files of the modules that a module is in."""
        above: set[int] = set()
        while i in self._parents and len(above) < _MAX_LEVELS:
            i = self._parents[i][0]
            if i in above:
                break
            above.add(i)
        return above

    def top(self, i: int) -> int:
        """Return the file at the top of the crate that a file belongs to."""
        seen = {i}
        while i in self._parents and self._parents[i][0] not in seen and len(seen) < _MAX_LEVELS:
            i = self._parents[i][0]
            seen.add(i)
        return i

    def _declared(self, i: int, name: str, mod: _Mod) -> bool:
        beside = posixpath.dirname(self._paths[i])
        if mod.file:
            inner = posixpath.join(_folder(self._paths[i]), *name.split("::")[:-1]) if "::" in name else beside
            return self._take(i, name, posixpath.normpath(posixpath.join(inner, mod.file)))
        return self._adopt(i, name, _folder(self._paths[i]))

    def _adopt(self, i: int, name: str, folder: str) -> bool:
        path = posixpath.join(folder, *name.split("::"))
        return self._take(i, name, f"{path}.rs") or self._take(i, name, f"{path}/mod.rs")

    def _take(self, i: int, name: str, path: str) -> bool:
        child = self._by_path.get(path)
        if child is None or child == i:
            return False
        self.children[i][name] = child
        self._parents.setdefault(child, (i, name))
        return True

    def _place(self, i: int) -> None:
        path = self._paths[i]
        module = posixpath.dirname(path) if _stem(path) == "mod" else path.removesuffix(".rs")
        folder = posixpath.dirname(module)
        for above in (*(posixpath.join(folder, f"{top}.rs") for top in ("mod", "lib", "main")), f"{folder}.rs"):
            if (found := self._by_path.get(above)) is not None and found != i:
                self.children[found].setdefault(posixpath.basename(module), i)
                self._parents[i] = found, posixpath.basename(module)
                return


class _Found(NamedTuple):
    """Where a path leads: a file, and there a module (``prefix``: its path within the file), an item or neither."""

    file: int
    kind: str
    prefix: str = ""


class _Project:
    """The files of a project, and what paths lead to."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._paths = [source.path for source in sources]
        self._items = [frozenset(source.outline.declares) for source in sources]
        self._imports = [_Imports(source.outline.imports) for source in sources]
        self._tree = _Tree(self._paths, [imports.modules for imports in self._imports])
        self._tops = [self._tree.top(i) for i in range(len(sources))]
        self._modern = any(path.startswith("crate::") for imports in self._imports for path in imports.paths)
        self._macros: dict[tuple[int, str], int] = {}
        for i, source in enumerate(sources):
            for name in source.outline.declares:
                if name.endswith("!"):
                    self._macros.setdefault((self._tops[i], name[:-1]), i)
        self._items_below: dict[int, dict[str, int | None]] = {}
        self._known: dict[tuple[int, str], _Found | None] = {}
        self._crates = Nearest()
        self._crates = self._name_crates()
        self._known.clear()

    def used(self, user: int) -> set[int]:
        """Return the files that a file uses."""
        imports, children = self._imports[user], self._tree.children[user]
        used = {children[name] for name, mod in imports.modules.items() if name in children and not mod.for_tests}
        above = self._tree.above(user)
        for path in imports.paths:
            found = self._find(user, path, _HOPS)
            if found is not None and (found.kind != "unknown" or found.file not in above):
                used.add(found.file)
        return used

    def _find(self, file: int, path: str, hops: int) -> _Found | None:
        """Follow a path from the top of a file."""
        key = file, path
        if key not in self._known:
            # What leads back to itself while it is looked for leads nowhere.
            self._known[key] = None
            self._known[key] = self._start(file, path.split("::"), hops) if hops > 0 else None
        return self._known[key]

    def _start(self, file: int, parts: list[str], hops: int) -> _Found | None:
        first = parts[0]
        if first == "crate":
            return self._walk(self._tops[file], "", parts[1:], hops)
        if first == "self":
            return self._walk(file, "", parts[1:], hops)
        if first == "super":
            return self._up(file, parts, hops)
        if not first:
            return self._in_crate(file, parts[1:], hops)
        found = self._walk(file, "", parts, hops) if self._knows(file, first) else None
        if found is not None and found.kind != "unknown":
            return found
        return self._in_crate(file, parts, hops) or found

    def _up(self, file: int, parts: list[str], hops: int) -> _Found | None:
        prefix = ""
        while parts and parts[0] == "super":
            if prefix:
                prefix = prefix.rpartition("::")[0]
            elif (parent := self._tree.parent(file)) is not None:
                file, prefix = parent
            else:
                return None
            parts = parts[1:]
        return self._walk(file, f"{prefix}::" if prefix else "", parts, hops)

    def _in_crate(self, file: int, parts: list[str], hops: int) -> _Found | None:
        top = self._tops[file]
        if parts and not self._modern and self._knows(top, parts[0]) and parts[0] not in _LANGUAGE_CRATES:
            return self._walk(top, "", parts, hops)
        crate = self._crates.find(parts[0], self._paths[file]) if parts else None
        return None if crate is None else self._walk(crate, "", parts[1:], hops)

    def _knows(self, file: int, name: str) -> bool:
        items, imports = self._items[file], self._imports[file]
        return name in self._tree.children[file] or name in items or f"{name}::" in items or name in imports.names

    def _walk(self, file: int, prefix: str, parts: list[str], hops: int) -> _Found | None:
        """Follow a path down from a module."""
        for n, part in enumerate(parts):
            name = prefix + part
            child = self._tree.children[file].get(name)
            if child is not None:
                file, prefix = child, ""
            elif f"{name}::" in self._items[file]:
                prefix = f"{name}::"
            elif name in self._items[file]:
                return _Found(file, "item")
            else:
                return self._elsewhere(file, prefix, parts[n:], hops)
        return _Found(file, "module", prefix)

    def _elsewhere(self, file: int, prefix: str, parts: list[str], hops: int) -> _Found | None:
        """Follow a path through what a module re-exports."""
        imports = self._imports[file]
        if (path := imports.names.get(prefix + parts[0])) is not None:
            return self._find(file, "::".join([path, *parts[1:]])[:_MAX_PATH], hops - 1)
        for path in imports.globs.get(prefix, ()):
            module = self._find(file, path, hops - _GLOB_HOPS)
            if module is None or module.kind != "module" or module[::2] == (file, prefix):
                continue
            found = self._below(module, parts, hops - _GLOB_HOPS)
            if found is not None and found.kind != "unknown":
                return found
        hidden = self._hidden(file, parts[0]) if not prefix else None
        return _Found(file, "unknown") if hidden is None else _Found(hidden, "item")

    def _hidden(self, file: int, name: str) -> int | None:
        """Return the file of an item that a macro may re-export: one of a module right below, or a macro itself."""
        if file == self._tops[file] and (macro := self._macros.get((file, name))) is not None:
            return macro
        if file not in self._items_below:
            below: dict[str, int | None] = {}
            for child in sorted(set(self._tree.children[file].values())):
                for item in self._items[child]:
                    below[item] = None if item in below else child
            self._items_below[file] = below
        return self._items_below[file].get(name)

    def _below(self, module: _Found, parts: list[str], hops: int) -> _Found | None:
        inner = module.prefix.removesuffix("::")
        return self._find(module.file, "::".join(["self", *([inner] if inner else []), *parts]), hops)

    def _name_crates(self) -> Nearest:
        """Return the tops of libraries by the names that the project has for them."""
        libraries = [i for i, path in enumerate(self._paths) if _stem(path) == "lib" and self._tops[i] == i]
        by_folder = Nearest()
        for i in libraries:
            by_folder.file(_package(self._paths[i]).rpartition("/")[2].replace("-", "_"), self._paths[i], i)
        own = {_package(self._paths[i]): i for i in reversed(libraries)}
        asked: dict[tuple[str, int], dict[str, None]] = {}
        for file, path in self._outer_paths():
            name, _, rest = path.partition("::")
            for library in _candidates(name, self._paths[file], by_folder, own):
                if self._tops[file] != library:
                    asked.setdefault((name, library), {})[rest] = None
        return self._elected(asked, by_folder)

    def _outer_paths(self) -> Iterator[tuple[int, str]]:
        """Yield paths that may begin with the name of a crate, with the files that they are in."""
        for i, imports in enumerate(self._imports):
            for path in (path.removeprefix("::") for path in imports.paths):
                first = path.partition("::")[0]
                if first not in _NO_CRATES and first not in self._tree.children[i]:
                    yield i, path

    def _elected(self, asked: Mapping[tuple[str, int], Mapping[str, None]], by_folder: Nearest) -> Nearest:
        ranked = []
        for (name, library), rests in asked.items():
            paths = [rest for rest in rests if rest.rpartition("::")[2] not in _EVERYWHERE]
            hits = sum(self._leads(library, rest) for rest in paths)
            exact = _package(self._paths[library]).rpartition("/")[2].replace("-", "_") == name
            if 2 * hits >= len(paths) if exact else hits > _VERIFIED * len(paths):
                ranked.append((not exact, -hits, self._paths[library], name, library))
        crates = Nearest()
        named: set[int] = set()
        for _, _, path, name, library in sorted(ranked):
            if library not in named:
                named.add(library)
                crates.file(name, path, library)
        return crates

    def _leads(self, library: int, path: str) -> bool:
        found = self._walk(library, "", path.split("::"), _HOPS)
        return found is not None and found.kind != "unknown"


def _candidates(name: str, user: str, by_folder: Nearest, own: Mapping[str, int]) -> Iterator[int]:
    """Yield libraries that may have a name: by folder or its end, the user's own, the one at the top."""
    ends = [name, *(name[i + 1 :] for i, char in enumerate(name[:_MAX_LEVELS]) if char == "_")]
    yield from (found for end in ends if end and (found := by_folder.find(end, user)) is not None)
    nearest = next((folder for folder in upwards(parent(user)) if folder in own), None)
    if nearest is not None:
        yield own[nearest]
    if "" in own:
        yield own[""]


def _package(path: str) -> str:
    """Return the folder of the package whose library is at a path."""
    folder = posixpath.dirname(path)
    return posixpath.dirname(folder) if posixpath.basename(folder) == "src" else folder


def _folder(path: str) -> str:
    """Return the folder in which the modules of a file lie."""
    return posixpath.dirname(path) if _stem(path) in _TOPS else path.removesuffix(".rs")


def _stem(path: str) -> str:
    return posixpath.basename(path).removesuffix(".rs")


def _declare(root: Node, prefix: str, declares: dict[str, None]) -> None:
    todo = [(root, prefix)]
    while todo:
        parent, prefix = todo.pop()
        for node in parent.named_children:
            if node.type == "attribute_item" and (derive := _DERIVE.match(text_of(node))):
                declares[prefix + derive[1]] = None
            body = node.child_by_field_name("body") if node.type == "mod_item" else None
            if body is None and node.type not in _ITEMS:
                continue
            name = prefix + _name(node)
            if len(name) > _MAX_PATH:
                continue
            if body is not None:
                declares[f"{name}::"] = None
                todo.append((body, f"{name}::"))
            else:
                declares[name] = None
                if node.type == "macro_definition":
                    declares[f"{name.rpartition('::')[2]}!"] = None


def _scoped(nodes: Sequence[tuple[Node, str]], inline: Sequence[Node]) -> Iterator[tuple[Node, str, tuple[str, ...]]]:
    """Yield nodes with the names of the modules within the file that they are in. Both in document order."""
    scope: list[tuple[int, str]] = []
    length = 0
    inner = iter([*inline, None])
    following = next(inner)
    for node, name in nodes:
        while scope and scope[-1][0] <= node.start_byte:
            length -= len(scope.pop()[1])
        if length <= _MAX_SCOPE:
            yield node, name, tuple(each for _, each in scope)
        if following is not None and node == following:
            scope.append((node.end_byte, _name(node)))
            length += len(scope[-1][1])
            following = next(inner)


def _directly_before(node: Node, attributes: list[Node], source: bytes) -> list[Node]:
    """Return the attributes, in document order, if nothing but comments stands between the last and a node."""
    if not attributes or len(attributes) > _MAX_ATTRIBUTES:
        return []
    between = source[attributes[-1].end_byte : node.start_byte]
    return attributes if len(between) < _MAX_PATH and _COMMENTS.fullmatch(between) is not None else []


def _add_module(node: Node, scope: tuple[str, ...], attributes: Sequence[Node], imports: dict[str, None]) -> None:
    """Add a declaration of a module that is in another file."""
    if node.child_by_field_name("body") is not None:
        return
    entry = f"mod {'::'.join([*scope, _name(node)])}"
    texts = [text_of(attribute) for attribute in attributes]
    path = next((found[1] for text in texts if (found := _PATH_ATTRIBUTE.match(text)) is not None), "")
    if path:
        entry += f" = {path}"
    for_tests = any(_TEST_ATTRIBUTE.match(text) is not None for text in texts)
    imports[f"test {entry}" if for_tests else entry] = None


def _uses(argument: Node, scope: tuple[str, ...]) -> Iterator[str]:
    """Yield an entry for each path of a ``use``."""
    todo = [(argument, "")]
    while todo:
        node, before = todo.pop()
        if len(before) > _MAX_PATH:
            continue
        if node.type in ("use_list", "scoped_use_list"):
            path = node.child_by_field_name("path")
            if node.type == "scoped_use_list":
                before = before + ("" if path is None else _cleaned(text_of(path))) + "::"
            each = node.named_children if node.type == "use_list" else [node.child_by_field_name("list")]
            todo.extend((child, before) for child in reversed(each) if child is not None and child != path)
        elif not node.type.endswith("comment"):
            yield _use(node, before, scope)


def _use(node: Node, before: str, scope: tuple[str, ...]) -> str:
    alias = node.child_by_field_name("alias")
    path_node = node.child_by_field_name("path") if alias is not None else node
    path = before + _cleaned("" if path_node is None else text_of(path_node))
    if path.endswith("::self"):
        path = path.removesuffix("::self")
    name = path.rpartition("::")[2] if alias is None else _cleaned(text_of(alias))
    if not scope and alias is None:
        return f"use {_from_top(path, scope)}"
    return f"use {_from_top(path, scope)} as {'::'.join([*scope, name])}"


def _extern(node: Node) -> Iterator[str]:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is not None and text_of(name) != "self":
        yield f"use ::{_cleaned(text_of(name))}" + (f" as {_cleaned(text_of(alias))}" if alias is not None else "")


def _from_top(path: str, scope: tuple[str, ...]) -> str:
    """Return a path that stands in a module within a file as one from the top of the file."""
    first, _, rest = path.partition("::")
    if not scope or first not in ("self", "super"):
        return path
    inner = list(scope)
    if first == "self":
        return "::".join(["self", *inner, *([rest] if rest else [])])
    while inner and (path == "super" or path.startswith("super::")):
        inner.pop()
        path = path[len("super::") :]
    if path == "super" or path.startswith("super::"):
        return path
    return "::".join(["self", *inner, *([path] if path else [])])


def _cleaned(path: str) -> str:
    return "".join(path.split()).replace("r#", "")


def _name(node: Node) -> str:
    name = node.child_by_field_name("name")
    return "" if name is None else _cleaned(text_of(name))[:_MAX_NAME]
