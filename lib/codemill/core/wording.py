"""Words or code: what the lines of a comment look like, told by regular expressions alone.

This is what keeps most comments from being parsed. It errs on the side of words: a text that says of itself that it
explains, shows or directs something is never taken for code, however much code it holds.
"""

import keyword
import re
from collections.abc import Sequence
from enum import Enum, auto

from codemill.core.languages import Language

MAX_PROSE = 0.25
"""The share of lines of words that switched-off code may have: the comments that it had itself."""

_MAX_PROSE_LINES = 3
_MIN_SIGNS = 0.5
_MIN_SIGNS_IN_LISPS = 0.85
_MIN_DISTINCT = 0.3
_FEW = 2
"""Lines. In so few, words look like code easily, and each is looked at more closely."""

# What languages are like, by grammar.
_SEMICOLONS = frozenset(
    (
        "ada",
        "c",
        "cpp",
        "csharp",
        "css",
        "cuda",
        "d",
        "dart",
        "glsl",
        "hlsl",
        "java",
        "javascript",
        "objc",
        "pascal",
        "perl",
        "php",
        "proto",
        "rust",
        "scss",
        "solidity",
        "sql",
        "tsx",
        "typescript",
        "verilog",
        "vhdl",
        "zig",
    )
)
"""Statements end with a semicolon, or hardly anybody leaves it out."""
_UNMARKED = frozenset(
    ("asm", "dockerfile", "fish", "gomod", "kconfig", "llvm", "ninja", "smali", "sql", "tcl", "vim", "wat")
)
"""Lines of words without any marks are ordinary code."""
_LOOSE = frozenset(("asm", "fish", "kconfig", "latex", "ninja", "tcl"))
"""A line of prose may well parse as a statement."""
_LISPS = frozenset(("clojure", "commonlisp", "elisp", "fennel", "racket", "scheme"))
"""Code is in brackets, and documentation full of it."""
_PAIRS = frozenset(("ini", "properties", "toml", "yaml"))
"""Code is keys and values, and so is prose with colons."""

# The first, cheapest look, at bytes.
_BEGINS_AS_SENTENCE = re.compile(
    rb"\W{0,80}(?!(?:import|from|for|foreach|while|if|elif|elsif|else|return|use|using|class|with|case|when|unless|until"
    rb"|public|private|protected|static|throw|not|print|echo|select|insert|update|delete|create|alter|drop|unsigned)\b)"
    rb"(?:[A-Za-z][a-z'-]*[,.:;]? ){4}"
)
_BEGINS_AS_CODE = re.compile(
    rb"\W{0,8}(?:import|from|return|end|use|using|case|def|if|for|while|include|echo|else|try|with|export|set"
    rb"|define|undef|ifdef|ifndef|endif|pragma|error)\b|\W{0,8}[\w.-]+[\"'] ?:"
)
_MARK = re.compile(rb"[;{}=$@\\|\[<>(]")
_LAST = frozenset(b":,;)]}>\"'")
_FULL_STOP = ord(".")

