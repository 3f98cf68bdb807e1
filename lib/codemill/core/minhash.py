"""Shingles, MinHash signatures and banding, for sets of tokens as for sets of files.

Broder, "On the resemblance and containment of documents", 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive
Datasets", chapter 3. Signatures are datasketch's (scheme affine32): 32-bit values, one per permutation.
"""

import re
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

Hashes = npt.NDArray[np.uint64]

# Words and numbers whole, every other visible character alone. White space separates; case and digits count.
_TOKEN = re.compile(r"\w+|[^\w\s]")

# An odd multiplier, so that the polynomial hash of a shingle loses nothing modulo 2**64 (Knuth's MMIX).
_BASE = np.uint64(6364136223846793005)

# Shingles x permutations stay below 8 MB, whatever the size of the text.
_CHUNK = 8_192

_SEED = 1


def token_hashes(text: str) -> Hashes:
    """Return one 64-bit hash per code token of the text, in order."""
    return hashes_of(_TOKEN.findall(text))


def hashes_of(tokens: list[str]) -> Hashes:
    """Return one 64-bit hash per token, in order."""
    of = {token: xxhash.xxh3_64_intdigest(token.encode("utf-8", "surrogatepass")) for token in set(tokens)}
    return np.fromiter(map(of.__getitem__, tokens), dtype=np.uint64, count=len(tokens))


def shingles(tokens: Hashes, length: int) -> Hashes:
    """Return the sorted distinct hashes of all runs of ``length`` tokens; of the whole run when it is shorter."""
    return np.unique(runs(tokens, min(length, tokens.size))) if tokens.size else tokens


def runs(tokens: Hashes, length: int) -> Hashes:
    """Return one 64-bit hash per run of ``length`` tokens, in order; none when there are fewer tokens."""
    count = max(0, tokens.size - length + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        hashes = hashes * _BASE + tokens[offset : offset + count]
    return hashes ^ (hashes >> np.uint64(29))


def signature(members: Hashes, num_perm: int) -> npt.NDArray[np.uint32]:
    """Return the MinHash signature of a set of 64-bit hashes: ``num_perm`` 32-bit values."""
    sketch = _sketch(num_perm).copy()
    folded = (members ^ (members >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    for start in range(0, folded.size, _CHUNK):
        sketch.update_batch(folded[start : start + _CHUNK].tolist())
    return np.asarray(sketch.hashvalues, dtype=np.uint32)


def _identity(value: int) -> int:
    return value


@lru_cache(maxsize=4)
def _sketch(num_perm: int) -> Any:
    """Return an empty sketch; copies of it share its permutations."""
    # Datasketch takes half a second to import, which only the workers that make signatures need.
    from datasketch import MinHash  # noqa: PLC0415

    return MinHash(num_perm=num_perm, seed=_SEED, hashfunc=_identity, scheme="affine32")


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


def band_hashes(values: npt.NDArray[np.uint32], bands: int, rows: int) -> list[int]:
    """Return one signed 64-bit hash per band of a signature (Spark's long has a sign)."""
    data = values[: bands * rows].astype("<u4").tobytes()
    width = rows * 4
    return [
        int.from_bytes(xxhash.xxh3_64_digest(data[i * width : (i + 1) * width], seed=i), "big", signed=True)
        for i in range(bands)
    ]


def jaccard(left: Hashes, right: Hashes) -> float:
    """Return |A and B| / |A or B| of two sorted distinct arrays; 1.0 for two empty sets."""
    shared = intersection(left, right)
    union = left.size + right.size - shared
    return shared / union if union else 1.0


def intersection(left: Hashes, right: Hashes) -> int:
    """Return how many values two sorted distinct arrays share."""
    return int(np.intersect1d(left, right, assume_unique=True).size)


def pack(members: Hashes) -> bytes:
    """Return sorted distinct hashes as little-endian bytes, eight per member."""
    return members.astype("<u8").tobytes()


def unpack(data: bytes) -> Hashes:
    """Undo ``pack``."""
    return np.frombuffer(data, dtype="<u8").astype(np.uint64, copy=False)


def pack_signature(values: npt.NDArray[np.uint32]) -> bytes:
    """Return a signature as little-endian bytes, four per permutation."""
    return values.astype("<u4").tobytes()


def unpack_signature(data: bytes) -> npt.NDArray[np.uint32]:
    """Undo ``pack_signature``."""
    return np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False)


def members_of(values: npt.NDArray[np.int64]) -> Hashes:
    """Return signed 64-bit hashes, such as Spark's xxhash64 gives, as the sorted distinct set of ``pack``."""
    return np.unique(np.asarray(values, dtype=np.int64).view(np.uint64))
