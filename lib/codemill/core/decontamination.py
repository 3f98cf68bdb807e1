"""Which benchmark a text gives away: references (prompts, solutions) whose n-grams of tokens it holds.

Published pipelines drop a file for one n-gram of ten that it shares with a benchmark (DeepSeek-Coder, 2401.14196;
Qwen2.5-Coder, 2409.12186), or for a whole docstring or solution, character by character (StarCoder, 2305.06161). Our
tokens are finer than words, so one n-gram may be an idiom (`for (int i = 0; i < n`), and a changed indentation must not
hide a copy. What counts here is the share of a reference's n-grams that are in the text, as Cosmopedia measures it by
the characters in common. Comments and white space around a copy change nothing, a line changed within it takes away
the n-grams across that line.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codemill.core import minhash
from codemill.core.compiled import compiled
from codemill.core.fingerprints import tokens
from codemill.core.minhash import Hashes

NGRAM = 10

MIN_SHARE = 0.5
"""References copied with one line of comment put into the middle keep more than this, unless they are tiny; of the
n-grams of a small function, code that has nothing to do with it holds up to a fifth."""

SHORTEST = 6
"""Tokens of the shortest reference that is looked for: lines of three are in 24 of 7,000 files, of six in one."""

FIELDS = ("prompt", "canonical_solution", "solution", "question", "text", "code", "content")
"""Fields of lines of JSON that hold references: those of HumanEval, MBPP, MultiPL-E, APPS and others."""

_SLOTS = 16


class Overlap(NamedTuple):
    """The reference that a text gives away most of: its name, and the share of its n-grams in the text (0 to 1)."""

    benchmark: str
    share: float


@dataclass(frozen=True, eq=False)
class Benchmarks:
    """References, as hashes of their n-grams: 20 bytes per n-gram, 1 to 3 KB for a function with its prompt.

    ``grams`` are sorted and distinct; what has the n-gram ``i`` are the references ``owners[starts[i]:starts[i + 1]]``,
    places in ``names``. ``sizes``: how many n-grams each reference has. ``lengths``: how many tokens n-grams have, for
    those of references with fewer tokens than ``ngram`` are all of their tokens. ``too_short``: names of references of
    fewer than SHORTEST tokens, which are not looked for.
    """

    ngram: int
    min_share: float
    names: tuple[str, ...]
    sizes: npt.NDArray[np.int32]
    lengths: tuple[int, ...]
    grams: Hashes
    starts: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int32]
    too_short: tuple[str, ...]

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], ngram: int = NGRAM, min_share: float = MIN_SHARE) -> "Benchmarks":
        """Take in references by name. Raises ValueError for an n-gram of no token or a share outside 0 to 1."""
        if ngram < 1 or not 0 <= min_share <= 1:
            raise ValueError(f"found ngram={ngram}, min_share={min_share}; allowed: at least 1; from 0 to 1")
        hashes = {name: _hashes(texts[name]) for name in sorted(texts)}
        names = tuple(name for name, each in hashes.items() if each.size >= min(SHORTEST, ngram))
        members = [minhash.shingles(hashes[name], ngram) for name in names]
        sizes = np.array([each.size for each in members], dtype=np.int32)
        everything = np.concatenate([np.empty(0, dtype=np.uint64), *members])
        order = np.argsort(everything, kind="stable")
        grams, firsts = np.unique(everything[order], return_index=True)
        return cls(
            ngram=ngram,
            min_share=min_share,
            names=names,
            sizes=sizes,
            lengths=tuple(sorted({min(hashes[name].size, ngram) for name in names})),
            grams=grams,
            starts=np.append(firsts, everything.size).astype(np.int64),
            owners=np.repeat(np.arange(len(names), dtype=np.int32), sizes)[order],
            too_short=tuple(name for name in hashes if name not in set(names)),
        )

    def find(self, text: str) -> Overlap | None:
        """Return the reference of which the largest share is in a text, the first by name of several.

        None when that share is below ``min_share``, or nothing is shared.
        """
        hashes = _hashes(text)
        found = [_found(minhash.runs(hashes, length), self.grams, self._slots) for length in self.lengths]
        hits = np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
        if not hits.size:
            return None
        shares = _counts(hits, self.starts, self.owners, len(self.names)) / self.sizes
        best = int(shares.argmax())
        return Overlap(self.names[best], float(shares[best])) if shares[best] >= self.min_share else None

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with whatever ``find`` depends on."""
        digest = hashlib.sha256(json.dumps([self.ngram, self.min_share, self.names]).encode())
        for array in (self.grams, self.starts, self.owners):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _slots(self) -> npt.NDArray[np.bool_]:
        """Tell by the first bits of a hash that it is none of the n-grams, for all but one in _SLOTS of those."""
        slots = np.zeros(1 << max(1, (self.grams.size * _SLOTS).bit_length()), dtype=np.bool_)
        slots[self.grams >> np.uint64(65 - slots.size.bit_length())] = True
        return slots


def read_references(folder: Path, fields: Sequence[str] = FIELDS) -> dict[str, str]:
    """Read the texts of a folder, at any depth, by name; hidden files are left out.

    A line of a file `*.jsonl` is an object, each of the ``fields`` that it has is a text named ``file:line:field``; any
    other file is one text. Raises ValueError for a folder without texts and for what cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    visible = {name: path for name, path in zip(names, paths, strict=True) if "/." not in f"/{name}"}
    texts = dict(text for name, path in visible.items() for text in _texts(name, path, fields))
    if not texts:
        raise ValueError(f"{folder} holds no text; expected text files or *.jsonl")
    return texts


def _texts(name: str, path: Path, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as UTF-8 ({type(error).__name__})") from None
    if path.suffix != ".jsonl":
        yield name, text
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield from _fields(f"{name}:{number}", line, fields)


def _fields(place: str, line: str, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    found = [field for field in fields if isinstance(row, dict) and isinstance(row.get(field), str)]
    if not found:
        raise ValueError(f"{place}: found no object with a text in one of these fields: {', '.join(fields) or 'none'}")
    for field in found:
        yield f"{place}:{field}", row[field]


def _hashes(text: str) -> Hashes:
    return tokens(text.encode("utf-8", "surrogatepass"))[1]


@compiled
def _found(runs: Hashes, grams: Hashes, slots: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the places in ``grams``, which are sorted, of those runs that are there."""
    bits = 0
    while 1 << bits < slots.size:
        bits += 1
    behind = np.uint64(64 - bits)
    places = np.empty(runs.size, dtype=np.int64)
    count = 0
    for value in runs:
        if slots[value >> behind]:
            place = np.searchsorted(grams, value)
            if place < grams.size and grams[place] == value:
                places[count] = place
                count += 1
    return places[:count]


@compiled
def _counts(
    hits: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], owners: npt.NDArray[np.int32], references: int
) -> npt.NDArray[np.int64]:
    """Return how many of each reference's n-grams were hit."""
    counts = np.zeros(references, dtype=np.int64)
    for hit in hits:
        for place in range(starts[hit], starts[hit + 1]):
            counts[owners[place]] += 1
    return counts
