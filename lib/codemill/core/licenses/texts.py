"""Licence texts identified by content: which reference texts does a file contain?

A reference counts as contained when ``threshold`` of its three-word shingles occur in the file, so line breaks, markup,
comment signs, copyright lines, holders' names and whatever stands around the text do not matter. References contain
each other (BSD-3-Clause has all of BSD-2-Clause; AGPL-3.0 most of GPL-3.0), so they are taken greedily, the one that
explains most first, and a reference that is explained already is not taken again.

The text of a GNU licence does not say whether later versions may be used. It is read as the narrower grant: the text of
GPL-3.0 is ``GPL-3.0-only``. A notice or a manifest that says "or later" is what widens it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from identify.vendor.licenses import LICENSES

from codemill.core.licenses import expressions
from codemill.core.licenses.table import LicenseTable

# The longest reference has 36,000 characters; a collection of third-party licences may reach a megabyte.
MAX_CHARS = 300_000
SHINGLE = 3
# A second reference counts when it brings this share of its shingles itself: parts of licences are common to many.
MIN_OWN_SHARE = 0.5
MAX_TEXTS = 20
# A file that names its licence, or points to the file that has it, is short; so is the part that offers a choice.
MAX_STATEMENT_WORDS = 120
MAX_CHOICE_WORDS = 250

_WORD = re.compile(r"[a-z0-9]+")
_TAG = re.compile(r"<[^<>\n]{1,200}>")
_SPDX_TAG = re.compile(r"SPDX-License-Identifier:[ \t]{0,20}([^\n*/]{1,200})")
_CHOICE = re.compile(r"\b(?:dual|at your option(?! any later)|either of|under either|your choice)\b")
_POINTER = re.compile(r"\b(?:(?:UN)?LICEN[SC]E|COPYING)[-.]\w|\b[Ss]ee (?:the )?(?:file )?(?:LICEN[SC]E|COPYING)")


@dataclass(frozen=True)
class TextMatch:
    """What a text says.

    ``spdx``: expression of all texts found, None when unknown. ``similarity``: lowest share (0..1) of a found text's
    shingles, or the highest of any reference when none was found. ``restriction``: the phrase in the unexplained part
    that made a text with a known licence unknown. ``pointer``: no licence at all, a few words that point to files.
    """

    spdx: str | None
    similarity: float
    restriction: str | None = None
    pointer: bool = False


@dataclass(frozen=True)
class _Index:
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    references: dict[str, tuple[int, ...]]


def identify_text(text: str, table: LicenseTable) -> TextMatch:
    """Identify the licence texts in ``text`` (its first 300,000 characters) by content.

    Several texts are joined by AND, or by OR where the words around them offer a choice. Without any full text, an
    ``SPDX-License-Identifier`` line decides. Whatever stays unidentified, or a known text with a restriction added, has
    ``spdx=None``: a licence is never guessed.
    """
    text = text[:MAX_CHARS]
    words = _words(text)
    shingles = [" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)]
    index = _index(table)
    found, best = _greedy(set(shingles), index, table.threshold)
    unexplained = _unexplained(words, shingles, {index_id for index_id, _ in found}, index)
    names = {index.names[index_id] for index_id, _ in found} | _by_phrases(unexplained, table.phrases)
    if not names and len(words) <= MAX_STATEMENT_WORDS:
        names = _by_phrases(unexplained, table.statements)
    if not names:
        tagged = _tagged(text)
        return TextMatch(tagged, best, pointer=tagged is None and _is_pointer(text, words))
    similarity = min((share for _, share in found), default=1.0)
    restriction = next((phrase for phrase in table.restrictions if f" {phrase} " in unexplained), None)
    if restriction is not None:
        return TextMatch(None, similarity, restriction)
    implied = {included for name in names for included in table.includes.get(name, ())}
    return TextMatch(expressions.join(names - implied, _operator(unexplained)), similarity)


@lru_cache(maxsize=4)
def _index(table: LicenseTable) -> _Index:
    texts = [(expressions.normalize(id_) or id_, body) for id_, body in LICENSES]
    names: list[str] = []
    sizes: list[int] = []
    references: dict[str, list[int]] = {}
    for name, body in [*texts, *table.texts]:
        shingles = _shingles(body)
        for shingle in shingles:
            references.setdefault(shingle, []).append(len(names))
        names.append(name)
        sizes.append(len(shingles))
    return _Index(tuple(names), tuple(sizes), {key: tuple(value) for key, value in references.items()})


def _words(text: str) -> list[str]:
    return _WORD.findall(_TAG.sub(" ", text).lower())


def _shingles(text: str) -> set[str]:
    words = _words(text)
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


def _greedy(shingles: set[str], index: _Index, threshold: float) -> tuple[list[tuple[int, float]], float]:
    """Return (reference, its share in the text) for the references taken, and the highest share of any reference."""
    hits = Counter(reference for shingle in shingles for reference in index.references.get(shingle, ()))
    shares = {reference: count / index.sizes[reference] for reference, count in hits.items()}
    candidates = {reference for reference, share in shares.items() if share >= threshold}
    own = {reference: hits[reference] for reference in candidates}
    remaining = set(shingles)
    found: list[tuple[int, float]] = []
    while candidates and len(found) < MAX_TEXTS:
        # What a reference explains less what it has too much: BSD-2-Clause against BSD-3-Clause goes either way.
        best = max(candidates, key=lambda one: (2 * own[one] - index.sizes[one], shares[one], index.names[one]))
        found.append((best, shares[best]))
        remaining = {shingle for shingle in remaining if best not in index.references.get(shingle, ())}
        own = dict(Counter(one for shingle in remaining for one in index.references.get(shingle, ())))
        candidates = {one for one in candidates if own.get(one, 0) >= MIN_OWN_SHARE * index.sizes[one]}
    return found, max(shares.values(), default=0.0)


def _unexplained(words: list[str], shingles: list[str], found: set[int], index: _Index) -> str:
    """Return the words that no found reference has, one space around each."""
    explained = bytearray(len(words))
    for position, shingle in enumerate(shingles):
        if not found.isdisjoint(index.references.get(shingle, ())):
            explained[position : position + SHINGLE] = b"\1" * SHINGLE
    return f" {' '.join(word for word, known in zip(words, explained, strict=True) if not known)} "


def _by_phrases(unexplained: str, phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> set[str]:
    return {name for name, needed in phrases if all(f" {phrase} " in unexplained for phrase in needed)}


def _operator(unexplained: str) -> str:
    offers_choice = unexplained.count(" ") <= MAX_CHOICE_WORDS and _CHOICE.search(unexplained) is not None
    return "OR" if offers_choice else "AND"


def _is_pointer(text: str, words: list[str]) -> bool:
    return len(words) <= MAX_STATEMENT_WORDS and _POINTER.search(text) is not None


def _tagged(text: str) -> str | None:
    tags = [expressions.normalize(tag.strip()) for tag in _SPDX_TAG.findall(text)[:MAX_TEXTS]]
    known = [tag for tag in tags if tag is not None]
    return expressions.join(known, "AND") if known and len(known) == len(tags) else None
