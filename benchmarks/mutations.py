"""Source files broken by one mistake, as people and tools make them. Which one is a hash of (seed, path, kind).

Whether a mistake really breaks the file is for a compiler to say: without its `return` a statement may still be one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from tree_sitter import Node

from codemill.core import choice, trees

_BRACKETS = frozenset("()[]{}")
_QUOTES = ('"', "'")
_CUT = (0.2, 0.9)
_CONFLICT_LINES = 3

KEYWORDS: Mapping[str, str] = {
    "python": "def class if elif else for while return import from in try except with lambda not and or is as",
    "javascript": "function const let var return if else for while new class import export from try catch in of",
    "java": "class public static void int return if else for while new import package try catch throws extends",
    "go": "func return if else for range var const type struct package import switch case defer map",
    "rust": "fn let mut pub use struct impl match if else for in while return mod enum trait where",
    "c": "int char void struct if else for while return static const switch case unsigned typedef",
    "cpp": "int char void struct class if else for while return const switch case namespace template using",
    "shell": "if then else fi for do done while case esac function in",
    "perl": "sub my if else elsif for foreach while return use package unless",
    "ruby": "def end class module if else elsif unless do while case when return begin rescue",
    "php": "function class if else foreach for while return public new use namespace as echo switch case",
    "csharp": "class public static void int return if else for foreach while new using namespace in switch",
}


@dataclass(frozen=True)
class Original:
    """A file that its compiler accepts."""

    path: str
    """What choices depend on, beside the seed."""
    text: str
    grammar: str
    language: str

    @cached_property
    def tokens(self) -> list[Node]:
        """The leaves of its tree, in order."""
        root = trees.parse(self.text, self.grammar).root
        return [node for node in trees.walk(root) if node.child_count == 0 and node.start_byte < node.end_byte]

    @cached_property
    def source(self) -> bytes:
        """Its text in UTF-8."""
        return self.text.encode()


def mutants(original: Original, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (kind, source) for each kind of mistake that the file has a place for."""
    for kind, mutate in _KINDS.items():
        source = mutate(original, partial(choice.index, seed, original.path, kind))
        if source is not None and source != original.source:
            yield kind, source


Choose = Callable[[int], int]


def _delete_bracket(original: Original, choose: Choose) -> bytes | None:
    return _without(original, [node for node in original.tokens if node.type in _BRACKETS], choose)


def _extra_bracket(original: Original, choose: Choose) -> bytes | None:
    brackets = [node for node in original.tokens if node.type in _BRACKETS]
    if not brackets:
        return None
    node = brackets[choose(len(brackets))]
    return original.source[: node.end_byte] + node.type.encode() + original.source[node.end_byte :]


def _unterminated_string(original: Original, choose: Choose) -> bytes | None:
    """Take the last quote of a string away."""
    return _without(original, [node for node in original.tokens if _closes_string(node)], choose)


def _closes_string(node: Node) -> bool:
    if node.type == "string_end":
        return True
    parent = node.parent
    return node.type in _QUOTES and parent is not None and parent.child_count > 1 and parent.children[-1] == node


def _delete_keyword(original: Original, choose: Choose) -> bytes | None:
    words = {word.encode() for word in KEYWORDS[original.language].split()}
    found = [
        node
        for node in original.tokens
        if original.source[node.start_byte : node.end_byte] in words
        and (not node.is_named or node.type.endswith("_type"))
    ]
    return _without(original, found, choose)


def _without(original: Original, nodes: Sequence[Node], choose: Choose) -> bytes | None:
    if not nodes:
        return None
    node = nodes[choose(len(nodes))]
    return original.source[: node.start_byte] + original.source[node.end_byte :]


def _conflict_markers(original: Original, choose: Choose) -> bytes | None:
    lines = original.source.split(b"\n")
    if len(lines) <= 2 * _CONFLICT_LINES:
        return None
    start = choose(len(lines) - _CONFLICT_LINES)
    ours = lines[start : start + _CONFLICT_LINES]
    conflict = [b"<<<<<<< HEAD", *ours, b"=======", *ours, b">>>>>>> feature"]
    return b"\n".join([*lines[:start], *conflict, *lines[start + _CONFLICT_LINES :]])


def _truncate(original: Original, choose: Choose) -> bytes | None:
    size = len(original.source)
    low, high = int(_CUT[0] * size), int(_CUT[1] * size)
    return original.source[: low + choose(high - low)] if high > low else None


_KINDS: Mapping[str, Callable[[Original, Choose], bytes | None]] = {
    "delete_bracket": _delete_bracket,
    "extra_bracket": _extra_bracket,
    "unterminated_string": _unterminated_string,
    "delete_keyword": _delete_keyword,
    "conflict_markers": _conflict_markers,
    "truncate": _truncate,
}
KINDS = tuple(_KINDS)
