"""Formats: exact texts of every family, what a family refuses, and sentinels in documents."""

from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codemill.core.fim import FimCatalogue, Format, SentinelInText, render
from codemill.core.fim.formats import ESCAPE, Heads, Name, escaped, heads_of
from codemill.core.languages import Language
from tests.core.fim.given import CATALOGUE, FORMATS, PLAIN, one, options, read_back, samples

GOLDENS = yaml.safe_load(Path(__file__).with_name("goldens.yaml").read_text(encoding="utf-8"))
PREFIX, MIDDLE, SUFFIX = "def f(a):\n    return ", "a + 1", "\n\nprint(f(1))\n"
NAME = Name("acme/tool", "pkg/f.py", "Python", "# %s")


def test_every_format_has_a_golden_sample():
    assert set(GOLDENS) == set(CATALOGUE.formats)
    for name, fmt in CATALOGUE.formats.items():
        orders = {order[:3] for order in fmt.orders}
        assert {key for key in GOLDENS[name] if "_" not in key} == {"plain", *orders}
        assert any("path" in key for key in GOLDENS[name]) == bool(fmt.head)
        assert any("context" in key for key in GOLDENS[name]) == fmt.shows_files


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in GOLDENS for key in GOLDENS[name]])
def test_golden(name, key):
    fmt = CATALOGUE.formats[name]
    order, _, shown = key.partition("_")
    heads = Heads()
    if shown:
        heads = heads_of(fmt, NAME, [("pkg/g.py", "x = 1\n")] if shown == "context" else [])
    assert render(PREFIX, MIDDLE, SUFFIX, "" if order == "plain" else order, fmt, heads) == GOLDENS[name][key]


def test_a_format_of_ones_own():
    row = {"orders": ["spm_v1"], "prefix": "<P>", "suffix": "<S>", "middle": "<M>", "end": "<E>"}
    made = one("some words", CATALOGUE.options("custom", row, fim_rate=1, kinds={"random": 1}), language=PLAIN)
    assert made.text == f"<S>{made.suffix}<P>{made.prefix}<M>{made.middle}<E>"
    with pytest.raises(ValueError, match="format custom goes with a row of its own"):
        CATALOGUE.options("custom")
    with pytest.raises(ValueError, match="no other format does"):
        CATALOGUE.options("starcoder", row)
    with pytest.raises(ValueError, match=r"fim: orders\.0: Input should be 'psm', 'spm_v1' or 'spm_v2', found 'spm'"):
        CATALOGUE.options("custom", row | {"orders": ["spm"]})


@pytest.mark.parametrize(
    ("name", "spm_rate", "allowed"),
    [("qwen2_5_coder", 0.5, "0 to 0"), ("seed_coder", 0.5, "1 to 1"), ("codestral", 0.0, "1 to 1")],
)
def test_a_format_refuses_an_order_that_it_was_not_trained_on(name, spm_rate, allowed):
    with pytest.raises(ValueError, match=f"spm_rate: found {spm_rate:g}, allowed is {allowed}"):
        CATALOGUE.options(name, spm_rate=spm_rate)
    if name != "codestral":
        assert CATALOGUE.options(name, spm_rate=spm_rate, allow_untrained_orders=True).spm_share == spm_rate


def test_without_a_sentinel_before_the_middle_there_is_one_order():
    with pytest.raises(ValueError, match="the format has no sentinel before the middle"):
        CATALOGUE.options("codestral", spm_rate=0.5, allow_untrained_orders=True)


@pytest.mark.parametrize(("name", "share"), [("starcoder", 0.5), ("qwen2_5_coder", 0.0), ("mellum", 1.0)])
def test_the_default_is_the_orders_that_a_family_was_trained_on(name, share):
    assert CATALOGUE.options(name).spm_share == share


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prefix": "<p>"}, r"fim: formats\.a\.orders: Field required"),
        (FORMATS["formats"]["starcoder"] | {"orders": ["psm", "spm_v1", "spm_v2"]}, "found both layouts of SPM"),
        (FORMATS["formats"]["starcoder"] | {"infix": "a"}, r"infix: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_catalogue_is_refused(row, message):
    with pytest.raises(ValueError, match=message):
        FimCatalogue.from_mapping({"formats": {"a": row}})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kinds": {"word": 1}}, r"kinds: .*unknown name 'word'; allowed: ast_node, ast_partial, ast_span, body"),
        ({"size_classes": {"token": 0}}, r"size_classes: .*weights of at least 0, one of them above 0"),
        ({"max_middle_share": 0}, r"max_middle_share: Input should be greater than 0, found 0"),
        ({"counter": "tokenizers"}, r"a tokenizers counter needs a file, found none"),
    ],
)
def test_wrong_options_are_refused(more, message):
    with pytest.raises(ValueError, match=message):
        CATALOGUE.options("starcoder", **more)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"found format 'gpt', allowed: aixcoder, .*starcoder2, custom"):
        CATALOGUE.options("gpt")


