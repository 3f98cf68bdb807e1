"""Where to look: the surroundings of a pattern's anchors, so that costly expressions see a few lines of a text only."""

import re
from functools import lru_cache

# So many characters before an anchor are looked at, and behind it, both within its line.
_BEFORE = 300
_BEHIND = 600

# Anchors that follow closer on one another, on one line, open no stretch of their own.
_CLOSE = 64


def windows(
    text: str, anchors: tuple[str, ...], near: re.Pattern[str] | None = None, reach: int | None = None
) -> list[tuple[int, int]]:
    """Return stretches of a text (character offsets) around anchors, in order, none touching another.

    ``anchors`` are lower case and found in any case. With ``reach`` a stretch goes on over lines.
    """
    lowered = _lowered(text)
    found = {at for anchor in anchors for at in _occurrences(lowered, anchor)}
    if near:
        found.update(match.start() for match in near.finditer(text))
    stretches: list[tuple[int, int]] = []
    for at in sorted(found):
        start = max(text.rfind("\n", max(0, at - _BEFORE), at) + 1, at - _BEFORE, 0)
        end = min(at + reach, len(text)) if reach else _line_end(text, at)
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


def cut_off(text: str, end: int) -> bool:
    """Say whether a stretch that ends there ends within a line."""
    return end < len(text) and text[end] != "\n"


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at, at + _BEHIND)
    return end if end >= 0 else min(at + _BEHIND, len(text))


@lru_cache(maxsize=256)
def _occurrences(text: str, anchor: str) -> tuple[int, ...]:
    # Patterns share anchors, and come one after the other with the same text.
    found = []
    at = text.find(anchor)
    while at >= 0:
        found.append(at)
        line_end = text.find("\n", at, at + _CLOSE)
        at = text.find(anchor, line_end if line_end >= 0 else at + _CLOSE)
    return tuple(found)


@lru_cache(maxsize=1)
def _lowered(text: str) -> str:
    lowered = text.lower()
    # A few letters become two when lowered; offsets must stay.
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
