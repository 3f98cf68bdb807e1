"""Second opinions: real parsers of a language, asked where the syntax tree leaves doubts.

They know what no grammar of tree-sitter does (early errors, indentation, what an older version allowed). Where they are
faster than a grammar, they are asked about every text; Python's takes half as long again as the grammar, so only
doubtful texts go to it. Nothing of a text is run: it is compiled, and thrown away.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn
from xml.parsers import expat

from codemill.core import python_doubts
from codemill.core.languages import Language
from codemill.core.lexing import Survey

REJECTED = "rejected"


@dataclass(frozen=True)
class Opinion:
    """Whether a parser takes a text, and the line, from 1, where it refused to go on."""

    accepted: bool
    line: int = 1


def is_wanted(source: bytes, survey: Survey, language: Language) -> bool:
    """Say whether the language's parser knows something of a source that a clean tree does not tell.

    `survey` is what the lexer saw in it.
    """
    return language.parser is not None and _PARSERS[language.parser].is_wanted(source, survey)


def ask(parser: str, text: str) -> Opinion | None:
    """Return what a parser says of a text; None when it cannot say, such as for nesting that is too deep for it."""
    try:
        return _PARSERS[parser].ask(text.removeprefix("\ufeff"))
    except (RecursionError, MemoryError):
        return None


def _is_doubtful_python(source: bytes, survey: Survey) -> bool:
    return python_doubts.is_doubtful(source, survey.literals)


def _python(text: str) -> Opinion:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Opinion(accepted=False, line=max(error.lineno or 1, 1))
    except ValueError:  # null characters, lone surrogates
        return Opinion(accepted=False)
    return Opinion(accepted=True)


def _json(text: str) -> Opinion:
    """Parse one value, or else one on each line."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        whole = Opinion(accepted=False, line=error.lineno)
    except ValueError:
        whole = Opinion(accepted=False)
    else:
        return Opinion(accepted=True)
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return whole if lines else Opinion(accepted=True)
    try:
        for line in lines:
            json.loads(line, parse_constant=_no_constant)
    except ValueError:
        return whole
    return Opinion(accepted=True)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"found {name}, which is no JSON")


def _xml(text: str) -> Opinion:
    parser = expat.ParserCreate("utf-8")
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        return Opinion(accepted=False, line=error.lineno)
    return Opinion(accepted=True)


class _Parser(NamedTuple):
    is_wanted: Callable[[bytes, Survey], bool]
    ask: Callable[[str], Opinion]


_PARSERS: Mapping[str, _Parser] = {
    "python": _Parser(_is_doubtful_python, _python),
    # Comments are an extension that the grammar knows and the parser does not.
    "json": _Parser(lambda _source, survey: not len(survey.comments), _json),
    "xml": _Parser(lambda *_: True, _xml),
}
