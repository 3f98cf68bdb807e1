"""Nodes of a parsed file: what is written in them, and their order in the text."""

from collections.abc import Iterable, Mapping

from tree_sitter import Node

from codemill.core import trees


def text_of(node: Node) -> str:
    """Return what is written in a node."""
    return (node.text or b"").decode("utf-8", "replace")


def beginning(tree: trees.Tree, node: Node, size: int) -> str:
    """Return what is written in a node, no more of it than so many bytes: for nodes that may hold each other."""
    return tree.source[node.start_byte : min(node.end_byte, node.start_byte + size)].decode("utf-8", "replace")


def in_order(found: Mapping[str, Iterable[Node]]) -> list[tuple[Node, str]]:
    """Return captured nodes with their names in the order of the text, a node before those within it."""
    nodes = [(node, name) for name, each in found.items() for node in each]
    return sorted(nodes, key=lambda pair: (pair[0].start_byte, -pair[0].end_byte))
