"""Draw the share of pairs that the band index finds over their similarity: docs/recall.svg.

    python benchmarks/recall.py

Lines are what the banding promises; dots are what the index does with 1,000 pairs of sets of exactly that similarity,
what is compared before a pair is measured included. Other bandings are those of other tools.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from codemill.core import minhash
from codemill.core.bands import Glance, Texts, band_buckets, banding, bits

_THRESHOLD, _NUM_PERM, _RECALL = 0.7, 256, 0.99
_OTHERS = {"25 x 10": (25, 10), "14 x 8": (14, 8), "20 x 13": (20, 13)}
_PAIRS, _MEMBERS = 1_000, 200
_PICTURE = Path(__file__).parent.parent / "docs" / "recall.svg"


def promised(similarity: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Return the probability that a pair shares a bucket."""
    return np.asarray(1 - (1 - similarity**rows) ** bands)


def found(jaccard: float, seed: int) -> float:
    """Return the share of pairs of that similarity that the index finds worth a measurement."""
    random, glance = np.random.default_rng(seed), Glance(_THRESHOLD, _NUM_PERM)
    bands, rows = banding(_THRESHOLD, _NUM_PERM, _RECALL)
    shared = round(jaccard * _MEMBERS)
    cut = (_MEMBERS + shared) // 2
    count = 0
    for _ in range(_PAIRS):
        members = random.integers(0, 2**63, _MEMBERS, dtype=np.uint64)
        sets = [members[:cut], np.concatenate((members[:shared], members[cut:]))]
        signatures = np.stack([minhash.signature(one, _NUM_PERM) for one in sets])
        one, other = band_buckets(signatures, bands, rows)
        sizes = np.array([len(one) for one in sets])
        pair = Texts(np.zeros(2, dtype="V16"), sizes, bits(signatures))
        count += bool((one == other).any() and glance.near(pair, np.array([0]), np.array([1]))[0])
    return count / _PAIRS


def main() -> None:
    """Write the picture, and print the dots."""
    mpl.rcParams["svg.hashsalt"] = "codemill"
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    similarity = np.linspace(0.3, 1, 141)
    bands, rows = banding(_THRESHOLD, _NUM_PERM, _RECALL)
    axes.plot(similarity, promised(similarity, bands, rows), linewidth=2.5, label=f"{bands} x {rows} (codemill)")
    for name, shape in _OTHERS.items():
        axes.plot(similarity, promised(similarity, *shape), linewidth=1, linestyle="--", label=name)
    steps = [step / 20 for step in range(6, 21)]
    dots = [found(step, number) for number, step in enumerate(steps)]
    axes.plot(steps, dots, "o", color="C0", label="measured, sizes and bits compared")
    axes.axvline(_THRESHOLD, color="grey", linewidth=0.8)
    axes.set(xlabel="Jaccard similarity of a pair", ylabel="share that is measured", xlim=(0.3, 1), ylim=(0, 1.02))
    figure.legend(loc="outside right center", frameon=False)
    figure.savefig(_PICTURE, metadata={"Date": None})
    for step, dot in zip(steps, dots, strict=True):
        print(f"{step:.2f}  promised {promised(np.array(step), bands, rows):.4f}  measured {dot:.4f}")


if __name__ == "__main__":
    main()
