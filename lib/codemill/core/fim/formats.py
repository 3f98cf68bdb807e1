"""FIM formats: how a family of models writes prefix, middle and suffix, paths and other files, and what ends a text.

Orders, with P, M, S for prefix, middle and suffix: PSM is ``PRE P SUF S MID M``; SPM has two published layouts that do
not mix, v1 ``SUF S PRE P MID M`` and v2 ``PRE SUF S MID P M`` (Bavarian et al., 2207.14255).
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

Order = Literal["psm", "spm", ""]
Layout = Literal["psm", "spm_v1", "spm_v2"]

ESCAPE = "\u200b"
"""What breaks a sentinel: a zero-width space."""


_PLACE = re.compile(r"\{(repository|path|language)\}")
_COMMENT = re.compile(r"\{comment: ([^\n]*)\}(\n?)")


class Format(BaseModel):
    """A row of conf/fim.yaml, which says what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: tuple[Layout, ...] = Field(min_length=1)
    prefix: str = Field(min_length=1)
    suffix: str = Field(min_length=1)
    middle: str
    end: str = Field(min_length=1)
    plain_end: str = ""
    begin: str = ""
    pad: str = ""
    reserved: tuple[str, ...] = ()
    head: str = ""
    inside: bool = False
    repository: str = ""
    file: str = ""
    after_file: str = ""
    lead: str = ""
    files_inside: bool = False

    @model_validator(mode="after")
    def _one_spm(self) -> "Format":
        if {"spm_v1", "spm_v2"} <= set(self.orders):
            raise ValueError("orders: found both layouts of SPM, allowed is one: a model cannot tell them apart")
        return self

    @property
    def spm(self) -> Layout:
        """Return the layout of SPM; v2, which most families have, where it was not trained on."""
        return "spm_v1" if "spm_v1" in self.orders else "spm_v2"

    @property
    def trained_spm_rate(self) -> tuple[float, float]:
        """Return the least and the largest share of SPM samples that the family's orders allow."""
        return float("psm" not in self.orders), float(any(order != "psm" for order in self.orders))

    @property
    def shows_files(self) -> bool:
        """Say whether the family knows how to show other files of a repository."""
        return bool(self.file or self.after_file)

    @cached_property
    def sentinels(self) -> tuple[str, ...]:
        """Return all texts that would be taken for control tokens."""
        named = (self.prefix, self.suffix, self.middle, self.end, self.plain_end, self.begin, self.pad, *self.reserved)
        return tuple(dict.fromkeys(each for each in named if each))

    @cached_property
    def _found(self) -> tuple[re.Pattern[str], ...]:
        # A pattern that begins with a plain character is looked for at the speed of memchr.
        firsts = sorted({each[0] for each in self.sentinels})
        return tuple(re.compile(_alternatives(first, self.sentinels)) for first in firsts)

    def sentinels_in(self, text: str) -> list[tuple[int, str]]:
        """Return the sentinels that a text holds literally, and where (characters), in order."""
        return sorted((match.start(), match[0]) for pattern in self._found for match in pattern.finditer(text))


class Name(NamedTuple):
    """What a document is called, and how its language writes a comment: ``comment`` has one %s, or is empty."""

    repository: str
    path: str
    language: str
    comment: str


class Heads(NamedTuple):
    """What stands in a sample besides its document, rendered."""

    before: str = ""
    """Before its first sentinel."""
    inside: str = ""
    """At the head of its prefix."""


def render(prefix: str, middle: str, suffix: str, order: Order, fmt: Format, heads: Heads = Heads()) -> str:  # noqa: B008
    """Write a sample with sentinels, the end token last. Without an order it is plain text."""
    front = f"{fmt.begin}{heads.before}"
    prefix = heads.inside + prefix
    if order == "":
        return f"{front}{prefix}{middle}{suffix}{fmt.plain_end or fmt.end}"
    if order == "psm":
        return f"{front}{fmt.prefix}{prefix}{fmt.suffix}{suffix}{fmt.middle}{middle}{fmt.end}"
    if fmt.spm == "spm_v1":
        return f"{front}{fmt.suffix}{suffix}{fmt.prefix}{prefix}{fmt.middle}{middle}{fmt.end}"
    return f"{front}{fmt.prefix}{fmt.suffix}{suffix}{fmt.middle}{prefix}{middle}{fmt.end}"


def heads_of(fmt: Format, name: Name, files: Sequence[tuple[str, str]] = ()) -> Heads:
    """Render what names a document, and the other files (path, content) that are shown before it.

    Sentinels in names and contents are escaped.
    """
    shown = "".join(
        f"{_filled(fmt.file, name._replace(path=path), fmt)}{escaped(content, fmt)}{fmt.after_file}"
        for path, content in files
    )
    around = f"{_filled(fmt.repository, name, fmt)}{shown}{fmt.lead}"
    head = _filled(fmt.head, name, fmt)
    if fmt.files_inside:
        return Heads("", around + head)
    return Heads(around, head) if fmt.inside else Heads(around + head, "")


def escaped(text: str, fmt: Format, start: int = 0, found: Iterable[tuple[int, str]] | None = None) -> str:
    """Break every sentinel in a text by a zero-width space behind its first character.

    ``found`` are the sentinels of a longer text of which this is the part from ``start``: a sentinel that is cut in two
    is broken as well, since some layouts put the parts together again.
    """
    found = fmt.sentinels_in(text) if found is None else found
    pieces, last = [], 0
    for position, _ in found:
        at = position + 1 - start
        if 0 < at < len(text) or (at == 0 and text):
            pieces.append(text[last:at])
            last = at
    return ESCAPE.join([*pieces, text[last:]])


def _filled(template: str, name: Name, fmt: Format) -> str:
    known = {key: escaped(" ".join(value.splitlines()), fmt) for key, value in name._asdict().items()}
    filled = _PLACE.sub(lambda match: known.get(match[1], match[0]), template)
    if name.comment:
        return _COMMENT.sub(lambda match: name.comment.replace("%s", match[1]) + match[2], filled)
    return _COMMENT.sub("", filled)


def _alternatives(first: str, sentinels: Sequence[str]) -> str:
    rests = sorted((re.escape(each[1:]) for each in sentinels if each[0] == first), key=len, reverse=True)
    return f"{re.escape(first)}(?:{'|'.join(rests)})"
