"""Comments found by their markers alone, without a parser: 400 MB/s, in any text, however broken.

What is no comment for sure counts as code: a marker inside a string literal, one that touches the word before it, and
all that follows an opening quote that is never closed, up to the end of its line. So comments are missed now and then
(an apostrophe that opens no string hides those behind it on its line), while code is hardly ever taken for one.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from codemill.core.compiled import compiled
from codemill.core.languages import Language

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

# What a marker opens. A character is a literal where single quotes open no strings: lifetimes, primes and quoted lists
# have no second quote.
_BLOCK, _LINE, _ENCLOSED, _STRING, _CHARACTER = range(5)

# What must stand before a marker: anything; no colon, as in an address; a line's begin; that or white space.
_ANYTHING, _NO_COLON, _LINE_BREAK, _SPACE = range(4)

_UNCLOSED: tuple[Literal["bracket", "string", "comment"], ...] = ("bracket", "string", "comment")

_TRIPLE = ('"""', "'''")
_LONGEST_ESCAPE = 10
_LONGEST_DELIMITER = 16  # of a raw string, by the standard
_LONGEST_WORD = 8
WIDEST_INDENTATION = 500
"""Bytes. A comment further right stands behind code: looking for the begin of its line would take too long."""
_DEEPEST_INDENT = 100  # CPython's own limit

# A multiplier for hashes, the golden ratio in 64 bits.
_ODD = np.uint64(0x9E3779B97F4A7C15)

_LF, _QUOTE, _HASH, _APOSTROPHE, _STAR, _SLASH, _COLON, _RAW, _BACKSLASH, _BACKTICK = b"\n\"#'*/:R\\`"


class _Lexer(NamedTuple):
    """What a language's comments and strings look like.

    A row of ``rules`` is kind, what stands before, whether no word goes on behind, and where in ``markers`` the opening
    and the closing begin and end. The rules that begin with a byte are those from ``heads[byte, 0]`` to
    ``heads[byte, 1]``, in the order in which they are tried.
    """

    markers: Bytes
    rules: Numbers
    heads: Numbers


def comment_spans(source: bytes, language: Language) -> Numbers:
    """Return the comments in a UTF-8 source, in order: rows of start and end, in bytes.

    A line comment ends before its line break; a block comment that is never closed ends with the source. Time is linear
    in the length of the source.
    """
    if not language.block_comments and not language.line_comments:
        return np.empty((0, 2), dtype=np.int64)
    return _comments(np.frombuffer(source, dtype=np.uint8), *_lexer(language))


def alone(source: bytes, spans: Sequence[Sequence[int]]) -> list[bool]:
    """Say of each span (start and end in bytes) of a UTF-8 source whether only white space is before it on its line.

    What begins more than 500 bytes from its line's begin counts as not alone: looking further would take too long.
    """
    starts = np.array([span[0] for span in spans], dtype=np.int64)
    found: list[bool] = _alone(np.frombuffer(source, dtype=np.uint8), starts).tolist()
    return found


class Survey(NamedTuple):
    """What one pass over a source finds."""

    literals: Numbers
    """Comments, strings and characters, in order: rows of start, end (in bytes) and kind (one of this module's)."""
    functions: Numbers
    """Where one of the language's `function_words` stands in the code, in bytes."""
    identifiers: int
    """Different words of the code: names and keywords."""
    depth: int
    """Most brackets and steps of indentation around one place; indentation inside brackets does not count."""

    @property
    def comments(self) -> Numbers:
        """Rows of start and end, in bytes."""
        return self.literals[self.literals[:, 2] <= _LINE, :2]


def survey(source: bytes, language: Language) -> Survey:
    """Measure a UTF-8 source, in time linear in its length. See `comment_spans` for how comments are found."""
    return Survey(*_survey(np.frombuffer(source, dtype=np.uint8), *_lexer(language), _function_letters(language)))


def letters(word: str) -> int:
    """Return up to eight ASCII letters as one number, the first in the lowest place: what compiled loops compare."""
    return int.from_bytes(word.encode(), "little")


@lru_cache(maxsize=256)
def _function_letters(language: Language) -> Numbers:
    return np.array([letters(word) for word in language.function_words], dtype=np.int64)


class Unclosed(NamedTuple):
    """Something in the code without its end or its beginning, and its offset in bytes."""

    what: Literal["bracket", "string", "comment"]
    offset: int


