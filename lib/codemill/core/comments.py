"""Commented-out code: whole comments whose inside is code that somebody switched off.

A section is a run of line comments, or a block comment, that stands alone on its lines. Its markers are stripped and
what remains is parsed with the grammar of the file itself. It counts as code when almost all of its lines belong to
statements that parse without an error, and hardly any reads as prose. Explanations, examples in explanations, licence
headers, drawings, doc comments and directives are meant to stay: where it is not clear, a section is left alone.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from codemill.core import trees
from codemill.core.languages import Language

DEFAULT_MIN_LINES = 5
"""Lines with something on them that a section must have to be called large."""

_MIN_SCORE = 0.85
_MAX_PROSE = 0.1
_MAX_PROSE_LINES = 3
_MIN_STATEMENTS = 3
_DISTINCT_SHARE = 0.3

_CODE_LINE = re.compile(
    r"[=(){}\[\];]|->|::|:$|\w\.\w|</?\w|^[@$]|^(?:return|import|use|end|else|pass|break|fi|done)\b"
)
_PLAIN_WORDS = re.compile(r"(?:^|[\s(])(?:[A-Za-z][a-z'’-]*[,.:;]?[ ]){3}[A-Za-z][a-z'’-]*(?![\w(\[=.])")
_KEYWORD_FIRST = re.compile(
    r"(?:import|from|for|foreach|while|if|elif|elsif|else|return|use|using|package|def|class|with|case|when|unless|until"
    r"|let|var|val|const|public|private|protected|static|final|raise|throw|yield|await|assert|del|global|local|export"
    r"|not|and|or|print|echo|select|insert|create|alter|drop|extern|typedef|struct|enum|unsigned|end)\b[^.,]*$"
)
_EXPLAINS = re.compile(
    r"(?i)\b(?:examples?|e\.g|i\.e|usage|equivalent|pseudo-?code|similar to|copyright|licen[sc]ed?|as follows|following"
    r"|looks? like|like (?:this|so|these)|for instance|instead of|would|should|must|synopsis|spdx|grammar|syntax"
    r"|comput(?:ed?|er|ing)|calculat(?:ed?|ing)|generated?|reproduced?|outputs?|derived|schema)\b"
)
_HEADING = re.compile(
    r"[A-Z][\w ,.'’/()+-]{0,200}:|[=#*~-]{3,} ?[A-Z].{0,200}|[@\\](?:module|param|returns?|see|usage|author|type)\b.*"
)
_PROMPT = re.compile(r"(?:>>>|\.\.\. |\$ |In \[\d|=>|#=>|\|--|\+--)")
_DIRECTIVE = (
    r"(?:type:|noqa|pylint|pragma|flake8|mypy|isort|fmt:|yapf|ruff|nosec|coding[:=]|vim?:|-\*-|go:|\+build|nolint"
    r"|eslint|jshint|jslint|@ts-|prettier|istanbul|tslint|global |exported |rubocop|frozen_string|shellcheck|#?region"
    r"|endregion|NOLINT|clang-format|swiftlint|ktlint|@formatter|noinspection|phpcs|@codingStandards|sourceMappingURL"
    r"|<editor-fold|SBATCH|PBS|BSUB|cython:|distutils:|\[if )"
)
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|(?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w)")
_CGO = re.compile(r'import[ \t]+"C"')
_CLOSER = re.compile(r"[\])};,]+|end|fi|done|esac|else\b.{0,3}|\}\s*else\s*\{|begin|then|do")


@dataclass(frozen=True)
class CommentedCode:
    """One commented-out section."""

    start: int
    """Character offset of the first character of its first line."""
    end: int
    """Character offset after the line break of its last line, or after its last character at the end of the text."""
    lines: int
    """Lines from first to last."""
    score: float
    """Share of its lines that parse as statements, from 0.85 to 1."""


@dataclass(frozen=True)
class _Section:
    """Comments that stand alone on the whole lines [start, end), and what they enclose."""

    start: int
    end: int
    comments: tuple[tuple[int, int | None], ...]
    """Where each comment begins, and where it ends if it is a block."""
    inside: str


def find(
    text: str, language: Language, min_lines: int = DEFAULT_MIN_LINES, *, seconds: float = trees.DEFAULT_SECONDS
) -> list[CommentedCode]:
    """Return the commented-out sections of a text, in order, none overlapping another.

    A section has at least `min_lines` lines with something on them. Nothing is found in languages without a grammar or
    without `statement_nodes`. Raises trees.Unparsable when the text cannot be parsed, or not in that many seconds.
    """
    if language.grammar is None or not language.statement_nodes:
        return []
    scored = [
        (section, _score(section.inside, language, min_lines)) for section in _sections(text, language, min_lines)
    ]
    likely = [(section, score) for section, score in scored if score >= _MIN_SCORE]
    if not likely:
        return []
    tree = trees.parse(text, language.grammar, seconds=seconds)
    to_byte = tree.byte_offsets()
    return [
        CommentedCode(section.start, section.end, len(text[section.start : section.end].splitlines()), round(score, 4))
        for section, score in likely
        if _is_comment(tree.root, section, to_byte, language)
    ]


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


def _sections(text: str, language: Language, min_lines: int) -> list[_Section]:
    found: list[_Section] = []
    if language.line_comments:
        found += _line_runs(text, *_run_patterns(language, min_lines))
    if language.block_comments:
        found += _blocks(text, _opening_pattern(language), language)
    found.sort(key=lambda section: section.start)
    apart: list[_Section] = []
    for section in found:
        overlaps = apart and section.start < apart[-1].end
        if not (overlaps or _has_a_meaning(text, section) or _introduced(text, section, language)):
            apart.append(section)
    return apart


def _line_runs(text: str, run: re.Pattern[str], line: re.Pattern[str]) -> Iterator[_Section]:
    for match in run.finditer(text):
        lines = list(line.finditer(text, match.start(), match.end()))
        end = min(match.end() + 1, len(text))
        inside = _dedent([each[2] for each in lines])
        yield _Section(match.start(), end, tuple((each.start(1), None) for each in lines), inside)


def _blocks(text: str, openings: re.Pattern[str], language: Language) -> Iterator[_Section]:
    closing_of = dict(language.block_comments)
    position = 0
    while (match := openings.search(text, position)) is not None:
        closing = closing_of[match[1]]
        close = text.find(closing, match.end())
        if close < 0:
            return
        position = close + len(closing)
        line_end = text.find("\n", position)
        end = line_end + 1 if line_end >= 0 else len(text)
        inside = text[match.end() : close]
        if not text[position:end].strip() and not _bordered(inside):
            yield _Section(match.start(), end, ((match.start(1), position),), _dedent_rest(inside))


@lru_cache(maxsize=512)
def _run_patterns(language: Language, min_lines: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what a run of line comments at one indentation looks like, and one of its lines (marker, rest)."""
    # A repeated one-character marker is one marker, `;;` or `##`: some editors comment out with two.
    markers = "|".join(re.escape(marker) + ("+" if len(marker) == 1 else "") for marker in language.line_comments)
    others = [*language.doc_comments, *(opening for opening, _ in language.block_comments), "#!"]
    marker = rf"{_none_of(others)}(?:{markers})(?![ \t]*{_DIRECTIVE})"
    run = rf"^([ \t]*){marker}[^\n]*(?:\n\1{marker}[^\n]*){{{max(min_lines - 1, 0)},}}"
    return re.compile(run, re.MULTILINE), re.compile(rf"^[ \t]*({marker})([^\n]*)", re.MULTILINE)


