"""What must hold in every language of the table: documents come back, and structured middles are what they say."""

from pathlib import Path

import pytest
import yaml

from codemill.core import trees
from tests.core.fim.given import LANGUAGES, drawn, one, options

TESTS = Path(__file__).parents[2]
MIXED = options(max_middle_share=0.9)
STRUCTURED = [options(kind) for kind in ("ast_node", "ast_span", "ast_partial", "body", "signature")]
PARSED = [language.name for language in LANGUAGES.languages if language.grammar]


def texts(language):
    """Return some texts of a language: what its constructs are shown on, and its longest valid snippets."""
    found = []
    for folder in ("constructs", "syntax"):
        path = TESTS / folder / f"{language}.yaml"
        if path.exists():
            row = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            found += [row["text"]] if "text" in row else sorted(row["valid"].values(), key=len)[-2:]
    return found or ["alpha beta = 'gamma'\n# delta\n(epsilon)\n"]


def ranges(tree):
    """Return where nodes are by type, where their children begin and end, without white space at the edges."""
    nodes, children = set(), {}
    for node in trees.walk(tree.root):
        start, end = trimmed(tree, node)
        nodes |= {(node.type, start, end), (node.type, node.start_byte, node.end_byte)}
        below = children.setdefault(node.type, [])
        below.append(
            (
                start,
                end,
                {trimmed(tree, child)[0] for child in node.children},
                {trimmed(tree, child)[1] for child in node.children},
            )
        )
    return nodes, children


def trimmed(tree, node):
    text = tree.source[node.start_byte : node.end_byte]
    return node.end_byte - len(text.lstrip()), node.start_byte + len(text.rstrip())


@pytest.mark.parametrize("language", LANGUAGES.names)
def test_prefix_middle_and_suffix_are_the_document_and_the_same_again(language):
    for text in texts(language):
        made = drawn(text, MIXED, 6, language)
        assert all(each.prefix + each.middle + each.suffix == text for each in made)
        assert all((each.start, each.end) == (len(each.prefix), len(each.prefix + each.middle)) for each in made)
        assert made == drawn(text, MIXED, 6, language)


@pytest.mark.parametrize("language", PARSED)
def test_a_structured_middle_is_what_it_says(language):
    for text in texts(language):
        tree = trees.parse(text, LANGUAGES[language].grammar)
        nodes, children = ranges(tree)
        to_byte = tree.byte_offsets()
        for how in STRUCTURED:
            for each in (one(text, how, id_, language) for id_ in range(4)):
                check(each, to_byte(each.start), to_byte(each.end), nodes, children)


def check(sample, start, end, nodes, children):
    if sample.kind == "ast_node":
        assert (sample.node_type, start, end) in nodes
        assert not sample.middle[:1].isspace() or sample.size_class in ("token", "expression")
    elif sample.kind == "ast_partial":
        assert any(low < start < high and end in ends for low, high, _, ends in children[sample.node_type])
    elif sample.kind == "ast_span":
        assert any(start in starts and end in ends for _, _, starts, ends in children[sample.node_type])
    elif sample.kind == "signature":
        # It may end within a child, where that holds the body as well.
        assert any(start == low and end <= high for low, high, _, _ in children[sample.node_type])
        assert any(end == each for _, _, each in nodes)
    elif sample.kind == "body":
        assert sample.middle == sample.middle.strip()
        assert sample.construct
