"""Syntax report of one text: how much of it its grammar cannot make sense of, and what else the tree tells for free.

The report holds measurements and faults. Measurements are what the parser could not fit in; how many of them good code
may have, for macros, dialects and a grammar's own gaps, is for the language table (`max_error_share`, `max_errors`).
Faults are what no good code has, however forgiving the table is: brackets that do not match, conflict markers, words
where the language forbids them.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from codemill.core import faults, landmarks, lexing, second_opinion, trees
from codemill.core.faults import Fault, Judgement
from codemill.core.landmarks import Landmarks
from codemill.core.languages import Language

MAX_DEPTH = 10_000
"""Texts nested this deep are refused: nobody writes such code, and whatever walks their trees would take minutes."""


class TooDeep(trees.Unparsable):
    """A text is nested deeper than any code that people or generators write."""


@dataclass(frozen=True)
class SyntaxReport:
    """Measurements of one text; sizes in bytes of its UTF-8. All but `bytes` are 0 when it was not `parsed`."""

    parsed: bool
    """False when the language has no grammar."""
    bytes: int
    nodes: int = 0
    error_nodes: int = 0
    """Stretches that the parser had to skip or could not fit in, nested ones included, less the grammar's own gaps."""
    missing_nodes: int = 0
    """Tokens that the parser had to make up, such as a closing bracket, less the grammar's own gaps."""
    error_bytes: int = 0
    """Bytes in error nodes, less those in well-formed constructs inside them."""
    first_error: int | None = None
    """The line, from 1, of the first fault; where there is none, of the first error or missing token."""
    faults: tuple[str, ...] = ()
    """What no good code has, as words: `unmatched_bracket`, `conflict_marker`, and those of the language table."""
    comment_bytes: int = 0
    functions: int = 0
    longest_function: int = 0
    """In lines."""
    max_depth: int = 0
    """Most brackets and steps of indentation around one place."""
    identifiers: int = 0
    """Different words of the code, names and keywords."""


def inspect(text: str, language: Language) -> SyntaxReport:
    """Parse a text as that language and report on its tree. Raises trees.Unparsable."""
    if language.grammar is None:
        return unparsed(text)
    tree = trees.parse(text, language.grammar)
    survey = lexing.survey(tree.source, language)
    return report(tree, survey, landmarks.find(tree, survey, language), language)


def unparsed(text: str) -> SyntaxReport:
    """Return the report of a text in a language without a grammar."""
    return SyntaxReport(parsed=False, bytes=len(text.encode("utf-8", "surrogatepass")))


def report(tree: trees.Tree, survey: lexing.Survey, found: Landmarks, language: Language) -> SyntaxReport:
    """Measure a tree, given what the lexer saw in its source, and what was found in it. Raises TooDeep."""
    if survey.depth > MAX_DEPTH:
        raise TooDeep(f"{tree.grammar}: found {survey.depth} levels, allowed are {MAX_DEPTH}")
    judged = _judge(tree, survey, found, language)
    # The line break that `trees.parse` puts at the end is nobody's.
    size = len(tree.source) - (not tree.text.endswith("\n"))
    lines = [fault.line for fault in judged.faults] or [error.line for error in judged.errors]
    missing = sum(error.missing for error in judged.errors)
    return SyntaxReport(
        parsed=True,
        bytes=size,
        nodes=tree.root.descendant_count,
        error_nodes=len(judged.errors) - missing,
        missing_nodes=missing,
        error_bytes=min(judged.error_bytes, size),
        first_error=min(lines, default=None),
        faults=tuple(sorted({fault.word for fault in judged.faults})),
        comment_bytes=min(_covered(found.comments), size),
        functions=len(found.functions),
        longest_function=max((node.end_point.row - node.start_point.row + 1 for node in found.functions), default=0),
        max_depth=survey.depth,
        identifiers=survey.identifiers,
    )


def is_broken(report: SyntaxReport, language: Language) -> bool:
    """Say whether a text is broken, by the tolerances of the language table."""
    share = report.error_bytes / max(report.bytes, 1)
    errors = report.error_nodes + report.missing_nodes
    return report.parsed and broken(errors, share, len(report.faults), language.max_errors, language.max_error_share)


def broken(errors: Any, share: Any, n_faults: Any, max_errors: Any, max_share: Any) -> Any:
    """Return the condition for broken code, of numbers or of columns of numbers."""
    return (n_faults > 0) | (errors > (sys.maxsize if max_errors is None else max_errors)) | (share > max_share)


def _judge(tree: trees.Tree, survey: lexing.Survey, found: Landmarks, language: Language) -> Judgement:
    """Judge by the tree; where that leaves doubts and there is a real parser, by that."""
    judged = faults.judge(tree, found.nodes, language)
    if language.parser is None:
        return judged
    is_clean = not (judged.errors or judged.faults or judged.hidden)
    if is_clean and not second_opinion.is_wanted(tree.source, survey, language):
        return judged
    opinion = second_opinion.ask(language.parser, tree.text)
    if opinion is None:
        return judged
    if opinion.accepted:
        return Judgement((), 0, ())
    rejected = Fault(second_opinion.REJECTED, opinion.line)
    return Judgement(judged.errors, judged.error_bytes, (rejected,))


def _covered(spans: Iterable[Sequence[int]]) -> int:
    covered = done = 0
    for start, end in spans:
        covered += max(0, end - max(start, done))
        done = max(done, end)
    return covered
