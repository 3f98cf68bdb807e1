"""The nodes of one document's tree that may be hidden, drawn uniformly within a size class, without looking at all.

Nodes that span or fill lines are listed once, by a walk that never descends into what lies within one line. Nodes
within a line are most of a tree, so numbers of nodes in document order are drawn until one fits. Never drawn: nodes
that the grammar gives no name, nodes with an error in them, nodes in an error, comments by themselves.

Offsets are bytes of the tree's source. White space at the edges of a node that spans or fills lines is left outside, so
its indentation is part of the prefix, and its last line break part of the suffix.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple, cast, get_args

from tree_sitter import Node, TreeCursor

from codemill.core import constructs, trees
from codemill.core.constructs import Body, Construct, ConstructTable, Shape
from codemill.core.fim.chance import MAX_LOOKS, Chance, Range
from codemill.core.languages import Language

SizeClass = Literal["token", "expression", "line", "statement", "block", "function", "class"]
SIZE_CLASSES: tuple[SizeClass, ...] = get_args(SizeClass)

# Bounds on the work for one sample. Trying costs some microseconds, more in deep trees: DEPTH_PER_TRY levels cost one
# more try. A file of 200,000 nodes that span or fill lines has some megabytes.
MAX_TRIES = 300
DEPTH_PER_TRY = 30
MAX_DEPTH = 500
MAX_LISTED = 200_000
# Siblings are looked at one by one.
_MAX_SIBLINGS = 400
# A line's indentation, and what may follow a node that fills its line.
_MAX_INDENT = 200
_AFTER_LINE = b" \t\r;,"
_BLANKS = frozenset(b" \t\n")
# Of the languages with functions, only Python's dialects begin a body with such a string.
_DOCSTRING = re.compile(rb"[rR]?(?:\"\"\"|''')")

_BLOCK = re.compile(
    r"(?:^|_)(?:block|body|suite|compound_statement|declaration_list|statement_list|statements|clause|members?|case"
    r"|then|else|do)$",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """What may be hidden. ``node_type`` is the node's own, or that of the node whose children or part it is."""

    start: int
    end: int
    node_type: str
    size_class: SizeClass | Literal[""] = ""
    construct: Construct | Literal[""] = ""


class _Listed(NamedTuple):
    start: int
    end: int
    size_class: SizeClass
    node: Node


class _Constructed(NamedTuple):
    start: int
    end: int
    node: Node
    shape: Shape


