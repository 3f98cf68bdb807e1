"""Windows and counters: long documents are cut at syntactic boundaries, and every sample fits."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from codemill.core import trees
from codemill.core.fim.counters import counter
from codemill.core.fim.document import DoesNotFit
from codemill.core.fim.windows import cut, places
from tests.core.fim.given import PLAIN, options, samples

FUNCTION = "# What it gives.\ndef f{n}(a):\n    if a:\n        return {n}\n    return a\n\n\n"
LONG = "import os\n\n\n" + "".join(FUNCTION.format(n=n) for n in range(60))


def windows_of(made):
    return sorted({(each.window_start, each.window_end) for each in made})


def test_a_long_document_is_cut_before_functions_and_their_comments():
    made = samples(LONG, options("ast_node", max_tokens=512))
    windows = windows_of(made)
    assert len(windows) > 5
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert (windows[0][0], windows[-1][1]) == (0, len(LONG))
    assert all(LONG.startswith("# What it gives.\ndef", start) for start, _ in windows[1:])


def test_classes_stay_whole_where_they_can():
    one_class = "class A{n}:\n" + "".join(
        f"    def f{i}(self):\n        x = {i}\n        return x\n\n" for i in range(4)
    )
    text = "".join(one_class.replace("{n}", str(n)) for n in range(12))
    assert all(
        text.startswith("class", start) for start, _ in windows_of(samples(text, options("line", max_tokens=600)))
    )


def test_what_sentinels_add_when_they_are_escaped_counts():
    text = "x = '<fim_middle>'\n" * 200
    made = samples(text, options("line", max_tokens=300, sentinels="escape"))
    assert all(each.tokens <= 300 for each in made)
    assert "".join(each.prefix + each.middle + each.suffix for each in made) == text


def test_other_files_are_shown_as_far_as_they_fit_the_nearest_last():
    shown = [(f"id{n}", f"pkg/{n}.py", f"x = {n}\n" * 20) for n in range(5)]
    found = {}
    for limit in (300, 500, 700, 4096):
        (made,) = samples("y = 1\nz = 2\n", options("line", "starcoder2", max_tokens=limit), shown=shown)
        assert made.tokens <= limit
        found[limit] = made.context
    assert found == {
        300: ("id4",),
        500: ("id3", "id4"),
        700: ("id1", "id2", "id3", "id4"),
        4096: tuple(f"id{n}" for n in range(5)),
    }
    (plain,) = samples("y = 1\nz = 2\n", options("line", "seed_coder"), shown=shown)
    assert plain.context == ()


def test_what_fits_is_not_cut():
    assert windows_of(samples(LONG, options("ast_node"))) == [(0, len(LONG))]


def test_a_long_function_is_cut_between_its_statements():
    text = "def f(a):\n" + "".join(f"    if a[{n}]:\n        a[{n}] += 1\n" for n in range(60))
    made = samples(text, options("line", max_tokens=300))
    assert all(text.startswith("    if a", start) for start, _ in windows_of(made)[1:])


def test_without_a_tree_lines_are_cut_and_without_lines_characters():
    lines = "some words\n" * 100
    windows = windows_of(samples(lines, options("line", max_tokens=300), language=PLAIN))
    assert all(lines[:end].endswith("\n") for _, end in windows)
    flat = "e\u0301" * 1000
    windows = windows_of(samples(flat, options("random", max_tokens=300), language=PLAIN))
    assert len(windows) > 5
    assert all(start % 2 == 0 for start, _ in windows)


@pytest.mark.parametrize("kind", ["none", "random", "ast_node", "ast_span", "lines", "body"])
@pytest.mark.parametrize("name", ["starcoder", "aixcoder", "mellum"])
def test_every_sample_fits_with_its_sentinels_and_its_name_and_no_middle_is_cut(kind, name):
    how = options(kind, name=name, max_tokens=700, path_rate=0.5)
    for id_ in range(5):
        made = samples(LONG, how, id_)
        assert all(len(each.text.encode()) == each.tokens <= 700 for each in made)
        assert all(each.middle in each.text for each in made)
        assert "".join(each.prefix + each.middle + each.suffix for each in made) == LONG


def test_a_plain_document_is_cut_as_well():
    made = samples(LONG, options(fim_rate=0, max_tokens=512))
    assert {each.kind for each in made} == {"none"}
    assert [each.sample_id for each in made] == [f"a:{n}" for n in range(len(made))]
    assert "".join(each.prefix for each in made) == LONG


def test_a_document_whose_name_fills_the_context_is_refused():
    with pytest.raises(DoesNotFit):
        samples("x = 1\n" * 100, options(max_tokens=256, path_rate=1.0), path="p" * 300)


def word_tokenizer(tmp_path):
    """Write a tokenizer.json that has a token for each word, and one for all that is unknown."""
    words = {"<unk>": 0, "def": 1, "return": 2, "if": 3}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return str(path)


def byte_merges(tmp_path):
    """Write a file of merges: all bytes, and a few pairs."""
    pieces = [bytes([n]) for n in range(256)] + [
        b"  ",
        b"    ",
        b"re",
        b"ret",
        b"retu",
        b"retur",
        b"return",
        b"de",
        b"def",
        b"# W",
        b"gi",
        b"ves",
    ]
    path = tmp_path / "merges.tiktoken"
    path.write_text("".join(f"{base64.b64encode(piece).decode()} {rank}\n" for rank, piece in enumerate(pieces)))
    return str(path)


@pytest.mark.parametrize(("kind", "write"), [("tokenizers", word_tokenizer), ("tiktoken", byte_merges)])
def test_tokens_of_a_local_tokenizer_are_counted(tmp_path, kind, write):
    path = write(tmp_path)
    count = counter(kind, path).count
    made = samples(LONG, options("ast_node", max_tokens=300, counter=kind, tokenizer=path))
    assert all(count(each.text) == each.tokens <= 300 for each in made)
    # Windows are filled: a token is worth more than a byte.
    in_bytes = samples(LONG, options("ast_node", max_tokens=300))
    assert len(made) < 0.8 * len(in_bytes)
    assert "".join(each.prefix + each.middle + each.suffix for each in made) == LONG


def test_a_cut_through_a_token_makes_no_sample_too_long(tmp_path):
    path = word_tokenizer(tmp_path)
    how = options("random", max_tokens=256, counter="tokenizers", tokenizer=path)
    for words in range(236, 260):
        for id_ in range(5):
            made = samples("aaaaaaaa " * words, how, id_, PLAIN)
            assert all(each.tokens <= 256 for each in made)
            assert {each.kind for each in made} <= {"random", "none"}


@pytest.mark.parametrize("kind", ["tokenizers", "tiktoken"])
@pytest.mark.parametrize("content", ["", "{}", "a b c\n", json.dumps({"version": "1.0"})])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path, kind, content):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"cannot be loaded as a {kind} file"):
        counter(kind, str(path))


def test_characters_and_bytes():
    assert counter("characters", None).count("é\n") == 2
    assert counter("bytes", None).count("é\n") == 3
    assert counter("bytes", None).fits("é" * 10, 20)
    assert not counter("bytes", None).fits("é" * 10, 19)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("aé😀\n"), max_size=300), st.integers(0, 50), st.integers(1, 60))
def test_a_text_reaches_as_far_as_fits(text, start, limit):
    for kind in ("bytes", "characters"):
        length = counter(kind, None)
        end = length.reach(text, start, limit)
        if start >= len(text):
            assert end in (start, len(text))
        else:
            assert start < end <= len(text)
            assert length.count(text[start:end]) <= max(limit, length.count(text[start : start + 1]))


def test_reach_fills_what_it_can():
    for text in ("a" * 1000, "é" * 1000, "😀" * 1000):
        end = counter("bytes", None).reach(text, 0, 400)
        assert len(text[:end].encode()) > 380


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("ab(){};\n \r"), max_size=300), st.integers(5, 80))
def test_windows_are_the_text(text, width):
    tree = trees.parse(text, "c")
    windows = cut(text, places(tree, width // 4), lambda start: min(len(text), start + width))
    assert "".join(text[start:end] for start, end in windows) == text
    assert all(end - start <= width for start, end in windows)


def test_one_long_line_of_many_nodes_takes_no_time():
    text = "[" + "1," * 400_000 + "]"
    assert len(places(trees.parse(text, "javascript"), 1000)) <= 2
