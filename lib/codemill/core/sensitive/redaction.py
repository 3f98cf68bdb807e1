"""Replacing: every value by one of its kind, the same value by the same within a text.

What takes the place is a choice by hash: names and user names of Faker's lists, addresses of ranges that lead nowhere
(RFC 1918, 4193, 2606). Secrets become words that are a valid part of any literal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from faker.providers.person.en_US import Provider

from codemill.core import choice
from codemill.core.sensitive.detection import SensitiveSpan

# Names and addresses differ for different values as long as there are others to choose.
_TRIES = 64


@dataclass(frozen=True)
class Redaction:
    """A replaced span: character offsets in the text as it was. Never what stood there."""

    entity: str
    start: int
    end: int
    replacement: str
    detector: str
    score: float


def redact(text: str, spans: Sequence[SensitiveSpan], seed: int, key: str) -> tuple[str, list[Redaction]]:
    """Replace the spans of a text; ``key`` names the text, so that another text gets other replacements.

    Raises ValueError for spans that overlap or lie outside the text.
    """
    known: dict[tuple[str, str], str] = {}
    kept, done = [], 0
    redactions = []
    for span in sorted(spans, key=lambda one: one.start):
        if not done <= span.start < span.end <= len(text):
            raise ValueError(f"span: found {span.start}..{span.end}, allowed is {done}..{len(text)}")
        value = text[span.start : span.end]
        if (span.entity, value) not in known:
            known[span.entity, value] = _another(span.entity, value, seed, f"{key}:{value}", set(known.values()))
        replacement = known[span.entity, value]
        kept += [text[done : span.start], replacement]
        done = span.end
        redactions.append(Redaction(span.entity, span.start, span.end, replacement, span.detector, span.score))
    return "".join([*kept, text[done:]]), redactions


def _another(entity: str, value: str, seed: int, id_: str, taken: set[str]) -> str:
    make = _MAKERS[entity]
    replacement = value
    for attempt in range(_TRIES):
        replacement = make(value, partial(_draw, seed, id_, attempt))
        if replacement != value and replacement not in taken:
            break
    return replacement


def _draw(seed: int, id_: str, attempt: int, purpose: str, n: int) -> int:
    return choice.index(seed, id_, f"redaction:{purpose}:{attempt}", n)


_Draw = Callable[[str, int], int]


def _person(_value: str, draw: _Draw) -> str:
    first, last = _names()
    return f"{first[draw('first', len(first))]} {last[draw('last', len(last))]}"


def _email(_value: str, draw: _Draw) -> str:
    return f"{_username('', draw)}@example.com"


def _username(_value: str, draw: _Draw) -> str:
    first, last = _names()
    return f"{first[draw('first', len(first))]}.{last[draw('last', len(last))]}".lower()


def _ip(value: str, draw: _Draw) -> str:
    if ":" in value:
        return f"fd00:{draw('a', 2**16):x}:{draw('b', 2**16):x}::{draw('c', 2**16 - 1) + 1:x}"
    return f"10.{draw('a', 256)}.{draw('b', 256)}.{draw('c', 254) + 1}"


def _password(_value: str, _draw: _Draw) -> str:
    return "REDACTED_PASSWORD"


def _key(value: str, _draw: _Draw) -> str:
    # The lines of a key block stay apart from its first and last.
    return "\nREDACTED_KEY\n" if value.startswith("\n") else "REDACTED_KEY"


def _credentials(_value: str, _draw: _Draw) -> str:
    return "user:REDACTED_PASSWORD"


_MAKERS: Mapping[str, Callable[[str, _Draw], str]] = {
    "PERSON": _person,
    "EMAIL": _email,
    "IP": _ip,
    "PASSWORD": _password,
    "KEY": _key,
    "USERNAME": _username,
    "URL": _credentials,
}


@cache
def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return Faker's English first and last names, sorted, without those that are not plain letters."""
    first = sorted({name for name in Provider.first_names if name.isascii() and name.isalpha()})
    last = sorted({name for name in Provider.last_names if name.isascii() and name.isalpha()})
    return tuple(first), tuple(last)
