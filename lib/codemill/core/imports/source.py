"""What the import resolvers share: what one file says, and a file of a project as they see it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple


class Outline(NamedTuple):
    """What the text of one file says about its place among others: a pure function of the text."""

    declares: tuple[str, ...]
    """Names that it declares for others to import (packages, types, modules), as its family's resolver wants them."""
    imports: tuple[str, ...]
    """What it imports, one entry per import, without repetitions, in the order of the text."""


class Source(NamedTuple):
    """One file of a project."""

    path: str
    """Posix, relative to the project."""
    language: str
    outline: Outline


def pairs(sources: Sequence[Source], used_by: Callable[[Source], Iterable[int | None]]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the sources, each once: no file uses itself, and None is no file."""
    for user, source in enumerate(sources):
        yield from ((user, used) for used in dict.fromkeys(used_by(source)) if used is not None and used != user)
