"""Commented-out code: what is found, what is left alone, and what deleting leaves behind."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.comments import CommentedCode, delete, find
from codemill.core.languages import Language, LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


def kept(text: str, language: str, min_lines: int = 3) -> str:
    """Return the text less every section that is found in it."""
    return delete(text, [(found.start, found.end) for found in find(text, TABLE[language], min_lines)])


PYTHON = """\
def a(b):
    # é for i in b:
    #     print(i)
    c = 1
    # for i in b:
    #     if i > c:
    #         c += i
    # print(c)
    return c
"""


def test_a_run_of_line_comments() -> None:
    start = PYTHON.index("    # for i in b:\n    #     if")
    end = PYTHON.index("    return c")
    assert find(PYTHON, TABLE["python"], 4) == [CommentedCode(start=start, end=end, lines=4, score=1.0)]
    assert find(PYTHON, TABLE["python"], 5) == []


DELETED = {
    "python, two marks": ("python", "a = 1\n##b = 2\n##c = b\n##d(c)\ne = 3\n", "a = 1\ne = 3\n"),
    "python, comments inside": (
        "python",
        "a = 1\n# # how it was\n# b = 2\n# c = b\n#\n# d(c)\n",
        "a = 1\n",
    ),
    "no line break at the end": ("python", "a = 1\n# b = 2\n# c = b\n# d(c)", "a = 1\n"),
    "windows line breaks": ("python", "a = 1\r\n# b = 2\r\n# c = b\r\n# d(c)\r\ne = 1\r\n", "a = 1\r\ne = 1\r\n"),
    "nothing else in the file": ("python", "# b = 2\n# c = b\n# d(c)\n", ""),
    "only what stands at one indentation": (
        "python",
        "def a():\n    # b = 2\n    # c = b\n    # d(c)\n# e = 2\n    pass\n",
        "def a():\n# e = 2\n    pass\n",
    ),
    "a type comment before it stays": (
        "python",
        "def a(b):\n    # type: (int) -> int\n    # c = b\n    # d(c)\n    # e(c)\n    return b\n",
        "def a(b):\n    # type: (int) -> int\n    return b\n",
    ),
    "javascript, block": (
        "javascript",
        "a();\n/*\nif (b) {\n  c(b);\n  d();\n}\n*/\ne();\n",
        "a();\ne();\n",
    ),
    "javascript, code on the line of the opening": (
        "javascript",
        "a();\n/* const b = 1;\n   c(b);\n   d(b); */\ne();\n",
        "a();\ne();\n",
    ),
    "java, members": (
        "java",
        "class A {\n  // private int b;\n  // @Override\n  // int c() {\n  //   return b;\n  // }\n  int d;\n}\n",
        "class A {\n  int d;\n}\n",
    ),
    "c": ("c", "int a;\n/*\n  for (i = 0; i < 3; i++)\n    b[i] = c(i);\n  d();\n*/\n", "int a;\n"),
    "c++": ("cpp", "// std::cout << a;\n// b->c();\n// delete b;\nint d;\n", "int d;\n"),
    "go": (
        "go",
        "package a\n\n// x := b()\n// if x != nil {\n// \tc(x)\n// }\nvar d int\n",
        "package a\n\nvar d int\n",
    ),
    "rust, match arms": (
        "rust",
        "fn a() {\n  match b {\n    // 0 => c(),\n    // 1 => d(),\n    // 2 => e(),\n    _ => f(),\n  }\n}\n",
        "fn a() {\n  match b {\n    _ => f(),\n  }\n}\n",
    ),
    "php": ("php", "<?php\n// $a = b();\n// foreach ($a as $c) {\n//   d($c);\n// }\ne();\n", "<?php\ne();\n"),
    "ruby": ("ruby", "a\n# def b(c)\n#   d(c)\n#   @e = c\n# end\nf\n", "a\nf\n"),
    "lua": ("lua", "a()\n--[[\nlocal b = c()\nb:d()\nprint(b)\n]]\ne()\n", "a()\ne()\n"),
    "shell": ("shell", 'a\n# if [ -z "$b" ]; then\n#   b="$(c)"\n#   export b\n# fi\nd\n', "a\nd\n"),
    "css": ("css", "a { color: red; }\n/*\nb {\n  color: blue;\n  top: 0;\n}\n*/\n", "a { color: red; }\n"),
    "html": ("html", "<p>a</p>\n<!--\n<ul>\n  <li>b</li>\n  <li>c</li>\n</ul>\n-->\n", "<p>a</p>\n"),
    "text that is not ascii": ("python", "é = 'π'\n# b = 2\n# c = 'ü'\n# d(c)\nß = 3\n", "é = 'π'\nß = 3\n"),
}


@pytest.mark.parametrize("case", DELETED)
def test_commented_out_code_goes(case: str) -> None:
    language, text, expected = DELETED[case]
    assert kept(text, language) == expected


KEPT = {
    "prose": (
        "python",
        "# This module reads the file, and if there is none it\n# returns the default (see below) for each of the\n"
        "# values that were asked for; note that the default\n# is not the same on all platforms.\na = 1\n",
    ),
    "a licence": (
        "java",
        "// Copyright (c) 2020, A. Author. All rights reserved.\n// Licensed under the Apache License, Version 2.0;\n"
        '// distributed on an "AS IS" BASIS, WITHOUT WARRANTIES.\n// See the License for more.\nclass A {}\n',
    ),
    "an example": ("python", "# Example:\n# a = b()\n# c = a.d()\n# print(c)\ne = 1\n"),
    "an example after its heading": (
        "python",
        "# For example, to read a file:\n\n# a = b()\n# c = a.d()\n# e(c)\nf = 1\n",
    ),
    "an example in prose": (
        "go",
        "package a\n\n// B does what you would expect:\n//\n//\tx := b()\n//\tc(x)\n//\td(x)\nfunc B() {}\n",
    ),
    "a doctest": ("python", "# >>> a = b()\n# >>> c(a)\n# >>> d(a)\ne = 1\n"),
    "what comes out": ("python", "# root\n# |-- a: long (nullable = true)\n# |-- b: string\n# |-- c: string\nd = 1\n"),
    "javadoc": ("java", "/**\n int a = 1;\n int b = 2;\n int c = 3;\n */\nclass A {}\n"),
    "rust doc": ("rust", "/// let a = 1;\n/// let b = 2;\n/// let c = 3;\nfn d() {}\n"),
    "a border": ("c", "/*\n * a = 1;\n * b = 2;\n * c = 3;\n */\nint d;\n"),
    "a docstring": ("python", '"""\na = 1\nb = 2\nc = 3\n"""\n'),
    "a string that looks like comments": ("python", 'a = """\n# b = 2\n# c = b\n# d(c)\n"""\n'),
    "a template that looks like a comment": ("javascript", "const a = `\n/*\nb();\nc();\nd();\n*/\n`;\n"),
    "directives": (
        "python",
        "# type: ignore\n# noqa: E501\n# pylint: disable=a\n# fmt: off\n# vim: set sw=4:\na = 1\n",
    ),
    "one statement over several lines": ("python", "# a(\n#     b=1,\n#     c=2,\n# )\nd = 1\n"),
    "half of it is no code": ("python", "# a = b()\n# c(a)\n# d(a)\n# 3 (of 4) e\n# 4 (of 4) f\ng = 1\n"),
    "words that happen to be statements": ("python", "# del monte\n# assert dominance\n# del rio\na = 1\n"),
    "sentences that happen to be statements": (
        "ruby",
        "# a = b(c)\n# d = e(a)\n# f(d)\n# g(d)\n# Shows the value if it is present\n"
        "# Hides the value unless it is visible\nh\n",
    ),
    "cgo": ("go", 'package a\n\n/*\nint b(int);\nint c(int);\nint d(int);\n*/\nimport "C"\n'),
    "a conditional comment": ("html", "<!--[if IE]>\n<p>a</p>\n<p>b</p>\n<p>c</p>\n<![endif]-->\n"),
    "a drawing": (
        "c",
        "// +-----+    +-----+\n// |  a  | -> |  b  |\n// +-----+    +-----+\n// ==================\nint c;\n",
    ),
    "a table of numbers": ("c", "// 0x00, 0x01, 0x02,\n// 0x03, 0x04, 0x05,\n// 0x06, 0x07, 0x08,\nint c;\n"),
    "names alone": ("python", "# alpha\n# beta\n# gamma\n# delta\na = 1\n"),
    "at the end of lines of code": ("python", "a = 1  # b = 2\nc = 1  # d = b\ne = 1  # f(d)\ng = 1  # h(d)\n"),
    "a line that goes on before it": ("shell", 'a \\\n# b="$c"\n# d="$b"\n# export d\ne\n'),
    "too short": ("python", "# a = 1\n# b = 2\nc = 3\n"),
    "one line over and over": ("python", "# a = 1\n" * 12),
    "a block with code behind it": ("c", "/*\nb();\nc();\nd();\n*/ int a;\n"),
    "line comments in a block": ("c", "int a; /*\n// b();\n// c();\n// d();\n*/\n"),
    "a block never closed": ("c", "int a;\n/*\nb();\nc();\nd();\n"),
    "a shebang and a header": ("shell", "#!/bin/sh\n# a.sh -- do a thing\n#\n# Usage: a.sh [-x] file\n#\nb\n"),
}