class Nodes:
    """The nodes of one document. Everything is drawn within a range of it, and no longer than ``longest`` bytes."""

    def __init__(self, tree: trees.Tree, language: Language, table: ConstructTable) -> None:
        """List what spans or fills lines."""
        self.tree = tree
        self._comments = frozenset(language.comment_nodes)
        self._comment_ids = _ids(tree.grammar, self._comments)
        self._blocks = _blocks_of(tree.grammar)
        self._shapes = constructs.shapes_by_id(tree.grammar, table[language.name])
        self._listed: dict[SizeClass, list[_Listed]] = {size_class: [] for size_class in SIZE_CLASSES}
        self._constructs: list[_Constructed] = []
        self._list()

    def node(self, size_class: SizeClass, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw one node of a size class."""
        node = self._draw(size_class, within, longest, chance)
        return None if node is None else self._whole(node, size_class)

    def partial(self, size_class: SizeClass, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw a range that starts inside a node of a size class, and ends where one of the node's children ends."""
        node = self._draw(size_class, within, longest, chance)
        if node is None or node.child_count == 0:
            return None
        start = node.start_byte + 1 + chance.index("partial:start", max(node.end_byte - node.start_byte - 1, 1))
        while start < node.end_byte and self.tree.source[start] & 0xC0 == 0x80:
            start += 1
        if start >= node.end_byte:
            return None
        cursor = node.walk()
        if cursor.goto_first_child_for_byte(start + chance.index("partial:end", node.end_byte - start)) is None:
            return None
        end = cast("Node", cursor.node).end_byte
        found = self._trimmed(start, min(end, node.end_byte), node.type, size_class)
        return found and found._replace(start=start)

    def siblings(self, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw a random range and align it to a run of at least two complete siblings (AST-FIM, 2506.00204)."""
        for number in range(MAX_LOOKS):
            cuts = (within.start + chance.index(f"run:{number}:{i}", within.end - within.start + 1) for i in "01")
            start, end = sorted(cuts)
            if 0 < end - start <= longest:
                found = self._aligned(start, end, within)
                if found is not None and found.end - found.start <= longest:
                    return found
        return None

    def body(self, wanted: frozenset[str], within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw the body of a construct, one of ``wanted``, without what encloses it."""
        for each, found in self._bodies(wanted, within, chance):
            if found.end - found.start <= longest:
                size = self._size_of(found.start, found.end)
                return Found(found.start, found.end, found.node_type, size, each.shape.construct)
        return None

    def signature(self, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw what stands before the body of a function."""
        for each, body in self._bodies(frozenset({"function"}), within, chance):
            found = constructs.signature(each.node, body, self.tree.source, self._comments)
            if found is not None and found[1] - found[0] <= longest:
                return Found(*found, each.node.type, self._size_of(*found), "function")
        return None

    def statement(self, wanted: Construct, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw a whole construct of one kind."""
        for each in self._drawn(frozenset({wanted}), within, chance):
            if each.end - each.start <= longest and (
                found := self._whole(each.node, self._class_of(each.node, each.shape))
            ):
                return found._replace(construct=wanted)
        return None

    def part_of_body(self, part: str, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw some of the first (``top``), ``middle`` or last (``bottom``) statements of a function's body."""
        bodies = self._bodies(frozenset({"function"}), within, chance)
        for number, (each, body) in enumerate(bodies):
            count = len(body.statements)
            if count < 3:
                continue
            first = 0 if part == "top" else 1 + chance.index(f"first:{number}", count - 2 + (part == "bottom"))
            rest = count - first - (part != "bottom")
            last = count - 1 if part == "bottom" else first + chance.index(f"last:{number}", rest)
            # What closes the last statement, a semicolon of a grammar that counts it apart, goes with it.
            end = body.end if part == "bottom" else body.statements[last + 1][0]
            found = self._trimmed(body.statements[first][0], end, body.node_type, "")
            if found is not None and found.end - found.start <= longest:
                return found._replace(size_class=self._size_of(found.start, found.end), construct=each.shape.construct)
        return None

    def commented(self, within: Range, longest: float, chance: Chance) -> Found | None:
        """Draw a function with the comment right above it, or with the docstring that its body begins with."""
        for each in self._drawn(frozenset({"function"}), within, chance):
            start = self._comment_above(each.node)
            if start is None and self._has_docstring(each):
                start = each.start
            if start is not None and within.start <= start and each.end - start <= longest:
                return self._trimmed(start, each.end, each.node.type, "function", "function")
        return None

    def _list(self) -> None:
        # Most of the time goes here: names are bound to locals, and what is cheap and rules most nodes out comes first.
        source = self.tree.source
        cursor = self.tree.root.walk()
        find, down, next_, up = source.find, cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
        for _ in range(MAX_LISTED):
            node = cast("Node", cursor.node)
            start, end = node.start_byte, node.end_byte
            several = find(b"\n", start, end - 1) >= 0
            if several or ((not start or source[start - 1] in _BLANKS) and self._fills_line(node, start, end)):
                if self._suits(node):
                    shape = self._shape(node)
                    size_class = self._class_of(node, shape) if several else "line"
                    self._listed[size_class].append(_Listed(start, end, size_class, node))
                    if shape:
                        self._constructs.append(_Constructed(start, end, node, shape))
                if several and not node.is_error and down():
                    continue
            while not next_():
                if not up():
                    return

    def _draw(self, size_class: SizeClass, within: Range, longest: float, chance: Chance) -> Node | None:
        if size_class in ("token", "expression"):
            return self._draw_within_line(size_class, within, longest, chance)
        listed = self._listed[size_class]
        first, last = _slice(listed, within)
        for at in chance.order(f"node:{size_class}", last - first):
            each = listed[first + at]
            if each.end <= within.end and each.end - each.start <= longest:
                return each.node
        return None

    def _draw_within_line(self, size_class: SizeClass, within: Range, longest: float, chance: Chance) -> Node | None:
        cursor = self.tree.root.walk()
        first, last = self._numbers(within)
        cost = tries = 0
        while cost < MAX_TRIES and first < last:
            cursor.goto_descendant(first + chance.index(f"node:{size_class}:{tries}", last - first))
            tries += 1
            depth = cursor.depth
            cost += 1 + depth // DEPTH_PER_TRY
            node = cast("Node", cursor.node)
            suits = depth <= MAX_DEPTH and self._is_within_line(size_class, node, within, longest)
            if suits and not self._inside_error(cursor):
                return node
        return None

    def _numbers(self, within: Range) -> tuple[int, int]:
        """Return the numbers, in document order, between which the nodes of a range lie."""
        is_last = within.end >= len(self.tree.source) - 1
        last = self.tree.root.descendant_count if is_last else self._number_at(within.end)
        return self._number_at(within.start) if within.start > 0 else 0, last

    def _number_at(self, position: int) -> int:
        cursor = self.tree.root.walk()
        while cursor.goto_first_child_for_byte(position) is not None and cursor.depth <= MAX_DEPTH:
            pass
        return cursor.descendant_index

    def _is_within_line(self, size_class: SizeClass, node: Node, within: Range, longest: float) -> bool:
        if (size_class == "token") != (node.child_count == 0):
            return False
        start, end = node.start_byte, node.end_byte
        if start < within.start or end > within.end or end - start > longest or not self._suits(node):
            return False
        if self.tree.source.find(b"\n", start, end) >= 0 or self.tree.source[start:end].isspace():
            return False
        return not self._fills_line(node, start, end)

    def _suits(self, node: Node) -> bool:
        if not node.is_named or node.has_error or node.is_missing or node.kind_id in self._comment_ids:
            return False
        return node.end_byte > node.start_byte

    def _inside_error(self, cursor: TreeCursor) -> bool:
        if not self.tree.root.has_error:
            return False
        while cursor.goto_parent():
            if cast("Node", cursor.node).is_error:
                return True
        return False

    def _shape(self, node: Node) -> Shape | None:
        shapes = self._shapes.get(node.kind_id)
        return constructs.matching(node, shapes, self.tree.source) if shapes else None

    def _class_of(self, node: Node, shape: Shape | None) -> SizeClass:
        if shape and shape.construct in ("function", "class"):
            return cast("SizeClass", shape.construct)
        is_block = self._blocks.get(node.kind_id)
        if is_block is None:
            is_block = self._blocks[node.kind_id] = _BLOCK.search(node.type) is not None
        return "block" if is_block else "statement"

    def _size_of(self, start: int, end: int) -> SizeClass:
        """Return the size class of what is no node of its own."""
        return "block" if self.tree.source.find(b"\n", start, end) >= 0 else "line"

    def _fills_line(self, node: Node, start: int, end: int) -> bool:
        source = self.tree.source
        column = node.start_point.column
        if column > _MAX_INDENT or source[start - column : start].strip():
            return False
        # Some grammars count the line feed as part of a directive.
        end -= source.endswith(b"\n", start, end)
        rest, newline, _ = source[end : end + _MAX_INDENT].partition(b"\n")
        return not rest.strip(_AFTER_LINE) and bool(newline or end + len(rest) == len(source))

    def _whole(self, node: Node, size_class: SizeClass) -> Found | None:
        if size_class in ("token", "expression"):
            return Found(node.start_byte, node.end_byte, node.type, size_class)
        return self._trimmed(node.start_byte, node.end_byte, node.type, size_class)

    def _trimmed(
        self,
        start: int,
        end: int,
        node_type: str,
        size_class: SizeClass | Literal[""],
        construct: Construct | Literal[""] = "",
    ) -> Found | None:
        text = self.tree.source[start:end]
        start, end = end - len(text.lstrip()), start + len(text.rstrip())
        return Found(start, end, node_type, size_class, construct) if start < end else None

    def _aligned(self, start: int, end: int, within: Range) -> Found | None:
        cursor = self._smallest_around(start, end)
        if cursor is None:
            return None
        parent = cast("Node", cursor.node)
        first = _nearest(parent.walk(), start, at_start=True)
        last = _nearest(parent.walk(), end, at_start=False)
        if first is None or last is None or first.start_byte >= last.start_byte:
            return None
        if first.start_byte < within.start or last.end_byte > within.end:
            return None
        if parent.has_error and not _is_sound(first, last):
            return None
        if first.type in self._comments and last.type in self._comments:
            return None
        found = self._trimmed(first.start_byte, last.end_byte, parent.type, "")
        if found is None or found.start != first.start_byte:
            return None
        several = self.tree.source.find(b"\n", found.start, found.end) >= 0
        return found._replace(size_class="block" if several else "expression")

    def _smallest_around(self, start: int, end: int) -> TreeCursor | None:
        """Return a cursor at the smallest node that holds a range; None inside an error."""
        cursor = self.tree.root.walk()
        while cursor.depth <= MAX_DEPTH:
            if cast("Node", cursor.node).is_error:
                return None
            if cursor.goto_first_child_for_byte(start) is None:
                break
            node = cast("Node", cursor.node)
            if node.start_byte > start or node.end_byte < end or node.child_count == 0:
                cursor.goto_parent()
                break
        return cursor

    def _drawn(self, wanted: frozenset[str], within: Range, chance: Chance) -> Iterator[_Constructed]:
        """Yield constructs in a random order."""
        first, last = _slice(self._constructs, within)
        inside = [
            each for each in self._constructs[first:last] if each.shape.construct in wanted and each.end <= within.end
        ]
        for at in chance.order("construct", len(inside)):
            yield inside[at]

    def _bodies(self, wanted: frozenset[str], within: Range, chance: Chance) -> Iterator[tuple[_Constructed, Body]]:
        for each in self._drawn(wanted, within, chance):
            found = constructs.body(each.node, each.shape, self.tree.source, self._comments)
            if found is not None and found.end <= within.end:
                yield each, found

    def _has_docstring(self, each: _Constructed) -> bool:
        body = constructs.body(each.node, each.shape, self.tree.source, self._comments)
        return body is not None and _DOCSTRING.match(self.tree.source, body.statements[0][0]) is not None

    def _comment_above(self, node: Node) -> int | None:
        """Return where the comments begin that stand right above a node, or above what wraps it; None without any."""
        for _ in range(3):
            start = node.start_byte
            above = node.prev_sibling
            for _ in range(_MAX_SIBLINGS):
                if above is None or above.type not in self._comments:
                    break
                between = self.tree.source[above.end_byte : start]
                if between.strip() or between.count(b"\n") + self.tree.source.endswith(b"\n", 0, above.end_byte) > 1:
                    break
                start, above = above.start_byte, above.prev_sibling
            if start < node.start_byte:
                return start
            parent = node.parent
            if parent is None or parent.end_byte != node.end_byte or parent.parent is None:
                return None
            node = parent
        return None


@cache
def _ids(grammar: str, types: frozenset[str]) -> frozenset[int]:
    return frozenset(number for number, name in trees.named_types(grammar).items() if name in types)


@cache
def _blocks_of(grammar: str) -> dict[int, bool]:
    """Return what is known so far of which types of nodes are blocks."""
    return {}


def _slice(entries: "list[_Listed] | list[_Constructed]", within: Range) -> tuple[int, int]:
    """Return which entries, which are in the order of their starts, begin in a range."""
    return bisect_left(entries, (within.start,)), bisect_left(entries, (within.end,))


def _nearest(cursor: TreeCursor, position: int, *, at_start: bool) -> Node | None:
    """Return the named child of the cursor's node whose start (or end) is nearest to a position."""
    if cursor.goto_first_child_for_byte(position) is None:
        return None
    node = cast("Node", cursor.node)
    near_end = position - node.start_byte > node.end_byte - position
    if at_start and near_end:
        return node.next_named_sibling
    if not at_start and not near_end:
        return node.prev_named_sibling
    if node.is_named:
        return node
    return node.next_named_sibling if at_start else node.prev_named_sibling


def _is_sound(first: Node, last: Node) -> bool:
    node: Node | None = first
    for _ in range(_MAX_SIBLINGS):
        if node is None or node.has_error:
            return False
        if node.start_byte >= last.start_byte:
            return True
        node = node.next_sibling
    return False
