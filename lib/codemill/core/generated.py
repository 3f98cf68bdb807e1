"""Signs that a file was written by a program: markers in its header, its name, and what its lines look like.

Nothing is decided here. ``inspect`` reports what it saw; thresholds are settings of the step. Markers and path rules
stand in conf/generated.yaml. A marker counts where generators put it, in the comment that opens the file, so prose
about generators and the source code of generators (with the same words in strings and templates) is left alone.

Line and encoded-data statistics follow StarCoder2 (2402.19173, appendix on filters), with two differences: in a
hexadecimal run spaces may follow commas, and overlapping runs of two kinds count once each, up to the whole file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

# Where markers are looked for: this many characters and lines from the top (or the end) of a file.
HEAD_CHARS = 4_096
HEAD_LINES = 60

_BASE64_RUN = 64
_HEX_RUN_MIN = 16
_LETTERS = bytes(c for c in range(128) if chr(c).isalpha())
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_BREAK = 10
_BLANKS = b" \t\r\x0b\x0c"
# What the rows of a table of numbers are made of: digits in any base, suffixes, signs, brackets, quotes.
_LITERAL = _BLANKS + _HEX + b"xXuUlLeEnN_,.+-*{}()[]<>;:'\"\\|&$#%/="


def _codes(members: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(members)] = True
    return table


_BASE64_CODES = _codes(_LETTERS + _DIGITS + b"+/=\n")
_HEX_CODES = _codes(_HEX)
_HEX_RUN_CODES = _codes(_HEX + b"\\xXuU,: \t\r\n")
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_HEX_RUN = re.compile(
    rb"(?:(?:\\x|0[xX])[0-9a-fA-F]{2}[uU]?,?[ \t\r\n]{0,16}){8,}|(?:\b[0-9a-fA-F]{2}\b[,:]?[ \t\r\n]{0,16}){8,}"
)
_UNICODE_RUN = re.compile(rb"(?:\\u[0-9a-fA-F]{4}){8,}")

_BLOCKS = {
    "/*": "*/",
    '"""': '"""',
    "'''": "'''",
    "<!--": "-->",
    "(*": "*)",
    "{-": "-}",
    "--[[": "]]",
    "=begin": "=end",
    "=pod": "=cut",
    "#|": "|#",
    "/+": "+/",
    "<%--": "--%>",
    "{#": "#}",
    "<#": "#>",
}
_BLOCK_START = re.compile(
    r'[ \t]{0,40}(?:[rub]{0,2}(?="""|\'\'\'))?'
    r'(/\*|"""|\'\'\'|<!--|\(\*|\{-|\{#|--\[\[|=begin|=pod|#\||/\+|<%--|<#(?!@))'
)
# Imports over several lines, of Go, Python and JavaScript, say nothing.
_IMPORTS = {"(": ")", "{": "}"}
_IMPORTS_START = re.compile(r"(?:import|from [\w.]{1,120} import|import type|export) ([({])\s{0,4}")
_LINE_START = re.compile(
    r"[ \t]{0,40}(?:#|//|--|;|%|'|!|\{|\*(?=[\s*>]|$)|\.\\\"|\x22(?=\s)|(?:dnl|rem|@rem|::|c)(?![\w:=.(\[]))",
    re.IGNORECASE,
)
# Lines that may stand before a header comment.
_NEUTRAL = re.compile(
    r"""[ \t]{0,40}(?:<\?(?:php|xml|hh)\b.{0,200}|["']use\ strict["'];?|(?:package\ |@file:).{1,200}
    |<!DOCTYPE.{0,200}|<(?:html|head|root|resources|svg)\b.{0,400}|<[\w:]{1,40}\ xmlns[^<>]{0,300}>|@echo\ off|\\?%?\s*
    |(?:import|using|use|namespace)\ .{1,300};|(?:var|let|const|import)\ .{1,300}(?:require\(|\ from\ ?)["'].{1,200}
    |\#(?:include|ifn?def|define|pragma|endif|if|undef|else|import)\b.{0,300}|class\ \w{1,100}(?:\(.{0,200}\))?:
    |import\ [\w.]{1,100}(?:\ as\ \w{1,60})?(?:,\ ?[\w.]{1,60}){0,8}|from\ [\w.]{1,100}\ import\ [^()\n]{1,200}
    |(?:declare\(|library\ |part\ |extern\ crate\ |@charset\ ).{1,100};|option\ (?:explicit|strict)\b.{0,20}
    |\\(?:documentclass|documentstyle|nonstopmode).{0,200}|exports\..{1,200}\ void\ 0;)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
# Comments to programs, not to people: an interpreter, an encoding, an editor's settings.
_DIRECTIVE = re.compile(r"#!|[#/*;%\s-]{0,8}-\*-.{0,120}-\*-\s{0,8}(?:\*/)?$|#.{0,20}\bcoding[:=]")
# Where one sentence of a header ends and the next begins: an empty line, a full stop, a dash, a tag, a bullet, a line
# that starts with a capitalised word (wrapped prose seldom does).
_SENTENCE_END = re.compile(
    r"\n\s*\n|:\n|(?<=[.!?])[ \n]+|\s-{1,3}>?\s|\s[—–]\s|\n(?=[@\\]\w|[*+-]\s|\d{1,2}[.)]\s|[A-Z][a-z]|[A-Z]{3,12}:)"
)
_SAID = ("header", "sentence")
_NO_WORD = re.compile(r"^[^\w\n@<:]{1,200}", re.MULTILINE)
_SIGNS = " \t\r#/*-;%'!{}\"=:<>+|~^"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{2,40}$")
    regex: str
    example: str
    counterexample: str

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        if re.search(r"(?<!\\)(?:\\\\)*[*+]|\{\d+,\}", re.sub(r"\[[^\]]*\]", "x", value)):
            raise ValueError("unbounded repetition; allowed: {m,n}")
        return value


class _Marker(_Entry):
    word: str = Field(min_length=2)
    scope: Literal["header", "sentence", "head", "tail"] = "header"
    lines: int = Field(default=HEAD_LINES, ge=1, le=HEAD_LINES)
    extensions: tuple[str, ...] = ()


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    markers: tuple[_Marker, ...]
    paths: tuple[_Entry, ...]
    template_extensions: tuple[str, ...]
    prose_extensions: tuple[str, ...]
    placeholders: str


@dataclass(frozen=True)
class Marker:
    """What a generator writes into its output.

    ``word``: lower-case letters that every match contains (looked for first, because it is cheap). ``scope``:
    ``header`` (text of the opening comment, signs removed), ``sentence`` (the same, a sentence a line), ``head`` or
    ``tail`` (raw lines at the top or the end).
    ``lines``: how many of them. ``extensions``: ends of the paths that it is looked for in, any when empty.
    """

    id: str
    word: str
    regex: re.Pattern[str]
    scope: str
    lines: int
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class PathRule:
    """A path that says by itself that no person wrote the file."""

    id: str
    regex: re.Pattern[str]


@dataclass(frozen=True)
class GeneratedCatalogue:
    """What conf/generated.yaml says, checked; markers and rules are tried in the order of the file."""

    markers: tuple[Marker, ...]
    paths: tuple[PathRule, ...]
    template_extensions: tuple[str, ...]
    prose_extensions: tuple[str, ...]
    placeholders: re.Pattern[str]

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "GeneratedCatalogue":
        """Check the parsed conf/generated.yaml. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"generated: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        entries = [*parsed.markers, *parsed.paths]
        for entry in entries:
            if sum(entry.id == other.id for other in entries) > 1:
                raise ValueError(f"generated: found id {entry.id!r} twice; allowed: once among markers and paths")
        return cls(
            markers=tuple(
                Marker(
                    one.id, one.word, re.compile(one.regex, re.I | re.M), one.scope, one.lines, tuple(one.extensions)
                )
                for one in parsed.markers
            ),
            paths=tuple(PathRule(one.id, re.compile(one.regex)) for one in parsed.paths),
            template_extensions=parsed.template_extensions,
            prose_extensions=parsed.prose_extensions,
            placeholders=re.compile(parsed.placeholders),
        )


@dataclass(frozen=True)
class GeneratedReport:
    """What was seen in one file. Lengths in characters, shares of all characters (0..1); an empty file has zeros.

    ``marker`` and ``path_rule``: id of the first that matched. ``mean_line`` and ``max_line`` leave line ends out.
    ``space_share``: blanks, tabs and line ends. Of the lines that are not blank, ``literal_share`` are nothing but
    numbers (in any base) and their punctuation, and ``repeated_share`` have a shape that an earlier line had too: the
    line without blanks and digits. ``longest_encoded_run`` and ``encoded_share``: base64, hexadecimal and ``\\u`` runs.
    """

    marker: str | None
    path_rule: str | None
    lines: int
    mean_line: float
    max_line: int
    alpha_share: float
    digit_share: float
    space_share: float
    literal_share: float
    repeated_share: float
    longest_encoded_run: int
    encoded_share: float


def inspect(text: str, path: str, catalogue: GeneratedCatalogue) -> GeneratedReport:
    """Report what in ``text`` and ``path`` (relative to the project, ``/`` between folders) looks generated.

    Time is linear in the length of the text, however long its lines are.
    """
    raw = text.encode("utf-8", "surrogatepass")
    chars = len(text)
    breaks = raw.count(b"\n")
    lines = breaks + (chars > 0 and not text.endswith("\n"))
    runs = list(_encoded_runs(raw))
    dense = raw.translate(None, _BLANKS)
    full = _full_lines(dense)
    return GeneratedReport(
        marker=_marker(text, path, catalogue),
        path_rule=next((rule.id for rule in catalogue.paths if rule.regex.search(path)), None),
        lines=lines,
        mean_line=(chars - breaks) / lines if lines else 0.0,
        max_line=_longest_line(text, raw),
        alpha_share=_letters(text, raw) / chars if chars else 0.0,
        digit_share=_count(raw, _DIGITS) / chars if chars else 0.0,
        space_share=(len(raw) - len(dense) + breaks) / chars if chars else 0.0,
        literal_share=1 - _full_lines(raw.translate(None, _LITERAL)) / full if full else 0.0,
        repeated_share=_repeated(dense.translate(None, _DIGITS), full),
        longest_encoded_run=max(runs, default=0),
        encoded_share=min(sum(runs) / chars, 1.0) if chars else 0.0,
    )


def header(text: str) -> str:
    """Return the text of the comments that open a file, comment signs removed, at most 4,096 characters.

    It ends at the first line that is neither blank nor comment (nor a line such as ``<?php`` that may precede one).
    Lines of the C preprocessor, imports and the line that opens the first Python class may stand between comments.
    """
    kept: list[str] = []
    closing = ""
    said_in_block = True
    for line in text[:HEAD_CHARS].removeprefix("\ufeff").split("\n")[:HEAD_LINES]:
        if closing:
            said, end, _ = line.partition(closing)
            closing = "" if end else closing
            said = said if said_in_block else ""
        elif start := _IMPORTS_START.fullmatch(line):
            said, closing, said_in_block = "", _IMPORTS[start[1]], False
        elif _DIRECTIVE.match(line) or _NEUTRAL.fullmatch(line):
            said = ""
        elif start := _BLOCK_START.match(line):
            said, end, _ = line[start.end() :].partition(_BLOCKS[start[1]])
            closing, said_in_block = "" if end else _BLOCKS[start[1]], True
        elif start := _LINE_START.match(line):
            said = line[start.end() :]
        else:
            break
        kept.append(said.strip(_SIGNS))
    return "\n".join(kept)


def sentences(said: str) -> str:
    """Return the text of a header with one sentence a line: wrapped lines joined, blanks single, no leading signs."""
    joined = "\n".join(" ".join(one.split()) for one in _SENTENCE_END.split(said))
    return _NO_WORD.sub("", joined)


def _marker(text: str, path: str, catalogue: GeneratedCatalogue) -> str | None:
    if path.endswith(catalogue.template_extensions):
        return None
    head = text[:HEAD_CHARS].replace("\r\n", "\n")
    said = header(head)
    is_prose = path.endswith(catalogue.prose_extensions)
    views = {
        "header": said,
        "sentence": "" if is_prose else sentences(said),
        "head": head,
        "tail": text[-HEAD_CHARS:].rstrip(),
    }
    lowered = {scope: view.lower() for scope, view in views.items()}
    for marker in catalogue.markers:
        if marker.word not in lowered[marker.scope]:
            continue
        if marker.extensions and not path.endswith(marker.extensions):
            continue
        match = marker.regex.search(_some_lines(views[marker.scope], marker))
        if match and not (marker.scope in _SAID and catalogue.placeholders.search(_lines_around(match))):
            return marker.id
    return None


def _some_lines(view: str, marker: Marker) -> str:
    lines = view.split("\n")
    return "\n".join(lines[-marker.lines :] if marker.scope == "tail" else lines[: marker.lines])


def _lines_around(match: re.Match[str]) -> str:
    """Return the lines that the match touches and the one after, where a template's placeholders would stand."""
    start = match.string.rfind("\n", 0, match.start()) + 1
    return "\n".join(match.string[start:].split("\n")[: match[0].count("\n") + 2])


def _letters(text: str, raw: bytes) -> int:
    count = _count(raw, _LETTERS)
    if not text.isascii():
        count += sum(map(str.isalpha, "".join(_NON_ASCII.findall(text))))
    return count


def _count(raw: bytes, some: bytes) -> int:
    return len(raw) - len(raw.translate(None, some))


def _longest_line(text: str, raw: bytes) -> int:
    if not text.isascii():
        return max(map(len, text.split("\n")))
    breaks = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == _BREAK)
    return int(np.diff(breaks, prepend=-1, append=len(raw)).max()) - 1


