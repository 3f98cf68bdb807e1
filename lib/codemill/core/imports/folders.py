"""Folders as paths name them: those around a file or a folder, and those that keep what lies in them to themselves."""

from collections.abc import Iterator
from functools import cache

MAX_FOLDERS = 64
"""Only so many folders of a path count; hostile archives have paths of thousands."""

_TESTS = ("test", "tests", "testing", "unittest", "unittests", "testsuite", "spec", "specs", "e2e", "fuzz")
_DATA = ("fixture", "fixtures", "testdata", "test_data", "test-data")
_SHOWS = ("example", "examples", "sample", "samples", "demo", "demos", "tutorial", "tutorials", "doc", "docs")
_PRIVATE = frozenset((*_TESTS, *_DATA, *_SHOWS, "bench", "benchmark", "benchmarks"))


def parent(path: str) -> str:
    """Return the folder that a file or folder is in, "" for the top."""
    return path.rpartition("/")[0]


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder; either may be empty."""
    return f"{folder}/{name}" if folder and name else folder or name


def upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those that it is in, inside out, without slashes at their ends; "" is the last.

    Of very many these are the innermost: where a user's own folder is what matters.
    """
    for _ in range(MAX_FOLDERS):
        if not folder:
            break
        yield folder
        folder = parent(folder)
    yield ""


def folders_above(path: str) -> list[str]:
    """Return the folders that a file lies below, inside out, each with a slash at its end; "" is the last.

    Of very many these are the outermost: two paths begin with the same folders, or have none in common.
    """
    ends = [i + 1 for i, char in enumerate(path) if char == "/"]
    return [path[:end] for end in reversed(ends[:MAX_FOLDERS])] + [""]


def seen_from(folder: str) -> str:
    """Return the innermost folder of tests, examples or the like that a folder is or is in, "" if there is none.

    What lies there is for its neighbours. Both have a slash at their end.
    """
    return next((each for each in folders_above(folder) if _is_private(each[:-1].rpartition("/")[2])), "")


@cache
def _is_private(name: str) -> bool:
    return name.lower() in _PRIVATE
