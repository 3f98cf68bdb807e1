"""Which files of a corpus resemble each other, exactly: Jaccard of the sets of 5-grams, nothing estimated.

Written apart from what is measured with it, and plainly. A tool takes a text apart in its own way, so there are several
``TOKENS``; a truth is made for one of them.

All pairs are found by prefix filtering (Chaudhuri, Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007), which misses none:
if two sets reach Jaccard t, then of the n members of either, in one order that all sets share, the first
n - ceil(t n) + 1 have a member in common with the other's first. With rare members first that leaves few candidates,
all of which are counted out. ``brute_force`` looks at every pair of a sample, to check that on the corpus at hand.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt

LENGTH = 5
THRESHOLD = 0.7

Set = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

# What the step under test says of its tokens: what is beyond ASCII counts as a letter.
_CODE = re.compile(r"[0-9A-Za-z_\x80-\U0010ffff]+|[^\s\x80-\U0010ffff]")
_NOT_WORD = re.compile(r"\W")
_NOT_WORD_OR_LINE = re.compile(r"[\W_]+")
_NOT_ASCII_WORD = re.compile(r"[^A-Za-z_0-9]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")

# How tools take a text apart: code tokens, and the words of those that were made for prose.
TOKENS: dict[str, Callable[[str], list[str]]] = {
    "code": _CODE.findall,
    "words": lambda text: [word for word in _NOT_WORD.split(text.lower()) if word],
    "words, digits as 0": lambda text: _NOT_WORD_OR_LINE.sub(" ", _NUMBER.sub("0", text.lower())).split(),
    "words and gaps": _NOT_ASCII_WORD.split,
}

# Odd factors, one per place in a 5-gram: a sum of random 64-bit numbers times them is as good as a random number.
_FACTORS = np.random.default_rng(5).integers(0, 1 << 62, LENGTH, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


@lru_cache(maxsize=1 << 20)
def _token(token: str) -> int:
    return int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def shingles(tokens: Sequence[str]) -> Set:
    """Return the sorted distinct 5-grams, 64 bits each; of fewer tokens the one run of all."""
    hashes = np.fromiter(map(_token, tokens), dtype=np.uint64, count=len(tokens))
    if 0 < hashes.size < LENGTH:
        hashes = np.pad(hashes, (0, LENGTH - hashes.size))
    if not hashes.size:
        return hashes
    runs = np.lib.stride_tricks.sliding_window_view(hashes, LENGTH)
    return np.unique((runs * _FACTORS).sum(axis=1, dtype=np.uint64))


def jaccard(left: Set, right: Set) -> float:
    """Return the Jaccard similarity of two sets; 0 where both are empty."""
    shared = np.intersect1d(left, right, assume_unique=True).size
    union = left.size + right.size - shared
    return shared / union if union else 0.0


@dataclass(frozen=True)
class Pairs:
    """All pairs of a corpus with at least THRESHOLD, left < right."""

    left: Numbers
    right: Numbers
    similarity: npt.NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write the pairs to a file."""
        np.savez(path, left=self.left, right=self.right, similarity=self.similarity)

    @classmethod
    def load(cls, path: Path) -> "Pairs":
        """Read what ``save`` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["left"], arrays["right"], arrays["similarity"])

    def between(self, low: float, high: float) -> "Pairs":
        """Return the pairs of one range of similarity, ``high`` not included."""
        return self.where((self.similarity >= low) & (self.similarity < high))

    def among(self, numbers: Iterable[int]) -> "Pairs":
        """Return the pairs of which both files are among these."""
        known = np.fromiter(numbers, dtype=np.int64)
        return self.where(np.isin(self.left, known) & np.isin(self.right, known))

    def where(self, chosen: npt.ArrayLike) -> "Pairs":
        """Return the pairs that are chosen, by one truth value each."""
        mask = np.asarray(chosen, dtype=np.bool_)
        return Pairs(self.left[mask], self.right[mask], self.similarity[mask])

    def recall(self, removed: Iterable[int]) -> float:
        """Return the share of pairs of which not both files were kept."""
        gone = np.fromiter(removed, dtype=np.int64)
        found = np.isin(self.left, gone) | np.isin(self.right, gone)
        return float(found.mean()) if found.size else float("nan")

    def unlike_any_kept(self, removed: Iterable[int]) -> Numbers:
        """Return those removed files that no kept file resembles."""
        gone = np.unique(np.fromiter(removed, dtype=np.int64))
        left_gone, right_gone = np.isin(self.left, gone), np.isin(self.right, gone)
        explained = np.concatenate([self.left[left_gone & ~right_gone], self.right[right_gone & ~left_gone]])
        return np.setdiff1d(gone, explained)


def similar_pairs(sets: Sequence[Set]) -> Pairs:
    """Return all pairs of sets with at least THRESHOLD, by their positions."""
    sizes = np.array([members.size for members in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    _, members, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    rank = np.empty(counts.size, dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(counts.size)
    ranks = rank[members]
    order = np.lexsort((ranks, owners))
    place = np.arange(owners.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    prefix = np.array([size - ceil(THRESHOLD * size - 1e-9) + 1 if size else 0 for size in sizes.tolist()])
    first = order[place < prefix[owners]]
    candidates = _meeting(ranks[first], owners[first], sizes)
    similarity = np.array([jaccard(sets[i], sets[j]) for i, j in candidates.tolist()])
    found = similarity >= THRESHOLD if candidates.size else np.zeros(0, dtype=np.bool_)
    return Pairs(candidates[found, 0], candidates[found, 1], similarity[found])


def _meeting(ranks: Numbers, owners: Numbers, sizes: Numbers) -> Numbers:
    """Return the distinct pairs of owners that share a rank and are of like size, as rows of two."""
    order = np.lexsort((owners, ranks))
    ranks, owners = ranks[order], owners[order]
    starts = np.flatnonzero(np.r_[True, ranks[1:] != ranks[:-1]])
    lengths = np.diff(np.r_[starts, ranks.size])
    found = np.zeros(0, dtype=np.int64)
    for length in np.unique(lengths[lengths > 1]).tolist():
        rows, columns = np.triu_indices(length, k=1)
        same = starts[lengths == length]
        for some in np.array_split(same, max(1, same.size * rows.size // 10_000_000)):
            left, right = owners[some[:, None] + rows].ravel(), owners[some[:, None] + columns].ravel()
            small, large = np.minimum(sizes[left], sizes[right]), np.maximum(sizes[left], sizes[right])
            near = small >= THRESHOLD * large - 1e-9
            found = np.union1d(found, left[near] * sizes.size + right[near])
    return np.stack(np.divmod(found, sizes.size), axis=1)


def brute_force(sets: Sequence[Set]) -> Pairs:
    """Return the same as ``similar_pairs`` by counting what every pair of sets shares."""
    sizes = np.array([members.size for members in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    _, members = np.unique(np.concatenate(sets), return_inverse=True)
    order = np.argsort(members, kind="stable")
    starts = np.searchsorted(members[order], np.arange(members.max() + 2))
    owners_by_member = owners[order]
    ends = np.cumsum(sizes)
    parts: list[Pairs] = []
    for i, end in enumerate(ends.tolist()):
        of_i = members[end - sizes[i] : end]
        holders = [owners_by_member[a:b] for a, b in zip(starts[of_i], starts[of_i + 1], strict=True)]
        shared = np.bincount(np.concatenate(holders), minlength=len(sets)) if holders else np.zeros(len(sets))
        similarity = shared / np.maximum(sizes[i] + sizes - shared, 1)
        others = np.flatnonzero(similarity >= THRESHOLD)
        others = others[others > i]
        parts.append(Pairs(np.full(others.size, i), others, similarity[others]))
    return Pairs(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.similarity for part in parts]),
    )