@lru_cache(maxsize=512)
def _opening_pattern(language: Language) -> re.Pattern[str]:
    """Return what the opening of a block comment looks like that begins a line and no documentation."""
    openings = [opening for opening, _ in language.block_comments]
    docs = [doc for doc in language.doc_comments if doc not in openings]
    return re.compile(rf"^[ \t]*{_none_of(docs)}({_any_of(openings)})(?!\s*{_DIRECTIVE})", re.MULTILINE)


def _any_of(literals: Sequence[str]) -> str:
    return "|".join(re.escape(literal) for literal in sorted(literals, key=len, reverse=True))


def _none_of(literals: Sequence[str]) -> str:
    return f"(?!{_any_of(literals)})" if literals else ""


def _bordered(inside: str) -> bool:
    """Say whether each line but the first begins with an asterisk: people draw that border around explanations."""
    rest = [line.lstrip() for line in inside.split("\n")[1:] if line.strip()]
    return bool(rest) and all(line.startswith("*") for line in rest)


def _dedent_rest(inside: str) -> str:
    first, *rest = inside.split("\n")
    return f"{first.strip()}\n{_dedent(rest)}"


def _dedent(lines: Sequence[str]) -> str:
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    return "\n".join(line[margin:].rstrip() for line in lines)


def _has_a_meaning(text: str, section: _Section) -> bool:
    """Say whether the program would change without the section.

    A backslash ties it to the line before or after it, which would join up; what stands before Go's `import "C"` is C.
    """
    tied = any(text[max(0, at - 3) : at].rstrip("\r\n").endswith("\\") for at in (section.start, section.end))
    return tied or _CGO.match(text, section.end) is not None


