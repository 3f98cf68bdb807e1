"""What a tree is looked through for: comments, functions, and what the language table forbids or requires.

One query finds them all, in a walk over the whole tree that takes a third of a parse and more. Where nothing is
forbidden or required and functions begin with a word, comments and functions are those that the lexer sees, and what it
takes for one is looked up in the tree, at a tenth of the cost.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tree_sitter import Node

from codemill.core import trees
from codemill.core.languages import Forbidden, Language
from codemill.core.lexing import Survey

Nodes = Mapping[str, Sequence[Node]]
"""Nodes by the name under which `marked` returns them, in document order."""


class Landmarks(NamedTuple):
    """What was found in a tree, in document order."""

    comments: Sequence[Sequence[int]]
    """Start and end in bytes; to be confirmed (`is_comment`) where it matters."""
    functions: Sequence[Node]
    nodes: Nodes
    """What is forbidden or required."""


def find(tree: trees.Tree, survey: Survey, language: Language) -> Landmarks:
    """Find the landmarks of a tree, given what the lexer saw in its source."""
    by_lexer = language.function_words and not (language.forbidden or language.required or language.line_separated)
    if by_lexer and not tree.root.has_error:
        return Landmarks(survey.comments.tolist(), _functions(tree, survey.functions.tolist(), language), {})
    nodes = marked(tree, language)
    comments = [(node.start_byte, node.end_byte) for node in nodes.get("comment", ())]
    return Landmarks(comments, nodes.get("function", ()), nodes)


def marked(tree: trees.Tree, language: Language) -> Nodes:
    """Return what the query captures in a tree, and what is forbidden at its top."""
    nodes = trees.captures(tree, _query(language))
    for rule in language.forbidden:
        if rule.at_top:
            nodes[forbidden_name(rule)] = [child for child in tree.root.children if child.type in rule.nodes]
    return nodes


def is_comment(tree: trees.Tree, start: int, language: Language) -> bool:
    """Say whether an offset in bytes is in a comment of the tree."""
    node = tree.root.descendant_for_byte_range(start, start + 1)
    while node is not None and node.type not in language.comment_nodes:
        node = node.parent
    return node is not None


@lru_cache(maxsize=512)
def _query(language: Language) -> str:
    """Return a query for comments, functions, and what the table forbids or requires: all that one pass can find."""
    forbidden = {forbidden_name(rule): rule.nodes for rule in language.forbidden if not rule.at_top}
    wanted = {"comment": language.comment_nodes, "function": language.function_nodes, "required": language.required}
    wanted["separated"] = language.line_separated
    return trees.query({**wanted, **forbidden})


def forbidden_name(rule: Forbidden) -> str:
    """Return the name under which the nodes of a rule are found."""
    return f"forbidden.{rule.fault}"


def _functions(tree: trees.Tree, starts: Sequence[int], language: Language) -> list[Node]:
    tokens = [tree.root.descendant_for_byte_range(start, start + 1) for start in starts]
    nodes = [token.parent for token in tokens if token is not None]
    return [node for node in nodes if node is not None and node.type in language.function_nodes]
