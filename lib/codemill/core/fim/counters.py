"""How long a text is for a model: in tokens of its tokenizer, in bytes, or in characters.

Bytes are what a byte-level tokenizer without merges would count, and at least as many as the tokens of any byte-level
one: a sample that fits in bytes fits everywhere.
"""

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

Kind = Literal["bytes", "characters", "tokenizers", "tiktoken"]


# Characters of code that a token is worth, by which a search begins.
_USUAL: dict[Kind, int] = {"bytes": 1, "tokenizers": 3, "tiktoken": 3}
# Counting is slow where it means tokenising: a search leaves a little room, and ends when so much is full.
_CLOSE = 0.97
_FULL = 0.9
_MAX_LONGER = 6


class Counter(NamedTuple):
    """Counts the tokens of a text."""

    count: Callable[[str], int]
    kind: Kind

    def fits(self, text: str, limit: int) -> bool:
        """Say whether a text has at most ``limit`` tokens; a text with no more bytes than that is not tokenised."""
        if self.kind != "characters" and len(text) <= limit // 4:
            return True
        if self.kind in ("tokenizers", "tiktoken") and _utf8_length(text) < limit:
            return True
        return self.count(text) <= limit

    def reach(self, text: str, start: int, limit: int) -> int:
        """Return how far a text may go from ``start``, so that it has at most ``limit`` tokens (by characters).

        At least one character, also where that is too many. Tokens of a part and of the whole differ by a few: what is
        made of the part has to be counted again.
        """
        if self.kind == "characters":
            return max(min(len(text), start + limit), min(start + 1, len(text)))
        end = min(len(text), start + limit * _USUAL[self.kind])
        # A text is of much the same density all over, so shares come close soon.
        while end > start + 1 and (found := self.count(text[start:end])) > limit:
            end = start + max(1, int((end - start) * limit / found * _CLOSE))
        return max(self._longer(text, start, end, limit), min(start + 1, len(text)))

    def _longer(self, text: str, start: int, end: int, limit: int) -> int:
        """Return an end that leaves little of the limit, if one is found soon."""
        for _ in range(_MAX_LONGER):
            found = self.count(text[start:end])
            longer = min(len(text), start + int((end - start) * limit / max(found, 1) * _CLOSE))
            if longer <= end or found > _FULL * limit or self.count(text[start:longer]) > limit:
                return end
            end = longer
        return end


@cache
def counter(kind: Kind, source: str | None) -> Counter:
    """Return a counter: ``bytes``, ``characters``, or of a local tokenizer file.

    ``source`` is a tokenizer.json for ``tokenizers``, a file of merges (base64 and a rank a line) for ``tiktoken``.
    Raises ValueError when it cannot be loaded.
    """
    if kind == "characters":
        return Counter(len, kind)
    if kind == "bytes":
        return Counter(_utf8_length, kind)
    if source is None:
        raise ValueError(f"a {kind} counter needs a file, found none")
    try:
        return Counter(_LOADERS[kind](source), kind)
    except Exception as error:  # what a foreign file breaks has no class of its own
        words = " ".join(str(error).split())[:200]
        raise ValueError(f"{source} cannot be loaded as a {kind} file ({type(error).__name__}: {words})") from None


def _tokenizers(source: str) -> Callable[[str], int]:
    from tokenizers import Tokenizer  # noqa: PLC0415 - only who asks for it pays for it

    loaded: Any = Tokenizer.from_file(source)
    loaded.no_truncation()
    loaded.no_padding()
    return lambda text: len(loaded.encode(text, add_special_tokens=False))


def _tiktoken(source: str) -> Callable[[str], int]:
    import tiktoken  # noqa: PLC0415

    # tiktoken's own loader keeps copies by path, which outlive a file that has changed.
    lines = (line.split() for line in Path(source).read_bytes().splitlines() if line.strip())
    ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in lines}
    if not all(bytes([byte]) in ranks for byte in range(256)):
        raise ValueError("a byte without a token of its own")
    loaded = tiktoken.Encoding(Path(source).stem, pat_str=_GPT4_SPLIT, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(loaded.encode(text, disallowed_special=()))


_LOADERS: dict[Kind, Callable[[str], Callable[[str], int]]] = {"tokenizers": _tokenizers, "tiktoken": _tiktoken}

# How GPT-4's encoding (cl100k_base) splits a text before merging; files of merges do not say.
_GPT4_SPLIT = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"""
)


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
