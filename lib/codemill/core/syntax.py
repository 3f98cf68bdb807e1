"""Syntax report of one text: how much of it its grammar cannot make sense of, and what else the tree tells for free.

The report holds measurements only. Which of them make a file too broken to keep is for the language table
(`max_error_share`, `max_errors`) and the step that reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tree_sitter import Node

from codemill.core import trees
from codemill.core.languages import Language


@dataclass(frozen=True)
class SyntaxReport:
    """Measurements of one text; sizes in bytes of its UTF-8. All but `bytes` are 0 when it was not `parsed`."""

    parsed: bool
    """False when the language has no grammar."""
    bytes: int
    nodes: int = 0
    error_nodes: int = 0
    """Stretches that the parser had to skip or could not fit in, nested ones included."""
    missing_nodes: int = 0
    """Tokens that the parser had to make up, such as a closing bracket."""
    error_bytes: int = 0
    """Bytes in error nodes, less those in well-formed constructs inside them."""
    comment_bytes: int = 0
    functions: int = 0
    max_depth: int = 0


def inspect(text: str, language: Language, *, seconds: float = trees.DEFAULT_SECONDS) -> SyntaxReport:
    """Parse a text as that language and measure its tree.

    Missing tokens count as well as error nodes: a parser that fits in one bracket reports no error node at all.
    Raises trees.ParseTimeout after that many seconds of processor time, or trees.Unparsable.
    """
    if language.grammar is None:
        return SyntaxReport(parsed=False, bytes=len(text.encode("utf-8", "surrogatepass")))
    tree = trees.parse(text, language.grammar, seconds=seconds)
    nodes = trees.captures(tree, trees.query({"comment": language.comment_nodes, "function": language.function_nodes}))
    error_nodes, missing_nodes, error_bytes = _errors(tree.root)
    # The line break that `trees.parse` puts at the end is nobody's.
    size = len(tree.source) - (not text.endswith("\n"))
    return SyntaxReport(
        parsed=True,
        bytes=size,
        nodes=tree.root.descendant_count,
        error_nodes=error_nodes,
        missing_nodes=missing_nodes,
        error_bytes=min(error_bytes, size),
        comment_bytes=min(_covered(nodes.get("comment", ())), size),
        functions=len(nodes.get("function", ())),
        max_depth=trees.max_depth(tree.root),
    )


def _errors(root: Node) -> tuple[int, int, int]:
    error_nodes = missing_nodes = error_bytes = 0
    # Clean subtrees are never entered: valid code costs one look at the root.
    stack = [(root, False)] if root.has_error else []
    while stack:
        node, counted = stack.pop()
        missing_nodes += node.is_missing
        error_nodes += node.is_error
        if node.is_error and not counted:
            error_bytes += _size(node)
        for child in node.children:
            nested = node.is_error and child.is_error
            if node.is_error and not nested and child.child_count:
                error_bytes -= _size(child)
            if child.has_error:
                stack.append((child, nested))
    return error_nodes, missing_nodes, error_bytes


def _covered(nodes: Iterable[Node]) -> int:
    covered = end = 0
    for node in nodes:
        covered += max(0, node.end_byte - max(node.start_byte, end))
        end = max(end, node.end_byte)
    return covered


def _size(node: Node) -> int:
    return node.end_byte - node.start_byte
