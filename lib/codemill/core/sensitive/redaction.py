"""Replacing: every value by one of its kind, the same value by the same within a text.

What takes the place is a choice by hash out of fixed tables. Secrets become words that are a valid part of any literal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from codemill.core import choice
from codemill.core.sensitive import replacements
from codemill.core.sensitive.spans import SensitiveSpan

# Different values get different names and addresses, unless so many draws in a row were taken already.
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
    taken: set[str] = set()
    pieces, done = [], 0
    redactions = []
    for span in sorted(spans, key=lambda one: one.start):
        if not done <= span.start < span.end <= len(text):
            raise ValueError(f"span: found {span.start}..{span.end}, allowed is {done}..{len(text)}")
        value = text[span.start : span.end]
        if (span.entity, value) not in known:
            known[span.entity, value] = _another(span.entity, value, seed, f"{key}:{value}", taken)
            taken.add(known[span.entity, value])
        replacement = known[span.entity, value]
        pieces += [text[done : span.start], replacement]
        done = span.end
        redactions.append(Redaction(span.entity, span.start, span.end, replacement, span.detector, span.score))
    return "".join([*pieces, text[done:]]), redactions


def _another(entity: str, value: str, seed: int, id_: str, taken: set[str]) -> str:
    make = _MAKERS[entity]
    if make in _CONSTANT:
        return make(value, partial(_draw, seed, id_, 0))
    replacement = value
    for attempt in range(_TRIES):
        candidate = make(value, partial(_draw, seed, id_, attempt))
        if candidate != value:
            replacement = candidate
            if candidate not in taken:
                break
    return replacement


def _draw(seed: int, id_: str, attempt: int, purpose: str, n: int) -> int:
    return choice.index(seed, id_, f"redaction:{purpose}:{attempt}", n)


_Draw = Callable[[str, int], int]


def _person(_value: str, draw: _Draw) -> str:
    names = replacements.persons()
    return names[draw("person", len(names))]


def _email(_value: str, draw: _Draw) -> str:
    return f"{_person('', draw).replace(' ', '.').lower()}@{replacements.MAIL_DOMAIN}"


def _username(_value: str, draw: _Draw) -> str:
    names = replacements.usernames()
    return names[draw("username", len(names))]


def _ip(value: str, draw: _Draw) -> str:
    if ":" in value:
        return f"fd00:{draw('a', 2**16):x}:{draw('b', 2**16):x}::{draw('c', 2**16 - 1) + 1:x}"
    return f"10.{draw('a', 256)}.{draw('b', 256)}.{draw('c', 254) + 1}"


def _password(_value: str, _draw: _Draw) -> str:
    return replacements.PASSWORD


def _key(_value: str, _draw: _Draw) -> str:
    return replacements.KEY


def _credentials(_value: str, _draw: _Draw) -> str:
    return replacements.CREDENTIALS


_CONSTANT = (_password, _key, _credentials)

_MAKERS: Mapping[str, Callable[[str, _Draw], str]] = {
    "PERSON": _person,
    "EMAIL": _email,
    "IP": _ip,
    "PASSWORD": _password,
    "KEY": _key,
    "USERNAME": _username,
    "URL": _credentials,
}
