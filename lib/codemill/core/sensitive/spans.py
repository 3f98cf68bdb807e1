"""Where something sensitive stands. A span never holds the text that it is about."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from codemill.core.sensitive.catalogue import SensitiveCatalogue


@dataclass(frozen=True)
class SensitiveSpan:
    """What was found where: character offsets, score in 0..1, and the name of the recogniser."""

    entity: str
    start: int
    end: int
    score: float
    detector: str


def select(spans: Iterable[SensitiveSpan], catalogue: SensitiveCatalogue) -> list[SensitiveSpan]:
    """Return the spans of enabled entities that reach their threshold, in the order given."""
    return [span for span in spans if span.score >= catalogue.thresholds.get(span.entity, float("inf"))]


def apart(spans: Iterable[SensitiveSpan]) -> list[SensitiveSpan]:
    """Return spans of which no two overlap, in order: the best by score, then length, then entity's name."""
    best = sorted(spans, key=lambda span: (-span.score, span.start - span.end, span.entity, span.start, span.detector))
    taken: list[SensitiveSpan] = []
    starts: list[int] = []
    for span in best:
        at = bisect_left(starts, span.start)
        free_before = at == 0 or taken[at - 1].end <= span.start
        free_behind = at == len(taken) or span.end <= taken[at].start
        if free_before and free_behind:
            taken.insert(at, span)
            starts.insert(at, span.start)
    return taken