@pytest.mark.parametrize("case", KEPT)
def test_everything_else_stays(case: str) -> None:
    language, text = KEPT[case]
    assert kept(text, language) == text


def test_the_default_asks_for_five_lines() -> None:
    four = "# a = 1\n# b = a\n# c(b)\n# d(b)\n"
    assert [find(four + more, TABLE["python"]) != [] for more in ("", "# e(b)\n")] == [False, True]


def test_a_language_without_statement_nodes_is_not_searched() -> None:
    text = "# a = 1\n# b = a\n# c(b)\n"
    assert find(text, TABLE["python"], 3) != []
    assert find(text, TABLE["makefile"], 3) == []
    assert find(text, Language("a", line_comments=("#",)), 3) == []


def test_two_sections_in_order() -> None:
    text = "/*\na();\nb();\nc();\n*/\nint d;\n// e();\n// f();\n// g();\n"
    found = find(text, TABLE["c"], 3)
    assert [text[each.start : each.start + 6] for each in found] == ["/*\na()", "// e()"]
    assert [each.lines for each in found] == [5, 3]


def test_too_slow_is_said() -> None:
    junk = "def a(b): return 'c'\n" * 40_000 + "// a();\n// b();\n// c();\n"
    with pytest.raises(trees.ParseTimeout):
        find(junk, TABLE["c"], 3, seconds=0.05)


