"""The band index: in which buckets a text lies, and which texts that share one may be alike.

Locality-sensitive hashing: two texts become candidates when all values of one band of their signatures agree. What is
compared before a pair is measured costs no shingles: the sizes of the two sets, which bound their Jaccard similarity,
and one bit of each value of their signatures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codemill.core.minhash import ODD, Hashes

Numbers = npt.NDArray[np.int64]
Pairs = tuple[npt.NDArray[np.void], npt.NDArray[np.void]]

# So many standard deviations below what a pair at the threshold agrees in, a pair is not worth a measurement: one in
# ten thousand of those at the threshold is lost.
_DEVIATIONS = 3.7

_LOWEST = np.uint64(1)

# So many pairs are glanced at in one go, a hundred bytes each, and those of one leader more.
_GLANCES = 500_000

# Entries (bucket, text) that are held before buckets that are crowds already are let go of.
_HELD = 4_000_000


def banding(threshold: float, num_perm: int, recall: float) -> tuple[int, int]:
    """Choose (bands, rows): the most selective banding that makes a pair at ``threshold`` a candidate often enough.

    A pair with Jaccard s becomes a candidate with probability 1 - (1 - s**rows)**bands. More rows make fewer wrong
    candidates; the largest number of rows that keeps ``recall`` at the threshold is taken.
    """
    for rows in range(num_perm, 1, -1):
        bands = num_perm // rows
        if 1 - (1 - threshold**rows) ** bands >= recall:
            return bands, rows
    return num_perm, 1


def band_buckets(signatures: npt.NDArray[np.uint32], bands: int, rows: int, salts: Hashes | None = None) -> Hashes:
    """Return the bucket of every band of every signature: (n, num_perm) values -> (n, bands) even 64-bit hashes.

    Signatures share a bucket where a band of ``rows`` values, its number and the salt (one per signature) are the same.
    """
    values = signatures[:, : bands * rows].reshape(len(signatures), bands, rows)
    hashes = np.arange(1, bands + 1, dtype=np.uint64) * ODD
    hashes = np.broadcast_to(hashes, values.shape[:2]) ^ (np.uint64(0) if salts is None else salts[:, np.newaxis])
    for row in range(rows):
        hashes = (hashes ^ values[:, :, row]) * ODD
        hashes ^= hashes >> np.uint64(32)
    return hashes & ~_LOWEST


def code_buckets(codes: Hashes, salts: Hashes) -> Hashes:
    """Return the bucket of those who have the same code: odd hashes, which no band has."""
    return (codes ^ salts) | _LOWEST


def is_code_bucket(buckets: Hashes) -> npt.NDArray[np.bool_]:
    """Tell which buckets are those of the same code."""
    return (buckets & _LOWEST).astype(bool)


def bits(signatures: npt.NDArray[np.uint32]) -> Hashes:
    """Return the lowest bit of every value: (n, num_perm) -> (n, words), 64 to a word, the last filled up with zeros.

    Two sets with Jaccard s agree in each bit with probability (1 + s) / 2 (Li and Koenig, "b-Bit Minwise Hashing",
    2010): a 32nd of the signature tells most unlike pairs apart.
    """
    count, num_perm = signatures.shape
    lowest = np.zeros((count, -(-num_perm // 64) * 64), dtype=np.uint8)
    lowest[:, :num_perm] = signatures & np.uint32(1)
    return np.packbits(lowest, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def most_differing(threshold: float, num_perm: int) -> int:
    """Return in how many bits a pair may differ that is still worth a measurement."""
    differ = (1 - threshold) / 2
    return int(num_perm * differ + _DEVIATIONS * sqrt(num_perm * differ * (1 - differ)))


@dataclass(frozen=True)
class Texts:
    """n texts: ids (16 bytes each), sizes of their sets of shingles (n), bits of their signatures (n, words)."""

    ids: npt.NDArray[np.void]
    sizes: npt.NDArray[np.int64]
    bits: Hashes

    @classmethod
    def joined(cls, batches: Sequence["Texts"]) -> "Texts":
        """Put batches one behind the other."""
        return cls(*(np.concatenate([getattr(batch, field.name) for batch in batches]) for field in fields(cls)))


@dataclass(frozen=True)
class Glance:
    """What is compared before a pair is measured: at the threshold, one pair in ten thousand is not let through."""

    threshold: float
    num_perm: int

    def near(self, texts: Texts, left: Numbers, right: Numbers) -> npt.NDArray[np.bool_]:
        """Tell which pairs of texts (numbers, that broadcast) may be alike."""
        one, other = texts.sizes[left], texts.sizes[right]
        sizes = np.minimum(one, other) / np.maximum(one, other) >= self.threshold
        differ = np.bitwise_count(texts.bits[left] ^ texts.bits[right]).sum(axis=-1)
        return np.asarray(sizes & (differ <= most_differing(self.threshold, self.num_perm)))

    def led(self, texts: Texts, leaders: Numbers, ends: Numbers) -> Iterator[Pairs]:
        """Pair each leader with those behind it, up to an end (numbers of texts), that may be alike."""
        counts = ends - leaders - 1
        total = np.cumsum(counts)
        cuts = np.unique(np.searchsorted(total, np.arange(_GLANCES, total[-1] if total.size else 0, _GLANCES)))
        for some in np.split(np.arange(leaders.size), cuts):
            left = np.repeat(leaders[some], counts[some])
            first = np.cumsum(counts[some]) - counts[some]
            right = left + 1 + np.arange(left.size) - np.repeat(first, counts[some])
            near = self.near(texts, left, right)
            yield pairs_of(texts.ids, left[near], right[near])

    def thinned(self, texts: Texts, most: int) -> Iterator[Pairs]:
        """Pair each text with the first one before it that may be alike and is in no such pair itself, of ``most``."""
        rest = np.arange(len(texts.ids))
        for _ in range(most):
            if not rest.size:
                return
            leader, rest = int(rest[0]), rest[1:]
            near = self.near(texts, np.array(leader), rest)
            yield _with_one(texts.ids, leader, rest[near])
            rest = rest[~near]


def _with_one(ids: npt.NDArray[np.void], one: int, others: Numbers) -> Pairs:
    return pairs_of(ids, np.full(others.shape, one), others)


def pairs_of(ids: npt.NDArray[np.void], left: Numbers, right: Numbers) -> Pairs:
    """Return the ids of pairs of texts (numbers), in each the smaller first."""
    words = ids.view(">u8").reshape(-1, 2)
    (a, b), (c, d) = words[left].T, words[right].T
    turned = (a > c) | ((a == c) & (b > d))
    return ids[np.where(turned, right, left)], ids[np.where(turned, left, right)]


class Entries(NamedTuple):
    """Which texts (by number) lie in which buckets."""

    buckets: Hashes
    texts: Numbers

    def where(self, some: npt.NDArray[np.bool_]) -> "Entries":
        """Return some of the entries."""
        return Entries(self.buckets[some], self.texts[some])


class Crowds(NamedTuple):
    """Members of crowds: buckets and ids."""

    buckets: Hashes
    ids: npt.NDArray[np.void]


class Shelf:
    """Buckets with the texts in them, filled batch by batch; then it tells which texts are candidates.

    A bucket of more than ``bucket_size`` texts is a crowd, whose members come out as they are. Memory is that of the
    texts and of the entries in all other buckets.
    """

    def __init__(self, glance: Glance, bucket_size: int) -> None:
        self._glance = glance
        self._bucket_size = bucket_size
        self._texts: list[Texts] = []
        self._is_new: list[npt.NDArray[np.bool_]] = []
        self._entries: list[Entries] = []
        self._crowds = np.empty(0, dtype=np.uint64)
        self._count = self._held = 0
        self._limit = _HELD

    def add(self, texts: Texts, is_new: npt.NDArray[np.bool_], entries: Entries) -> Iterator[Crowds]:
        """Put texts in their buckets (entries number the texts of this batch); only pairs with a new one will count."""
        crowded = np.isin(entries.buckets, self._crowds)
        if crowded.any():
            yield Crowds(entries.buckets[crowded], texts.ids[entries.texts[crowded]])
        numbered = Entries(entries.buckets, entries.texts + self._count)
        self._texts.append(texts)
        self._is_new.append(is_new)
        self._entries.append(numbered.where(~crowded))
        self._count += len(texts.ids)
        self._held += len(self._entries[-1].buckets)
        if self._held > self._limit:
            yield self._let_go()
            self._limit = max(_HELD, 2 * self._held)

    def crowds(self) -> Iterator[Crowds]:
        """Yield the members of crowds that have not come out yet; to be called before ``pairs``."""
        if self._entries:
            yield self._let_go()

    def pairs(self) -> Iterator[Pairs]:
        """Yield the pairs that share a bucket, of which one is new, and which may be alike."""
        if not self._entries:
            return
        (buckets, numbers), texts, is_new = self._entries[0], self._texts[0], np.concatenate(self._is_new)
        here = np.arange(len(buckets))
        for distance in range(1, self._bucket_size):
            here = here[here + distance < len(buckets)]
            here = here[buckets[here] == buckets[here + distance]]
            if not here.size:
                return
            left, right = numbers[here], numbers[here + distance]
            some = self._glance.near(texts, left, right) | is_code_bucket(buckets[here])
            some &= is_new[left] | is_new[right]
            both = np.unique(np.stack((left[some], right[some]), axis=1), axis=0)
            yield pairs_of(texts.ids, both[:, 0], both[:, 1])

    def _let_go(self) -> Crowds:
        """Sort what is held into one batch, and let go of the members of buckets that are crowds by now."""
        self._texts = [Texts.joined(self._texts)]
        buckets, numbers = map(np.concatenate, zip(*self._entries, strict=True))
        order = np.lexsort((numbers, buckets))
        entries = Entries(buckets[order], numbers[order])
        _, place, counts = np.unique(entries.buckets, return_inverse=True, return_counts=True)
        crowded = counts[place] > self._bucket_size
        found = entries.where(crowded)
        self._crowds = np.union1d(self._crowds, found.buckets)
        self._entries = [entries.where(~crowded)]
        self._held = len(self._entries[0].buckets)
        return Crowds(found.buckets, self._texts[0].ids[found.texts])