@pytest.mark.parametrize("sentinel", ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "<|endoftext|>"])
def test_a_document_with_a_sentinel_is_refused(sentinel):
    with pytest.raises(SentinelInText) as error:
        one(f"x = '{sentinel}'", options())
    assert error.value.sentinel == sentinel


def test_sentinels_are_escaped_by_setting():
    text = "a = '<fim_middle>'\n"
    plain = one(text, options(fim_rate=0, sentinels="escape"))
    assert plain.text == f"a = '<{ESCAPE}fim_middle>'\n<|endoftext|>"
    assert plain.prefix == text
    made = [one(text, options("random", sentinels="escape", spm_rate=1), id_) for id_ in range(200)]
    assert {sample.text.count("<fim_middle>") for sample in made} == {1}
    assert {sample.prefix + sample.middle + sample.suffix for sample in made} == {text}
    # A cut right through the sentinel leaves nothing that layouts could put together again.
    assert any(sample.prefix.endswith("<") and sample.middle.startswith("fim_middle>") for sample in made)


def test_names_and_other_files_smuggle_nothing():
    name = Name("a<file_sep>", "b<fim_prefix>\nc.py", "Python", "# %s")
    heads = heads_of(CATALOGUE.formats["starcoder2"], name, [("<repo_name>", "<fim_suffix>")])
    assert heads == Heads(
        f"<repo_name>a<{ESCAPE}file_sep><file_sep><{ESCAPE}repo_name>\n<{ESCAPE}fim_suffix><file_sep>",
        f"b<{ESCAPE}fim_prefix> c.py\n",
    )


@pytest.mark.parametrize(
    ("language", "head"),
    [
        (Language("c", line_comments=("//",)), "// the file path is: pkg/f\n// the code file is written by C\n"),
        (
            Language("css", block_comments=(("/*", "*/"),)),
            "/* the file path is: pkg/f */\n/* the code file is written by CSS */\n",
        ),
        (Language("json"), ""),
        (
            Language("emacs_lisp", line_comments=(";",)),
            "; the file path is: pkg/f\n; the code file is written by Emacs Lisp\n",
        ),
    ],
)
def test_a_name_as_a_comment_is_one_of_its_language(language, head):
    made = one("x", options(name="aixcoder", fim_rate=0, path_rate=1), language=language)
    assert made.text == f"<s>{head}x</s>"


def test_a_document_is_named_with_the_probability_asked_for():
    how = options(fim_rate=0, path_rate=0.25)
    named = sum("<filename>" in one("x", how, id_).text for id_ in range(1000))
    assert 200 < named < 300


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(sorted(CATALOGUE.formats)))
def test_an_escaped_text_holds_no_sentinel_however_it_is_cut(data, name):
    fmt = CATALOGUE.formats[name]
    pieces = st.one_of(st.sampled_from(fmt.sentinels), st.sampled_from("<>|[] a▁"))
    text = "".join(data.draw(st.lists(pieces, max_size=12)))
    cuts = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
    found = fmt.sentinels_in(text)
    parts = [text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]]
    starts = [0, *cuts]
    whole = "".join(escaped(part, fmt, start, found) for part, start in zip(parts, starts, strict=True))
    assert fmt.sentinels_in(whole) == []
    assert whole.replace(ESCAPE, "") == text.replace(ESCAPE, "")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(sorted(CATALOGUE.formats)), st.text(max_size=9))
def test_every_rendered_sample_can_be_read_back(seed, name, noise):
    text = f"# {noise}\ndef f(a):\n    if a:\n        return g(a)[b]\n    return 'ü'\n"
    fmt = CATALOGUE.formats[name]
    assume(not fmt.sentinels_in(text))
    found = one(text, options(name=name, fim_rate=0.9), seed=seed)
    assert found.prefix + found.middle + found.suffix == text
    assert read_back(found, fmt) == text


def test_plain_text_is_the_document_and_the_end():
    found = one("x = 1\n", options(fim_rate=0))
    assert (found.sample_id, found.kind, found.order, found.text) == ("a:0", "none", "", "x = 1\n<|endoftext|>")
    assert (found.prefix, found.middle, found.suffix) == ("x = 1\n", "", "")
    assert (found.window_start, found.window_end, found.start, found.end, found.tokens) == (0, 6, 6, 6, 19)


def test_a_format_is_data_that_nobody_changes():
    fmt = Format(orders=["psm"], prefix="a", suffix="b", middle="c", end="d")
    with pytest.raises(ValueError, match="frozen"):
        fmt.prefix = "e"
    assert samples("", options())[0].kind == "none"
