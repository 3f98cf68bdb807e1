"""Edges as the paths that they join, which tests can read."""

from collections.abc import Callable, Iterable, Sequence

from codemill.core.imports.source import Source


def joined(
    sources: Sequence[Source], edges: Callable[[Sequence[Source]], Iterable[tuple[int, int]]]
) -> set[tuple[str, str]]:
    """Return (user, used) by path: each once, none from a file to itself, the same when the files come backwards."""
    found = [(sources[user].path, sources[used].path) for user, used in edges(sources)]
    assert len(found) == len(set(found))
    assert all(user != used for user, used in found)
    backwards = sources[::-1]
    assert {(backwards[user].path, backwards[used].path) for user, used in edges(backwards)} == set(found)
    return set(found)
