from collections import Counter
from pathlib import Path

import pytest
import regex
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codemill.core.fim import FimCatalogue, FimSample, SentinelInText, is_boundary, render, sample
from codemill.core.languages import Language

CONF = Path(__file__).parents[2] / "conf" / "fim.yaml"
DATA = yaml.safe_load(CONF.read_text(encoding="utf-8"))
CATALOGUE = FimCatalogue.from_mapping(DATA)
ALWAYS = {"fim_rate": 1.0}
NODES = CATALOGUE.options("starcoder", **ALWAYS, kinds={"ast_node": 1.0})
RANDOM = CATALOGUE.options("starcoder", **ALWAYS, kinds={"random": 1.0})

PYTHON = Language("python", grammar="python", function_nodes=("function_definition",), comment_nodes=("comment",))
PLAIN = Language("text")

SNIPPETS = {
    "python": "# ï\ndef f(a, b=1):\n    if a:\n        return g(a)[b]  # é\n    return 'ü'\n\nclass A:\n    x = 1\n",
    "javascript": "export const f = async (a) => {\n  for (const b of a) {\n    await g(`${b}✓`);\n  }\n};\n",
    "typescript": "interface A<T> {\n  b: T;\n}\nfunction f(a: A<string>): string {\n  return a.b + '→';\n}\n",
    "java": "class A {\n  int f(int a) {\n    if (a > 0) { return a; }\n    return -1; // ж\n  }\n}\n",
    "c": '#include <stdio.h>\r\nint main(void) {\r\n  printf("é");  // done\r\n  return 0;\r\n}\r\n',
    "go": "package a\n\nfunc f(a []int) (s int) {\n\tfor _, b := range a {\n\t\ts += b\n\t}\n\treturn\n}\n",
    "rust": "fn f<T: A>(a: &T) -> Option<u8> {\n    match a.b() {\n        0 => None,\n        n => g(n),\n    }\n}\n",
    "ruby": "class A\n  def f(a)\n    a.map { |b| b + 1 }\n  end\nend\n",
    "php": '<?php\nfunction f($a) {\n    foreach ($a as $b) {\n        echo "$b 中";\n    }\n}\n',
    "bash": 'f() {\n  for a in "$@"; do\n    echo "$a" | wc -c\n  done\n}\nf x\n',
    "sql": "SELECT a, COUNT(*) FROM b WHERE c = 'd' GROUP BY a;\n",
    "yaml": "a:\n  - b: 1\n    c: [d, e]\nf: 'g'\n",
}


def only(samples):
    (one,) = samples
    return one


def one_class(name):
    return CATALOGUE.options("starcoder", **ALWAYS, kinds={"ast_node": 1.0}).model_copy(
        update={"node_classes": {name: 1.0}, "max_middle_share": 1.0}
    )


@pytest.mark.parametrize(
    ("name", "order", "expected"),
    [
        ("starcoder", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>M<|endoftext|>"),
        ("starcoder", "spm", "<fim_prefix><fim_suffix>S<fim_middle>PM<|endoftext|>"),
        ("starcoder", "", "PMS<|endoftext|>"),
        ("seed_coder", "psm", "<[fim-prefix]>P<[fim-suffix]>S<[fim-middle]>M<[end▁of▁sentence]>"),
        ("seed_coder", "spm", "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>M<[end▁of▁sentence]>"),
    ],
)
def test_render(name, order, expected):
    assert render("P", "M", "S", order, CATALOGUE.formats[name]) == expected


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("formats", {"a": {"prefix": "<p>"}}, r"fim: formats.a.suffix: Field required"),
        (
            "formats",
            {"a": DATA["formats"]["starcoder"] | {"spm": "v3"}},
            r"spm: Input should be 'v1' or 'v2', found 'v3'",
        ),
        ("node_classes", {"word": 1}, r"node_classes: .*unknown name 'word'; allowed: token, expression, line"),
        ("node_classes", {"token": 0}, r"node_classes: .*weights of at least 0, one of them above 0"),
        ("max_middle_share", 0, r"max_middle_share: Input should be greater than 0, found 0"),
        ("formatz", {}, r"formatz: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_catalogue_is_refused(key, value, message):
    with pytest.raises(ValueError, match=message):
        FimCatalogue.from_mapping(DATA | {key: value})


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="found format 'gpt', allowed: seed_coder, starcoder"):
        CATALOGUE.options("gpt")


@pytest.mark.parametrize("sentinel", ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "<|endoftext|>"])
def test_a_document_with_a_sentinel_is_refused(sentinel):
    with pytest.raises(SentinelInText) as error:
        sample(f"x = '{sentinel}'", "a", PYTHON, NODES, seed=0)
    assert error.value.sentinel == sentinel


