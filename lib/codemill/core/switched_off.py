"""Switched-off code: whether what a comment encloses parses as code of its language.

What gets past a look at its words (`wording`) is parsed with the grammar of the file: as it is, then within what the
language table has it surrounded by (members of a class, entries of a list), with the brackets that a fragment lacks. It
is code when almost all of its lines belong to statements that parse without an error.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tree_sitter import Node

from codemill.core import trees
from codemill.core.languages import Language
from codemill.core.wording import Wording

_MIN_SHARE = 0.85
_SHORT = 3
"""Lines. So few must parse without any error: chance makes one statement of some words easily, hardly ever all."""

_MAX_CHARACTERS = 20_000
"""How much of a comment is looked at. What goes on for longer goes on as it began."""

_BRACKET = re.compile(r"[()\[\]{}]")
_BRACKETS = re.compile(r"[\[\](){};,]+")
_CLOSER = re.compile(r"[\])};,{]+|end|fi|done|esac|else\b.{0,3}|\}\s*else\s*\{|begin|then|do")
_OPENING_OF = {")": "(", "]": "[", "}": "{"}
_CLOSING_OF = {"(": ")", "[": "]", "{": "}"}
_OPENED_BY = {"(": "f(", "[": "[", "{": "{"}
_MAX_UNMATCHED = 6

_BRANCH = re.compile(r"(\}?)\s*(else|catch|finally|while)\b")
_HEAD_OF = {"else": "if (x) {", "catch": "try {", "finally": "try {", "while": "do {"}

_INDENTED = ("python", "starlark", "gdscript", "nim")
"""Grammars in which a line that ends with a colon needs another below it, further in."""
_FURTHER_IN = " " * 200 + "pass"

_FRAGMENT = re.compile(
    r"[,;{}:]$|^(?:else|elif|elsif|except|finally|catch|case|when|default|rescue|ensure|[@#<}.])\b|=>|->"
)
"""A line that may be part of something larger."""
_INDENTED_FRAGMENT = re.compile(r"[,{(\[]$|^(?:(?:elif|else|except|finally|case|when|of)\b|[\"'\])}])")
"""The same, where a block is begun by a line above it and ended by none."""


class Dialect(NamedTuple):
    """What is asked of a language. Making one compiles regular expressions: it is worth keeping."""

    grammar: str
    wrappers: tuple[str, ...]
    statements: str
    """The query for statements."""
    wording: Wording
    braces: bool
    """Whether blocks stand in braces."""

    @classmethod
    def of(cls, language: Language) -> "Dialect":
        """Return the dialect of a language with a grammar."""
        grammar = language.grammar or ""
        statements = trees.query({"statement": language.statement_nodes})
        braces = grammar not in _INDENTED and any("{\n%s" in wrapper for wrapper in language.wrappers)
        return cls(grammar, language.wrappers, statements, Wording(language), braces)


class Judge:
    """Judges what comments enclose."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def score(self, lines: Sequence[str]) -> float:
        """Return the share of lines that parse as statements, or 0 for what is plainly or probably something else."""
        lines, bordered = _without_border(_beginning(lines))
        comment = self._dialect.wording.comment
        for _ in range(2):
            if all(comment.match(line) for line in lines if line.strip()):
                lines = [comment.sub("", line, count=1) for line in lines]
        code = self._dialect.wording.code(lines, strict=bordered)
        rows = [row for row, line in code.items() if not _CLOSER.fullmatch(line)]
        rows = rows or [row for row, line in code.items() if not _BRACKETS.fullmatch(line)]
        if not rows:
            return 0.0
        # Words go, so that they make no errors of the lines around them.
        kept = "\n".join(line.rstrip() if row in code or comment.match(line) else "" for row, line in enumerate(lines))
        best = 0.0
        for text, first in self._texts(textwrap.dedent(kept).split("\n"), code):
            best = max(best, self._share(text, [first + row for row in rows]))
            if best == 1.0:
                break
        return best if best >= _MIN_SHARE else 0.0

    def _texts(self, lines: Sequence[str], code: Mapping[int, str]) -> Iterator[tuple[str, int]]:
        """Yield whole texts that the lines may be part of, and the row in which the lines begin there."""
        before, after = self._lacking(lines, list(code.values()))
        whole = [*before, *lines, *after]
        yield "\n".join(whole), len(before)
        if self._is_whole(code):
            return
        for wrapper in self._dialect.wrappers:
            opening, closing = wrapper.split("%s")
            margin = opening[opening.rfind("\n") + 1 :]
            inside = f"\n{margin if margin.isspace() else ''}".join(whole)
            yield opening + inside + closing, opening.count("\n") + len(before)

    def _is_whole(self, code: Mapping[int, str]) -> bool:
        """Say whether lines are no part of something larger, for all that they look like."""
        if self._dialect.grammar in _INDENTED:
            return not any(_INDENTED_FRAGMENT.search(line) for line in code.values())
        return len(code) < _SHORT and not any(_FRAGMENT.search(line) for line in code.values())

    def _lacking(self, lines: Sequence[str], code: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the lines that a fragment lacks before it and after it: brackets, mostly."""
        opened, closed = _unmatched("\n".join(code))
        if len(opened) + len(closed) > _MAX_UNMATCHED:
            return [], []
        before = "".join(_OPENED_BY[_OPENING_OF[bracket]] for bracket in reversed(closed))
        after = "".join(_CLOSING_OF[bracket] for bracket in reversed(opened))
        branch = _BRANCH.match(next(line for line in lines if line).lstrip())
        if branch is not None and self._dialect.braces and (branch[1] or branch[2] != "while"):
            before = before[:-1] + _HEAD_OF[branch[2]] + ("" if branch[1] else "}")
        if self._dialect.grammar in _INDENTED and code[-1].endswith(":"):
            after = _FURTHER_IN
        return [before] if before else [], [after] if after else []

    def _share(self, text: str, rows: Sequence[int]) -> float:
        """Return the share of those rows that belong to statements without an error."""
        tree = self._parsed(text)
        if tree is None or (len(rows) <= _SHORT and tree.root.has_error):
            return 0.0
        covered: set[int] = set()
        for node in trees.captures(tree, self._dialect.statements).get("statement", ()):
            # What begins above them is what they are surrounded by.
            if node.start_point.row >= rows[0] and not node.has_error:
                covered.update(range(node.start_point.row, min(_last_row(node), rows[-1]) + 1))
        return sum(row in covered for row in rows) / len(rows)

    def _parsed(self, text: str) -> trees.Tree | None:
        """Parse a text; return None for one that its grammar cannot be let loose on."""
        try:
            return trees.parse(text, self._dialect.grammar)
        except trees.Unparsable:
            return None


def _beginning(lines: Sequence[str]) -> list[str]:
    if sum(map(len, lines)) + len(lines) <= _MAX_CHARACTERS:
        return list(lines)
    kept: list[str] = []
    left = _MAX_CHARACTERS
    for line in lines:
        kept.append(line[:left])
        left -= len(line) + 1
        if left <= 0:
            break
    return kept


def _without_border(lines: list[str]) -> tuple[list[str], bool]:
    """Return the lines without the asterisk that each but the first begins with, and whether there was one."""
    rest = [line.lstrip() for line in lines[1:] if line.strip()]
    if not rest or not all(line.startswith("*") for line in rest):
        return lines, False
    return [lines[0], *(line.lstrip()[1:] for line in lines[1:])], True


def _unmatched(text: str) -> tuple[list[str], list[str]]:
    """Return the opening brackets that are never closed, and the closing ones that were never opened."""
    opened: list[str] = []
    closed: list[str] = []
    for bracket in _BRACKET.findall(text):
        if bracket in _CLOSING_OF:
            opened.append(bracket)
        elif opened and opened[-1] == _OPENING_OF[bracket]:
            opened.pop()
        else:
            closed.append(bracket)
    return opened, closed


def _last_row(node: Node) -> int:
    # Some nodes take in the line break after them.
    return node.end_point.row - (node.end_point.column == 0 and node.end_point.row > node.start_point.row)
