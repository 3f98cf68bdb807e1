"""Languages in which a text says its package or namespace: what it declares there, and who uses that.

Where a file lies says nothing then. Names are written with dots throughout, `a.b.C`. An import is a declared name, or
with `WILDCARD` behind it all of a package; what a text names of such packages stands behind `USED`.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from tree_sitter import Node

from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import text_of
from codemill.core.imports.source import Source, pairs

WILDCARD = ".*"
USED = "?"
"""Stands before a name that the text says, in the imports of an outline with wildcards."""

_MAX_LEVELS = 64
_UNREADABLE = "?"
"""A package in which nothing is declared, as no name begins like this."""
_MAX_NAME = 1_000
_NAME = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*(?:\.\*)?")


class Declared:
    """Where the names of a project are declared, for languages in which a text says its package or namespace."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._files = Nearest()
        self._packages_of: dict[str, set[str]] = {}
        for index, source in enumerate(sources):
            for name in source.outline.declares:
                self._files.file(name, source.path, index)
                package, _, last = name.rpartition(".")
                self._packages_of.setdefault(last, set()).add(package)
        self._packages = set(chain.from_iterable(self._packages_of.values()))

    def edges(self, relative: Sequence[str] = ()) -> Iterator[tuple[int, int]]:
        """Yield (user, used), as indexes into the sources.

        In the languages ``relative``, what is imported may begin in the package of the user.
        """
        return pairs(self._sources, lambda user: self._used(user, relative=user.language in relative))

    def _used(self, source: Source, *, relative: bool) -> Iterator[int | None]:
        return (self._files.find(name, source.path) for name in self._names(source, relative=relative))

    def _names(self, source: Source, *, relative: bool) -> Iterator[str]:
        """Yield the declared names that a file uses."""
        own = {name.rpartition(".")[0] for name in source.outline.declares}
        around = {package for name in own for package in _around(name)} - own - {""}
        starts = ["", *sorted(own | around, key=lambda package: (-len(package), package))] if relative else [""]
        wildcards: set[str] = set()
        hidden: set[str] = set()
        for name in source.outline.imports:
            if name.startswith(USED):
                continue
            target = name.removesuffix(WILDCARD)
            package = self._package(target, starts) if target != name else None
            if package is not None:
                wildcards.add(package)
            else:
                hidden.add(target.rpartition(".")[2])
            yield from self._owner(target, starts, exact=package is not None)
        nearer = own | (around - wildcards)
        for name in source.outline.imports:
            if name.startswith(USED) and (last := name.removeprefix(USED)) not in hidden:
                yield from self._by_wildcard(last, wildcards, nearer)

    def _package(self, name: str, starts: Iterable[str]) -> str | None:
        full = (_join(start, name) for start in starts)
        return next((package for package in full if package in self._packages), None)

    def _owner(self, name: str, starts: Iterable[str], *, exact: bool) -> list[str]:
        """Return the declared name that an imported one is, or is in. What has no package is in nothing."""
        for start in starts:
            full = _join(start, name)
            if full in self._files:
                return [full]
            holders = () if exact else _holders(full, start.count(".") + 1)
            if (found := next((holder for holder in holders if holder in self._files), None)) is not None:
                return [found]
        return []

    def _by_wildcard(self, name: str, wildcards: set[str], nearer: set[str]) -> list[str]:
        """Return what a name means that the text says: what is nearer than wildcards comes first, and is no import."""
        packages = self._packages_of.get(name, set())
        found = packages & wildcards
        # Of two nobody knows which.
        return [_join(package, name) for package in found] if len(found) == 1 and not packages & nearer else []


def _holders(name: str, fewest: int) -> Iterator[str]:
    """Yield what may hold a name, inside out, with as many dots at least.

    That is a class; or a package object, but what it holds cannot be told from another package unless it is a class.
    """
    holds_class = name.rpartition(".")[2][:1].isupper()
    for holder in _around(name):
        if holder.count(".") < fewest:
            return
        if holds_class or holder.rpartition(".")[2][:1].isupper():
            yield holder
        holds_class = False


def qualified(found: Mapping[str, Sequence[Node]]) -> Iterator[str]:
    """Yield the full names of what is `declared`, by the names of `package`s.

    A package holds until the end of its `body`, which begins after its name, or else of what the package is in. What is
    `hidden` declares nothing. (Queries for what is where are quadratic in how deep packages are nested.)
    """
    kinds = ("package", "body", "declared", "hidden")
    nodes = sorted(((n.start_byte, kind, n) for kind in kinds for n in found.get(kind, ())), key=lambda each: each[:2])
    inside = [("", sys.maxsize)]
    for start, kind, node in nodes:
        while inside[-1][1] <= start:
            inside.pop()
        package, end = inside[-1]
        if kind == "body":
            inside[-1] = (package, min(end, node.end_byte))
        elif kind == "hidden":
            inside.append((_UNREADABLE, node.end_byte))
        else:
            name = compact(_join(package, plain(node)))
            if kind == "package":
                inside.append((name or _UNREADABLE, end))
            elif name is not None:
                yield name


def plain(node: Node) -> str:
    """Return the text of a node with a blank for each run of white space."""
    return " ".join(text_of(node).split())


def compact(name: str) -> str | None:
    """Return a dotted name without blanks and back quotes; None where it is something else."""
    name = name.replace(" ", "").replace("`", "")
    return name if len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None else None


def said(found: Mapping[str, Sequence[Node]]) -> Iterator[str]:
    """Yield names that are `said`, sorted, each behind `USED`: in upper case, neither `qualified` nor the file's `own`.

    What begins in lower case is a variable, or a function that may as well be inherited.
    """
    others = {node.id for node in found.get("qualified", ())}
    names = {plain(node) for node in found.get("said", ()) if node.id not in others}
    names -= {plain(node) for node in found.get("own", ())}
    return (f"{USED}{name}" for name in sorted(names) if name[:1].isupper() and compact(name) is not None)


def _around(name: str) -> Iterator[str]:
    """Yield what a name is in, inside out, down to nothing."""
    parts = name.split(".")[:-1][:_MAX_LEVELS]
    return (".".join(parts[:count]) for count in range(len(parts), -1, -1))


def _join(package: str, name: str) -> str:
    return f"{package}.{name}" if package else name