def test_delete() -> None:
    assert delete("abcdef", []) == "abcdef"
    assert delete("abcdef", [(4, 5), (0, 2)]) == "cdf"
    assert delete("abcdef", [(0, 4), (1, 2), (3, 5)]) == "f"


@pytest.mark.parametrize("span", [(-1, 2), (2, 1), (0, 4)])
def test_delete_outside_the_text(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"allowed is start <= end within 0\.\.3"):
        delete("abc", [span])


SOME_LINES = """
# a = 1
# b(a)
# if a:
#     c()
    # d = 2
    # e(d)
x = 1
# words and more words here
\"\"\"
# é = 'ü'
#
y = (
)
\\"""
LINES = st.lists(st.sampled_from(SOME_LINES.split("\n")), max_size=25)


@settings(max_examples=50, deadline=None)
@given(LINES)
def test_sections_are_whole_lines_of_comments(lines: list[str]) -> None:
    text = "\n".join(lines)
    end = 0
    for found in find(text, TABLE["python"], 3):
        assert end <= found.start < found.end <= len(text)
        end = found.end
        section = text[found.start : found.end]
        assert found.start == 0 or text[found.start - 1] == "\n"
        assert found.end == len(text) or section.endswith("\n")
        assert all(line.lstrip().startswith("#") for line in section.splitlines())
        assert found.lines == len(section.splitlines())
        assert 0.85 <= found.score <= 1


@settings(max_examples=50, deadline=None)
@given(LINES)
def test_deleting_makes_no_error_and_leaves_nothing_to_delete(lines: list[str]) -> None:
    text = "\n".join(lines)
    once = kept(text, "python")
    assert find(text, TABLE["python"], 3) == find(text, TABLE["python"], 3)
    assert trees.parse(once, "python").root.has_error <= trees.parse(text, "python").root.has_error


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["python", "c", "lua", "html", "haskell"]))
def test_no_text_breaks_it(text: str, name: str) -> None:
    assert all(0 <= found.start < found.end <= len(text) for found in find(text, TABLE[name], 1))


@pytest.mark.parametrize(
    "text",
    ["# a = 1" * 100_000, "#\n" * 200_000, " " * 500_000, "/*" * 200_000, "# " + "a " * 300_000, "/*\n" * 100_000],
    ids=["one line", "empty comments", "blanks", "openings", "words", "opening lines"],
)
@pytest.mark.parametrize("name", ["python", "php"])
def test_long_texts_take_linear_time(text: str, name: str) -> None:
    assert find(text, TABLE[name], 3) == []