def test_plain_text_is_the_document_and_the_end():
    options = CATALOGUE.options("starcoder", fim_rate=0.0)
    assert sample("x = 1\n", "a", PYTHON, options, seed=0) == [
        FimSample("a:0", "none", "", "", "x = 1\n", "", "", "x = 1\n<|endoftext|>")
    ]


def test_an_empty_document_is_plain_text():
    assert only(sample("", "a", PYTHON, NODES, seed=0)).kind == "none"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("function", {("function_definition", "def f(a):\n    x = g(a)\n    return x")}),
        ("block", {("block", "x = g(a)\n    return x")}),
        ("token", {("identifier", name) for name in "fagx"} | {("string_content", "s")}),
        ("expression", {("call", "g(a)"), ("argument_list", "(a)"), ("parameters", "(a)"), ("string", "'s'")}),
    ],
)
def test_the_nodes_of_a_class(name, expected):
    text = "# c\ndef f(a):\n    x = g(a)\n    return x\n\nx = 's'\n"
    drawn = {only(sample(text, str(id_), PYTHON, one_class(name), seed=0)) for id_ in range(150)}
    found = {(one.node_type, one.middle) for one in drawn}
    assert expected <= found
    assert not any("#" in middle for _, middle in found)
    assert {one.kind for one in drawn} == {"ast_node"}


def test_a_line_is_a_node_that_fills_its_line():
    text = "def f():\n    return 1\n\na = 1; b = 2\n"
    drawn = {only(sample(text, str(id_), PYTHON, one_class("line"), seed=0)).middle for id_ in range(50)}
    assert drawn == {"return 1"}


def test_a_directive_fills_its_line_though_its_node_has_the_line_feed():
    text = "int a;\n#define B 1\nint c;\n"
    drawn = {only(sample(text, str(id_), Language("c", grammar="c"), one_class("line"), seed=0)) for id_ in range(50)}
    assert {one.middle for one in drawn} == {"int a;", "#define B 1\n", "int c;"}


def test_a_carriage_return_is_left_to_its_line_feed():
    text = "#define A b\r\n#define C d\r\n"
    drawn = {only(sample(text, str(id_), Language("c", grammar="c"), one_class("token"), seed=0)) for id_ in range(50)}
    assert {(one.kind, one.middle) for one in drawn} == {("ast_node", middle) for middle in "AbCd"}


def test_white_space_is_no_middle():
    text = "<a>\n  <b>c</b>\n</a>\n"
    drawn = {only(sample(text, str(id_), Language("xml", grammar="xml"), NODES, seed=0)).middle for id_ in range(100)}
    assert "c" in drawn
    assert all(middle.strip() for middle in drawn)


def test_a_statement_spans_lines_and_is_no_block():
    text = "if a:\n    b\n    c\n"
    drawn = {only(sample(text, str(id_), PYTHON, one_class("statement"), seed=0)).node_type for id_ in range(50)}
    assert drawn == {"module", "if_statement"}


def test_most_nodes_are_more_than_a_name():
    text = Path(yaml.__file__).with_name("scanner.py").read_text(encoding="utf-8")
    types = Counter(only(sample(text, str(id_), PYTHON, NODES, seed=1)).node_type for id_ in range(200))
    assert types["identifier"] < 40
    assert 10 < types["function_definition"] < 60


def test_large_nodes_are_left_alone():
    text = "def f():\n    return 1\n"
    drawn = {only(sample(text, str(id_), PYTHON, NODES, seed=0)).middle for id_ in range(50)}
    assert all(len(middle) <= 0.7 * len(text) for middle in drawn)


def test_nothing_in_or_around_an_error_is_a_node():
    text = "def f():\n    return 1\n\nx = (1 + [2\ny =\n"
    drawn = {only(sample(text, str(id_), PYTHON, NODES, seed=0)) for id_ in range(100)}
    nodes = {one.middle for one in drawn if one.kind == "ast_node"}
    assert nodes
    assert nodes <= {"def f():\n    return 1", "return 1", "1", "f", "()"}


def test_lines_inside_an_error_are_no_nodes():
    text = "x = (\n    f(1),\n    g(2)\n\ndef h():\n    return 1\n"
    assert {only(sample(text, str(id_), PYTHON, one_class("line"), seed=0)).kind for id_ in range(20)} == {"random"}


@pytest.mark.parametrize("text", ["\n\n", "# only a comment\n", "((((", "\x00\x01"])
def test_without_a_suitable_node_the_sample_is_random(text):
    assert only(sample(text, "a", PYTHON, NODES, seed=0)).kind == "random"


def test_without_a_grammar_the_sample_is_random():
    one = only(sample("some words", "a", PLAIN, NODES, seed=0))
    assert (one.kind, one.node_type) == ("random", "")


