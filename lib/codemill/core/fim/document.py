"""Fill-in-the-middle samples: a document is cut into prefix, middle and suffix, and written with sentinels.

``random`` middles follow Bavarian et al. (2207.14255): two cuts, uniform over characters, made before tokenising;
``ast_node`` middles are complete nodes of the syntax tree (AST-FIM, 2506.00204), drawn by class of node, so that most
are more than a name. PSM and SPM orders are mixed; the rest of the documents stays plain left-to-right text.

Every choice is a hash of (seed, file id, purpose). Offsets are characters unless a name says bytes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tree_sitter import Node, TreeCursor

from codemill.core import choice, trees
from codemill.core.languages import Language

Kind = Literal["ast_node", "random", "none"]
Order = Literal["psm", "spm", ""]
KINDS = ("ast_node", "random")
NODE_CLASSES = ("token", "expression", "line", "statement", "block", "function")

# Bounds on the work for one sample. Trying costs some microseconds, more in deep trees: DEPTH_PER_TRY levels cost one
# more try. A file of 200,000 nodes that span or fill lines has some megabytes.
MAX_TRIES = 300
DEPTH_PER_TRY = 30
MAX_DEPTH = 500
MAX_LINE_NODES = 200_000
# A line's indentation, and what may follow a node that fills its line.
MAX_INDENT = 200
# How far before a cut a grapheme cluster may begin.
MAX_CLUSTER = 4_096

_BLOCK = re.compile(
    r"(?:^|_)(?:block|body|suite|compound_statement|declaration_list|statement_list|statements|clause|members?|case"
    r"|then|else|do)$",
    re.IGNORECASE,
)
_AFTER_LINE = b" \t\r;,"
_CLUSTER = regex.compile(r"\X")
_LINE_CLASSES = frozenset({"line", "statement", "block", "function"})


class SentinelInText(ValueError):  # noqa: N818 - named for what happened
    """A document holds a sentinel literally, so a sample of it could not be told apart; ``sentinel`` says which."""

    def __init__(self, sentinel: str) -> None:
        """Keep the sentinel that was found."""
        super().__init__(f"the text contains the sentinel {sentinel!r}; allowed: none of the format's sentinels")
        self.sentinel = sentinel


class FimFormat(BaseModel):
    """The sentinels of a family of models, and its layout of suffix-prefix-middle order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field(min_length=1)
    suffix: str = Field(min_length=1)
    middle: str = Field(min_length=1)
    end: str = Field(min_length=1)
    reserved: tuple[str, ...] = ()
    spm: Literal["v1", "v2"]

    @property
    def sentinels(self) -> tuple[str, ...]:
        """Return all texts that no document may contain."""
        return (self.prefix, self.suffix, self.middle, self.end, *self.reserved)


class FimOptions(BaseModel):
    """How samples are made. ``kinds`` and ``node_classes`` are weights; they need not add up to one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: FimFormat
    node_classes: dict[str, float]
    max_middle_share: float = Field(gt=0, le=1)
    fim_rate: float = Field(default=0.7, ge=0, le=1)
    spm_rate: float = Field(default=0.5, ge=0, le=1)
    kinds: dict[str, float] = {"ast_node": 0.9, "random": 0.1}
    samples: int = Field(default=1, ge=1)

    @field_validator("kinds", "node_classes")
    @classmethod
    def _weights(cls, value: dict[str, float], info: Any) -> dict[str, float]:
        allowed = KINDS if info.field_name == "kinds" else NODE_CLASSES
        unknown = sorted(set(value) - set(allowed))
        if unknown:
            raise ValueError(f"unknown name {unknown[0]!r}; allowed: {', '.join(allowed)}")
        if min(value.values(), default=0) < 0 or sum(value.values()) <= 0:
            raise ValueError("allowed: weights of at least 0, one of them above 0")
        return value


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    formats: dict[str, FimFormat]
    node_classes: dict[str, float]
    max_middle_share: float


@dataclass(frozen=True)
class FimCatalogue:
    """What conf/fim.yaml says, checked."""

    formats: Mapping[str, FimFormat]
    node_classes: Mapping[str, float]
    max_middle_share: float

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "FimCatalogue":
        """Check the parsed conf/fim.yaml. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
            catalogue = cls(parsed.formats, parsed.node_classes, parsed.max_middle_share)
            for name in parsed.formats:
                catalogue.options(name)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"fim: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        return catalogue

    def options(self, format_name: str, **settings: Any) -> FimOptions:
        """Return options for one format; ``settings`` are other fields of FimOptions. Raises ValueError."""
        if format_name not in self.formats:
            raise ValueError(f"fim: found format {format_name!r}, allowed: {', '.join(sorted(self.formats))}")
        return FimOptions(
            format=self.formats[format_name],
            node_classes=dict(self.node_classes),
            max_middle_share=self.max_middle_share,
            **settings,
        )