def first_unclosed(source: bytes, language: Language, left_out: Numbers) -> Unclosed | None:
    """Return the first bracket in the code without its partner, block comment or, on a line, string without its end.

    Comments and strings are no code, nor what lies in the spans ``left_out`` (rows of start and end in bytes, in
    order), nor, in languages with a preprocessor, its directives. Strings count in languages where they cannot go on on
    the next line.
    """
    data = np.frombuffer(source, dtype=np.uint8)
    what, offset = _first_unclosed(data, *_lexer(language), left_out, language.preprocessor, language.one_line_strings)
    return None if what < 0 else Unclosed(_UNCLOSED[what], offset)


@lru_cache(maxsize=256)
def _lexer(language: Language) -> _Lexer:
    """Return what the loops below ask of a language, the longest markers first."""
    rules = [
        (_BLOCK, _LINE_BREAK if opening.startswith("=") else _ANYTHING, False, opening, closing)
        for opening, closing in sorted(language.block_comments, key=lambda pair: -len(pair[0]))
    ]
    for marker in sorted(language.line_comments, key=len, reverse=True):
        is_word = marker[-1].isalpha()
        rules.append((_LINE, _before(marker, is_word=is_word), is_word, marker, ""))
    if language.strings:
        rules += [(_ENCLOSED, _ANYTHING, False, quotes, quotes) for quotes in _TRIPLE]
        rules += [(_STRING, _ANYTHING, False, quote, quote) for quote in language.strings]
        if "'" not in language.strings:
            rules.append((_CHARACTER, _ANYTHING, False, "'", "'"))
    rules.sort(key=lambda rule: rule[3].encode()[0])
    markers, rows = b"", []
    for kind, before, is_word, opening, closing in rules:
        begin, middle = len(markers), len(markers) + len(opening.encode())
        markers += (opening + closing).encode()
        rows.append((kind, before, is_word, begin, middle, len(markers)))
    firsts = [markers[row[3]] for row in rows]
    heads = [np.searchsorted(firsts, range(256), side=side) for side in ("left", "right")]
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return _Lexer(np.frombuffer(markers, dtype=np.uint8), table, np.stack(heads, axis=1))


def _before(marker: str, *, is_word: bool) -> int:
    if marker == "//":
        return _NO_COLON
    if marker in ('"', "*"):  # also a quote or an operator: a comment only where a line begins
        return _LINE_BREAK
    return _SPACE if is_word or len(marker) == 1 else _ANYTHING


@compiled
def _comments(data: Bytes, markers: Bytes, rules: Numbers, heads: Numbers) -> Numbers:
    opens = heads[:, 1] > heads[:, 0]
    spans = np.empty((16, 2), dtype=np.int64)
    count = here = 0
    while here < data.size:
        if not opens[data[here]]:
            here += 1
            continue
        end, number = _first_end(data, here, markers, rules, heads)
        if end > here and rules[number, 0] <= _LINE:
            if count == len(spans):
                spans = np.concatenate((spans, np.empty_like(spans)))
            spans[count] = here, end
            count += 1
        here = max(end, here + 1)
    return spans[:count]


@compiled
def _alone(data: Bytes, starts: Numbers) -> Truths:
    found = np.zeros(len(starts), dtype=np.bool_)
    for place in range(len(starts)):
        here = starts[place] - 1
        while here >= 0 and starts[place] - here <= WIDEST_INDENTATION and data[here] != _LF and _is_space(data[here]):
            here -= 1
        found[place] = here < 0 or data[here] == _LF
    return found


