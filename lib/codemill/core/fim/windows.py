"""Windows: a document longer than a model's context is cut at syntactic boundaries, and each part is a document.

Cutting before choosing the middle (context-level FIM, 2207.14255) is what keeps every middle whole. Of the places
where a window may end the one of the least depth is taken, in the second half of what would fit, so that functions stay
whole where they can; then a line break; then the edge of a grapheme cluster.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple, cast

from tree_sitter import Node

from codemill.core import trees
from codemill.core.fim.boundaries import cluster_start

_MAX_PLACES = 200_000
_MAX_DEPTH = 100
_MAX_INDENT = 200


class Place(NamedTuple):
    """A character position at which a window may end, and how deep in the tree it is."""

    position: int
    depth: int


def cut(text: str, places: list[Place], reach: Callable[[int], int]) -> list[tuple[int, int]]:
    """Return the windows of a text, (start, end) in characters, which together are the text.

    ``reach`` says how far a window may go from a position; ``places`` are in order.
    """
    windows, start = [], 0
    positions = [place.position for place in places]
    while (furthest := reach(start)) < len(text):
        half = start + (furthest - start) // 2
        within = places[bisect_right(positions, half) : bisect_right(positions, furthest)]
        end = max(within, key=lambda place: (-place.depth, place.position)).position if within else 0
        end = end or _line_start(text, start, furthest) or cluster_start(text, furthest)
        end = end if end > start else furthest
        windows.append((start, end))
        start = end
    return [*windows, (start, len(text))]


def places(tree: trees.Tree, small: int) -> list[Place]:
    """Return where windows may end: before the lines on which nodes begin, but not between a comment and what follows.

    Nodes of fewer than ``small`` bytes are not looked into.
    """
    found: dict[int, int] = {}
    source, to_char = tree.source, tree.char_offsets()
    cursor = tree.root.walk()
    commented = False
    for _ in range(_MAX_PLACES):
        node = cast("Node", cursor.node)
        start = node.start_byte
        line = source.rfind(b"\n", max(0, start - _MAX_INDENT), start) + 1
        if not commented and start - line < _MAX_INDENT and not source[line:start].strip():
            found.setdefault(line, cursor.depth)
        commented = "comment" in node.type
        if node.end_byte - start > small and cursor.depth < _MAX_DEPTH and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return _in_order(found, to_char)
    return _in_order(found, to_char)


def _in_order(found: dict[int, int], to_char: Callable[[int], int]) -> list[Place]:
    return [Place(to_char(line), depth) for line, depth in sorted(found.items())]


def _line_start(text: str, start: int, end: int) -> int:
    """Return where the last line begins that begins between two positions; 0 for none."""
    at = text.rfind("\n", start, end)
    return at + 1 if at >= 0 else 0