@dataclass(frozen=True)
class FimSample:
    """One sample. ``prefix + middle + suffix`` is the document, byte for byte; ``text`` is the rendered sample.

    ``kind`` is how the middle was really chosen; ``node_type`` is the grammar's name of the node of an ``ast_node``,
    else empty. ``none`` is the document as it stands: all of it is ``prefix``, ``order`` is empty.
    """

    sample_id: str
    kind: Kind
    node_type: str
    order: Order
    prefix: str
    middle: str
    suffix: str
    text: str


@dataclass(frozen=True)
class _Cut:
    kind: Kind
    node_type: str
    start: int
    end: int


def sample(text: str, file_id: str, language: Language, options: FimOptions, seed: int) -> list[FimSample]:
    """Make ``options.samples`` samples of one document; ``sample_id`` is the file id, a colon and a number from 0.

    A document without grammar or suitable node gives a ``random`` sample instead of an ``ast_node``. Cuts never split a
    CRLF or a grapheme cluster (UAX 29). Raises SentinelInText.
    """
    for sentinel in options.format.sentinels:
        if sentinel in text:
            raise SentinelInText(sentinel)
    maker = _Maker(text, language, options, seed)
    return [maker.make(f"{file_id}:{number}") for number in range(options.samples)]


def answer(item: tuple[str, str, Language], options: FimOptions, seed: int) -> dict[str, Any]:
    """Return the samples of an item (text, file id, language), or the sentinel that its text holds, as plain values."""
    text, file_id, language = item
    try:
        return {"samples": [asdict(each) for each in sample(text, file_id, language, options, seed)]}
    except SentinelInText as error:
        return {"sentinel": error.sentinel}


def render(prefix: str, middle: str, suffix: str, order: Order, fmt: FimFormat) -> str:
    """Write a sample with sentinels, the end token last."""
    if order == "psm":
        return f"{fmt.prefix}{prefix}{fmt.suffix}{suffix}{fmt.middle}{middle}{fmt.end}"
    if order == "":
        return f"{prefix}{middle}{suffix}{fmt.end}"
    if fmt.spm == "v1":
        return f"{fmt.suffix}{suffix}{fmt.prefix}{prefix}{fmt.middle}{middle}{fmt.end}"
    return f"{fmt.prefix}{fmt.suffix}{suffix}{fmt.middle}{prefix}{middle}{fmt.end}"


def is_boundary(text: str, position: int) -> bool:
    """Say whether a cut at ``position`` leaves every grapheme cluster (a CRLF is one) whole."""
    return _cluster_start(text, position) == position


