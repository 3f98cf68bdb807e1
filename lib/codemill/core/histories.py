"""How many commits two histories share, from sketches of their commit ids.

A sketch is the ``k`` smallest 64-bit values of a history's commit ids (their first 8 bytes: ids are hashes already), or
all of them when there are no more. Of complete sketches the answer is exact; else the share of common values among the
k smallest of both estimates the Jaccard similarity (Beyer et al., "On synopses for distinct-value estimation", 2007),
with a standard error below 1.6 points for k = 1,024.
"""

from codemill.core import minhash

SKETCH = 1_024


def shared_commits(left: bytes, left_commits: int, right: bytes, right_commits: int) -> int:
    """Return how many commits two histories share, given by their sketches as ``minhash.pack`` writes them."""
    a, b = minhash.unpack(left), minhash.unpack(right)
    if not a.size or not b.size:
        return 0
    if left_commits <= a.size and right_commits <= b.size:
        return minhash.intersection(a, b)
    # Beyond the end of either sketch nothing is known of its history.
    known = min(a[-1] if left_commits > a.size else b[-1], b[-1] if right_commits > b.size else a[-1])
    a, b = a[a <= known], b[b <= known]
    shared = minhash.intersection(a, b)
    jaccard: float = shared / (a.size + b.size - shared)
    return min(left_commits, right_commits, round(jaccard / (1 + jaccard) * (left_commits + right_commits)))


def landmarks(sketch: bytes, count: int) -> list[int]:
    """Return the ``count`` smallest values of a sketch, as signed numbers; histories that share much share some."""
    return [int(value) for value in minhash.unpack(sketch)[:count].astype("int64")]