@compiled
def _first_unclosed(  # noqa: C901 - one state machine
    data: Bytes,
    markers: Bytes,
    rules: Numbers,
    heads: Numbers,
    left_out: Numbers,
    has_directives: bool,  # noqa: FBT001 - numba knows no keywords
    one_line_strings: bool,  # noqa: FBT001
) -> tuple[int, int]:
    """Return what is not closed first, as a place in _UNCLOSED, and its offset; -1 when all is."""
    opened = np.empty(64, dtype=np.int64)
    top = here = span = 0
    begins_line = True
    while here < data.size:
        while span < len(left_out) and left_out[span, 1] <= here:
            span += 1
        if span < len(left_out) and left_out[span, 0] <= here:
            here = left_out[span, 1]
            begins_line = True
            continue
        byte = data[here]
        if has_directives and begins_line and byte == _HASH:
            here = _end_of_directive(data, here)
            continue
        if byte == _LF or not _is_space(byte):
            begins_line = byte == _LF
        if has_directives and byte == _QUOTE and here > 0 and data[here - 1] == _RAW:
            here = _end_of_raw_string(data, here)
            continue
        if heads[byte, 1] > heads[byte, 0]:
            end, number = _first_end(data, here, markers, rules, heads)
            if end > here:
                kind, middle = rules[number, 0], rules[number, 4]
                closing = rules[number, 5] - middle
                if (
                    kind == _BLOCK
                    and end == data.size
                    and not _is_at(data, end - closing, markers, middle, middle + closing)
                ):
                    return 2, here
                if kind == _STRING and one_line_strings and not _is_closed(data, here, end):
                    return 1, here
                here = end
                continue
            # Between digits it parts thousands.
            if one_line_strings and byte == _APOSTROPHE and not (here > 0 and _is_word(data[here - 1])):
                return 1, here
        if byte == 40 or byte == 91 or byte == 123:
            if top == opened.size:
                opened = np.concatenate((opened, np.empty_like(opened)))
            opened[top] = here
            top += 1
        elif byte == 41 or byte == 93 or byte == 125:
            # ( and ) are neighbours in ASCII, [ and ] as { and } have one character between them.
            if top == 0 or not 0 < byte - data[opened[top - 1]] <= 2:
                return 0, here
            top -= 1
        here += 1
    return (-1, 0) if top == 0 else (0, opened[top - 1])


@compiled
def _is_closed(data: Bytes, here: int, end: int) -> bool:
    """Say whether the string from an opening quote to an end has its closing quote."""
    inside = here + 1
    while inside < end - 1:
        inside += 2 if data[inside] == _BACKSLASH else 1
    return inside == end - 1 and data[inside] == data[here]


@compiled
def _end_of_directive(data: Bytes, here: int) -> int:
    """Return where the line ends that a directive of the preprocessor is on, those that it goes on in included."""
    while here < data.size and (data[here] != _LF or data[here - 1] == _BACKSLASH or data[here - 2] == _BACKSLASH):
        if data[here] == _SLASH and here + 1 < data.size and data[here + 1] == _STAR:
            here += 2
            while here < data.size and not (data[here] == _SLASH and data[here - 1] == _STAR):
                here += 1
        here += 1
    return here


@compiled
def _end_of_raw_string(data: Bytes, here: int) -> int:
    """Return where a raw string of C++ ends, R"x(...)x", whose opening quote is at an offset."""
    begin = here + 1
    inside = begin
    while inside < data.size and inside - begin <= _LONGEST_DELIMITER and data[inside] != 40:
        inside += 1
    length = inside - begin
    while inside < data.size:
        if data[inside] == 41 and inside + length + 1 < data.size and data[inside + length + 1] == _QUOTE:
            same = 0
            while same < length and data[inside + 1 + same] == data[begin + same]:
                same += 1
            if same == length:
                return inside + length + 2
        inside += 1
    return inside


@compiled
def _survey(  # noqa: C901 - one loop
    data: Bytes, markers: Bytes, rules: Numbers, heads: Numbers, letters: Numbers
) -> tuple[Numbers, Numbers, int, int]:
    """Count words by a table of 64-bit hashes with open addressing, doubled when it is half full."""
    # As many as there can be; memory that is never written to costs nothing.
    literals = np.empty((data.size, 3), dtype=np.int64)
    functions = np.empty(data.size, dtype=np.int64)
    found = known = 0
    seen = np.zeros(1024, dtype=np.uint64)
    indents = np.zeros(_DEEPEST_INDENT, dtype=np.int64)
    count = here = column = steps = brackets = depth = 0
    begins_line = True
    while here < data.size:
        byte = data[here]
        if _is_space(byte):
            if byte == _LF:
                begins_line, column = True, 0
            else:
                column += 1
            here += 1
            continue
        end = here
        if heads[byte, 1] > heads[byte, 0]:
            end, number = _first_end(data, here, markers, rules, heads)
            if end > here:
                literals[found, 0] = here
                literals[found, 1] = end
                literals[found, 2] = rules[number, 0]
                found += 1
                if rules[number, 0] <= _LINE:
                    here = end
                    continue
        if begins_line:
            begins_line = False
            if brackets == 0:
                while steps > 0 and indents[steps - 1] >= column:
                    steps -= 1
                if column > 0 and steps < _DEEPEST_INDENT:
                    indents[steps] = column
                    steps += 1
                depth = max(depth, steps)
        if end > here:
            here = end
        elif _is_word(byte):
            start = here
            value = np.uint64(0)
            while here < data.size and _is_word(data[here]):
                value = (value + np.uint64(data[here]) + np.uint64(1)) * _ODD
                here += 1
            if not 48 <= byte <= 57:
                count += _add(seen, value | np.uint64(1))
            if 2 * count > seen.size:
                larger = np.zeros(2 * seen.size, dtype=np.uint64)
                for old in seen:
                    if old:
                        _add(larger, old)
                seen = larger
            for one in letters:
                if one & 255 == byte and here - start <= _LONGEST_WORD and _letters(data, start, here) == one:
                    functions[known] = start
                    known += 1
        else:
            if byte == 40 or byte == 91 or byte == 123:
                brackets += 1
                depth = max(depth, steps + brackets)
            elif (byte == 41 or byte == 93 or byte == 125) and brackets > 0:
                brackets -= 1
            here += 1
    return literals[:found], functions[:known], count, depth