class _Maker:
    """Makes the samples of one document; its tree is parsed once, when the first sample asks for it."""

    def __init__(self, text: str, language: Language, options: FimOptions, seed: int) -> None:
        self.text = text
        self.language = language
        self.options = options
        self.seed = seed
        self._nodes: _Nodes | None = None

    def make(self, sample_id: str) -> FimSample:
        cut = self._cut(sample_id)
        prefix, middle, suffix = self.text[: cut.start], self.text[cut.start : cut.end], self.text[cut.end :]
        order: Order = ""
        if cut.kind != "none":
            order = "spm" if choice.unit(self.seed, sample_id, "order") < self.options.spm_rate else "psm"
        rendered = render(prefix, middle, suffix, order, self.options.format)
        return FimSample(sample_id, cut.kind, cut.node_type, order, prefix, middle, suffix, rendered)

    def _cut(self, sample_id: str) -> _Cut:
        plain = _Cut("none", "", len(self.text), len(self.text))
        if not self.text or choice.unit(self.seed, sample_id, "fim") >= self.options.fim_rate:
            return plain
        kind = _weighted(self.options.kinds, choice.unit(self.seed, sample_id, "kind"))
        node = self._node(sample_id) if kind == "ast_node" else None
        return node or self._random(sample_id)

    def _random(self, sample_id: str) -> _Cut:
        cuts = (choice.index(self.seed, sample_id, purpose, len(self.text) + 1) for purpose in ("cut:0", "cut:1"))
        start, end = sorted(_cluster_start(self.text, cut) for cut in cuts)
        return _Cut("random", "", start, end)

    def _node(self, sample_id: str) -> _Cut | None:
        if self.language.grammar is None:
            return None
        if self._nodes is None:
            tree = trees.parse(self.text, self.language.grammar)
            self._nodes = _Nodes(tree, self.language, self.options)
        return self._nodes.draw(self.seed, sample_id)