def _introduced(text: str, section: _Section, language: Language) -> bool:
    """Say whether the comment before it, blank lines apart, is documentation or says what this is an example of."""
    before = text[max(0, section.start - 300) : section.start].rstrip()
    last = before[before.rfind("\n") + 1 :].strip()
    explained = last.startswith(language.line_comments) and _EXPLAINS.search(last) is not None
    return explained or last.startswith(language.doc_comments)


def _score(inside: str, language: Language, min_lines: int) -> float:
    """Return the share of lines that parse as statements, or 0 for what is plainly something else."""
    lines = [stripped for line in inside.split("\n") if (stripped := line.strip())]
    if len(lines) < min_lines or not _reads_as_code(lines, language):
        return 0.0
    best = 0.0
    for wrapper in ("%s", *language.wrappers):
        best = max(best, _statement_share(inside, wrapper, language))
        if best == 1.0:
            break
    return best


def _reads_as_code(lines: Sequence[str], language: Language) -> bool:
    code = prose = counted = 0
    for line in lines:
        if line.startswith((*language.line_comments, *language.doc_comments)):
            continue
        bare = _without_words(line, language)
        is_prose = _PLAIN_WORDS.search(bare) is not None and not _KEYWORD_FIRST.match(bare)
        is_code = not is_prose and _CODE_LINE.search(bare) is not None
        if _PROMPT.match(line) or _HEADING.fullmatch(line) or (_EXPLAINS.search(bare) and not is_code):
            return False
        counted += 1
        prose += is_prose
        code += is_code
    different = len(set(lines)) >= _DISTINCT_SHARE * len(lines)
    return different and code >= 0.5 * counted and prose <= min(_MAX_PROSE * counted, _MAX_PROSE_LINES)


def _without_words(line: str, language: Language) -> str:
    """Return a line with empty strings and no comment at its end: words in those say nothing about the line."""
    bare = _STRING.sub('""', line)
    for marker in (*language.line_comments, *(opening for opening, _ in language.block_comments)):
        bare = bare.split(f" {marker}", 1)[0]
    return bare


def _statement_share(inside: str, wrapper: str, language: Language) -> float:
    before, after = wrapper.split("%s")
    try:
        tree = trees.parse(f"{before}{inside}{after}", language.grammar or "")
    except trees.Unparsable:
        return 0.0
    source = trees.query({"statement": language.statement_nodes})
    first = before.count("\n")
    lines = inside.split("\n")
    covered: set[int] = set()
    begun: set[int] = set()
    for node in trees.captures(tree, source).get("statement", ()):
        rows = range(node.start_point.row - first, _last_row(node) - first + 1)
        if not node.has_error and rows.start >= 0 and rows.stop <= len(lines):
            begun.add(rows.start)
            covered.update(rows)
    wanted = [row for row, line in enumerate(lines) if _counts(line, language)]
    if len(begun) < _MIN_STATEMENTS or not wanted:
        return 0.0
    return sum(row in covered for row in wanted) / len(wanted)


def _last_row(node: Node) -> int:
    # Some nodes take in the line break after them.
    return node.end_point.row - (node.end_point.column == 0 and node.end_point.row > node.start_point.row)


def _counts(line: str, language: Language) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(language.line_comments) and not _CLOSER.fullmatch(stripped)


def _is_comment(root: Node, section: _Section, to_byte: Callable[[int], int], language: Language) -> bool:
    """Make sure that comments begin, and blocks end, where they seem to: a marker may also stand in a string."""
    for start, end in section.comments:
        node = _comment_at(root, to_byte(start), language)
        if node is None or (end is not None and node.end_byte - to_byte(end) not in (0, 1)):
            return False
    return True


def _comment_at(root: Node, byte: int, language: Language) -> Node | None:
    node = root.descendant_for_byte_range(byte, byte + 1)
    while node is not None and node.start_byte == byte:
        if node.type in language.comment_nodes:
            return node
        node = node.parent
    return None
