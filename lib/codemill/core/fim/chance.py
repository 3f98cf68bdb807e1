"""Random choices for one sample, and the parts of a text that they are made in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from codemill.core import choice

MAX_LOOKS = 30
"""What does not suit is drawn anew so many times."""


@dataclass(frozen=True)
class Chance:
    """Random choices for one sample: hashes of (seed, id, purpose)."""

    seed: int
    id_: str

    def unit(self, purpose: str) -> float:
        """Return a number in [0, 1)."""
        return choice.unit(self.seed, self.id_, purpose)

    def index(self, purpose: str, n: int) -> int:
        """Return a whole number from 0 to n - 1."""
        return choice.index(self.seed, self.id_, purpose, n)

    def order(self, purpose: str, n: int) -> Iterator[int]:
        """Yield some of the numbers from 0 to n - 1 in a random order, none twice."""
        moved: dict[int, int] = {}  # a shuffle of which only the beginning is made
        for number in range(min(n, MAX_LOOKS)):
            at = number + self.index(f"{purpose}:{number}", n - number)
            yield moved.get(at, at)
            moved[at] = moved.get(number, number)

    def again(self, turn: str) -> "Chance":
        """Return other choices for the same sample."""
        return replace(self, id_=f"{self.id_}#{turn}")


class Range(NamedTuple):
    """A part of a text or of its source: what may be looked at, or what may be hidden."""

    start: int
    end: int
