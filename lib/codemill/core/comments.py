"""Commented-out code: whole comments whose inside is code that somebody switched off.

A section is a run of comments of one line each, or a block comment, that stands alone on its lines. Whether what it
encloses is code is told in `switched_off`; here sections are found in the tree, cut where they are not all of one kind,
and deleted. Doc comments, directives and whatever the program would miss are never sections.
"""

import itertools
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from codemill.core import landmarks, lexing, switched_off, trees
from codemill.core.languages import Language
from codemill.core.lexing import WIDEST_INDENTATION
from codemill.core.wording import MAX_PROSE, Look, explains, look

_MIN_LIKELY = 0.4
"""The share of a run's lines that must look a little like code for it to be looked at closely."""

_EMPTY = 3
"""Bytes. A comment of so few is a marker alone."""

_SENTENCE = re.compile(rb" {0,2}(?:[A-Z(\"'][a-z]+ [a-z]+ [a-z]+[^;{}=]*|[a-z]+ [a-z]+ [a-z]+ [a-z]+[^;{}=]*[.,])$")
_HEADING = re.compile(
    rb"\W*(?!(?:class|def|if|for|else|elif|while|with|try|except|case|default|switch|do)\b)[A-Za-z][^=;{}]*[^=;{}\])]:$"
)
_LINE = re.compile(rb"[^\s][^\n]*")
_LINE_BREAK = ord("\n")
_CGO = re.compile(rb'import[ \t]+"C"')


@dataclass(frozen=True)
class CommentedCode:
    """One commented-out section: whole lines, with their line breaks."""

    start: int
    """Character offset of the first character of its first line."""
    end: int
    """Character offset after the line break of its last line, or after its last character at the end of the text."""
    lines: int
    """Lines from first to last."""
    characters: int
    """Characters of what it encloses, without markers and indentation."""
    score: float
    """Share of its lines that parse as statements, from 0 to 1."""


class _Comment(NamedTuple):
    """A comment that stands alone on the bytes [first, last): whole lines, with their line breaks."""

    first: int
    last: int
    start: int
    """Where its marker begins."""
    is_block: bool
    inside: str
    """What is between its markers."""

    @property
    def indentation(self) -> int:
        """Bytes before its marker."""
        return self.start - self.first


class _Markers(NamedTuple):
    """How the comments of a language begin and end, as bytes."""

    opening: re.Pattern[bytes]
    """The marker of a line comment, or the opening one of a block, that a comment begins with."""
    blanks: re.Pattern[bytes]
    """A marker with no blank behind it, or one, and then no other."""
    several: bool
    """Whether there is more than one opening marker."""
    closing: dict[bytes, bytes]
    """The closing marker of each block's opening one."""
    doc: tuple[bytes, ...]
    """What documentation begins with. Some of it is an opening marker itself, which then opens a doc comment."""


def find(tree: trees.Tree, spans: Sequence[Sequence[int]], language: Language) -> list[CommentedCode]:
    """Return the commented-out sections of a parsed text, in order, none overlapping another.

    `spans` are where its comments begin and end, in bytes, in order (`landmarks`). Sections are of any size, from one
    line up. Nothing is found in languages without `statement_nodes`.
    """
    if language.grammar is None or not language.statement_nodes:
        return []
    markers, judge = _prepared(language)
    finder = _Finder(tree, spans, markers, judge)
    scored = [
        (section, score)
        for section, score in finder.found()
        if all(landmarks.is_comment(tree, comment.start, language) for comment in section)
    ]
    if not scored:
        return []
    to_char = tree.char_offsets()
    return [
        CommentedCode(
            start=to_char(section[0].first),
            end=to_char(section[-1].last),
            lines=tree.source.count(b"\n", section[0].first, section[-1].last - 1) + 1,
            characters=sum(len(line.strip()) for comment in section for line in comment.inside.split("\n")),
            score=round(score, 4),
        )
        for section, score in scored
    ]


def find_in(text: str, language: Language) -> list[CommentedCode]:
    """Parse a text and return its commented-out sections: see `find`."""
    if language.grammar is None or not language.comment_nodes:
        return []
    tree = trees.parse(text, language.grammar)
    return find(tree, landmarks.find(tree, lexing.survey(tree.source, language), language).comments, language)


