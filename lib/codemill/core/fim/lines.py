"""Middles that are lines of a text, and places for empty ones: for texts of any language, with or without a tree.

Offsets are characters. A line's indentation, the blanks at its end and its line break are no part of a middle.
"""

import re

from codemill.core.fim.chance import Chance, Range

_LINE = re.compile(r"\S[^\n]*")
_WORD = re.compile(r"\w")


class Lines:
    """The lines of a text within a range, blank ones apart."""

    def __init__(self, text: str, within: Range) -> None:
        """List them."""
        self._text = text
        self._lines = [match.span() for match in _LINE.finditer(text, within.start, within.end)]

    def one(self, longest: float, chance: Chance) -> Range | None:
        """Draw a whole line that holds a letter or digit."""
        for at in chance.order("line", len(self._lines)):
            start, end = self._lines[at]
            if _WORD.search(self._text, start, end) and end - start <= longest:
                return self._trimmed(start, end)
        return None

    def several(self, most: int, longest: float, chance: Chance) -> Range | None:
        """Draw two to ``most`` lines, of those that are not blank, and what lies between them."""
        for first in chance.order("lines", len(self._lines) - 1):
            count = 2 + chance.index(f"lines:{first}", min(most, len(self._lines) - first) - 1)
            start, end = self._lines[first][0], self._lines[first + count - 1][1]
            if end - start <= longest and _WORD.search(self._text, start, end):
                return self._trimmed(start, end)
        return None

    def empty(self, chance: Chance) -> Range | None:
        """Draw the end of a line, where nothing is missing."""
        if not self._lines:
            return None
        found = self._trimmed(*self._lines[chance.index("empty", len(self._lines))])
        return Range(found.end, found.end)

    def _trimmed(self, start: int, end: int) -> Range:
        return Range(start, start + len(self._text[start:end].rstrip()))
