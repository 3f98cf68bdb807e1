"""Constructs of a language: functions, classes, branches and loops, where their bodies are, where signatures end.

`conf/constructs.yaml` has a row per language, explains the form of rows, and is read by this module; nothing here knows
a language. Offsets are bytes of a tree's source.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, get_args

from tree_sitter import Node

from codemill.core import trees

Construct = Literal["function", "class", "if", "for", "while", "try", "switch"]
CONSTRUCTS: tuple[Construct, ...] = get_args(Construct)

# One step to a node: names of fields and types, any of which will do; or a number; or, behind a plus, a sibling's type.
Step = tuple[str, ...]
# Where statements are, one after another.
Ranges = tuple[tuple[int, int], ...]

# What opens and closes a body without being part of it.
_OPENING = frozenset({"{", ":", "=", "->", "=>", "begin", "do", "then", "else", "is", "loop", "where", "of", "in"})
_CLOSING = frozenset({"}", "end", "done", "fi", "esac", "od", "endif", "endwhile", "endfor", "endfunction", "}}"})
_SEPARATORS = frozenset({";", ","})
# Nodes that are nothing but statements, one after another; any other node that nothing opens is one statement.
_SEQUENCE = re.compile(
    r"(?:\w*(?:block|body|bodies|statements|statement_list|declaration_list|cases|clauses|suite)|then|do)"
)
# A body of thousands of statements is looked at as far as this; longer ones are left alone.
_MAX_CHILDREN = 20_000
_MAX_WORD = 60
_FIRST_WORD = re.compile(rb"[^\s({\[;]+")

_KEY = re.compile(r"(?P<type>\w+)(?:\[(?P<having>[^\]\s]+)\])?(?: (?P<words>\S+))?")
_KEY_FORM = "a node type, also `type[what/it/holds]`, also with `word|word` behind a blank"
_STEP = r"\+?[^/+\s]+"
_WHERE = re.compile(
    rf"(?P<path>(?:{_STEP}/)*)(?:(?P<last>{_STEP})|(?P<after>[^/+ ]+) (?P<dots>\.\.\.?)(?: (?P<before>\S.*))?)"
)
_WHERE_FORM = (
    "a field or type, a number, `+type`, `X .. Y`, `X ... Y`, each also behind `a/b/`, a list of them, or null"
)


@dataclass(frozen=True)
class Place:
    """Where a body may be."""

    path: tuple[Step, ...]
    """The way from the construct's node, step by step, to the body's node or to the one that holds it."""
    after: Step | None
    """Where the body has no node of its own: the child behind which it begins."""
    before: frozenset[str]
    """The types of children before which it ends; at the node's end where there is none."""
    inclusive: bool
    """Whether it begins with that child."""


@dataclass(frozen=True)
class Shape:
    """One kind of node that is a construct, and where its body is."""

    construct: Construct
    having: tuple[Step, ...]
    """The way to what it must hold, if anything: bindings are functions where they have parameters."""
    words: frozenset[str]
    """The word with which its first named child must begin, if any: languages whose calls and lists are everything."""
    places: tuple[Place, ...]
    """Where the body is, the first that there is; none where there is no body."""


class Body(NamedTuple):
    """Where a body is: ``start`` to ``end`` without what encloses it; from ``outer`` on it is no signature any more."""

    node_type: str
    start: int
    end: int
    outer: int
    statements: Ranges
    """Start and end of each statement, comments included."""


class ConstructTable:
    """What conf/constructs.yaml says, checked."""

    def __init__(self, rows: Mapping[str, Mapping[str, tuple[Shape, ...]]]) -> None:
        """Take the shapes of each language by node type."""
        self._rows = rows

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "ConstructTable":
        """Check the parsed conf/constructs.yaml. Raises ValueError naming the key, what was found, what is allowed."""
        return cls({language: _row(language, row) for language, row in data.items()})

    def __getitem__(self, language: str) -> Mapping[str, tuple[Shape, ...]]:
        """Return the shapes of a language by node type; none for a language without a row."""
        return self._rows.get(language, {})

    def __iter__(self) -> Iterator[str]:
        """Iterate over the languages that have a row."""
        return iter(self._rows)


def shapes_by_id(grammar: str, shapes: Mapping[str, tuple[Shape, ...]]) -> dict[int, tuple[Shape, ...]]:
    """Return shapes by the grammar's numbers of node types, of which a type may have several."""
    names = trees.named_types(grammar)
    return {number: shapes[name] for number, name in names.items() if name in shapes}


