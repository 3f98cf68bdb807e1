"""What a file is about: its most frequent words; how alike two files of a project are; what stands well beside what.

The words of a file are an annotation, small and of one text alone. Files of one project are compared by TF-IDF and
cosine, with weights taken within the project (Salton and Buckley, "Term-weighting approaches in automatic text
retrieval", 1988), so that keywords count for next to nothing. aiXcoder-7B (2410.13187) groups the files of a project
by K-means over TF-IDF. Here each file is followed by the one most like it instead: a chain needs no number of groups
and no random start, and it gives an order, not only groups.

Weights and dot products are whole numbers: sums of fractions depend on the machine, and an order must not.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain as chained
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codemill.core.compiled import compiled

MAX_TERMS = 64
"""Words that are kept of a text."""

MAX_READ = 1 << 18
"""Characters of a text that are read: what it is about shows by then."""

WINDOW = 64
"""Files that a chain chooses its next one from: without a bound, a folder of thousands takes the square of that."""

# Characters. Longer runs of letters are data.
_SHORTEST, _LONGEST = 3, 32
# Kinds of characters.
_NO_LETTER, _LOWER, _UPPER = 0, 1, 2
# A text may be made to fill one place; a word that finds none within so many steps is not counted.
_MAX_STEPS = 64
_ODD = np.uint64(6364136223846793005)
# Of a weight: what is lost by whole numbers.
_SCALE = 256

_Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
_Ints = npt.NDArray[np.int64]
_Ints32 = npt.NDArray[np.int32]


class Vectors(NamedTuple):
    """Files as vectors of words, in one row: file i has the entries from ``starts[i]`` to ``starts[i + 1]``."""

    starts: _Ints
    words: _Ints32
    """Numbers of words, those of a file each once."""
    weights: _Ints
    lengths: npt.NDArray[np.float64]
    """The Euclidean length of each file's vector."""
    vocabulary: int
    """How many words there are."""


def terms(text: str) -> dict[str, int]:
    """Return the most frequent words of a text with their counts: at most MAX_TERMS, the most frequent first.

    Words are runs of letters, split at camelCase (``HTTPServer``: http, server), in lower case, of 3 to 32 characters.
    What is equally frequent is sorted by word. Only the first MAX_READ characters are read.
    """
    text = text[:MAX_READ]
    if text.isascii():
        codes: _Codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts, ends, counts = _counted(codes, *_alphabet())
    if counts.size > MAX_TERMS:
        least = np.partition(counts, -MAX_TERMS)[-MAX_TERMS]
        starts, ends, counts = (each[counts >= least] for each in (starts, ends, counts))
    found: dict[str, int] = {}
    for start, end, count in zip(starts.tolist(), ends.tolist(), counts.tolist(), strict=True):
        word = text[start:end].lower()
        found[word] = found.get(word, 0) + count
    frequent = sorted(sorted(found), key=found.__getitem__, reverse=True)
    return {word: found[word] for word in frequent[:MAX_TERMS]}


@cache
def _alphabet() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """Return the kind of each character of the basic plane, and its lower case."""
    characters = [chr(code) for code in range(1 << 16)]
    kinds = [(_UPPER if each.isupper() else _LOWER) if each.isalpha() else _NO_LETTER for each in characters]
    return np.array(kinds, dtype=np.uint8), np.array([ord(each.lower()[0]) for each in characters], dtype=np.uint32)


