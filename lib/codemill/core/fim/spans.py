"""Spans: which part of a document is its middle, by a kind that is drawn, and without overlapping others.

``random`` spans follow Bavarian et al. (2207.14255): two cuts, uniform over characters, made before tokenising. The
structured kinds stand on the syntax tree (AST-FIM, 2506.00204; aiXcoder-7B) or on lines. A kind that a document cannot
give is replaced by another structured one, drawn by the same weights, so that the share of random spans stays what was
asked for. Offsets are characters unless a name says bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple, cast

from codemill.core import constructs, trees
from codemill.core.constructs import ConstructTable
from codemill.core.fim.boundaries import cluster_start, is_boundary
from codemill.core.fim.chance import Chance, Range
from codemill.core.fim.lines import Lines
from codemill.core.fim.nodes import Found, Nodes, SizeClass
from codemill.core.fim.options import FimOptions, Kind
from codemill.core.languages import Language

# A middle that overlaps another of its document is drawn anew so many times.
_MAX_DRAWS = 8
# What never stands in for a kind that a document cannot give: it is not structured.
_NO_SUBSTITUTES = frozenset({"random", "none", "empty", "empty_middle"})

# Gets what a document has, a range, the length of the longest middle and the chances of this sample.
ByTree = Callable[[Nodes, Range, float, Chance], "Found | None"]
BySize = Callable[[Nodes, SizeClass, Range, float, Chance], "Found | None"]


class Span(NamedTuple):
    """A middle: ``start`` to ``end``, how it was chosen, and what it is."""

    start: int
    end: int
    kind: Kind
    situation: str = ""
    node_type: str = ""
    size_class: str = ""
    construct: str = ""


def _statement(construct: constructs.Construct) -> ByTree:
    return lambda nodes, within, longest, chance: nodes.statement(construct, within, longest, chance)


def _part(part: str) -> ByTree:
    return lambda nodes, within, longest, chance: nodes.part_of_body(part, within, longest, chance)


def _body(wanted: Sequence[str]) -> ByTree:
    kinds = frozenset(wanted)
    return lambda nodes, within, longest, chance: nodes.body(kinds, within, longest, chance)


_BY_SIZE: dict[str, BySize] = {"ast_node": Nodes.node, "ast_partial": Nodes.partial}
_BY_TREE: dict[str, tuple[Kind, ByTree]] = {
    "ast_span": ("ast_span", Nodes.siblings),
    "body": ("body", _body(constructs.CONSTRUCTS)),
    "signature": ("signature", Nodes.signature),
    "method_signature": ("signature", Nodes.signature),
    "method_body": ("body", _body(["function"])),
    "method_with_comment": ("ast_span", Nodes.commented),
    "body_top": ("ast_span", _part("top")),
    "body_middle": ("ast_span", _part("middle")),
    "body_bottom": ("ast_span", _part("bottom")),
    "if_statement": ("ast_node", _statement("if")),
    "for_statement": ("ast_node", _statement("for")),
    "while_statement": ("ast_node", _statement("while")),
    "try_statement": ("ast_node", _statement("try")),
    "switch_statement": ("ast_node", _statement("switch")),
}
_SITUATIONS_ON_LINES = {"single_line": "line", "empty_middle": "empty"}


class Spans:
    """Draws the spans of one document, which is parsed at most once, and only if a span asks for it."""

    def __init__(self, text: str, language: Language, table: ConstructTable, options: FimOptions) -> None:
        """Take a document."""
        self._text = text
        self._language = language
        self._table = table
        self._options = options

    @cached_property
    def tree(self) -> trees.Tree | None:
        """The document's tree; None without a grammar, for an empty text, and for one that is not let loose on it."""
        if not self._language.grammar or not self._text:
            return None
        try:
            return trees.parse(self._text, self._language.grammar)
        except trees.Unparsable:
            return None

    def draw(self, within: Range, taken: Sequence[Range], chance: Chance) -> Span | None:
        """Draw a span of a part of the document that overlaps none of ``taken``; None when there is none."""
        for number in range(_MAX_DRAWS):
            span = self._draw(within, chance if number == 0 else chance.again(str(number)))
            if span.kind == "none" or not any(_overlap(span, other) for other in taken):
                return span
        return None

    def _draw(self, within: Range, chance: Chance) -> Span:
        weights = dict(self._options.kinds)
        number = 0
        while weights:
            name = weighted(weights, chance.unit(f"kind:{number}" if number else "kind"))
            span = self._of_kind(name, within, chance)
            if span is not None:
                return span
            weights = {other: weights[other] for other in weights if other not in _NO_SUBSTITUTES | {name}}
            weights = weights if sum(weights.values()) > 0 else {}
            number += 1
        return self._random(within, chance)

    def _of_kind(self, name: str, within: Range, chance: Chance) -> Span | None:
        if name == "none":
            return Span(within.end, within.end, "none")
        if name == "random":
            return self._random(within, chance)
        if name in _BY_SIZE or name in _BY_TREE:
            return self._by_tree(name, within, chance)
        return self._on_lines(name, within, chance)

    def _random(self, within: Range, chance: Chance) -> Span:
        cuts = (chance.index(f"cut:{number}", within.end - within.start + 1) for number in range(2))
        start, end = sorted(cluster_start(self._text, within.start + cut) for cut in cuts)
        return Span(max(start, within.start), max(end, within.start), "random")

    def _on_lines(self, name: str, within: Range, chance: Chance) -> Span | None:
        lines = self._lines(within)
        longest = self._options.max_middle_share * (within.end - within.start)
        kind = _SITUATIONS_ON_LINES.get(name, name)
        if kind == "line":
            found = lines.one(longest, chance)
        elif kind == "lines":
            found = lines.several(self._options.max_lines, longest, chance)
        else:
            found = lines.empty(chance)
        if found is None or not self._is_clean(found):
            return None
        return Span(found.start, found.end, cast("Kind", kind), name if name != kind else "")

    def _by_tree(self, name: str, within: Range, chance: Chance) -> Span | None:
        if self._nodes is None or self.tree is None:
            return None
        bytes_ = Range(self._to_byte(within.start), self._to_byte(within.end))
        longest = self._options.max_middle_share * (bytes_.end - bytes_.start)
        if name in _BY_SIZE:
            return self._by_size(self._nodes, name, bytes_, longest, chance)
        kind, draw = _BY_TREE[name]
        found = draw(self._nodes, bytes_, longest, chance)
        return found and self._span(found, kind, name if name != kind else "")

    def _by_size(self, nodes: Nodes, kind: str, within: Range, longest: float, chance: Chance) -> Span | None:
        weights = {name: weight for name, weight in self._options.size_classes.items() if weight}
        number = 0
        while weights:
            name = cast("SizeClass", weighted(weights, chance.unit(f"class:{number}")))
            found = _BY_SIZE[kind](nodes, name, within, longest, chance)
            span = found and self._span(found, cast("Kind", kind), "")
            if span is not None:
                return span
            del weights[name]
            number += 1
        return None

    def _span(self, found: Found, kind: Kind, situation: str) -> Span | None:
        """Turn bytes into characters; None for what would split a character or a grapheme cluster."""
        tree = cast("trees.Tree", self.tree)
        if _inside_character(tree.source, found.start) or _inside_character(tree.source, found.end):
            return None
        start, end = self._to_char(found.start), self._to_char(found.end)
        # Grammars whose comments run to the line feed count the carriage return before it as comment.
        if self._text[end - 1 : end + 1] == "\r\n":
            end -= 1
        if start >= end or not self._is_clean(Range(start, end)):
            return None
        return Span(start, end, kind, situation, found.node_type, found.size_class, found.construct)

    def _is_clean(self, found: Range) -> bool:
        return is_boundary(self._text, found.start) and is_boundary(self._text, found.end)

    @cached_property
    def _nodes(self) -> Nodes | None:
        return None if self.tree is None else Nodes(self.tree, self._language, self._table)

    @cached_property
    def _to_char(self) -> Callable[[int], int]:
        return cast("trees.Tree", self.tree).char_offsets()

    @cached_property
    def _to_byte(self) -> Callable[[int], int]:
        return cast("trees.Tree", self.tree).byte_offsets()

    @cached_property
    def _lines(self) -> Callable[[Range], Lines]:
        return lru_cache(maxsize=1)(lambda within: Lines(self._text, within))


def weighted(weights: Mapping[str, float], unit: float) -> str:
    """Return the name that a number in [0, 1) stands for, by weights that need not add up to one."""
    point = unit * sum(weights.values())
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return next(name for name in reversed(list(weights)) if weights[name] > 0)


def _overlap(span: Span, other: Range) -> bool:
    return span.start < other.end and other.start < span.end


def _inside_character(source: bytes, position: int) -> bool:
    return position < len(source) and source[position] & 0xC0 == 0x80