def test_the_rates_are_what_was_asked_for():
    options = CATALOGUE.options("starcoder")
    drawn = [only(sample(SNIPPETS["python"], str(id_), PYTHON, options, seed=7)) for id_ in range(1000)]
    kinds, orders = Counter(one.kind for one in drawn), Counter(one.order for one in drawn)
    assert 270 < kinds["none"] < 330
    assert 45 < kinds["random"] < 95
    assert abs(orders["psm"] - orders["spm"]) < 90
    assert orders[""] == kinds["none"]


def test_random_cuts_are_uniform_over_characters():
    starts = Counter(only(sample("é" * 3, str(id_), PLAIN, RANDOM, seed=0)).prefix for id_ in range(1600))
    # Two cuts among four places: the lower is 0, 1, 2, 3 in 7, 5, 3, 1 of 16 cases.
    assert [round(starts["é" * n] / 100) for n in range(4)] == [7, 5, 3, 1]


def test_several_samples_have_ids_of_their_own():
    samples = sample(SNIPPETS["python"], "a", PYTHON, NODES.model_copy(update={"samples": 5}), seed=0)
    assert [one.sample_id for one in samples] == ["a:0", "a:1", "a:2", "a:3", "a:4"]
    assert len({one.middle for one in samples}) > 1


def test_the_seed_and_the_file_decide():
    def middles(seed, ids):
        return [only(sample(SNIPPETS["java"], id_, PYTHON, RANDOM, seed)).middle for id_ in ids]

    assert middles(1, "abcdef") == middles(1, "abcdef") != middles(2, "abcdef")
    assert middles(1, "abcdef") == middles(1, "fedcba")[::-1]


def test_a_crlf_is_never_split():
    language = Language("c", grammar="c")
    text = "// one\r\nint a;  // two\r\n\r\n"
    for id_ in range(200):
        for options in (NODES, RANDOM, one_class("line"), one_class("token")):
            one = only(sample(text, str(id_), language, options, seed=0))
            assert not (one.prefix + "|" + one.middle + "|" + one.suffix).count("\r|")


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
    language = Language("javascript", grammar="javascript")
    for text in ("[" * 50_000 + "]" * 50_000, "[\n" * 20_000 + "]\n" * 20_000, "[" + "1," * 50_000 + "]", "(" * 30_000):
        for options in (one_class("token"), one_class("function"), NODES):
            one = only(sample(text, "a", language, options, seed=0))
            assert one.prefix + one.middle + one.suffix == text


CLUSTERS = st.text(
    st.one_of(st.sampled_from("a\r\n \u0301\u200d🇫🇷👩각ᄀ\u0600\ud800"), st.characters()),
    max_size=60,
)


@settings(max_examples=50, deadline=None)
@given(CLUSTERS, st.integers(0, 2**32), st.sampled_from(["python", "json", "markdown", None]))
def test_every_text_comes_back_and_no_cluster_is_split(text, seed, grammar):
    language = Language("any", grammar=grammar)
    edges = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    for options in (NODES, RANDOM):
        one = only(sample(text, "a", language, options, seed))
        assert one.prefix + one.middle + one.suffix == text
        assert {len(one.prefix), len(one.prefix + one.middle)} <= edges


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(SNIPPETS)),
    st.integers(0, 2**32),
    st.sampled_from(sorted(CATALOGUE.formats)),
    st.text(max_size=5),
)
def test_every_rendered_sample_can_be_read_back(grammar, seed, name, noise):
    text = SNIPPETS[grammar].replace("a", "a" + noise, 1)
    fmt = CATALOGUE.formats[name]
    assume(not any(sentinel in text for sentinel in fmt.sentinels))
    options = CATALOGUE.options(name, fim_rate=0.9)
    one = only(sample(text, "a", Language(grammar, grammar=grammar), options, seed))
    assert one.prefix + one.middle + one.suffix == text
    assert one == only(sample(text, "a", Language(grammar, grammar=grammar), options, seed))
    if one.kind == "ast_node":
        assert one.node_type
        assert one.middle.strip()
    assert read_back(one, fmt) == text


def read_back(one, fmt):
    """Take a rendered sample apart by its sentinels alone and put the document together."""
    body = one.text.removesuffix(fmt.end)
    if one.order == "":
        return body
    head, middle = body.split(fmt.middle)
    if one.order == "psm":
        prefix, suffix = head.removeprefix(fmt.prefix).split(fmt.suffix)
        return prefix + middle + suffix
    if fmt.spm == "v2":
        return middle + head.removeprefix(fmt.prefix + fmt.suffix)
    suffix, prefix = head.removeprefix(fmt.suffix).split(fmt.prefix)
    return prefix + middle + suffix
