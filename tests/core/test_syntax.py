"""Syntax reports: small texts in, exact measurements out."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.languages import Language, LanguageTable
from codemill.core.syntax import SyntaxReport, inspect

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


def test_valid_code() -> None:
    text = "# été\ndef a(b):\n    return lambda: b\n"
    assert inspect(text, TABLE["python"]) == SyntaxReport(
        parsed=True,
        bytes=len(text.encode()),
        nodes=17,
        error_nodes=0,
        missing_nodes=0,
        error_bytes=0,
        comment_bytes=7,
        functions=2,
        max_depth=5,
    )


def test_a_missing_token_is_an_error_too() -> None:
    report = inspect("int a = 1\n", TABLE["c"])
    assert (report.error_nodes, report.missing_nodes, report.error_bytes) == (0, 1, 0)


def test_error_bytes_are_what_no_construct_explains() -> None:
    text = "a = 1\n??? !!!\nb = 2\n"
    report = inspect(text, TABLE["python"])
    assert report.error_nodes >= 1
    assert 6 <= report.error_bytes <= 8


def test_well_formed_code_inside_an_error_is_not_counted() -> None:
    # To this grammar the function never ends, so one error spans the file; the calls in it are fine.
    calls = "g(1, 2, 3);\n" * 50
    report = inspect(f"int f() {{\n#if A\n if (x) {{\n#else\n if (y) {{\n#endif\n{calls}}}}}\n", TABLE["c"])
    assert (report.error_nodes, report.missing_nodes, report.error_bytes) == (1, 0, 14)


def test_a_wrong_language_is_mostly_error() -> None:
    report = inspect("Dear Sir, thank you for the letter of last week. Yours, me.\n" * 20, TABLE["json"])
    assert report.error_bytes > 0.9 * report.bytes


@pytest.mark.parametrize(
    ("language", "text", "functions"),
    [
        ("java", "class A { A() {} void b() {} int c; }", 2),
        ("go", "func a() {}\nfunc (b B) c() { func() {}() }\n", 3),
        ("elixir", "defmodule A do\n  def b(c), do: c\n  defp d(e) do\n    e\n  end\nend\n", 2),
        ("ocaml", "let a b = b\nlet c = 1\n", 1),
        ("javascript", "const a = () => 1; class B { c() {} }", 2),
        ("json", "[1]", 0),
    ],
)
def test_functions(language: str, text: str, functions: int) -> None:
    assert inspect(text, TABLE[language]).functions == functions


def test_nested_comments_count_once() -> None:
    assert inspect("#;(a ; b\n c)\n", TABLE["racket"]).comment_bytes == len("#;(a ; b\n c)")
    assert inspect("/* a /* b */ c */\n// d\nfn e() {}\n", TABLE["rust"]).comment_bytes == len("/* a /* b */ c */// d")


def test_a_language_without_a_grammar_is_not_parsed() -> None:
    report = inspect("été", Language("a"))
    assert asdict(report) == {
        "parsed": False,
        "bytes": 5,
        "nodes": 0,
        "error_nodes": 0,
        "missing_nodes": 0,
        "error_bytes": 0,
        "comment_bytes": 0,
        "functions": 0,
        "max_depth": 0,
    }


def test_too_slow() -> None:
    with pytest.raises(trees.ParseTimeout):
        inspect("def a(b): return 'c'\n" * 40_000, TABLE["c"], seconds=0.05)


def test_deep_nesting() -> None:
    report = inspect("[" * 50_000 + "]" * 50_000, TABLE["javascript"])
    assert report.max_depth == 50_002
    assert inspect("[" * 50_000, TABLE["javascript"]).error_nodes >= 1


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["python", "c", "javascript", "ruby", "java"]))
def test_measurements_stay_in_bounds_and_do_not_change(text: str, name: str) -> None:
    report = inspect(text, TABLE[name])
    assert report.bytes == len(text.encode("utf-8", "surrogatepass"))
    assert 0 <= report.error_bytes <= report.bytes
    assert 0 <= report.comment_bytes <= report.bytes
    assert report.error_nodes + report.missing_nodes <= report.nodes
    assert inspect(text, TABLE[name]) == report


@settings(max_examples=50, deadline=None)
@given(st.text("ab=([{}])\"'\n #,", max_size=60))
def test_clean_trees_and_only_those_have_no_error(text: str) -> None:
    report = inspect(text, TABLE["python"])
    assert (report.error_nodes + report.missing_nodes > 0) == trees.parse(text, "python").root.has_error
