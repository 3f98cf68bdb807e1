"""Spans: what is hidden, by kind, size class and situation; what is never hidden; shares."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import regex
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.fim import KINDS, SITUATIONS, is_boundary
from codemill.core.fim.chance import Chance
from codemill.core.languages import Language
from tests.core.fim.given import PLAIN, drawn, one, options, samples

NODES = options("ast_node")
RANDOM = options("random")

SHAPES = """\
import math


class Box:
    # A box.

    def __init__(self, w: int, h: int) -> None:
        self.w = w
        self.h = h

    # How much fits on it.
    # In square metres.
    def area(self, scale=1):
        total = self.w * self.h
        for _ in range(3):
            total += 1
        while total > 9:
            total -= scale
        if total:
            try:
                return total
            except ValueError:
                pass
        match scale:
            case 1:
                return 0
        return math.floor(total)
"""


SMALL = "# c\ndef f(a):\n    x = g(a)\n    return x\n\nx = 's'\n\nclass A:\n    b = 1\n    c = 2\n"


def of_class(name, **more):
    return options("ast_node", size_classes={name: 1.0}, max_middle_share=1.0, **more)


def middles(text, how, times=150, language="python"):
    return {found.middle for found in drawn(text, how, times, language)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("function", {("function_definition", "def f(a):\n    x = g(a)\n    return x")}),
        ("block", {("block", "x = g(a)\n    return x")}),
        ("token", {("identifier", name) for name in "fagx"} | {("string_content", "s")}),
        ("expression", {("call", "g(a)"), ("argument_list", "(a)"), ("parameters", "(a)"), ("string", "'s'")}),
        ("line", {("assignment", "x = g(a)"), ("return_statement", "return x"), ("assignment", "x = 's'")}),
        ("class", {("class_definition", "class A:\n    b = 1\n    c = 2")}),
        (
            "statement",
            {("module", "# c\ndef f(a):\n    x = g(a)\n    return x\n\nx = 's'\n\nclass A:\n    b = 1\n    c = 2")},
        ),
    ],
)
def test_the_nodes_of_a_size_class(name, expected):
    found = {(each.node_type, each.middle) for each in drawn(SMALL, of_class(name), 150)}
    assert expected <= found
    assert {each.size_class for each in drawn(SMALL, of_class(name), 20)} == {name}
    assert name == "statement" or not any(middle.startswith("#") for _, middle in found)


def test_every_node_of_a_class_is_as_likely_as_any_other():
    text = "".join(f"{name} = {name}_of(a, b)\n" for name in "uvwxyz")
    counts = Counter(found.middle for found in drawn(text, of_class("line"), 1200))
    assert len(counts) == 6
    assert all(150 < count < 250 for count in counts.values())


def test_a_line_is_a_node_that_fills_its_line():
    text = "def f():\n    return 1\n\na = 1; b = 2\n"
    assert middles(text, of_class("line"), 50) == {"return 1"}


def test_what_fills_its_line_is_no_expression_and_no_token():
    text = "f(a)\nb\ng(c)\n"
    assert middles(text, of_class("expression"), 60) == {"(a)", "(c)"}
    assert middles(text, of_class("token"), 60) == set("facg")


def test_an_order_of_choices_has_none_twice_and_each_first_as_often():
    assert all(sorted(Chance(0, str(n)).order("a", 9)) == list(range(9)) for n in range(50))
    assert len(list(Chance(0, "a").order("a", 1 << 40))) == 30
    for place in (0, 8):
        counts = Counter(list(Chance(0, str(n)).order("a", 9))[place] for n in range(900))
        assert all(60 < counts[number] < 145 for number in range(9))


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_indentation_is_part_of_the_prefix_and_the_line_break_of_the_suffix(eol):
    text = eol.join(
        ["int a;", "#define B 1", "int f(void)", "{", "    if (a) {", "        return B;", "    }", "}", ""]
    )
    before = {"", "int f(void)", "if (a)"}
    for name in ("line", "statement", "block", "function"):
        found = [each for each in drawn(text, of_class(name), 60, "c") if each.kind == "ast_node"]
        assert all(each.middle == each.middle.strip() for each in found)
        assert {each.prefix.rpartition("\n")[2].strip(" ") for each in found} <= before
    assert "#define B 1" in middles(text, of_class("line"), 60, "c")


def test_a_carriage_return_is_left_to_its_line_feed():
    text = "#define A b\r\n#define C d\r\n"
    assert middles(text, of_class("token"), 50, "c") == set("AbCd")


def test_white_space_is_no_middle():
    text = "<a>\n  <b>c</b>\n</a>\n"
    found = middles(text, NODES, 100, "xml")
    assert "c" in found
    assert all(middle.strip() for middle in found)


def test_most_nodes_are_more_than_a_name():
    text = Path(yaml.__file__).with_name("scanner.py").read_text(encoding="utf-8")
    types = Counter(one(text, options("ast_node", max_tokens=1 << 20), id_, seed=1).node_type for id_ in range(60))
    assert types["identifier"] < 12
    assert 3 < types["function_definition"] < 18


def test_large_nodes_are_left_alone():
    text = "def f():\n    return 1\n"
    assert all(len(middle) <= 0.7 * len(text) for middle in middles(text, NODES, 50))


@pytest.mark.parametrize("kind", ["ast_node", "ast_span", "ast_partial", "body"])
def test_nothing_in_or_around_an_error_is_hidden(kind):
    text = "def f():\n    g()\n    return 1\n\nx = (1 + [2\ny =\n"
    found = [each for each in drawn(text, options(kind), 100) if each.kind == kind]
    assert found
    assert all(each.end <= text.index("\nx = (") for each in found)


def test_no_run_reaches_over_an_error():
    text = "a = 1\nb = 2\n$ $ $\nc = 3\nd = 4\n"
    found = {each.middle for each in drawn(text, options("ast_span"), 150) if each.kind == "ast_span"}
    assert found == {"a = 1\nb = 2", "c = 3\nd = 4"}


def test_lines_inside_an_error_are_no_nodes():
    text = "x = (\n    f(1),\n    g(2)\n\ndef h():\n    return 1\n"
    assert {each.kind for each in drawn(text, of_class("line"), 20)} == {"random"}


def test_a_run_of_siblings_is_at_least_two_and_never_comments_alone():
    text = "# a\n# b\nf(1, [2], 3)\ng()\nh()\n"
    found = middles(text, options("ast_span"), 300)
    assert {"f(1, [2], 3)\ng()", "g()\nh()", "1, [2]", "[2], 3", "# b\nf(1, [2], 3)"} <= found
    assert not {"# a", "# b", "# a\n# b", "g()", "1"} & found


def test_a_part_of_a_node_ends_where_one_of_its_children_ends():
    text = "f(alpha, beta)\n" + "# more\n" * 5
    made = drawn(text, options("ast_partial", size_classes={"expression": 1}), 200)
    found = {each.middle for each in made if each.kind == "ast_partial"}
    assert {"pha", "pha, beta", "eta)", ", beta"} <= found
    assert not any(middle.endswith(("alph", "bet", " ")) for middle in found)


def test_bodies_are_what_one_would_type_there():
    found = {(each.construct, each.middle) for each in drawn(SHAPES, options("body"), 200)}
    assert {
        ("function", "self.w = w\n        self.h = h"),
        ("for", "total += 1"),
        ("while", "total -= scale"),
        ("try", "return total"),
        ("switch", "case 1:\n                return 0"),
    } <= found
    assert {construct for construct, _ in found} == {"function", "for", "while", "try", "switch", "if"}


def test_signatures():
    assert middles(SHAPES, options("signature")) == {
        "def __init__(self, w: int, h: int) -> None:",
        "def area(self, scale=1):",
    }


AREA = SHAPES[SHAPES.index("total = ") :].rstrip()


@pytest.mark.parametrize(
    ("situation", "kind", "expected"),
    [
        ("method_signature", "signature", "def area(self, scale=1):"),
        ("method_body", "body", "self.w = w\n        self.h = h"),
        ("single_line", "line", "total += 1"),
        ("method_with_comment", "ast_span", f"# How much fits on it.\n{SHAPES[SHAPES.index('    # In') :].rstrip()}"),
        ("empty_middle", "empty", ""),
        ("body_top", "ast_span", "total = self.w * self.h"),
        ("body_middle", "ast_span", "while total > 9:\n            total -= scale"),
        ("body_bottom", "ast_span", "return math.floor(total)"),
        ("if_statement", "ast_node", AREA[AREA.index("if total") : AREA.index("        match")].rstrip()),
        ("for_statement", "ast_node", "for _ in range(3):\n            total += 1"),
        ("while_statement", "ast_node", "while total > 9:\n            total -= scale"),
        ("try_statement", "ast_node", AREA[AREA.index("try:") : AREA.index("        match")].rstrip()),
        ("switch_statement", "ast_node", "match scale:\n            case 1:\n                return 0"),
    ],
)
def test_each_situation_can_be_asked_for(situation, kind, expected):
    found = drawn(SHAPES, options(situation, max_middle_share=0.9), 150)
    assert {(each.kind, each.situation) for each in found} == {(kind, situation)}
    assert expected in {each.middle for each in found}


def test_a_docstring_is_a_comment_to_its_function():
    text = 'def f():\n    return 1\n\n\ndef g():\n    """What it gives."""\n    return 2\n'
    found = middles(text, options("method_with_comment", max_middle_share=0.9), 20)
    assert found == {'def g():\n    """What it gives."""\n    return 2'}


def test_there_are_thirteen_situations():
    assert len(SITUATIONS) == 13


def test_parts_of_a_body_together_are_the_body():
    tops, bottoms = (middles(SHAPES, options(part), 200) for part in ("body_top", "body_bottom"))
    assert all(AREA.endswith(bottom) for bottom in bottoms)
    assert all(AREA.startswith(top) for top in tops)


def test_an_empty_middle_is_where_nothing_is_missing():
    for found in drawn("a = 1\n\n  b = 2  \n", options("empty"), 50, PLAIN):
        assert (found.kind, found.middle) == ("empty", "")
        assert found.prefix in ("a = 1", "a = 1\n\n  b = 2")


def test_lines_need_no_grammar():
    text = "[a]\n  b = 1\n\n}\nc\r\nd\n"
    assert middles(text, options("line"), 100, PLAIN) == {"[a]", "b = 1", "c", "d"}
    found = middles(text, options("lines", max_lines=3), 200, PLAIN)
    assert {"[a]\n  b = 1", "b = 1\n\n}", "}\nc", "c\r\nd", "}\nc\r\nd"} <= found


@pytest.mark.parametrize("text", ["\n\n", " ", "\x00\x01"])
def test_without_anything_to_hide_the_sample_is_random(text):
    assert one(text, options("ast_node")).kind == "random"


def test_what_a_language_lacks_is_replaced_by_another_structured_kind():
    kinds = Counter(each.kind for each in drawn("alpha\nbeta\ngamma\n", options(), 300, PLAIN))
    assert set(kinds) == {"line", "lines", "random", "empty"}
    assert 10 < kinds["random"] < 55
    assert kinds["empty"] < 20


def test_a_text_that_no_grammar_is_let_loose_on_has_lines():
    text = "- " * 300 + "alpha\nbeta: 1\ngamma: 2\n"
    kinds = {each.kind for each in drawn(text, options(), 60, "yaml")}
    assert {"line", "random"} <= kinds <= {"line", "lines", "random", "empty"}


def test_an_empty_document_is_plain_text():
    assert one("", NODES).kind == "none"


def test_random_cuts_are_uniform_over_characters():
    starts = Counter(found.prefix for found in drawn("é" * 3, RANDOM, 1600, PLAIN))
    # Two cuts among four places: the lower is 0, 1, 2, 3 in 7, 5, 3, 1 of 16 cases.
    assert [round(starts["é" * n] / 100) for n in range(4)] == [7, 5, 3, 1]


def test_several_samples_do_not_overlap():
    how = options(samples_per_kilobyte=10, max_samples=5)
    for id_ in range(20):
        found = samples(SHAPES, how, id_)
        assert [each.sample_id for each in found] == [f"{id_}:{number}" for number in range(len(found))]
        assert 1 < len(found) <= 5
        spans = sorted((each.start, each.end) for each in found)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_the_number_of_samples_follows_the_size_up_to_a_cap():
    text = "x = 1\n" * 100
    counts = Counter(len(samples(text, options("line", samples_per_kilobyte=2.5), id_)) for id_ in range(200))
    assert set(counts) == {1, 2}
    assert 70 < counts[2] < 130
    assert len(samples(text, options("line", samples_per_kilobyte=100, max_samples=4))) == 4


def test_the_seed_and_the_file_decide():
    def middles_of(seed, ids):
        return [one(SHAPES, RANDOM, id_, seed=seed).middle for id_ in ids]

    assert middles_of(1, "abcdef") == middles_of(1, "abcdef") != middles_of(2, "abcdef")
    assert middles_of(1, "abcdef") == middles_of(1, "fedcba")[::-1]


SHARES = options(None, fim_rate=0.7)


def test_shares_are_what_was_asked_for():
    """Of 10,000 documents, within two points: FIM or plain, PSM or SPM, kinds, size classes."""
    found = drawn(SHAPES, SHARES, 10_000)
    kinds = Counter(each.kind for each in found)
    assert abs(kinds["none"] / len(found) - 0.3) < 0.02
    made = [each for each in found if each.kind != "none"]
    wanted = dict.fromkeys(KINDS, 0.0) | SHARES.kinds
    total = sum(wanted.values())
    for kind, weight in wanted.items():
        if kind != "none":
            assert abs(kinds[kind] / len(made) - weight / total) < 0.02, kind
    assert abs(sum(each.order == "psm" for each in made) / len(made) - 0.5) < 0.02
    nodes = Counter(each.size_class for each in made if each.kind == "ast_node")
    # The only class is larger than any middle may be: its share goes to the others.
    others = sum(SHARES.size_classes.values()) - SHARES.size_classes["class"]
    for size_class, weight in SHARES.size_classes.items():
        share = 0 if size_class == "class" else weight / others
        assert abs(nodes[size_class] / nodes.total() - share) < 0.02, size_class


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a\r\nb", {2}),
        ("e\u0301x", {1}),
        ("👩‍👩‍👧", {1, 2, 3, 4}),
        ("🇫🇷🇩🇪", {1, 3}),
        ("\n\r", set()),
        ("ab", set()),
        ("각각", set()),
    ],
)
def test_boundaries(text, inside):
    assert {at for at in range(len(text) + 1) if not is_boundary(text, at)} == inside


def test_deep_and_flat_trees_are_no_trouble():
    for text in ("[" * 50_000 + "]" * 50_000, "[\n" * 20_000 + "]\n" * 20_000, "[" + "1," * 50_000 + "]", "(" * 30_000):
        for how in (of_class("token"), of_class("function"), NODES, options("ast_span"), options("body")):
            found = one(text, how.model_copy(update={"max_tokens": 1 << 20}), language="javascript")
            assert found.prefix + found.middle + found.suffix == text


CLUSTERS = st.text(
    st.one_of(st.sampled_from("a\r\n \u0301\u200d🇫🇷👩각ᄀ\u0600\ud800"), st.characters()),
    max_size=60,
)
ALL_KINDS = [options(kind) for kind in (*KINDS, *SITUATIONS)]


@settings(max_examples=60, deadline=None)
@given(
    CLUSTERS, st.integers(0, 2**32), st.sampled_from(["python", "json", "markdown", None]), st.sampled_from(ALL_KINDS)
)
def test_every_text_comes_back_and_no_cluster_is_split(text, seed, grammar, how):
    edges = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    found = one(text, how, language=Language("any", grammar=grammar), seed=seed)
    assert found.prefix + found.middle + found.suffix == text
    assert {len(found.prefix), len(found.prefix + found.middle)} <= edges


def test_crlf_is_never_split():
    text = SHAPES.replace("\n", "\r\n")
    for how in ALL_KINDS:
        for found in drawn(text, how, 15):
            assert not (found.prefix + "|" + found.middle + "|" + found.suffix).count("\r|")