@compiled
def _letters(data: Bytes, start: int, end: int) -> int:
    """Return up to eight ASCII letters as one number, as `int.from_bytes` does, the last in the highest place."""
    number = 0
    for place in range(end - 1, start - 1, -1):
        number = number << 8 | int(data[place])
    return number


@compiled
def _add(seen: Words, value: np.uint64) -> int:
    """Put a value other than 0 into a table that has room; return 1 if it was not there, else 0."""
    place = (value >> np.uint64(20)) & np.uint64(seen.size - 1)
    while seen[place]:
        if seen[place] == value:
            return 0
        place = (place + np.uint64(1)) & np.uint64(seen.size - 1)
    seen[place] = value
    return 1


@compiled
def _first_end(data: Bytes, here: int, markers: Bytes, rules: Numbers, heads: Numbers) -> tuple[int, int]:
    """Return where what begins here ends, and by which rule; ``here`` when nothing does."""
    for number in range(heads[data[here], 0], heads[data[here], 1]):
        end = _end(data, here, markers, rules, number)
        if end > here:
            return end, number
    return here, 0


@compiled
def _end(data: Bytes, here: int, markers: Bytes, rules: Numbers, number: int) -> int:
    """Return where what a rule means ends that begins here; ``here`` when nothing does."""
    kind, begin, middle, end = rules[number, 0], rules[number, 3], rules[number, 4], rules[number, 5]
    inside = here + middle - begin
    if not _is_at(data, here, markers, begin, middle) or not _may_begin(data, here, rules[number, 1]):
        return here
    if rules[number, 2] and inside < data.size and _is_word(data[inside]):
        return here
    if kind == _LINE:
        while inside < data.size and data[inside] != _LF:
            inside += 1
    elif kind == _STRING:
        inside = _end_of_string(data, inside, markers[begin])
    elif kind == _CHARACTER:
        inside = _end_of_character(data, inside, markers[begin])
    else:
        while inside < data.size and not _is_at(data, inside, markers, middle, end):
            inside += 1
        inside = min(inside + end - middle, data.size)
    return int(inside)


@compiled
def _is_at(data: Bytes, here: int, markers: Bytes, begin: int, end: int) -> bool:
    same = begin
    while same < end and here + same - begin < data.size and data[here + same - begin] == markers[same]:
        same += 1
    return same == end


@compiled
def _may_begin(data: Bytes, here: int, before: int) -> bool:
    if before == _ANYTHING or here == 0:
        return True
    last = int(data[here - 1])
    if before == _NO_COLON:
        return last != _COLON
    return last == _LF or (before == _SPACE and _is_space(last))


@compiled
def _is_space(byte: int) -> bool:
    return byte == 32 or 9 <= byte <= 13


@compiled
def _is_word(byte: int) -> bool:
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95


@compiled
def _end_of_string(data: Bytes, inside: int, quote: int) -> int:
    """Return where a string ends: unclosed, with its line; in backticks, with the text."""
    while inside < data.size:
        byte = data[inside]
        if byte == quote:
            return inside + 1
        if byte == _LF and quote != _BACKTICK:
            return inside
        if byte == _BACKSLASH:
            if inside + 1 == data.size:
                return inside
            inside += 1
        inside += 1
    return inside


@compiled
def _end_of_character(data: Bytes, inside: int, quote: int) -> int:
    """Return where a character literal ends, or where it would begin when this is none."""
    begin = inside - 1
    if inside + 1 >= data.size or data[inside] == _LF or data[inside] == quote:
        return begin
    if data[inside] != _BACKSLASH:
        return inside + 2 if data[inside + 1] == quote else begin
    for place in range(inside + 1, min(inside + 2 + _LONGEST_ESCAPE, data.size)):
        if place > inside + 1 and data[place] == quote:
            return place + 1
        if data[place] == _LF:
            return begin
    return begin
