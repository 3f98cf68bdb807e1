"""Errors in a syntax tree, and faults: what no good code has, whatever its grammar makes of it.

Grammars err both ways. They stumble over good code that they do not know (newer syntax, macros, dialects), and so the
language table says how many errors good code may have; and their recovery hides broken code, which a forgiving table
would then let through. Faults are evidence of their own kind, looked for by the tokens of the tree.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from tree_sitter import Node

from codemill.core import landmarks, lexing, trees, words
from codemill.core.landmarks import Nodes
from codemill.core.languages import Forbidden, Language, Words

CONFLICT_MARKER = "conflict_marker"
MISSING_PART = "missing_part"
CUT_OFF = "cut_off"

# Where there are more, the last of them says nothing of the end.
_FEW_ERRORS = 3

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_CONFLICT = re.compile(rb"^<<<<<<< (?:(?!^>>>>>>> )[\s\S])*?^=======\r?\n[\s\S]*?^>>>>>>> ", re.MULTILINE)
_QUOTED = re.compile(r"comment|string|heredoc|template|literal|raw_text|text_block|document")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(if|elif|else|endif)(?:n?def)?\b[ \t]*(0\b)?", re.MULTILINE)
_BRACKET = re.compile(r"[^\w\s]*[(\[{][^\w\s)\]}]*|[^\w\s(\[{]*[)\]}][^\w\s]*")
_BAD_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include\b[ \t]*(?:"[^"\n]*|<[^>\n]*)$', re.MULTILINE)
_ENDS_WITH_A_MACRO = re.compile(rb"^\w+[ \t]*\([^()\n]*\)\s*(?:#[ \t]*endif\b[^\n]*\s*)*\Z", re.MULTILINE)
_LONGEST_END = 400
_BAD_PARAMETERS = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+\w+\((?![\w\s,.\\]*\))(?![^\n]*/\*)", re.MULTILINE)
_REST_OF_DIRECTIVE = rb"(?:[^\\\n]|\\(?:\r?\n|.))*"
_BRANCH_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(?:el)?if\b(%s)" % _REST_OF_DIRECTIVE, re.MULTILINE)
_NO_CODE = re.compile(rb"/\*[\s\S]*?(?:\*/|$)|//.*|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_DIRECTIVE_LINES = re.compile(rb"^[ \t]*#%s" % _REST_OF_DIRECTIVE, re.MULTILINE)
_NO_LINE_BREAK = re.compile(rb"[^\n]")


@dataclass(frozen=True)
class Error:
    """One error node or missing token."""

    line: int
    """From 1."""
    missing: bool
    at_end: bool
    """Whether nothing but white space follows, and something stands before."""


@dataclass(frozen=True)
class Fault:
    """Something that no good code has: a word for what it is, and the line, from 1, that it is on."""

    word: str
    line: int


@dataclass(frozen=True)
class Judgement:
    """What is wrong with a text."""

    errors: Sequence[Error]
    error_bytes: int
    """Bytes in error nodes, less those in well-formed constructs inside them."""
    faults: Sequence[Fault]
    hidden: bool = False
    """Whether there is an error that no node stands for, such as a missing line break."""


def judge(tree: trees.Tree, nodes: Nodes, language: Language) -> Judgement:
    """Return what is wrong with a text, given its tree and what `landmarks.marked` found in it.

    A tree with errors is made again, without what its grammar lacks: what the table's `gaps` rewrite and, with a
    preprocessor, directives and the branches that are not compiled when all conditions hold. The tree with fewer errors
    counts.
    """
    errors, error_bytes = _errors(tree)
    judged = tree
    if errors and (language.gaps or language.preprocessor):
        source = _plain(tree.source, language)
        plain = trees.parse(source.decode("utf-8", "surrogatepass"), tree.grammar)
        fewer, bytes_ = _errors(plain)
        if (len(fewer), bytes_) < (len(errors), error_bytes):
            judged, errors, error_bytes, nodes = plain, fewer, bytes_, landmarks.marked(plain, language)
    faults = [*_forbidden(nodes, language), *_conflict_markers(tree, errors)]
    faults += _on_one_line(nodes, language)
    if language.required and "required" not in nodes:
        faults.append(Fault(MISSING_PART, 1))
    # What is left out with a preprocessor may be unclosed as well; what gaps rewrite is as good as new.
    seen = tree if language.preprocessor else judged
    if seen.root.has_error:
        faults += _unclosed(seen, language)
    if language.words is not None:
        faults += _by_words(tree.source, language.words)
    if language.preprocessor and len(errors) <= _FEW_ERRORS:
        ends = [error for error in errors if error.at_end]
        # A macro at the very end need not have its semicolon.
        if ends and not _ENDS_WITH_A_MACRO.search(tree.source[-_LONGEST_END:]):
            faults.append(Fault(CUT_OFF, ends[0].line))
    return Judgement(errors, error_bytes, faults, hidden=judged.root.has_error and not errors)


def _errors(tree: trees.Tree) -> tuple[list[Error], int]:
    """Return error nodes and missing tokens, and the bytes that no well-formed construct explains."""
    found: list[Error] = []
    error_bytes = 0
    end = len(tree.source.rstrip())
    # Clean subtrees are never entered: valid code costs one look at the root.
    stack = [(tree.root, False)] if tree.root.has_error else []
    while stack:
        node, counted_already = stack.pop()
        if node.is_error or node.is_missing:
            at_end = node.end_byte >= end and node.start_byte > 0
            found.append(Error(node.start_point.row + 1, node.is_missing, at_end))
        if node.is_error and not counted_already:
            error_bytes += _size(node)
        for child in node.children:
            nested = node.is_error and child.is_error
            if node.is_error and not nested and child.child_count:
                error_bytes -= _size(child)
            if child.has_error:
                stack.append((child, nested))
    return found, error_bytes


def _plain(source: bytes, language: Language) -> bytes:
    """Return a source with the same lines, without what its grammar lacks."""
    plain = _compiled_alone(source) if language.preprocessor else bytearray(source)
    if language.preprocessor:
        for match in _DIRECTIVE_LINES.finditer(bytes(plain)):
            _blank(plain, *match.span())
    result = bytes(plain)
    for pattern, replacement in _gap_patterns(language.gaps):
        result = pattern.sub(replacement, result)
    return result


def _compiled_alone(source: bytes) -> bytearray:
    """Return a source with the same lines, without the branches that are not compiled when all conditions hold."""
    kept = bytearray(source)
    for start, end in _left_out(source, taken=True).tolist():
        _blank(kept, start, end)
    return kept


def _blank(text: bytearray, start: int, end: int) -> None:
    text[start:end] = _NO_LINE_BREAK.sub(b" ", text[start:end])


@lru_cache(maxsize=256)
def _gap_patterns(gaps: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[bytes], bytes], ...]:
    return tuple((re.compile(pattern.encode(), re.MULTILINE), new.encode()) for pattern, new in gaps)


def _on_one_line(nodes: Nodes, language: Language) -> Iterator[Fault]:
    """Look for two things on a line that the language wants on two, since its grammar takes line breaks for blanks."""
    for node in nodes.get("separated", ()):
        before: Node | None = None
        for child in node.children:
            if child.type in language.comment_nodes:
                continue
            if before is not None and before.is_named and child.is_named and not child.is_extra:
                same_line = before.end_point.row == child.start_point.row and before.end_point.column > 0
                if same_line and not (before.has_error or child.has_error):
                    yield Fault("two_on_one_line", child.start_point.row + 1)
                    return
            before = child


def _conflict_markers(tree: trees.Tree, errors: Sequence[Error]) -> Iterator[Fault]:
    # The search below is for texts that have a marker at all.
    match = _CONFLICT.search(tree.source) if b"\n>>>>>>> " in tree.source else None
    if match is None:
        return
    # A comment or a string may show a conflict, or lie in one.
    node = None if errors else tree.root.descendant_for_byte_range(match.start(), match.start() + 7)
    while node is not None and node.parent is not None:
        if _QUOTED.search(node.type) and node.start_byte < match.start():
            return
        node = node.parent
    yield Fault(CONFLICT_MARKER, _line(tree.source, match.start()))


def _forbidden(nodes: Nodes, language: Language) -> Iterator[Fault]:
    for rule in language.forbidden:
        for node in nodes.get(landmarks.forbidden_name(rule), ()):
            if not _is_allowed(node, rule):
                yield Fault(rule.fault, node.start_point.row + 1)
                break


def _is_allowed(node: Node, rule: Forbidden) -> bool:
    above = node.parent if rule.outside else None
    while above is not None:
        # Around an error nobody knows what the parser left out.
        if above.type in rule.outside or above.is_error:
            return True
        above = None if above.type in rule.boundary else above.parent
    return False


def _unclosed(tree: trees.Tree, language: Language) -> Iterator[Fault]:
    """Look for what is never closed, with a lexer that no error confuses; for brackets, in the tree as well.

    Each errs where the other does not: the lexer over strings and regular expressions of which it does not know, the
    tree where its recovery has skipped tokens. With a preprocessor the tree is of no use; there, what is compiled when
    all conditions hold must match.
    """
    if language.preprocessor:
        yield from _directives(tree.source)
    if not language.brackets:
        return
    spans = _left_out(tree.source, taken=True) if language.preprocessor else np.empty((0, 2), dtype=np.int64)
    found = lexing.first_unclosed(tree.source, language, spans)
    if found is None or (found.what == "bracket" and not language.preprocessor and _tree_matches(tree)):
        return
    yield Fault(f"unclosed_{found.what}", _line(tree.source, found.offset))


def _by_words(source: bytes, table: Words) -> Iterator[Fault]:
    seen = bytes(_compiled_alone(source)) if table.directives and b"#" in source else source
    for word, offset in words.findings(seen, table):
        yield Fault(word, _line(source, offset))


def _directives(source: bytes) -> Iterator[Fault]:
    bad = _BAD_INCLUDE.search(source)
    if bad is not None:
        yield Fault("unclosed_string", _line(source, bad.start()))
    bad = _BAD_PARAMETERS.search(source) or next(filter(_has_loose_brackets, _BRANCH_CONDITION.finditer(source)), None)
    if bad is not None:
        yield Fault("unclosed_bracket", _line(source, bad.start()))
    opened: list[int] = []
    for match in _DIRECTIVE.finditer(source):
        if match[1] == b"if":
            opened.append(match.start())
        elif not opened:
            opened.append(match.start())
            break
        elif match[1] == b"endif":
            opened.pop()
    if opened:
        yield Fault("unclosed_condition", _line(source, opened[0]))


def _has_loose_brackets(condition: re.Match[bytes]) -> bool:
    code = _NO_CODE.sub(b" ", condition[1])
    return code.count(b"(") != code.count(b")")


def _tree_matches(tree: trees.Tree) -> bool:
    """Say whether all brackets that are tokens of the tree have their partners."""
    wanted: list[str] = []
    for node in trees.captures(tree, _bracket_query(tree.grammar)).get("bracket", ()):
        for character in "" if node.is_missing else node.type:
            if character in _OPENING:
                wanted.append(_OPENING[character])
            elif character in _CLOSING and (not wanted or wanted.pop() != character):
                return False
    return not wanted


def _left_out(source: bytes, *, taken: bool) -> npt.NDArray[np.int64]:
    """Return the spans that are not compiled when all conditions hold (``taken``) or none does, in order.

    What `#if 0` begins never is.
    """
    spans: list[tuple[int, int]] = []
    # For each `#if` around here: where the branch begins that is left out, if it is; has another been taken?
    around: list[tuple[int | None, bool]] = []
    for match in _DIRECTIVE.finditer(source):
        word = match[1]
        if word != b"if" and not around:
            continue
        begin, done = around.pop() if word != b"if" else (None, False)
        if begin is not None:
            spans.append((begin, match.start()))
        if word == b"endif":
            continue
        holds = word == b"else" or (taken and match[2] is None)
        around.append((None if holds and not done else match.end(), done or holds))
    return np.array(_merged(spans), dtype=np.int64).reshape(-1, 2)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


@lru_cache(maxsize=256)
def _bracket_query(grammar: str) -> str:
    """Return a query for the grammar's tokens that hold brackets, such as `${`; not for words of brackets, as `[]`."""
    language = trees.language(grammar)
    kinds = {
        language.node_kind_for_id(id_)
        for id_ in range(language.node_kind_count)
        if not language.node_kind_is_named(id_) and language.node_kind_is_visible(id_)
    }
    brackets = sorted(kind for kind in kinds if kind and _BRACKET.fullmatch(kind))
    return (
        trees.query({"bracket": [f"({json.dumps(kind, ensure_ascii=False)} @node)" for kind in brackets]})
        if brackets
        else ""
    )


def _line(source: bytes, offset: int) -> int:
    """Return the line, from 1, that an offset in bytes is on."""
    return source.count(b"\n", 0, offset) + 1


def _size(node: Node) -> int:
    return node.end_byte - node.start_byte