class _Nodes:
    """Draws nodes of one document's tree, uniformly within a class, without looking at every node.

    Nodes that span or fill lines are listed, once, by a walk that never descends into what lies within one line. Nodes
    within a line are most of a tree, so numbers of nodes in document order are drawn until one fits. Comments are not
    hidden by themselves.
    """

    def __init__(self, tree: trees.Tree, language: Language, options: FimOptions) -> None:
        self.tree = tree
        # Entries that are patterns match no type: Elixir's ``call`` alone says nothing.
        self.functions = frozenset(language.function_nodes)
        self.comments = frozenset(language.comment_nodes)
        self.options = options
        self.max_bytes = options.max_middle_share * len(self.tree.source)
        self.to_char: Callable[[int], int] = self.tree.char_offsets()
        self._listed: dict[str, list[Node]] | None = None

    def draw(self, seed: int, sample_id: str) -> _Cut | None:
        weights = {name: self.options.node_classes.get(name, 0.0) for name in NODE_CLASSES}
        for number in range(len(NODE_CLASSES)):
            name = _weighted(weights, choice.unit(seed, sample_id, f"class:{number}"))
            listed = name in _LINE_CLASSES
            cut = self._draw_listed(name, seed, sample_id) if listed else self._draw_within(name, seed, sample_id)
            if cut is not None:
                return cut
            del weights[name]
            if sum(weights.values()) <= 0:
                return None
        return None

    def _draw_listed(self, name: str, seed: int, sample_id: str) -> _Cut | None:
        if self._listed is None:
            self._listed = {each: [] for each in _LINE_CLASSES}
            for each, node in self._line_nodes():
                self._listed[each].append(node)
        nodes = self._listed[name]
        return self._cut(nodes[choice.index(seed, sample_id, f"node:{name}", len(nodes))]) if nodes else None

    def _line_nodes(self) -> Iterator[tuple[str, Node]]:
        cursor = self.tree.root.walk()
        source = self.tree.source
        for _ in range(MAX_LINE_NODES):
            node = cast("Node", cursor.node)
            several = source.find(b"\n", node.start_byte, node.end_byte - 1) >= 0
            if self._suits(node):
                name = self._class_of_lines(node) if several else "line"
                if several or self._fills_line(node):
                    yield name, node
            if several and not node.is_error and cursor.goto_first_child():
                continue
            if not _advance(cursor):
                return

    def _draw_within(self, name: str, seed: int, sample_id: str) -> _Cut | None:
        cursor = self.tree.root.walk()
        count = self.tree.root.descendant_count
        cost = tries = 0
        while cost < MAX_TRIES:
            cursor.goto_descendant(choice.index(seed, sample_id, f"node:{name}:{tries}", count))
            tries += 1
            depth = cursor.depth
            cost += 1 + depth // DEPTH_PER_TRY
            node = cast("Node", cursor.node)
            if depth <= MAX_DEPTH and self._is_within(name, node) and not self._inside_error(cursor):
                cut = self._cut(node)
                if cut is not None:
                    return cut
        return None

    def _is_within(self, name: str, node: Node) -> bool:
        if (name == "token") != (node.child_count == 0) or not self._suits(node):
            return False
        return self.tree.source.find(b"\n", node.start_byte, node.end_byte) < 0

    def _suits(self, node: Node) -> bool:
        if not node.is_named or node.is_missing or node.has_error or node.type in self.comments:
            return False
        return 0 < node.end_byte - node.start_byte <= self.max_bytes

    def _inside_error(self, cursor: TreeCursor) -> bool:
        if not self.tree.root.has_error:
            return False
        while cursor.goto_parent():
            if cast("Node", cursor.node).is_error:
                return True
        return False

    def _class_of_lines(self, node: Node) -> str:
        if node.type in self.functions:
            return "function"
        return "block" if _BLOCK.search(node.type) else "statement"

    def _fills_line(self, node: Node) -> bool:
        column = node.start_point.column
        if column > MAX_INDENT or self.tree.source[node.start_byte - column : node.start_byte].strip():
            return False
        # Some grammars count the line feed as part of a directive.
        end = node.end_byte - self.tree.source.endswith(b"\n", node.start_byte, node.end_byte)
        rest, newline, _ = self.tree.source[end : end + MAX_INDENT].partition(b"\n")
        return not rest.strip(_AFTER_LINE) and bool(newline or end + len(rest) == len(self.tree.source))

    def _cut(self, node: Node) -> _Cut | None:
        source = self.tree.source
        if _inside_character(source, node.start_byte) or _inside_character(source, node.end_byte):
            return None
        start, end = self.to_char(node.start_byte), self.to_char(node.end_byte)
        # Grammars whose comments run to the line feed count the carriage return before it as comment.
        if self.tree.text[end - 1 : end + 1] == "\r\n":
            end -= 1
        if self.tree.text[start:end].isspace() or not is_boundary(self.tree.text, start):
            return None
        return _Cut("ast_node", node.type, start, end) if is_boundary(self.tree.text, end) else None


def _advance(cursor: TreeCursor) -> bool:
    while not cursor.goto_next_sibling():
        if not cursor.goto_parent():
            return False
    return True


def _weighted(weights: Mapping[str, float], unit: float) -> str:
    point = unit * sum(weights.values())
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return next(name for name in reversed(list(weights)) if weights[name] > 0)


def _inside_character(source: bytes, position: int) -> bool:
    return position < len(source) and source[position] & 0xC0 == 0x80


def _cluster_start(text: str, position: int) -> int:
    """Return the start of the grapheme cluster that a cut at ``position`` would split, else ``position`` itself."""
    if not 0 < position < len(text) or _sure_boundary(text, position):
        return position
    start = position - 1
    while start > 0 and position - start < MAX_CLUSTER and not _sure_boundary(text, start):
        start -= 1
    for cluster in _CLUSTER.finditer(text, start):
        if cluster.end() == position:
            return position
        if cluster.end() > position:
            return int(cluster.start())
    return position


def _sure_boundary(text: str, position: int) -> bool:
    # Between two ASCII characters only a CRLF holds together.
    pair = text[position - 1 : position + 1]
    return pair.isascii() and pair != "\r\n"
