"""Syntax trees: parsing, walking without recursion, bytes to characters.

Everything that needs a tree goes through here, so that grammars are loaded once per process, and tree-sitter's byte
offsets meet Python's character offsets in one place. Nothing here limits the time: work on texts that nobody knows is
for a process with the kernel's limits (`isolation`), since some grammars loop where no callback interrupts them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast

import numpy as np
import tree_sitter
import tree_sitter_language_pack
from tree_sitter import Node, Parser, Query, QueryCursor

from codemill.core.isolation import Limits

LIMITS = Limits(seconds=10, megabytes=4096)
"""For a process that works on trees. Valid code takes 0.1 s a megabyte, the worst junk seen 30 s a megabyte; the tree
of the largest text, nothing but names and commas, takes 2.7 GB."""

MAX_BYTES = 8 << 20
"""Larger texts are not parsed: a tree takes up to 300 times the bytes of its text."""

_QUERY_DEPTH = 20_000
"""Queries start no deeper: past 65,535 levels tree-sitter's queries take minutes, and nobody writes such code."""

_YAML_LEVELS = 200
"""Levels of nesting in YAML that are parsed: past 250 its grammar overruns a buffer and takes the process with it."""


class Unparsable(Exception):  # noqa: N818 - named for what the text is
    """A text that its grammar cannot be let loose on."""


class TooLarge(Unparsable):
    """A text is larger than anything that is parsed."""


@dataclass(frozen=True)
class Tree:
    """A parsed text: the tree, and the UTF-8 source that its byte offsets count in.

    The source ends with a line break even where the text does not, so nodes may end one byte after it.
    """

    text: str
    source: bytes
    grammar: str
    root: Node

    def char_offsets(self) -> Callable[[int], int]:
        """Return a function from byte offsets to character offsets of this text, at most its length."""
        size = len(self.text)
        to_char = char_offsets(self.text, self.source)
        return lambda offset: min(to_char(offset), size)

    def byte_offsets(self) -> Callable[[int], int]:
        """Return a function from character offsets in this text to byte offsets. See `byte_offsets`."""
        return byte_offsets(self.text, self.source)


def parse(text: str, grammar: str) -> Tree:
    """Parse a text with a bundled grammar, in whatever time it takes.

    Lone surrogates do not raise: they are parsed as the three bytes that they would take in UTF-8, which no grammar
    accepts outside strings and comments. Raises Unparsable for nesting that would crash the grammar, TooLarge, and
    LookupError for an unknown grammar.
    """
    if grammar == "yaml" and _yaml_levels(text) > _YAML_LEVELS:
        raise Unparsable(f"{grammar}: found over {_YAML_LEVELS} levels of nesting, allowed are {_YAML_LEVELS}")
    source = text.encode("utf-8", "surrogatepass")
    if not source.endswith(b"\n"):
        # Without it some grammars miss a token, and Perl's never returns from a comment at the very end.
        source += b"\n"
    if len(source) > MAX_BYTES:
        raise TooLarge(f"{grammar}: found {len(source)} bytes, allowed are {MAX_BYTES}")
    # A parser holds the state of one parse; making one costs less than a microsecond, sharing one is not thread-safe.
    parser = Parser(language(grammar))
    return Tree(text, source, grammar, parser.parse(source).root_node)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all its descendants in document order, parents before children. Any depth will do."""
    cursor = node.walk()
    while True:
        yield cast("Node", cursor.node)
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def query(entries: Mapping[str, Iterable[str]]) -> str:
    """Write a tree-sitter query that captures, under each name, what matches any of that name's entries.

    An entry is a node type (`if_statement`), one with what must stand in it (`assignment right: (_)`), or a whole
    pattern that begins with a parenthesis and marks the node meant with `@node` (`(block (call) @node)`).
    """
    return "\n".join(_pattern(entry, name) for name, each in entries.items() for entry in each)


def captures(tree: Tree, source: str) -> dict[str, list[Node]]:
    """Run a query over a tree: the captured nodes by name, in document order.

    Names without a match, and names that begin with an underscore, are left out. Raises ValueError for a bad query.
    """
    cursor = QueryCursor(_compiled(tree.grammar, source))
    cursor.set_max_start_depth(_QUERY_DEPTH)
    found = cursor.captures(tree.root)
    return {name: sorted(nodes, key=_position) for name, nodes in found.items() if not name.startswith("_")}


def char_offsets(text: str, source: bytes) -> Callable[[int], int]:
    """Return a function from byte offsets in `source`, the UTF-8 of `text`, to character offsets in `text`.

    Exact at the first byte of each character and at the end. Costs nothing for ASCII, one pass otherwise.
    """
    if text.isascii():
        return _same
    starts = (np.frombuffer(source, dtype=np.uint8) & 0xC0) != 0x80
    before = np.concatenate(([0], np.cumsum(starts, dtype=np.int64)))
    return lambda offset: int(before[offset])


def byte_offsets(text: str, source: bytes) -> Callable[[int], int]:
    """Return the way back: a function from character offsets in `text` to byte offsets in `source`, its UTF-8."""
    if text.isascii():
        return _same
    starts = np.flatnonzero((np.frombuffer(source, dtype=np.uint8) & 0xC0) != 0x80)
    return lambda offset: int(starts[offset]) if offset < len(starts) else len(source)


@cache
def language(grammar: str) -> tree_sitter.Language:
    """Load a bundled grammar, once per process. Raises LookupError for an unknown one."""
    return tree_sitter_language_pack.get_language(cast("tree_sitter_language_pack.SupportedLanguage", grammar))


@cache
def named_types(grammar: str) -> dict[int, str]:
    """Return a grammar's names of node types by number, of which a name may have several; anonymous ones left out."""
    known = language(grammar)
    named = [number for number in range(known.node_kind_count) if known.node_kind_is_named(number)]
    return {number: cast("str", known.node_kind_for_id(number)) for number in named}


@lru_cache(maxsize=1024)
def _compiled(grammar: str, source: str) -> Query:
    return Query(language(grammar), source)


def _yaml_levels(text: str) -> int:
    """Return a bound on the nesting: a level takes a column of indentation, or a `- ` or `? ` on the line."""
    long = (line for line in text.split("\n") if len(line) > _YAML_LEVELS)
    return max((len(line) - len(line.lstrip()) + line.count("- ") + line.count("? ") for line in long), default=0)


def _pattern(entry: str, name: str) -> str:
    return entry.replace("@node", f"@{name}") if entry.startswith("(") else f"({entry}) @{name}"


def _position(node: Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte


def _same(offset: int) -> int:
    return offset
