"""The FIM samples of one document, as rows.

A document is cut into windows that fit the context, then into prefix, middle and suffix, then written with a family's
sentinels. Every choice is a hash of (seed, id, purpose). Offsets are characters of the document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from codemill.core import choice
from codemill.core.constructs import ConstructTable
from codemill.core.fim import windows
from codemill.core.fim.chance import Chance, Range
from codemill.core.fim.formats import Heads, Name, Order, escaped, heads_of, render
from codemill.core.fim.options import FimOptions, Kind
from codemill.core.fim.spans import Span, Spans
from codemill.core.languages import Language

# A window whose sample came out too long is made anew with so much less room, so many times.
_SMALLER = 0.85
_MAX_CUTS = 12
_MAX_GROWN = 4
_KILOBYTE = 1_000


class SentinelInText(ValueError):  # noqa: N818 - named for what happened
    """A document holds a sentinel literally, so a sample of it could not be told apart; ``sentinel`` says which."""

    def __init__(self, sentinel: str) -> None:
        """Keep the sentinel that was found."""
        super().__init__(f"the text contains the sentinel {sentinel!r}; allowed: none of the format's sentinels")
        self.sentinel = sentinel


class DoesNotFit(ValueError):  # noqa: N818
    """Not even the smallest window of a document fits the context, with its sentinels and its name."""


class Document(NamedTuple):
    """A file to make samples of."""

    text: str
    file_id: str
    language: Language
    path: str = ""
    repository: str = ""
    shown: tuple[tuple[str, str, str], ...] = ()
    """Other files of its project, the nearest last: file id, path, content."""


@dataclass(frozen=True)
class FimSample:
    """One sample. ``prefix + middle + suffix`` is the window of the document; ``text`` is the rendered sample.

    ``kind`` is how the middle was really chosen; ``node_type`` is the grammar's name of the node that it is, or whose
    children or part it is. ``none`` is the window as it stands: all of it is ``prefix``, ``order`` is empty.
    """

    sample_id: str
    kind: Kind
    situation: str
    node_type: str
    size_class: str
    construct: str
    order: Order
    window_start: int
    window_end: int
    start: int
    end: int
    tokens: int
    context: tuple[str, ...]
    """Ids of the files that are shown before it."""
    prefix: str
    middle: str
    suffix: str
    text: str


def sample(document: Document, table: ConstructTable, options: FimOptions, seed: int) -> list[FimSample]:
    """Make the samples of one document; ``sample_id`` is the file id, a colon and a number from 0.

    A document becomes FIM samples, or stays plain, as a whole. Cuts never split a CRLF or a grapheme cluster (UAX 29).
    Raises SentinelInText, unless sentinels are escaped, and DoesNotFit.
    """
    return list(_maker(document, table, options, seed).samples())


def answer(document: Document, table: ConstructTable, options: FimOptions, seed: int) -> dict[str, Any]:
    """Return the samples of a document, or the sentinel that it holds, as plain values.

    Prefix, middle and suffix are left out: who has the document has them by their offsets.
    """
    try:
        maker = _maker(document, table, options, seed)
    except SentinelInText as error:
        return {"sentinel": error.sentinel}
    return {"samples": [_slim(each) for each in maker.samples()], "escapes": len(maker.found)}


def _slim(made: FimSample) -> dict[str, Any]:
    return {key: value for key, value in vars(made).items() if key not in ("prefix", "middle", "suffix")}


def _maker(document: Document, table: ConstructTable, options: FimOptions, seed: int) -> "_Maker":
    found = options.format.sentinels_in(document.text)
    if found and options.sentinels == "drop":
        raise SentinelInText(found[0][1])
    return _Maker(document, table, options, seed, found)


class _Maker:
    """Makes the samples of one document."""

    def __init__(
        self,
        document: Document,
        table: ConstructTable,
        options: FimOptions,
        seed: int,
        found: Sequence[tuple[int, str]],
    ) -> None:
        self.document = document
        self.options = options
        self.seed = seed
        self.found = found
        self.spans = Spans(document.text, document.language, table, options)
        self.length = options.length
        self.is_fim = choice.unit(seed, document.file_id, "fim") < options.fim_rate and bool(document.text)
        self.is_named = choice.unit(seed, document.file_id, "path") < options.path_rate
        self.name = _name(document, options.language_names)
        self.made = 0

    def samples(self) -> Iterator[FimSample]:
        for window in self._windows():
            taken: list[Range] = []
            for _ in range(self._count(window)):
                made = self._made(window, taken, f"{self.document.file_id}:{self.made}")
                if made is None:
                    break
                yield made
                self.made += 1
                taken.append(Range(made.start, made.end))

    def _made(self, window: Range, taken: Sequence[Range], sample_id: str) -> FimSample | None:
        """Make one sample; None where no middle is left. A window that just fits may grow by a token that is cut."""
        chance = Chance(self.seed, sample_id)
        plain = Span(window.end, window.end, "none")
        for number in range(_MAX_GROWN if self.is_fim else 0):
            span = self.spans.draw(window, taken, chance.again(f"grown {number}") if number else chance)
            if span is None:
                return None
            made = self._rendered(sample_id, window, span)
            if made.tokens <= self.options.max_tokens:
                return made
        return self._rendered(sample_id, window, plain)

    def _windows(self) -> list[Range]:
        """Cut the document, so that each window fits with the names and sentinels around it."""
        text = self.document.text
        whole = Range(0, len(text))
        if self._fits(whole):
            return [whole]
        room: float = self.options.max_tokens - self.length.count(self._text_of(Range(0, 0), self._longest_heads))
        for _ in range(_MAX_CUTS):
            if room < 1:
                break
            cuts = self._cut(int(room))
            if all(self._fits(window) for window in cuts):
                return cuts
            room *= _SMALLER
        raise DoesNotFit(f"no window of the document fits {self.options.max_tokens} tokens")

    def _cut(self, room: int) -> list[Range]:
        text = self.document.text
        places = windows.places(self.spans.tree, room // 4) if self.spans.tree else []
        return [Range(*each) for each in windows.cut(text, places, lambda start: self.length.reach(text, start, room))]

    def _fits(self, window: Range) -> bool:
        return self.length.fits(self._text_of(window, self._longest_heads), self.options.max_tokens)

    def _text_of(self, window: Range, heads: Heads) -> str:
        """Render a window as its longest sample: every sentinel, nothing hidden."""
        text = self._escaped(window.start, window.end)
        return render(text, "", "", "psm" if self.is_fim else "", self.options.format, heads)

    @cached_property
    def _longest_heads(self) -> Heads:
        return self._heads(()) if self.is_named else Heads()

    def _count(self, window: Range) -> int:
        if not self.is_fim:
            return 1
        wanted = (window.end - window.start) / _KILOBYTE * self.options.samples_per_kilobyte
        more = choice.unit(self.seed, f"{self.document.file_id}:{window.start}", "samples") < wanted % 1
        return min(max(int(wanted) + more, 1), self.options.max_samples)

    def _rendered(self, sample_id: str, window: Range, span: Span) -> FimSample:
        text = self.document.text
        order: Order = ""
        if span.kind != "none":
            order = "spm" if choice.unit(self.seed, sample_id, "order") < self.options.spm_share else "psm"
        pieces = [window.start, span.start, span.end, window.end]
        parts = [self._escaped(start, end) for start, end in pairwise(pieces)]
        rendered, shown = self._with_context(parts, order)
        prefix, middle, suffix = (text[start:end] for start, end in pairwise(pieces))
        return FimSample(
            sample_id,
            span.kind,
            span.situation,
            span.node_type,
            span.size_class,
            span.construct,
            order,
            *window,
            span.start,
            span.end,
            self.length.count(rendered),
            shown,
            prefix,
            middle,
            suffix,
            rendered,
        )

    def _with_context(self, parts: Sequence[str], order: Order) -> tuple[str, tuple[str, ...]]:
        """Render a sample behind as many of the files that are shown before it as fit, the nearest of them."""
        prefix, middle, suffix = parts
        shown = self.document.shown if self.options.format.shows_files else ()
        while shown:
            heads = self._heads(tuple((path, content) for _, path, content in shown))
            text = render(prefix, middle, suffix, order, self.options.format, heads)
            if self.length.fits(text, self.options.max_tokens):
                return text, tuple(file_id for file_id, _, _ in shown)
            shown = shown[1:]
        return render(prefix, middle, suffix, order, self.options.format, self._longest_heads), ()

    def _heads(self, files: Sequence[tuple[str, str]]) -> Heads:
        return heads_of(self.options.format, self.name, files)

    def _escaped(self, start: int, end: int) -> str:
        text = self.document.text[start:end]
        return escaped(text, self.options.format, start, self.found) if self.found else text


def _name(document: Document, names: Mapping[str, str]) -> Name:
    language = document.language
    title = names.get(language.name) or " ".join(word.capitalize() for word in language.name.split("_"))
    if language.line_comments:
        comment = f"{language.line_comments[0]} %s"
    else:
        comment = " %s ".join(language.block_comments[0]) if language.block_comments else ""
    return Name(document.repository, document.path, title, comment)
