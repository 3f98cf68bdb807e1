"""Rules that tell apart the languages which share an extension, as the language table holds them.

A rule names a language, and what must and must not stand in a text of it. Rules are tried in order. A pattern is made
safe before it is used: each repetition has an end, and none stands inside another, so that no text makes it slow.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

from pydantic import ConfigDict

try:
    from re import _parser as _re_parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as _re_parser

MAX_REPEATS = 1_000
_Search = Callable[[str], object]


@dataclass(frozen=True)
class Rule:
    """One answer to what a text is in."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    language: str | None
    """Name of a language; None for what is no code, whatever its extension says."""
    match: tuple[str, ...] = ()
    """Regular expressions, one of which must match; without any, every text will do."""
    without: tuple[str, ...] = ()
    """Regular expressions, none of which may match."""

    def faults(self) -> Iterator[tuple[str, object, str]]:
        """Yield (field, found, allowed) for patterns that cannot be used."""
        for field in ("match", "without"):
            for pattern in getattr(self, field):
                fault = pattern_fault(pattern)
                if fault:
                    yield field, pattern, fault

    def holds(self, lines: str) -> bool:
        """Say whether the rule is about a text, which begins with a line break that is not its own."""
        return (not self.match or any(found(lines) for found in self._match)) and not any(
            found(lines) for found in self._without
        )

    @cached_property
    def _match(self) -> tuple[_Search, ...]:
        return tuple(map(_search, self.match))

    @cached_property
    def _without(self) -> tuple[_Search, ...]:
        return tuple(map(_search, self.without))


@dataclass(frozen=True)
class Ambiguity:
    """What decides between the languages of one extension."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    rules: tuple[Rule, ...]
    comments: str | None = None
    """Name of the language whose comments, and whose strings in double quotes, the rules do not see."""
    guards: tuple[str, ...] = ()
    """Macros of the C preprocessor: what is compiled only where one is defined, the rules do not see."""


def pattern_fault(pattern: str) -> str | None:
    """Return what is allowed instead of a pattern, None for one that is safe."""
    try:
        parsed = _re_parser.parse(pattern, re.MULTILINE)
    except re.error as error:
        return f"a regular expression ({error})"
    if not _bounded(parsed, 1):
        return f"a regular expression with repetitions such as {{0,9}}, up to {MAX_REPEATS}, and none in another"
    return None


def _bounded(parsed: Any, repeats: int) -> bool:
    for operation, argument in parsed:
        inner = repeats
        if str(operation).endswith("REPEAT"):
            least, most = int(argument[0]), int(argument[1])
            if most > MAX_REPEATS or (repeats > 1 and most > max(least, 1)):
                return False
            inner = max(repeats, most)
        if not all(_bounded(part, inner) for part in _parts(argument)):
            return False
    return True


def _parts(argument: Any) -> Iterator[Any]:
    """Yield the patterns inside an operation's argument: of groups, branches, looks ahead and behind."""
    if isinstance(argument, _re_parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _parts(part)


def _search(pattern: str) -> _Search:
    """Compile a pattern for a text with a line break before its first line.

    The engine finds plain characters ten times as fast as places between them. So a pattern that begins with ^ looks
    for the line break itself, and one that begins with a word boundary for its word, wherever it is.
    """
    if pattern.startswith(r"\A"):
        return re.compile(f"\n{pattern[2:]}", re.MULTILINE).match
    if pattern.startswith("^"):
        return re.compile(f"\n{pattern[1:]}", re.MULTILINE).search
    if pattern.startswith(r"\b"):
        return partial(_word, re.compile(pattern[2:], re.MULTILINE))
    return re.compile(pattern, re.MULTILINE).search


def _word(pattern: re.Pattern[str], lines: str) -> bool:
    found = pattern.search(lines)
    while found:
        before = lines[found.start() - 1]
        if not (before.isalnum() or before == "_"):
            return True
        found = pattern.search(lines, found.start() + 1)
    return False