def delete(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the text without those spans of character offsets. Overlapping spans count once.

    Raises ValueError for a span outside the text.
    """
    kept = []
    done = 0
    for start, end in sorted(spans):
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"span: found ({start}, {end}), allowed is start <= end within 0..{len(text)}")
        kept.append(text[done:start])
        done = max(done, end)
    return "".join([*kept, text[done:]])


class _Finder:
    """Finds the sections among the comments of one source.

    A run is a range of comments: of one kind and one line each, on consecutive lines; or one comment alone.
    """

    def __init__(
        self, tree: trees.Tree, spans: Sequence[Sequence[int]], markers: _Markers, judge: switched_off.Judge
    ) -> None:
        self._source = source = tree.source
        self._spans = list(_lines(source, spans, markers))
        self._grammar = grammar = tree.grammar
        doc = markers.doc
        # Those behind code are looked at when something beside them is code.
        self._looks = [
            None if not alone else Look.DOC if source.startswith(doc, start) else look(source, start, end, grammar)
            for (start, end), alone in zip(self._spans, lexing.alone(source, self._spans), strict=True)
        ]
        self._markers = markers
        self._judge = judge

    def found(self) -> Iterator[tuple[Sequence[_Comment], float]]:
        """Yield the comments of each section, and its score."""
        done = 0
        for index, each in enumerate(self._looks.copy()):  # those behind code are None here
            if each is not Look.CODE or index < done:
                continue
            first, done = index, index + 1
            while first > 0 and self._adjacent(first - 1):
                first -= 1
            while done < len(self._looks) and self._adjacent(done - 1):
                done += 1
            yield from self._code_in(first, done)

    def _look(self, index: int) -> Look:
        found = self._looks[index]
        if found is None:
            start, end = self._spans[index]
            is_doc = self._source.startswith(self._markers.doc, start)
            found = self._looks[index] = Look.DOC if is_doc else look(self._source, start, end, self._grammar)
        return found

    def _adjacent(self, index: int) -> bool:
        """Say whether a comment and the next belong to one run."""
        (start, end), (other, last) = self._spans[index : index + 2]
        if not end <= other <= end + WIDEST_INDENTATION:
            return False
        source = self._source
        end -= source[end - 1] == _LINE_BREAK  # some nodes take in the line break after them
        between = source[end:other]
        one_line_each = source.find(b"\n", start, end) < 0 and source.find(b"\n", other, last - 1) < 0
        if not one_line_each or between.count(b"\n") != 1 or between.strip():
            return False
        if self._markers.several and self._kind(start) != self._kind(other):
            return False
        return self._look(index) is not Look.DOC and self._look(index + 1) is not Look.DOC

    def _kind(self, start: int) -> bytes | None:
        found = self._markers.opening.match(self._source, start)
        return None if found is None else found[0]

    def _code_in(self, first: int, done: int) -> Iterator[tuple[Sequence[_Comment], float]]:
        """Yield what of a run is code: all of it, or else the parts of one indentation, or what an editor marked."""
        last = done
        while last > first and self._look(last - 1) is Look.WORDS:  # of what comes next
            last -= 1
        if last < done:
            yield from self._code_in(first, last) if last > first else ()
            return
        looks = [self._look(index) for index in range(first, done)]
        likely = looks.count(Look.CODE)
        words = sum(end - start > _EMPTY for start, end in self._spans[first:done])
        if likely >= _MIN_LIKELY * words and looks.count(Look.WORDS) <= MAX_PROSE * words:
            comments = [self._comment(index) for index in range(first, done)]
            alone = [comment for comment in comments if comment is not None]
            score = self._judge.score(_inside(alone)) if alone else 0.0
            if score > 0:
                if not (_has_a_meaning(self._source, alone) or _introduced(self._source, alone, self._markers)):
                    yield alone, score
                return
        if likely and done - first > 1:
            for begin, end in self._parts(first, done):
                if Look.CODE in looks[begin - first : end - first]:
                    yield from self._code_in(begin, end)

    def _parts(self, first: int, done: int) -> list[tuple[int, int]]:
        """Cut a run where the indentation changes; if it never does, return where no blank follows the marker.

        Some editors comment out without a blank, often below words with one.
        """
        starts = [self._spans[index][0] for index in range(first, done)]
        parts = _cut([start - self._source.rfind(b"\n", 0, start) for start in starts], first)
        if len(parts) > 1:
            return parts
        blanks = [self._blanks(start) for start in starts]
        parts = _cut(blanks, first)
        return [(begin, end) for begin, end in parts if len(parts) > 1 and blanks[begin - first] == 0]

    def _blanks(self, start: int) -> int | None:
        """Return how many blanks follow a marker: none or one; None for more, and where nothing follows."""
        found = self._markers.blanks.match(self._source, start)
        return None if found is None else len(found[1])

    def _comment(self, index: int) -> _Comment | None:
        """Return a comment that stands alone on its lines, None for any other."""
        source = self._source
        start, end = self._spans[index]
        lowest = max(0, start - WIDEST_INDENTATION)
        first = source.rfind(b"\n", lowest, start) + 1
        kind = self._kind(start)
        if kind is None or (first == 0 and lowest > 0) or source[first:start].strip():
            return None
        while end > start and source[end - 1] in b" \t\r\n":
            end -= 1
        last = source.find(b"\n", end, end + WIDEST_INDENTATION) + 1
        if last == 0 and end + WIDEST_INDENTATION < len(source):
            return None
        last = last or len(source)
        if source[end:last].strip():
            return None
        begin = start + len(kind)
        closing = self._markers.closing.get(kind)
        if closing is not None:
            if end < begin + len(closing) or not source.endswith(closing, start, end):
                return None
            end -= len(closing)
        elif len(kind) == 1:  # some editors comment out with two
            while begin < end and source[begin] == kind[0]:
                begin += 1
        return _Comment(first, last, start, closing is not None, source[begin:end].decode("utf-8", "surrogatepass"))


def _lines(source: bytes, spans: Sequence[Sequence[int]], markers: _Markers) -> Iterator[tuple[int, int]]:
    """Yield the spans of comments, less those within another.

    They are cut into lines where a grammar makes one comment of many lines with a marker each.
    """
    done = 0
    for start, end in spans:
        if start < done:
            continue
        done = end
        if source.find(b"\n", start, end - 1) >= 0:
            opening = markers.opening.match(source, start)
            if opening is not None and opening[0] not in markers.closing:
                lines = [(start + line.start(), start + line.end()) for line in _LINE.finditer(source[start:end])]
                if all(source.startswith(opening[0], line[0]) for line in lines):
                    yield from lines
                    continue
        yield start, end


def _cut(keys: Sequence[int | None], first: int) -> list[tuple[int, int]]:
    """Cut a run that begins at a comment where the key changes. One without a key goes with those before it."""
    cuts = [0]
    current: int | None = None
    for index, key in enumerate(keys):
        if key is None:
            continue
        if current is not None and key != current:
            cuts.append(index)
        current = key
    return [(first + begin, first + end) for begin, end in itertools.pairwise([*cuts, len(keys)])]


def _inside(run: Sequence[_Comment]) -> list[str]:
    if len(run) == 1:  # the first line of a block follows its opening
        first, *rest = run[0].inside.split("\n")
        return [first.strip(), *textwrap.dedent("\n".join(rest)).split("\n")] if rest else [first]
    ragged = len({comment.indentation for comment in run}) > 1
    return [" " * (ragged * comment.indentation) + comment.inside for comment in run]


def _has_a_meaning(source: bytes, run: Sequence[_Comment]) -> bool:
    """Say whether the program would change without the section.

    A backslash ties it to the line before or after it, which would join up; what stands before Go's `import "C"` is C.
    """
    start, end = run[0].first, run[-1].last
    tied = any(source[max(0, at - 3) : at].rstrip(b"\r\n").endswith(b"\\") for at in (start, end))
    return tied or _CGO.match(source, end) is not None


def _introduced(source: bytes, run: Sequence[_Comment], markers: _Markers) -> bool:
    """Say whether the comment before it says what this is an example of, or is documentation.

    Where a blank line is between them, the one before must end with a colon, or this one be further indented.
    """
    before = source[max(0, run[0].first - 300) : run[0].first]
    last = before.rstrip()[before.rstrip().rfind(b"\n") + 1 :].strip()
    opening = markers.opening.match(last)
    if opening is None:
        return False
    breaks = before[len(before.rstrip()) :].count(b"\n")
    if breaks > 1:
        margin = min(len(comment.inside) - len(comment.inside.lstrip()) for comment in run if comment.inside.strip())
        example = (
            breaks == 2 and margin > 2 and not run[0].is_block and _SENTENCE.match(last, opening.end()) is not None
        )
        return example or _HEADING.match(last, opening.end()) is not None
    return last.startswith(markers.doc) or explains(last.decode("utf-8", "replace"))


@lru_cache(maxsize=512)
def _prepared(language: Language) -> tuple[_Markers, switched_off.Judge]:
    closing = {opening.encode(): end.encode() for opening, end in language.block_comments}
    opening = sorted((*closing, *(marker.encode() for marker in language.line_comments)), key=len, reverse=True)
    doc = (*(marker.encode() for marker in language.doc_comments), b"#!")
    one = b"|".join(map(re.escape, opening)) or b"(?!)"
    blanks = re.compile(rb"(?:" + one + rb")([ \t]?)(?=\S)")
    markers = _Markers(re.compile(one), blanks, len(opening) > 1, closing, doc)
    return markers, switched_off.Judge(switched_off.Dialect.of(language))
