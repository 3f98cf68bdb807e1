"""Blocks by their words, and brackets, without a parser: what a poor grammar does not see.

Where words open and close blocks (`if` and `endif`, `begin` and `end`), they balance in good code, whatever a grammar
makes of it. The language table says which words do, what hides words from sight (comments, strings), and what stands
nowhere in good code; all by regular expressions, so that another language is another row.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from codemill.core.languages import Hidden, Words

UNCLOSED_BLOCK = "unclosed_block"
UNCLOSED_BRACKET = "unclosed_bracket"

# In place of the number of a block.
_CLOSES_ONLY, _BRACKET = -1, -2

_PARTNERS = {b")": b"(", b"]": b"[", b"}": b"{"}
_BLANKS = bytes(byte if byte == ord("\n") else ord(" ") for byte in range(256))


class Finding(NamedTuple):
    """A word for what is wrong, and its offset in bytes."""

    word: str
    offset: int


class _HiddenPattern(NamedTuple):
    """What finds the beginning of whatever hides words.

    An empty group at its end says by which rule: the engine is fast where all of them begin with a character.
    """

    expression: re.Pattern[bytes]
    rules: tuple[Hidden, ...]


class _Open(NamedTuple):
    """A block, by its number, or a bracket that is open, and its offset."""

    number: int
    start: int
    bracket: bytes


class _Scanner(NamedTuple):
    """The regular expressions of a row of the table, compiled."""

    tokens: re.Pattern[bytes]
    """A bracket, or a word in a group: one for each block that it may open, then one for those that only close. It
    begins with a set of characters, since the engine looks for one ten times as fast as for anything else."""
    opened: tuple[int, ...]
    """The block that each of those groups opens."""
    brackets: frozenset[bytes]
    closes: tuple[re.Pattern[bytes], ...]
    any_close: re.Pattern[bytes]
    never: tuple[tuple[str, re.Pattern[bytes]], ...]


def findings(source: bytes, words: Words) -> Iterator[Finding]:
    """Yield the first of each kind of thing that no good code has; their lines are those of the source."""
    scanner = _scanner(words)
    text, unclosed = _shown(source, words)
    if unclosed is not None:
        yield unclosed
    text = text.lower() if words.ignore_case else text
    for word, pattern in scanner.never:
        match = pattern.search(text)
        if match is not None:
            yield Finding(word, match.start())
    found = _unclosed(text, words, scanner)
    if found is not None:
        yield found


def shown(source: bytes, words: Words) -> bytes:
    """Return a source of the same length, in which what hides words reads as the table says."""
    return _shown(source, words)[0]


def _shown(source: bytes, words: Words) -> tuple[bytes, Finding | None]:
    """Return the source without what is hidden, and the first thing that hides words and never ends."""
    source = b"\n" + source.replace(b"\r", b" ")
    said: dict[str, bool] = {"": True}
    pattern = _hidden_pattern(tuple(rule for rule in words.hidden if _holds(rule, source, said)))
    parts: list[bytes] = []
    unclosed: Finding | None = None
    done = 1
    match = pattern.expression.search(source)
    while match is not None:
        group = match.lastgroup or ""
        rule = pattern.rules[int(group[1:])]
        end, is_closed = _end(source, match, rule, group)
        start = max(match.start(), 1)
        end = max(end, start + 1)
        if rule.unclosed and not is_closed and unclosed is None:
            unclosed = Finding(rule.unclosed, start - 1)
        hidden = source[start:end]
        parts.append(source[done:start])
        parts.append(rule.reads.encode() * len(hidden) if rule.reads else hidden.translate(_BLANKS))
        done = end
        match = pattern.expression.search(source, end)
    parts.append(source[done:])
    return b"".join(parts), unclosed


def _holds(rule: Hidden, source: bytes, said: dict[str, bool]) -> bool:
    """Say whether a rule is for that text; what has been looked for is in ``said``."""
    for pattern in (rule.when, rule.unless):
        if pattern not in said:
            said[pattern] = _compiled(pattern).search(source) is not None
    return said[rule.when] and not (rule.unless and said[rule.unless])


def _end(source: bytes, match: re.Match[bytes], rule: Hidden, group: str) -> tuple[int, bool]:
    """Return where something hidden ends, and whether it is by its own sign, not that of a line."""
    if not rule.closes:
        return match.end(), True
    closes = rule.closes
    if r"\1" in closes:
        closes = closes.replace(r"\1", re.escape(match[match.re.groupindex[group] - 1].decode("utf-8", "ignore")))
    pattern = _end_pattern(closes, rule.inside, rule.nests)
    depth = 1
    found = pattern.search(source, match.end())
    while found is not None:
        depth += (found["more"] is not None) - (found["end"] is not None)
        if depth == 0:
            return found.end(), bool(found["end"].strip())
        found = pattern.search(source, found.end())
    return len(source), False


def _unclosed(text: bytes, words: Words, scanner: _Scanner) -> Finding | None:
    """Return the first word or bracket that has no partner."""
    text = b"\n" + text
    opened = [_Open(number, 0, b"") for number, block in enumerate(words.blocks) if not block.opens]
    closed: set[int] = set()
    for match in scanner.tokens.finditer(text):
        bracket = match[0][:1]
        if bracket in scanner.brackets and not _take_bracket(opened, match.start(), bracket):
            return Finding(UNCLOSED_BRACKET, match.start() - 1)
        group = match.lastindex
        if group is None or (opened and opened[-1].number == _BRACKET and not words.in_brackets):
            continue
        start = match.start(group)
        number = scanner.opened[group - 1]
        if number == _CLOSES_ONLY or scanner.any_close.match(text, start):
            ended = _close(opened, text, start, words, scanner)
            if ended is None:
                return Finding(UNCLOSED_BLOCK, start - 1)
            closed.add(ended)
        if number != _CLOSES_ONLY:
            opened.append(_Open(number, start, b""))
    return _left_open(opened, closed, words)


def _take_bracket(opened: list[_Open], start: int, bracket: bytes) -> bool:
    """Open or close a bracket; say whether one that closes has its partner."""
    if bracket in _PARTNERS:
        return bool(opened) and opened.pop().bracket == _PARTNERS[bracket]
    opened.append(_Open(_BRACKET, start, bracket))
    return True


def _close(opened: list[_Open], text: bytes, start: int, words: Words, scanner: _Scanner) -> int | None:
    """Close the innermost block, or the one around it where it may stay open; None when the word closes neither."""
    while opened:
        number = opened.pop().number
        if number < 0:
            return None
        if scanner.closes[number].match(text, start):
            return number
        if words.blocks[number].closed == "always":
            return None
    return None


def _left_open(opened: list[_Open], closed: set[int], words: Words) -> Finding | None:
    for number, start, _ in sorted(opened, key=lambda each: each.number != _BRACKET):
        if number == _BRACKET:
            return Finding(UNCLOSED_BRACKET, start - 1)
        closes = words.blocks[number].closed
        if closes == "always" or (closes == "all_or_none" and number in closed):
            return Finding(UNCLOSED_BLOCK, max(start - 1, 0))
    return None


@lru_cache(maxsize=64)
def _scanner(words: Words) -> _Scanner:
    opened = [number for number, block in enumerate(words.blocks) if block.opens]
    closes = "|".join(sorted({block.closes for block in words.blocks})) or "(?!)"
    groups = [*(words.blocks[number].opens for number in opened), closes]
    word = f"(?<=[{words.begins}]){words.before}(?:{'|'.join(f'({group})' for group in groups)})"
    brackets = re.escape(words.brackets)
    first = words.begins if words.begins.startswith("^") else words.begins + brackets
    return _Scanner(
        tokens=_compiled(f"[{first}](?:{word}|{f'(?<=[{brackets}])' if brackets else '(?!)'})"),
        opened=(*opened, _CLOSES_ONLY),
        brackets=frozenset(bytes([byte]) for byte in words.brackets.encode()),
        closes=tuple(_compiled(block.closes) for block in words.blocks),
        any_close=_compiled(closes),
        never=tuple((word, _compiled(pattern)) for word, pattern in words.never),
    )


@lru_cache(maxsize=256)
def _hidden_pattern(rules: tuple[Hidden, ...]) -> _HiddenPattern:
    groups = "|".join(f"{rule.opens}(?P<h{number}>)" for number, rule in enumerate(rules))
    return _HiddenPattern(_compiled(groups or "(?!)"), rules)


@lru_cache(maxsize=256)
def _end_pattern(closes: str, inside: str, nests: str) -> re.Pattern[bytes]:
    return _compiled(f"(?:{inside or '(?!)'})|(?P<more>{nests or '(?!)'})|(?P<end>{closes})")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.MULTILINE)