@compiled
def _counted(
    codes: _Codes, kinds: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint32]
) -> tuple[_Ints32, _Ints32, _Ints32]:
    """Return where each different word stands first, where it ends, and how often it occurs."""
    size = 64
    while size < codes.size // 4:  # source code has a different word in 50 characters
        size *= 2
    hashes = np.zeros(size, dtype=np.uint64)
    starts = np.zeros(size, dtype=np.int32)
    ends = np.zeros(size, dtype=np.int32)
    counts = np.zeros(size, dtype=np.int32)
    start, before, value, last = 0, np.uint64(0), np.uint64(0), _NO_LETTER
    for at in range(codes.size + 1):
        code = np.uint32(codes[at]) if at < codes.size else np.uint32(0)
        kind = kinds[code] if code < kinds.size else _NO_LETTER
        end, word = at, value
        if kind == _LOWER and last == _UPPER:  # the S of HTTPServer
            end, word = at - 1, before
        if end < at or kind == _NO_LETTER or (kind == _UPPER and last == _LOWER):
            if _SHORTEST <= end - start <= _LONGEST:
                word ^= word >> np.uint64(29)
                place = np.int64(word & np.uint64(size - 1))
                for _ in range(_MAX_STEPS):
                    if counts[place] == 0:
                        hashes[place], starts[place], ends[place] = word, start, end
                    if hashes[place] == word:
                        counts[place] += 1
                        break
                    place = (place + 1) & (size - 1)
            value = np.uint64(lower[codes[at - 1]]) * _ODD if end < at else np.uint64(0)
            start = end
        if kind == _NO_LETTER:
            start = at + 1
        else:
            before = value
            value = (value + np.uint64(lower[code])) * _ODD
        last = kind
    used = np.flatnonzero(counts)
    return starts[used], ends[used], counts[used]


def vectors(files: Sequence[Mapping[str, int]]) -> Vectors:
    """Return the files of one project, given by their terms, as vectors that can be compared.

    A word weighs (bits of its count) x log((1 + files) / (files that have it)): next to nothing if all have it.
    """
    spread = Counter(chained.from_iterable(files))
    numbers = {word: number for number, word in enumerate(spread)}
    rarity = np.array([_SCALE * math.log((1 + len(files)) / having) for having in spread.values()])
    starts = np.zeros(len(files) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, files), dtype=np.int64, count=len(files)), out=starts[1:])
    total = int(starts[-1])
    words = np.fromiter(map(numbers.__getitem__, chained.from_iterable(files)), dtype=np.int32, count=total)
    counts = np.fromiter(chained.from_iterable(each.values() for each in files), dtype=np.int64, count=total)
    weights = np.rint(rarity[words] * np.frexp(counts)[1]).astype(np.int64)
    sums = np.zeros(total + 1, dtype=np.int64)
    np.cumsum(weights * weights, out=sums[1:])
    return Vectors(starts, words, weights, np.sqrt(sums[starts[1:]] - sums[starts[:-1]]), len(numbers))


def chains(files: Vectors, groups: Sequence[_Ints]) -> list[_Ints]:
    """Return each group of files as a chain: its first file, and then always the one most like the one before.

    It is chosen among the first WINDOW that are left, of equals the first: groups should come sorted, as by path.
    """
    members = np.concatenate((np.zeros(0, dtype=np.int64), *groups))
    ends = np.cumsum([group.size for group in groups], dtype=np.int64)
    _chain(files, members, ends)
    return np.split(members, ends)[:-1]


@compiled
def _chain(files: Vectors, members: _Ints, ends: _Ints) -> None:
    """Reorder the members of each group in place."""
    current = np.zeros(files.vocabulary, dtype=np.int64)
    start = 0
    for end in ends:
        waiting = members[start:end].copy()
        begin = 1
        for place in range(start + 1, end):
            last = members[place - 1]
            for entry in range(files.starts[last], files.starts[last + 1]):
                current[files.words[entry]] = files.weights[entry]
            best, most = begin, -1.0
            for at in range(begin, min(begin + WINDOW, waiting.size)):
                product = 0
                for entry in range(files.starts[waiting[at]], files.starts[waiting[at] + 1]):
                    product += current[files.words[entry]] * files.weights[entry]
                likeness = product / files.lengths[waiting[at]] if product else 0.0
                if likeness > most:
                    best, most = at, likeness
            for entry in range(files.starts[last], files.starts[last + 1]):
                current[files.words[entry]] = 0
            members[place] = waiting[best]
            # Those that wait stay sorted.
            for at in range(best, begin, -1):
                waiting[at] = waiting[at - 1]
            begin += 1
        start = end