# Lines that are code.
_CODE = re.compile(
    r"[=(){}\[\];]|->|::|:$|\w\.\w|</?\w|^[@$\"']|,$|^from [\w.]+ import\b"
    r"|^#[ \t]*(?:define|undef|include|if|ifdef|ifndef|elif|else|endif|pragma|error|warning|line)\b"
    r"|^(?:return|import|use|end|else|pass|break|fi|done|case|include)\b"
    r"|^(?:let|var|val|const|def|fn|func|fun|local|open|puts|printfn?|echo|call|if|for|while|elif|switch|set|require)"
    r"(?: [\w$\"'(.<>+-]+){1,3}$"
    r"|^(?i:select .*\bfrom|insert into|update \S+ set|delete from|(?:create|alter|drop) \S+) "
)
_KEYWORD_FIRST = re.compile(
    r"(?:import|from|for|foreach|while|if|elif|elsif|else|except|return|use|using|package|def|class|with|case|when"
    r"|match|let|open|module|begin|then|do|function|fun|unless|until|var|val|const|public|private|protected|static"
    r"|final|raise|throw|yield|await|assert|del|global|local|export|not|and|or|print|echo|select|insert|create|alter"
    r"|drop|extern|typedef|struct|enum|unsigned|end|include|require)\b[^.,]*$"
    r"|(?i:select\b.*\bfrom|insert into|update \S+ set|delete from"
    r"|(?:create|alter|drop) (?:or|table|view|index|unique))\b"
)
_MARKED = re.compile(r"[=$@%\"'\[\](){}<>:;/]|\w, ?\w|\d")
_ENDED = re.compile(r"[;{}:,]$|^[#@}]|^(?:import|export)\b")
_PAIR = re.compile(
    r"(?:- )?(?!(?:TODO|FIXME|XXX|HACK|NOTE|Note|See|Warning|Example|Usage|Default)\b)"
    r"[\"']*[\w./@-]+[\"']*\s*[:=]\s*(?:\S+|[\"'\[{|>&*!].*)?|- [\"'\[{].*|\[+[\w.\"'-]+\]+|[\]\[{}]+,?"
)

# Lines that are words.
_FOUR_WORDS = re.compile(r"(?:^|[\s(])(?:[A-Za-z][a-z'’-]*[,.:;]?[ ]){3}[A-Za-z][a-z'’-]*(?![\w(\[=.])")
_ONLY_WORDS = re.compile(r"[A-Z]?[a-z'’-]+(?: [a-z'’-]+)+[.,:]?")
_ASIDE = re.compile(
    r"^(?:[A-Z][\w ]*:? )?<?https?://|^\((?:see|cf|e\.g|i\.e|note|or|and|the|only|not|if|in|as|for)\b"
    r"|^(?:e\.g|i\.e|cf)\b|[a-z]{2}\. [A-Z]|[a-z]{3}\.$| \.\.\. | => [a-z]+ [a-z]+$"
    r"|^(?:else|try|if|except|finally): [a-z'’-]+ [a-z]+ [a-z]+"
)
_JUMP_TO_WORDS = re.compile(r"(?:return|throw|raise|yield|await|break|continue|try|use)(?: [a-z'’-]{2,}){3,}[.;]?$")
_OPERATOR_WORD = re.compile(r"\b(?:if|not|or|and|in|is|else|from|new|await|function|async|lambda|match|unless)\b")
_THREE_WORDS = re.compile(
    r"(?:^|[\s(])(?!(?:public|private|protected|static|final|const|unsigned|signed|create|alter)\b)"
    r"(?:[A-Za-z][a-z'’-]+ ){2}[A-Za-z][a-z'’-]+(?:[.:,;)]|$| [a-z])|^[A-Z][a-z]+ [a-z]+ [a-z]+\b"
    r"|^(?:the|an?|this|these|now|see|all|any|some) [a-z]"
)
_NAME_ALONE = re.compile(
    r"(?:return|throw|raise|break|continue|goto|yield|await|fallthrough|pass|exit|die|next|last|redo|retry)?"
    r"(?:\s*(?!true\b|false\b|null\b|nil\b|none\b|self\b|this\b)[a-z][\w-]{2,})?;?"
)
_SPACED_CALL = re.compile(
    r"(?!(?:if|for|foreach|while|switch|when|catch|unless|until|elsif|elif|with)\b)[\w.]+ +\(.*\)"
)

