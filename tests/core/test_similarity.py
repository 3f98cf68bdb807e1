"""The words of a file, and chains of files that are alike."""

import re
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import similarity


def chain(*files: str) -> list[int]:
    vectors = similarity.vectors([similarity.terms(file) for file in files])
    return similarity.chains(vectors, [np.arange(len(files))])[0].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def get_user_name(self): ...", ["def", "get", "name", "self", "user"]),
        ("parseHTTPRequest", ["http", "parse", "request"]),
        ("XMLHttpRequest HTTPServer2Go", ["http", "request", "server", "xml"]),
        ("HTTPServer erver", ["erver", "http", "server"]),
        ("utf8 int32 __init__ x.y ab", ["init", "int", "utf"]),
        ("“smart” naïve Äpfel ПриветМир 名前空間", ["naïve", "smart", "äpfel", "мир", "привет", "名前空間"]),
        ("İstanbul \ud800 \U0001f600 \0", ["i̇stanbul"]),
        ("a" * 33 + " " + "b" * 32, ["b" * 32]),
        ("a" * 100_000, []),
        ("", []),
    ],
)
def test_words_of_identifiers(text: str, words: list[str]) -> None:
    assert sorted(similarity.terms(text)) == words


def test_the_most_frequent_words_come_first_and_equals_by_word() -> None:
    assert list(similarity.terms("tree node Tree tree_node leaf").items()) == [("tree", 3), ("node", 2), ("leaf", 1)]


def test_upper_and_lower_case_are_one_word() -> None:
    assert similarity.terms("Tree TREE tree ΟΔΟΣ οδος") == {"tree": 3, "οδος": 2}
    others = " ".join(f"x{a}{b} x{a}{b}" for a in "abcdefgh" for b in "abcdefgh")
    assert next(iter(similarity.terms(f"{others} Tree TREE tree"))) == "tree"


def test_only_the_most_frequent_words_are_kept() -> None:
    letters = "abcdefghij"
    rare = [f"{a}{b}{b}" for a in letters for b in letters]
    assert list(similarity.terms(" ".join([*rare, "zebra zebra"]))) == ["zebra", *sorted(rare)[:63]]


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert similarity.terms("x " * (similarity.MAX_READ // 2) + "unread") == {}


def test_a_text_of_nothing_but_different_words_is_read() -> None:
    letters = "abcdefghijklmnop"
    text = " ".join(f"{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in letters)
    assert len(similarity.terms(text)) == similarity.MAX_TERMS


@given(st.text("abcABZé_1 É“", max_size=80))
@settings(max_examples=200, deadline=None)
def test_words_are_those_of_a_regular_expression(text: str) -> None:
    kinds = "".join(("U" if each.isupper() else "l") if each.isalpha() else " " for each in text)
    expected: dict[str, int] = {}
    for found in re.finditer("U+(?=Ul)|U?l+|U+", kinds):
        word = text[found.start() : found.end()].lower()
        if 3 <= len(word) <= 32:
            expected[word] = expected.get(word, 0) + 1
    assert similarity.terms(text) == expected


def test_each_file_of_a_chain_is_followed_by_the_one_most_like_it() -> None:
    files = ("token lexer grammar", "socket client server", "grammar token parser", "server socket port")
    assert chain(*files) == [0, 2, 1, 3]


def test_a_rare_word_says_more_than_one_that_all_files_have() -> None:
    files = ("self return import lexer", "self return import socket", "lexer stream", "self return import port")
    assert chain(*files) == [0, 2, 1, 3]


def test_frequent_words_say_more_than_others() -> None:
    assert chain("lexer " * 20 + "socket", "lexer " + "socket " * 20, "lexer " * 20 + "stream") == [0, 2, 1]


def test_only_the_file_before_counts() -> None:
    assert chain("one two", "one two key", "one two war", "lock era age sky", "key lock") == [0, 1, 4, 3, 2]


def test_equals_keep_their_order_and_so_do_files_without_words() -> None:
    assert chain("alpha", "", "beta", "", "gamma") == [0, 1, 2, 3, 4]
    assert chain(*["same words"] * 4) == [0, 1, 2, 3]


def test_groups_are_chained_by_themselves() -> None:
    files = [similarity.terms(text) for text in ("lexer", "socket", "lexer", "socket", "lexer", "socket")]
    groups = [np.array([1, 2, 3]), np.array([], dtype=np.int64), np.array([0, 5, 4])]
    found = [group.tolist() for group in similarity.chains(similarity.vectors(files), groups)]
    assert found == [[1, 3, 2], [], [0, 4, 5]]
    assert similarity.chains(similarity.vectors([]), []) == []


def test_the_next_file_is_looked_for_among_the_first_that_are_left() -> None:
    others = ["socket"] * similarity.WINDOW
    assert chain("lexer", *others[1:], "lexer")[1] == similarity.WINDOW
    assert chain("lexer", *others, "lexer")[1] == 1


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**9), max_size=5), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=50, deadline=None)
def test_a_chain_has_every_file_and_does_not_depend_on_the_order_of_words(
    files: list[dict[str, int]], random: Random
) -> None:
    found = similarity.chains(similarity.vectors(files), [np.arange(len(files))])[0].tolist()
    assert found[0] == 0
    assert sorted(found) == list(range(len(files)))
    shuffled = [dict(sorted(file.items(), key=lambda _: random.random())) for file in files]
    assert similarity.chains(similarity.vectors(shuffled), [np.arange(len(files))])[0].tolist() == found
