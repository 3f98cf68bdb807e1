"""The language of a file, by its path and, where that is not enough, by its text.

What is surest and cheapest comes first:

1. `name`: the whole file name (`Makefile`).
2. `extension`: one that a single language has. The text of such a file is never looked at.
3. `shebang`, then `modeline`, where the extension is ambiguous or says nothing: the author's own words. A plain `sh`
   gives way to a modeline, and to the program that it hands itself over to: other languages start themselves so.
   An ambiguous extension believes in no language that the table does not have for it (a grammar for `lex` often says
   `-*- C -*-`), and a modeline with its owner's name decides nothing: C++ headers often say `-*- C -*-`, too.
4. `content`: the first rule that holds of those that the language table has for the extension.
5. `extension` again: the owner of an ambiguous extension, where no rule holds.

Only the first 50,000 characters and the last 2,000 are looked at, in time linear in them. Windows line ends make no
difference. A text in no known language (LICENSE, README) has none: nothing here guesses from words.
"""

import re
from dataclasses import dataclass
from typing import Literal

from codemill.core.ambiguity import Ambiguity
from codemill.core.languages import KnownPath, Language, LanguageTable
from codemill.core.lexing import comment_spans

By = Literal["name", "extension", "shebang", "modeline", "content"]

_MAX_TEXT = 50_000
_MAX_LINES = 2_000
_NEAR = 5

_SHELL = "shell"
_EXEC_LINES = 12
_SELF = re.compile(r"""["']?\$\{?0\}?["']?""")
_EXEC = re.compile(r"\bexec[ \t]+(.*)")
_NIX = re.compile(r"^#![ \t]*nix-shell\b.*?[ \t](?:-i|--interpreter)[ \t]+(\S+)", re.MULTILINE)
_AROUND = "@%${}\"'()"
_VERSION = re.compile(r"[-_]?[0-9][0-9.]*$")

_VIM = re.compile(r"(?:^|[ \t])(?:vim?|ex)(?:[<=>]?\d+)?:.*?\b(?:filetype|ft|syntax|syn)[ \t]?=[ \t]?([\w+#-]+)")
_EMACS = re.compile(r"-\*-(.{1,400}?)-\*-")
_EMACS_MODE = re.compile(r"(?i)(?:^|;)[ \t]*mode[ \t]*:[ \t]*([\w+#-]+)")
_MODE_END = re.compile(r"(?:-ts)?(?:-mode)?$")

# A directive that decides what is compiled: its word, and its condition.
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b(.*)")
_NEGATION = re.compile(r"![ \t]*(?:defined\b[ \t]*)?\(?[ \t]*$")
_KEPT_OR_STRING = re.compile(r'(?:include|import)[ \t]*"|"(?:[^"\\\n]|\\.)*"?')
_CODE = re.compile(r"^[ \t]*[^#\s\\][^\n]*", re.MULTILINE)


@dataclass(frozen=True)
class Detection:
    """The language of a file, and by what it was recognised; both None for a file that is in no known language."""

    language: str | None
    by: By | None


def detect(path: str, text: str, table: LanguageTable) -> Detection:
    """Recognise the language of a file. The order of the evidence, and why, is at the head of this module."""
    known = table.by_path(path)
    if known.language and known.ambiguity is None:
        return Detection(known.language, known.by)
    declared = _declared(text, known, table)
    if declared:
        return declared
    if known.ambiguity:
        head = "\n" + _unix(text[: 2 * _MAX_TEXT])[:_MAX_TEXT]
        seen = _visible(head, known.ambiguity, table)
        for rule in known.ambiguity.rules:
            if rule.holds(seen):
                return Detection(rule.language, "content")
    return Detection(known.language, known.by if known.language else None)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _declared(text: str, known: KnownPath, table: LanguageTable) -> Detection | None:
    """Return what the text itself says it is in."""
    head = _unix(text[: 2 * _MAX_LINES])[:_MAX_LINES]
    started = _shebang(head, table) if head.startswith("#!") else None
    mode = _modeline(head, _unix(text[-2 * _MAX_LINES :])[-_MAX_LINES:], table)
    if mode == known.language and not started:
        mode = None
    possible = _possible(known)
    shebang = Detection(started, "shebang") if started and (possible is None or started in possible) else None
    modeline = Detection(mode, "modeline") if mode and (possible is None or mode in possible) else None
    return modeline or shebang if started == _SHELL else shebang or modeline


