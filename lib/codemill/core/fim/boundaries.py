"""Where a text may be cut: between grapheme clusters (UAX 29), of which a CRLF is one. Positions are characters."""

import regex

# How far before a cut a grapheme cluster may begin.
MAX_CLUSTER = 4_096

_CLUSTER = regex.compile(r"\X")


def is_boundary(text: str, position: int) -> bool:
    """Say whether a cut at ``position`` leaves every grapheme cluster whole."""
    return cluster_start(text, position) == position


def cluster_start(text: str, position: int) -> int:
    """Return the start of the grapheme cluster that a cut at ``position`` would split, else ``position`` itself."""
    if not 0 < position < len(text) or _sure_boundary(text, position):
        return position
    start = position - 1
    while start > 0 and position - start < MAX_CLUSTER and not _sure_boundary(text, start):
        start -= 1
    for cluster in _CLUSTER.finditer(text, start):
        if cluster.end() == position:
            return position
        if cluster.end() > position:
            return int(cluster.start())
    return position


def _sure_boundary(text: str, position: int) -> bool:
    # Between two ASCII characters only a CRLF holds together.
    pair = text[position - 1 : position + 1]
    return pair.isascii() and pair != "\r\n"