def matching(node: Node, shapes: tuple[Shape, ...], source: bytes) -> Shape | None:
    """Return the shape that a node of that type has, the first that fits."""
    return next((shape for shape in shapes if _fits(node, shape, source)), None)


def body(node: Node, shape: Shape, source: bytes, comments: frozenset[str]) -> Body | None:
    """Find the body of a node; None for a declaration without one, and for an empty one.

    ``comments`` are the types of comment nodes. Comments on lines of their own between head and body belong to it.
    """
    found = (_body_at(node, place, source, comments) for place in shape.places)
    return next((each for each in found if each is not None), None)


def signature(node: Node, found: Body, source: bytes, comments: frozenset[str]) -> tuple[int, int] | None:
    """Return where the signature of a function with that body is: from its node's start to the last child before it."""
    end = node.start_byte
    for child in node.children[:_MAX_CHILDREN]:
        if child.start_byte >= found.outer:
            break
        if child.type not in comments:
            # A declarator may hold the body's beginning; then the body says where it ends.
            end = min(child.end_byte, found.outer)
    length = len(source[node.start_byte : end].rstrip())
    return (node.start_byte, node.start_byte + length) if length else None


def _fits(node: Node, shape: Shape, source: bytes) -> bool:
    if shape.words and _first_word(node, source) not in shape.words:
        return False
    return not shape.having or _follow(node, shape.having, frozenset()) is not None


def _first_word(node: Node, source: bytes) -> str:
    first = node.named_child(0) if node.named_child_count else None
    word = first and _FIRST_WORD.match(source, first.start_byte, min(first.end_byte, first.start_byte + _MAX_WORD))
    return word[0].decode("utf-8", "replace") if word else ""


def _follow(node: Node, path: tuple[Step, ...], comments: frozenset[str]) -> tuple[Node, Node] | None:
    """Return the last node of a path and the one before it; None where a step leads nowhere."""
    holder, found = node, node
    for step in path:
        child = _child(found, step, comments)
        if child is None:
            return None
        holder, found = found, child
    return found, holder


def _child(node: Node, step: Step, comments: frozenset[str]) -> Node | None:
    first = step[0]
    if first.isdecimal():
        code = (child for child in node.children[:_MAX_CHILDREN] if child.is_named and child.type not in comments)
        return next(islice(code, int(first), None), None)
    if first.startswith("+"):
        after = node.next_sibling
        while after is not None and after.type in comments:
            after = after.next_sibling
        return after if after is not None and after.type == first[1:] else None
    for name in step:
        found = node.child_by_field_name(name)
        if found is not None:
            return found
    return next((child for child in node.children[:_MAX_CHILDREN] if child.type in step), None)


def _body_at(node: Node, place: Place, source: bytes, comments: frozenset[str]) -> Body | None:
    end = _follow(node, place.path, comments)
    if end is None or end[0].child_count > _MAX_CHILDREN:
        return None
    found, holder = end
    if place.after is None:
        return _whole(found, holder, source, comments)
    opening = _child(found, place.after, comments)
    return opening and _between(found, opening, place, source, comments)


def _whole(node: Node, holder: Node, source: bytes, comments: frozenset[str]) -> Body | None:
    """Return the body that is a node, without what opens and closes it."""
    children = node.children
    first, last = int(_is_opened(node)), len(children)
    before = () if first else _comments_before(holder, node, comments)
    if not first and not _SEQUENCE.fullmatch(node.type):
        return _trimmed(node, 0, last, node.start_byte, (*before, _range(node)), source)
    while last > first and not children[last - 1].is_named and children[last - 1].type in _CLOSING:
        last -= 1
    return _trimmed(node, first, last, node.start_byte, before + _statements(children[first:last], comments), source)


def _between(node: Node, opening: Node, place: Place, source: bytes, comments: frozenset[str]) -> Body | None:
    """Return the body that is some children of a node."""
    children = node.children
    at = next(at for at, child in enumerate(children) if child.id == opening.id)
    first = at if place.inclusive else at + 1
    last = next((at for at in range(first, len(children)) if children[at].type in place.before), len(children))
    before = _comments_before(node, opening, comments) if place.inclusive else ()
    # A token opens the body and is no part of the signature, nor is what a node on the way to the body begins with;
    # another node, such as a list of parameters, is.
    is_head = opening.is_named and not place.inclusive and not (place.path and at == 0)
    outer = opening.end_byte if is_head else opening.start_byte
    return _trimmed(node, first, last, outer, before + _statements(children[first:last], comments), source)