# Lines that make the whole comment words.
_EXPLAINS = re.compile(
    r"(?i)^in case\b|\b(?:examples?|e\.g|i\.e|usage|equivalent|pseudo-?code|similar to|copyright|licen[sc]ed?"
    r"|as follows|following|looks? like|like (?:this|so|these)|for instance|instead of|would|should|must|synopsis|spdx"
    r"|grammar|syntax|comput(?:ed?|er|ing)|calculat(?:ed?|ing)|generated?|reproduced?|outputs?|derived|schema)\b"
)
_HEADING = re.compile(
    r"[A-Z][\w ,.'’/()+-]{0,200}:|[=#*~-]{3,} ?[A-Z].{0,200}|[@\\](?:module|param|returns?|see|usage|author|type)\b.*"
    r"|(?:TODO|FIXME|XXX|HACK|NOTE|BUG)\b.*|[A-Z]\w*: .*[^,{(\[;]|[*•-] +[A-Z][\w-]* .*"
)
_SHOWS = re.compile(
    r"(?:>>>|\.\.\. |\$ |In \[\d|=>|#=>|\|--|\+--|```|~~~|</?(?:code|pre|example)>|@(?:code|example)\b)"
)
_RESULT = re.compile(r"(?:#|//|--|;) ?=+> |::=")
_DIRECTIVE = re.compile(
    r"(?i:type:|ty:|noqa|pylint|pyright|pragma|flake8|mypy|isort|fmt:|yapf|ruff:|nosec|(?:en)?coding[:=]|vim?:|-\*-|go:"
    r"|nolint|eslint|jshint|jslint|@ts-|prettier|istanbul|tslint|globals? |exported |rubocop|shellcheck"
    r"|frozen_string|#?region|endregion|clang-format|swiftlint|ktlint|@formatter|noinspection|phpcs|@codingStandards"
    r"|sourceMappingURL|<editor-fold|SBATCH|PBS|BSUB|cython:|distutils:|\[if |cspell|spell-?checker|@@|c8 |v8 |biome-"
    r"|deno-|NOSONAR|no critic|codecov|coverage:|dart format|ignore_for_file|ignore:|line |export )"
    r"|/// |\+\w|:\w[\w-]*:|:{1,2} |language=[A-Za-z]"
)

_PYTHON_WORDS = "|".join(word for word in keyword.kwlist if word.islower())
_TWO_OPERANDS = re.compile(rf"(?:(?<!\w)(?!(?:{_PYTHON_WORDS})\b)\w+|[\])}}\"'])[ \t]+(?!(?:{_PYTHON_WORDS})\b)\w")
_OPENS_STATEMENT = re.compile(r"(?:print|exec|raise|match|case|type)\b")
"""The names of Python that another may follow without anything between them."""

_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|(?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w)")


class Look(Enum):
    """What a comment looks like at first."""

    DOC = auto()
    """Documentation or a directive, whatever it holds."""
    WORDS = auto()
    UNCLEAR = auto()
    CODE = auto()


def look(source: bytes, start: int, end: int, grammar: str) -> Look:
    """Say what a comment looks like at the least cost: whether it begins as a sentence, whether it has what code has.

    `start` and `end` are where it begins and ends in a UTF-8 source, with its markers.
    """
    if _BEGINS_AS_SENTENCE.match(source, start, end):
        return Look.WORDS
    last = source[end - 1]
    if last in _LAST or grammar in _UNMARKED:
        return Look.CODE
    if last == _FULL_STOP and grammar != "erlang":
        return Look.UNCLEAR
    mark = _MARK.search(source, start, end)
    while mark is not None:
        if mark[0] != b"(" or source[mark.start() - 1 : mark.start()].isalnum():
            return Look.CODE
        mark = _MARK.search(source, mark.end(), end)
    return Look.CODE if _BEGINS_AS_CODE.match(source, start, end) else Look.UNCLEAR


def explains(line: str) -> bool:
    """Say whether a line announces an example, or something else that looks like code and is not switched off."""
    return _EXPLAINS.search(line) is not None