def _possible(known: KnownPath) -> set[str | None] | None:
    """Return the languages that a path leaves open; None for all of them."""
    if known.by is None or known.ambiguity is None:
        return None
    return {known.language, *(rule.language for rule in known.ambiguity.rules)}


def _shebang(head: str, table: LanguageTable) -> str | None:
    first, *others = head.split("\n", _EXEC_LINES)
    started = _program(first[2:].split(), table)
    if started == _SHELL:
        for line in others[: _EXEC_LINES - 1]:
            handed = _EXEC.search(line)
            words = handed[1].split() if handed else []
            if any(_SELF.fullmatch(word) for word in words):
                return _program(words, table) or started
    elif started is None and (nix := _NIX.search(head)):
        return _program([nix[1]], table)
    return started


def _program(words: list[str], table: LanguageTable) -> str | None:
    """Return the language that a command's interpreter runs."""
    for position, word in enumerate(words):
        name = re.split(r"[/\\]", word.strip(_AROUND))[-1].strip(_AROUND).lower()
        if position and name.startswith("-s") and len(name) > 2:  # env -Sprogram
            name = name[2:]
        if name == "env" or (position and (not name or name.startswith("-") or "=" in word)):
            continue
        return table.by_interpreter(name) or table.by_interpreter(_VERSION.sub("", name))
    return None


def _modeline(head: str, tail: str, table: LanguageTable) -> str | None:
    lines = head.split("\n", _NEAR)[:_NEAR]
    emacs = "\n".join(lines)
    if "-*-" in emacs and (said := _EMACS.search(emacs)):
        mode = _EMACS_MODE.search(said[1])
        language = _of_mode(mode[1] if mode else said[1], table)
        if language:
            return language
    for line in [*lines, *tail.rstrip("\n").rsplit("\n", _NEAR)[-_NEAR:]]:
        if "=" in line and (said := _VIM.search(line)):
            language = _of_mode(said[1], table)
            if language:
                return language
    return None


def _of_mode(mode: str, table: LanguageTable) -> str | None:
    return table.by_mode(_MODE_END.sub("", mode.strip().lower()))


def _visible(lines: str, ambiguity: Ambiguity, table: LanguageTable) -> str:
    """Return what the rules may see of a text: not its comments, its strings, and what stands under guards."""
    if ambiguity.comments is None:
        return lines
    lines = _KEPT_OR_STRING.sub(_kept, _without_comments(lines, table[ambiguity.comments]))
    if not any(guard in lines for guard in ambiguity.guards):
        return lines
    open_ = _without_guarded(lines, ambiguity.guards)
    # A file that is guarded as a whole is what stands inside.
    return open_ if _CODE.search(open_) else lines


def _without_comments(lines: str, language: Language) -> str:
    source = lines.encode("utf-8", "surrogatepass")
    parts, end = [], 0
    for start, stop in comment_spans(source, language).tolist():
        parts.append(source[end:start])
        end = stop
    return b" ".join([*parts, source[end:]]).decode("utf-8", "replace")


def _kept(match: re.Match[str]) -> str:
    return '""' if match[0].startswith('"') else match[0]


def _without_guarded(lines: str, guards: tuple[str, ...]) -> str:
    """Leave out the lines that are compiled only where a guard is defined; the directives stay."""
    kept: list[str] = []
    # Of each open #if: whether its present branch is left out, and whether its #else will be.
    branches: list[tuple[bool, bool]] = []
    hidden = 0
    for line in lines.split("\n"):
        directive = _DIRECTIVE.match(line) if "#" in line else None
        if directive is None:
            if not hidden:
                kept.append(line)
            continue
        kept.append(line)
        word, condition = directive.groups()
        if word.startswith("if"):
            branches.append(_guarded(word, condition, guards))
            hidden += branches[-1][0]
        elif branches:
            out, other = branches.pop()
            hidden -= out
            if word != "endif":
                branches.append((other, False))
                hidden += other
    return "\n".join(kept)


def _guarded(word: str, condition: str, guards: tuple[str, ...]) -> tuple[bool, bool]:
    for guard in guards:
        before, found, _ = condition.partition(guard)
        if found:
            negative = word == "ifndef" or _NEGATION.search(before) is not None
            return not negative, negative
    return False, False