def _full_lines(dense: bytes) -> int:
    """Count the lines that have something in them."""
    inside = np.frombuffer(dense, dtype=np.uint8) != _BREAK
    return int(np.count_nonzero(inside[1:] & ~inside[:-1])) + bool(inside[:1].any())


def _repeated(shapes: bytes, full: int) -> float:
    return 1 - len(set(shapes.split())) / full if full else 0.0


def _encoded_runs(raw: bytes) -> Iterator[int]:
    # All characters of encoded runs are ASCII, so bytes count them.
    codes = np.frombuffer(raw, dtype=np.uint8)
    starts, ends = _stretches(_BASE64_CODES[codes], _BASE64_RUN)
    yield from (ends - starts).tolist()
    # A regular expression over the whole text would cost more than all the rest; few stretches can hold eight bytes.
    starts, ends = _stretches(_HEX_RUN_CODES[codes], _HEX_RUN_MIN)
    if len(starts):
        digits = np.concatenate(([0], np.cumsum(_HEX_CODES[codes])))
        enough = digits[ends] - digits[starts] >= _HEX_RUN_MIN
        for start, end in zip(starts[enough].tolist(), ends[enough].tolist(), strict=True):
            yield from (match.end() - match.start() for match in _HEX_RUN.finditer(raw, start, end))
    if b"\\u" in raw:
        yield from (match.end() - match.start() for match in _UNICODE_RUN.finditer(raw))


def _stretches(inside: NDArray[np.bool_], shortest: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return starts and ends of the longest stretches of True that have at least ``shortest`` items."""
    outside = np.concatenate(([-1], np.flatnonzero(~inside), [len(inside)]))
    long = np.flatnonzero(np.diff(outside) > shortest)
    return outside[long] + 1, outside[long + 1]