class Wording:
    """Tells the lines of a language from words."""

    def __init__(self, language: Language) -> None:
        markers = [*language.line_comments, *(opening for opening, _ in language.block_comments)]
        any_of = "|".join(re.escape(marker) for marker in sorted(markers, key=len, reverse=True)) or "(?!)"
        self.comment = re.compile(rf"[ \t]*(?:{any_of})")
        self._markers = markers
        self._trailing = re.compile(rf"(?<!\s)\s+(?:{any_of}).*")
        self._grammar = language.grammar or ""
        self._is_python = language.parser == "python"

    def code(self, lines: Sequence[str], *, strict: bool) -> dict[int, str]:
        """Return the lines that may be code, by their numbers, without strings and the comments at their ends.

        There are none when the whole is not: when much of it is words, or when one line says that it is something else.
        `strict` allows of no words at all.
        """
        code: dict[int, str] = {}
        prose = signs = 0
        most_prose = 0 if strict or self._grammar in _LISPS else _MAX_PROSE_LINES
        for row, line in enumerate(lines):
            stripped = line.strip()
            if not stripped or self.comment.match(line):
                continue
            bare = self._bare(stripped)
            words = self._is_words(bare)
            sign = not words and self._is_code(bare)
            if self._is_something_else(stripped, bare, sign=sign):
                return {}
            if words:
                prose += 1
                # With a blank line below they introduce what follows, at the end they belong to what comes next.
                if prose > most_prose or not any(line.strip() for line in lines[row + 1 : row + 2]):
                    return {}
                continue
            signs += sign
            code[row] = bare
        least = _MIN_SIGNS_IN_LISPS if self._grammar in _LISPS else _MIN_SIGNS
        if signs < least * (len(code) + prose) or prose > MAX_PROSE * (len(code) + prose):
            return {}
        if len(code) <= _FEW and not any(map(self._is_surely_code, code.values())):
            return {}
        return code if len({lines[row].strip() for row in code}) >= _MIN_DISTINCT * len(code) else {}

    def _bare(self, line: str) -> str:
        """Return a line with its strings empty and no comment at its end: words in those say nothing about it."""
        bare = _STRING.sub('""', line) if '"' in line or "'" in line else line
        return self._trailing.sub("", bare) if any(marker in bare for marker in self._markers) else bare

    def _is_words(self, bare: str) -> bool:
        if self._is_python and _TWO_OPERANDS.search(bare) and not _OPENS_STATEMENT.match(bare):
            return True
        if _ASIDE.search(bare) or (_JUMP_TO_WORDS.match(bare) and not _OPERATOR_WORD.search(bare)):
            return True
        if _KEYWORD_FIRST.match(bare):
            return False
        if _FOUR_WORDS.search(bare):
            return True
        return self._grammar not in _UNMARKED and _ONLY_WORDS.fullmatch(bare) is not None

    def _is_code(self, bare: str) -> bool:
        if self._grammar in _UNMARKED:
            return True
        if self._grammar in _LISPS:
            return bare[0] in "([{)]}'`#,\""
        if self._grammar == "latex":  # whose sentences are full of commands
            return bare[0] in "\\{}[]&$"
        return _CODE.search(bare) is not None and _NAME_ALONE.fullmatch(bare) is None

    def _is_something_else(self, line: str, bare: str, *, sign: bool) -> bool:
        if _SHOWS.match(line) or _RESULT.search(line) or _DIRECTIVE.match(line):
            return True
        if _HEADING.fullmatch(line) and self._grammar not in _PAIRS:
            return True
        return not (sign and _MARKED.search(bare)) and _EXPLAINS.search(bare) is not None

    def _is_surely_code(self, bare: str) -> bool:
        if self._grammar in _LOOSE:
            return False
        if self._grammar in _SEMICOLONS and not _ENDED.search(bare):
            return False
        if self._grammar in _UNMARKED and not _MARKED.search(bare):
            return False
        if self._grammar in _PAIRS and not _PAIR.fullmatch(bare):
            return False
        if not _KEYWORD_FIRST.match(bare) and _THREE_WORDS.search(_OPERATOR_WORD.sub("+", bare)):
            return False
        return _NAME_ALONE.fullmatch(bare) is None and _SPACED_CALL.fullmatch(bare) is None