def _trimmed(node: Node, first: int, last: int, outer: int, statements: Ranges, source: bytes) -> Body | None:
    """Return the body that children of a node are, from ``first`` or a statement before it to just before ``last``."""
    if not statements:
        return None
    children = node.children
    while first < last and children[first].type in _SEPARATORS:
        first += 1
    start = min(children[first - 1].end_byte if first else node.start_byte, statements[0][0])
    end = children[last].start_byte if last < len(children) else node.end_byte
    outer = min(outer, start)
    text = source[start:end]
    start, end = end - len(text.lstrip()), start + len(text.rstrip())
    return Body(node.type, start, end, outer, statements) if start < end else None


def _is_opened(node: Node) -> bool:
    first = node.children[0] if node.child_count else None
    if first is None or first.is_named or first.type not in _OPENING:
        return False
    # The loop that is the only statement of a body opens a body of its own.
    return first.type not in {"do", "loop"} or not node.type.endswith(("statement", "expression"))


def _statements(children: list[Node], comments: frozenset[str]) -> Ranges:
    """Return where the named children are, out of what wraps all of them."""
    named = [child for child in children if child.is_named]
    while True:
        code = [at for at, child in enumerate(named) if child.type not in comments]
        if len(code) != 1:
            break
        only = named[code[0]]
        if not _SEQUENCE.fullmatch(only.type) or not 0 < only.child_count <= _MAX_CHILDREN:
            break
        if not only.children[0].is_named:  # a block inside the body
            break
        named[code[0] : code[0] + 1] = [child for child in only.children if child.is_named]
    return tuple(map(_range, named))


def _comments_before(holder: Node, node: Node, comments: frozenset[str]) -> Ranges:
    """Return where the comments are that stand between a head and its body, on lines of their own."""
    children = holder.children[:_MAX_CHILDREN]
    at = next((at for at, child in enumerate(children) if child.id == node.id), 0)
    first = at
    while first and children[first - 1].type in comments:
        first -= 1
    if not first:
        return ()
    line = children[first - 1].end_point.row
    return tuple(_range(child) for child in children[first:at] if child.start_point.row > line)


def _range(node: Node) -> tuple[int, int]:
    return node.start_byte, node.end_byte


def _row(language: str, row: Any) -> dict[str, tuple[Shape, ...]]:
    found: dict[str, list[Shape]] = {}
    for construct, kinds in _mapping(language, row, f"a mapping of {', '.join(CONSTRUCTS)}").items():
        key = f"{language}.{construct}"
        if construct not in CONSTRUCTS:
            raise ValueError(f"constructs: {language}: found {construct!r:.80}, allowed are {', '.join(CONSTRUCTS)}")
        for kind, where in _mapping(key, kinds, "a mapping of node types").items():
            named = _KEY.fullmatch(str(kind))
            if named is None:
                raise ValueError(f"constructs: {key}: found {kind!r:.80}, allowed is {_KEY_FORM}")
            words = frozenset((named["words"] or "").split("|")) - {""}
            shape = Shape(construct, _path(named["having"] or ""), words, _places(f"{key}.{kind}", where))
            found.setdefault(named["type"], []).append(shape)
    return {name: tuple(shapes) for name, shapes in found.items()}


def _mapping(key: str, found: Any, allowed: str) -> Mapping[Any, Any]:
    if not isinstance(found, Mapping):
        raise ValueError(f"constructs: {key}: found {found!r:.80}, allowed is {allowed}")  # noqa: TRY004 - bad text
    return found


def _places(key: str, where: Any) -> tuple[Place, ...]:
    if where is None:
        return ()
    places = where if isinstance(where, list) else [where]
    found = [_WHERE.fullmatch(str(each) if isinstance(each, str | int) else "") for each in places]
    if not found or None in found:
        raise ValueError(f"constructs: {key}: found {where!r:.80}, allowed is {_WHERE_FORM}")
    return tuple(_place(each) for each in found if each)


def _place(found: re.Match[str]) -> Place:
    if found["last"]:
        return Place(_path(found[0]), None, frozenset(), inclusive=False)
    before = frozenset((found["before"] or "").split("|")) - {""}
    return Place(_path(found["path"]), tuple(found["after"].split("|")), before, inclusive=found["dots"] == "...")


def _path(steps: str) -> tuple[Step, ...]:
    return tuple(tuple(step.split("|")) for step in steps.split("/") if step)
