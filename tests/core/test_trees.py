"""Syntax trees: offsets, walking, queries, and texts that are out to break a parser."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees


def test_parse_names_what_is_there() -> None:
    tree = trees.parse("a = 1\n", "python")
    assert [(node.type, node.start_byte, node.end_byte) for node in trees.walk(tree.root)] == [
        ("module", 0, 6),
        ("assignment", 0, 5),
        ("identifier", 0, 1),
        ("=", 2, 3),
        ("integer", 4, 5),
    ]


def test_walk_stays_under_its_node() -> None:
    tree = trees.parse("a = (1)\nb\n", "python")
    first = tree.root.children[0]
    assert [node.type for node in trees.walk(first)] == [
        "assignment",
        "identifier",
        "=",
        "parenthesized_expression",
        "(",
        "integer",
        ")",
    ]


def test_unknown_grammar() -> None:
    with pytest.raises(LookupError, match="klingon"):
        trees.parse("a", "klingon")


@pytest.mark.parametrize("text", ["", "a", "a\n", "é", "日本語 = 1"])
def test_the_source_ends_with_a_line_break(text: str) -> None:
    tree = trees.parse(text, "python")
    assert tree.source.decode() == text.removesuffix("\n") + "\n"
    assert tree.char_offsets()(len(tree.source)) == len(text)


@pytest.mark.parametrize(
    ("text", "grammar"), [("# a comment", "perl"), ("all:\n\ta", "make"), ("FROM a", "dockerfile")]
)
def test_a_last_line_without_its_end_is_no_error(text: str, grammar: str) -> None:
    assert not trees.parse(text, grammar).root.has_error


def test_offsets_of_text_that_is_not_ascii() -> None:
    text = 'é = "日本"\nπ = 2\n'
    tree = trees.parse(text, "python")
    to_char, to_byte = tree.char_offsets(), tree.byte_offsets()
    spans = [(to_char(node.start_byte), to_char(node.end_byte)) for node in tree.root.children]
    assert [text[start:end] for start, end in spans] == ['é = "日本"', "π = 2"]
    assert [to_byte(start) for start, _ in spans] == [node.start_byte for node in tree.root.children]


def test_lone_surrogates_take_three_bytes() -> None:
    text = 'a = "\ud800"; b = 1'
    tree = trees.parse(text, "python")
    last = [node for node in trees.walk(tree.root) if node.type == "integer"][-1]
    to_char = tree.char_offsets()
    assert text[to_char(last.start_byte) : to_char(last.end_byte)] == "1"


def test_node_text_can_be_read() -> None:
    # Longer than what the parser is handed at a time, with characters across the joints.
    text = "é = 1\n" * 20_000
    tree = trees.parse(text, "python")
    assert not tree.root.has_error
    assert tree.root.text == tree.source


@pytest.mark.parametrize("grammar", ["python", "javascript", "c", "json"])
def test_deep_nesting_is_walked_without_recursion(grammar: str) -> None:
    tree = trees.parse("[" * 50_000 + "]" * 50_000, grammar)
    assert sum(1 for _ in trees.walk(tree.root)) == tree.root.descendant_count
    assert not tree.root.has_error or grammar == "c"


def test_queries_of_entries() -> None:
    tree = trees.parse("import a\nb: int\nc = d(1)\nd(2)\n", "python")
    source = trees.query({"kept": ["import_statement", "assignment right: (_)", "(module (call) @node)"]})
    found = trees.captures(tree, source)
    assert {name: [node.text for node in nodes] for name, nodes in found.items()} == {
        "kept": [b"import a", b"c = d(1)", b"d(2)"]
    }


def test_predicates_see_the_text_and_helper_names_are_left_out() -> None:
    tree = trees.parse("def a, do: 1\nfoo b, do: 1\n", "elixir")
    found = trees.captures(tree, trees.query({"def": ['call target: (identifier) @_key (#eq? @_key "def")']}))
    assert [(name, node.start_point.row) for name, nodes in found.items() for node in nodes] == [("def", 0)]


def test_a_bad_query() -> None:
    with pytest.raises(ValueError, match="klingon"):
        trees.captures(trees.parse("a", "python"), trees.query({"a": ["klingon"]}))


@pytest.mark.parametrize("line", ["- " * 300, "? " * 300, " " * 300 + "a: 1"])
def test_yaml_too_deep_for_its_grammar(line: str) -> None:
    with pytest.raises(trees.Unparsable, match="over 200 levels"):
        trees.parse(f"a:\n{line}\n", "yaml")
    assert not trees.parse("a:\n  - b: 1\n" + "# " + "word " * 100, "yaml").root.has_error


def test_threads_do_not_meet() -> None:
    text = "a = [1, 2]\n" * 5_000
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(trees.parse(text, "python").root.descendant_count))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 4
    assert len(set(counts)) == 1


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_offsets_go_there_and_back(text: str) -> None:
    source = text.encode("utf-8", "surrogatepass")
    to_char, to_byte = trees.char_offsets(text, source), trees.byte_offsets(text, source)
    for offset in range(len(text) + 1):
        assert to_byte(offset) == len(text[:offset].encode("utf-8", "surrogatepass"))
        assert to_char(to_byte(offset)) == offset


@settings(max_examples=50, deadline=None)
@given(
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(["python", "c", "javascript", "perl", "ruby", "html", "yaml", "php"]),
)
def test_nodes_stay_inside_the_text(text: str, grammar: str) -> None:
    tree = trees.parse(text, grammar)
    to_char = tree.char_offsets()
    for node in trees.walk(tree.root):
        assert 0 <= to_char(node.start_byte) <= to_char(node.end_byte) <= len(text)
