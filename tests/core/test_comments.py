"""Commented-out code: what is found, what is left alone, and what deleting leaves behind."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.comments import CommentedCode, delete, find_in
from codemill.core.languages import Language, LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


def kept(text: str, language: str) -> str:
    """Return the text less every section that is found in it."""
    return delete(text, [(found.start, found.end) for found in find_in(text, TABLE[language])])


def commented(code: str, language: str) -> list[str]:
    """Return the code within comments: one of line comments, one a block, where the language has them."""
    row = TABLE[language]
    lines = [f"{marker} {line}" for marker in row.line_comments[:1] for line in code.split("\n")]
    blocks = [f"{opening}\n{code}\n{closing}\n" for opening, closing in row.block_comments[:1]]
    return ["\n".join(lines) + "\n", *blocks] if lines else blocks


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
    characters = len("for i in b:if i > c:c += iprint(c)")
    assert find_in(PYTHON, TABLE["python"]) == [CommentedCode(start, end, lines=4, characters=characters, score=1.0)]


def test_sections_of_any_size() -> None:
    text = "# a(1)\nb = 1\n/*\n".replace("/*\n", "") + "# c = 2\n# d(c)\n"
    assert [(each.lines, each.characters) for each in find_in(text, TABLE["python"])] == [(1, 4), (2, 9)]


DELETED = {
    "python, two marks": ("python", "a = 1\n##b = 2\n##c = b\n##d(c)\ne = 3\n", "a = 1\ne = 3\n"),
    "python, comments inside": ("python", "a = 1\n# # how it was\n# b = 2\n# c = b\n#\n# d(c)\n", "a = 1\n"),
    "python, commented out twice": ("python", "a = 1\n# # b = 2\n# # c(b)\n", "a = 1\n"),
    "python, one line": ("python", "a = 1\n# b = f(2)\n", "a = 1\n"),
    "python, a branch": ("python", "if a:\n    b()\n#else:\n#    c()\n", "if a:\n    b()\n"),
    "python, entries": ("python", "a = {\n    # 'b': 1,\n    # 'c': [2],\n}\n", "a = {\n}\n"),
    "python, a head alone": ("python", "# if a == b:\nc()\n", "c()\n"),
    "python, above words": (
        "python",
        "# a = b()\n# c(a)\n# Whatever comes now is of more use\nd()\n",
        "# Whatever comes now is of more use\nd()\n",
    ),
    "python, below words": (
        "python",
        "# This is how it was done in the old days\n#a = b()\n#c(a)\nd()\n",
        "# This is how it was done in the old days\nd()\n",
    ),
    "python, with the comment it had": ("python", "a = 1\n# first the b\n# b = 2\n# c = b\n# d(c)\n", "a = 1\n"),
    "no line break at the end": ("python", "a = 1\n# b = 2\n# c = b\n# d(c)", "a = 1\n"),
    "windows line breaks": ("python", "a = 1\r\n# b = 2\r\n# c = b\r\n# d(c)\r\ne = 1\r\n", "a = 1\r\ne = 1\r\n"),
    "nothing else in the file": ("python", "# b = 2\n# c = b\n# d(c)\n", ""),
    "one indentation code, another not": (
        "python",
        "def a():\n    # b = 2\n    # c = b\n    # d(c)\n# These are some words about it\n    pass\n",
        "def a():\n# These are some words about it\n    pass\n",
    ),
    "at two indentations": ("c", "//  void f() {\n  //    g();\n   //  }\nint a;\n", "int a;\n"),
    "a type comment before it stays": (
        "python",
        "def a(b):\n    # type: (int) -> int\n\n    # c = b\n    # d(c)\n    return b\n",
        "def a(b):\n    # type: (int) -> int\n\n    return b\n",
    ),
    "javascript, code on the line of the opening": (
        "javascript",
        "a();\n/* const b = 1;\n   c(b);\n   d(b); */\ne();\n",
        "a();\ne();\n",
    ),
    "javascript, an unfinished block": (
        "javascript",
        "// if (a) {\n//   while (b) {\n//     c();\nd();\n",
        "d();\n",
    ),
    "javascript, a branch": ("javascript", "// } else {\n//   a();\n// }\nd();\n", "d();\n"),
    "javascript, entries": ("javascript", "a({\n  // b: 'c',\n  // d: [1, 2],\n  e,\n});\n", "a({\n  e,\n});\n"),
    "a border": ("javascript", "/*\n * const a = 1;\n * b(a);\n */\nc();\n", "c();\n"),
    "blocks of one line each": ("c", "int a;\n/* b = f(1); */\n/* g(b); */\nint c;\n", "int a;\nint c;\n"),
    "java, members": (
        "java",
        "class A {\n  // private int b;\n  // @Override\n  // int c() {\n  //   return b;\n  // }\n  int d;\n}\n",
        "class A {\n  int d;\n}\n",
    ),
    "c, directives": ("c", "/* #define A 1 */\n/* #define B 2 */\n#define C 3\n", "#define C 3\n"),
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
    "text that is not ascii": ("python", "é = 'π'\n# b = 2\n# c = 'ü'\n# d(c)\nß = 3\n", "é = 'π'\nß = 3\n"),
    "comments within comments": ("rust", "/*\nlet a = b();\n/* d */\nc(a);\n*/\nfn e() {}\n", "fn e() {}\n"),
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
    "an example further in": ("ada", "--  This is how it is called by most\n\n--     A (B);\n--     C (D);\n"),
    "an example in prose": (
        "go",
        "package a\n\n// B does what it says it does.\n//\n//\tx := b()\n//\tc(x)\n//\td(x)\nfunc B() {}\n",
    ),
    "an example with its results": ("ruby", "# a.b(1)  # => 2\n# a.b(2)  # => 3\nc\n"),
    "an example in tags": ("javascript", "/*\n<code>\na();\nb();\n</code>\n*/\nc();\n"),
    "some words, some code": ("javascript", "// some text with some code\n// if (a) {\n// }\nb();\n"),
    "words that end in a semicolon": ("c", "// words that end in a semicolon;\nint a;\n"),
    "a doctest": ("python", "# >>> a = b()\n# >>> c(a)\n# >>> d(a)\ne = 1\n"),
    "what comes out": ("python", "# root\n# |-- a: long (nullable = true)\n# |-- b: string\n# |-- c: string\nd = 1\n"),
    "javadoc": ("java", "/**\n int a = 1;\n int b = 2;\n int c = 3;\n */\nclass A {}\n"),
    "rust doc": ("rust", "/// let a = 1;\n/// let b = 2;\n/// let c = 3;\nfn d() {}\n"),
    "a border around words and code": ("c", "/*\n * What this does:\n * b = 2;\n * c = 3;\n * d(c);\n */\nint d;\n"),
    "a docstring": ("python", '"""\na = 1\nb = 2\nc = 3\n"""\n'),
    "a string that looks like comments": ("python", 'a = """\n# b = 2\n# c = b\n# d(c)\n"""\n'),
    "a template that looks like a comment": ("javascript", "const a = `\n/*\nb();\nc();\nd();\n*/\n`;\n"),
    "directives": (
        "python",
        "# type: ignore\n# noqa: E501\n# pylint: disable=a\n# fmt: off\n# vim: set sw=4:\na = 1\n",
    ),
    "type comments": ("python", "# type: (int) -> int\na = 1\n"),
    "build tags": ("go", "//go:build linux && amd64\n// +build linux,amd64\n\npackage a\n"),
    "linters": ("javascript", "/* eslint-disable a, b */\n// eslint-disable-next-line c\n/* global d: true */\ne();\n"),
    "region marks": ("csharp", "//#region A(b)\n//#endregion\nclass A {}\n"),
    "pragmas": ("python", "# pragma: no cover\na = 1\n"),
    "words that happen to be statements": ("python", "# del monte\n# assert dominance\n# del rio\na = 1\n"),
    "a name": ("javascript", "// reduce\na();\n//Object;\nb();\n// a.b\nc();\n// throw exception;\nd();\n"),
    "a label": ("javascript", "// labelName : id;\na();\n// TODO: b(1 + 2);\nc();\n"),
    "a call in words": ("go", "package a\n\n// notACall (this is not one)\n\n// f (1, 2)\nvar b int\n"),
    "sentences that happen to be statements": (
        "ruby",
        "# Shows the value if it is present\n# a = b(c)\n# Hides the value unless it is visible\n# f(d)\nh\n",
    ),
    "cgo": ("go", 'package a\n\n/*\nint b(int);\nint c(int);\nint d(int);\n*/\nimport "C"\n'),
    "a conditional comment": ("html", "<!--[if IE]>\n<p>a</p>\n<p>b</p>\n<p>c</p>\n<![endif]-->\n"),
    "a drawing": (
        "c",
        "// +-----+    +-----+\n// |  a  | -> |  b  |\n// +-----+    +-----+\n// ==================\nint c;\n",
    ),
    "a table of numbers": ("c", "// 0x00, 0x01, 0x02,\n// 0x03, 0x04, 0x05,\n// 0x06, 0x07, 0x08,\nint c;\n"),
    "brackets": ("javascript", "if (a) {\n  b();\n}\n// }}\n"),
    "names alone": ("python", "# alpha\n# beta\n# gamma\n# delta\na = 1\n"),
    "at the end of lines of code": ("python", "a = 1  # b = 2\nc = 1  # d = b\ne = 1  # f(d)\ng = 1  # h(d)\n"),
    "within a line of code": ("javascript", "let a = /* let b = 42; */ 0;\n"),
    "a line that goes on before it": ("shell", 'a \\\n# b="$c"\n# d="$b"\n# export d\ne\n'),
    "one line over and over": ("python", "# a = 1\n" * 12),
    "a block with code behind it": ("c", "/*\nb();\nc();\nd();\n*/ int a;\n"),
    "a block never closed": ("c", "int a;\n/*\nb();\nc();\nd();\n"),
    "a shebang and a header": ("shell", "#!/bin/sh\n# a.sh -- do a thing\n#\n# Usage: a.sh [-x] file\n#\nb\n"),
    "inline metadata": ("python", '# /// script\n# dependencies = [\n#   "a<3",\n# ]\n# ///\nimport a\n'),
    "lisp in words": ("scheme", ";; A signature is\n;; (make a (list of b))\n;; (make c (list of d))\n(e)\n"),
    "directives of a preprocessor": ("assembly", "#define a x1\n#define b x2\n#define c x3\n"),
    "an executed comment": ("sql", "/*!40101 SET a = 1 */;\nselect 1;\n"),
}


@pytest.mark.parametrize("case", KEPT)
def test_everything_else_stays(case: str) -> None:
    language, text = KEPT[case]
    assert kept(text, language) == text


CODE = {
    "c": "int a = 1;\nif (a > b) {\n  c(a);\n}\nd = e(a);",
    "cpp": "auto a = b();\nif (a) {\n  c->d(a);\n}\nstd::cout << e;",
    "csharp": "var a = b();\nif (a) {\n  c.D(a);\n}",
    "objective_c": "int a = [b c];\nif (a) {\n  [d e:a];\n}",
    "cuda": "int a = threadIdx.x;\nb<<<1, 2>>>(a);\nif (a) {\n  c(a);\n}",
    "hlsl": "float a = b;\nif (a > 1.0) {\n  c = float3(a, a, a);\n}",
    "java": "int a = b();\nif (a > 1) {\n  c.d(a);\n}",
    "kotlin": "val a = b()\nif (a > 1) {\n  c.d(a)\n}",
    "scala": "val a = b()\nif (a > 1) {\n  c.d(a)\n}",
    "dart": "var a = b();\nif (a) {\n  c.d(a);\n}",
    "javascript": "const a = b();\nif (a) {\n  c.d(a);\n}",
    "typescript": "const a: number = b();\nif (a) {\n  c.d(a);\n}",
    "python": "a = b()\nif a:\n    c.d(a)",
    "php": "$a = b();\nif ($a) {\n  $c->d($a);\n}",
    "ruby": "a = b\nif a\n  c.d(a)\nend",
    "rust": "let a = b();\nif a > 1 {\n    c.d(a);\n}",
    "go": "a := b()\nif a != nil {\n\tc(a)\n}",
    "swift": "let a = b()\nif a > 1 {\n  c.d(a)\n}",
    "d": "int a = 1;\nif (a) {\n  writeln(a);\n}\na = f(2);",
    "nim": "let a = b()\nif a > 1:\n  echo a\nproc c(d: int) =\n  e(d)",
    "zig": "const a = b();\nif (a) {\n    return c(a);\n}\nd.e(a);",
    "shell": 'a="$(b)"\nif [ -z "$a" ]; then\n  c "$a"\nfi',
    "powershell": "$a = Get-Item b\nif ($a) {\n  Write-Host $a\n}",
    "sql": "select a, b from c where d = 1;\ninsert into a (b) values (1);\nupdate a set b = 2 where c = 3;",
    "haskell": "a :: Int -> Int\na b = b + 1\nc = a 1",
    "ocaml": "let a = b 1\nlet c d =\n  match d with\n  | 1 -> e\n  | _ -> f",
    "elm": "a : Int -> Int\na b =\n    b + 1",
    "erlang": "a(B) ->\n    c(B),\n    D = e.",
    "elixir": "a = b()\nif a do\n  IO.puts(a)\nend",
    "clojure": "(defn a [b]\n  (c b))\n(d 1)",
    "scheme": "(define (a b)\n  (c b))\n(d 1)",
    "lua": "local a = b()\nif a then\n  c:d(a)\nend",
    "perl": "my $a = b();\nif ($a) {\n  print $a;\n}",
    "r": "a <- b(1)\nif (a > 1) {\n  c(a)\n}",
    "julia": "a = b(1)\nif a > 1\n  c(a)\nend",
    "matlab": "a = b(1);\nif a > 1\n  c(a);\nend",
    "fortran": "a = b + 1\ncall c(a)\nif (a > 1) then\n  d = 2\nend if\nprint *, a",
    "ada": "A := B + 1;\nif A > 1 then\n   Put_Line (C);\nend if;\nD (A);",
    "pascal": "a := b + 1;\nif a > 1 then\n  writeln(a);\nc(a);",
    "solidity": "uint a = b();\nif (a > 1) {\n  c.d(a);\n}",
    "verilog": "reg [3:0] f;\nalways @(posedge clk) begin\n  d <= e;\nend\nassign a = b & c;",
    "vhdl": "a <= b and c;\nsignal d : std_logic;\nif a = '1' then\n  e <= f;\nend if;",
    "tcl": "set a [b]\nif {$a > 1} {\n  puts $a\n}\nproc c {d} { return $d }",
    "vim_script": "let a = b()\nif a > 1\n  echo a\nendif\ncall c(a)\nset nocompatible",
    "cmake": 'set(A b)\nif(A)\n  message(STATUS "c")\nendif()',
    "dockerfile": 'RUN apt-get update\nCOPY a b\nENV C=d\nFROM e:1\nCMD ["f"]',
    "html": '<div class="a">\n  <b>c</b>\n</div>',
    "xml": "<dependency>\n  <groupId>a</groupId>\n</dependency>",
    "vue": '<div class="a">\n  <b>c</b>\n</div>',
    "css": "a {\n  color: red;\n  top: 0;\n}",
    "scss": ".a {\n  color: $b;\n  @include c;\n}",
    "yaml": "a: 1\nb:\n  c: d\n  e: [f, g]",
    "toml": '[a]\nb = 1\nc = "d"\ne = [1, 2]',
    "protobuf": "message A {\n  int32 b = 1;\n}\nstring c = 2;",
    "thrift": "struct A {\n  1: i32 b,\n  2: string c\n}",
    "graphql": "type A {\n  b: Int\n  c(d: ID!): String\n}\ninterface E { f: Int }",
    "terraform": 'a "b" {\n  c = d\n}\ne = f',
    "nix": "a = b 1;\nc = [ d e ];\nf.g = true;",
    "tex": "\\begin{figure}\n\\includegraphics{a}\n\\end{figure}\n\\usepackage{b}",
}


@pytest.mark.parametrize("language", CODE)
def test_code_of_every_language(language: str) -> None:
    before = "<?php\n" if language == "php" else ""
    for text in commented(CODE[language], language):
        assert kept(before + text, language) == before


PROSE = [
    "This explains what the next thing does and why it is\nneeded here, since it was not clear (see below) to\nall.",
    "Returns true if the value is set, or the default.",
    "NOTE: keep in sync with the other file",
    "See http://example.com/a?b=c for details",
    "foo (bar, baz)",
    "first, second and third",
    "TODO(me): remove this",
    "Copyright (c) 2020 A. Author <a@b.c>\nAll rights reserved.",
    "The mapping of keys:\n- first one\n- second one",
    "key value pairs",
    "------- helpers -------",
    "expects: a number",
    "default is 5 seconds",
    "end of file",
]


@pytest.mark.parametrize("language", CODE)
def test_prose_in_every_language(language: str) -> None:
    before = "<?php\n" if language == "php" else ""
    for prose in PROSE:
        for text in commented(prose, language):
            assert kept(before + text, language) == before + text


def test_languages_that_are_not_searched() -> None:
    text = "# a = 1\n# b = a\n# c(b)\n"
    assert find_in(text, TABLE["python"]) != []
    assert find_in(text, Language("a", line_comments=("#",))) == []
    assert find_in(text, Language("a", grammar="python", line_comments=("#",), comment_nodes=("comment",))) == []


def test_two_sections_in_order() -> None:
    text = "/*\na();\nb();\nc();\n*/\nint d;\n// e();\n// f();\n// g();\n"
    found = find_in(text, TABLE["c"])
    assert [text[each.start : each.start + 6] for each in found] == ["/*\na()", "// e()"]
    assert [each.lines for each in found] == [5, 3]


def test_long_comments() -> None:
    one_line_over_and_over = "/*\n" + "a(b, 'c');\n" * 1_000 + "d();\n" * 1_000 + "*/\n"
    assert find_in(one_line_over_and_over, TABLE["c"]) == []
    assert len(find_in("/*\n" + "".join(f"a(b, {number});\n" for number in range(3_000)) + "*/\n", TABLE["c"])) == 1


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
#f(x)
y = (
)
\\"""
LINES = st.lists(st.sampled_from(SOME_LINES.split("\n")), max_size=25)


@settings(max_examples=50, deadline=None)
@given(LINES)
def test_sections_are_whole_lines_of_comments(lines: list[str]) -> None:
    text = "\n".join(lines)
    end = 0
    for found in find_in(text, TABLE["python"]):
        assert end <= found.start < found.end <= len(text)
        end = found.end
        section = text[found.start : found.end]
        assert found.start == 0 or text[found.start - 1] == "\n"
        assert found.end == len(text) or section.endswith("\n")
        assert all(line.lstrip().startswith("#") for line in section.splitlines())
        assert found.lines == len(section.splitlines())
        assert found.characters == sum(len(line.strip().lstrip("#").strip()) for line in section.splitlines())
        assert 0.85 <= found.score <= 1


@settings(max_examples=50, deadline=None)
@given(LINES)
def test_deleting_makes_no_error(lines: list[str]) -> None:
    text = "\n".join(lines)
    once = kept(text, "python")
    assert find_in(text, TABLE["python"]) == find_in(text, TABLE["python"])
    assert trees.parse(once, "python").root.has_error <= trees.parse(text, "python").root.has_error


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["python", "c", "lua", "html", "haskell"]))
def test_no_text_breaks_it(text: str, name: str) -> None:
    assert all(0 <= found.start < found.end <= len(text) for found in find_in(text, TABLE[name]))


@settings(max_examples=50, deadline=None)
@given(st.text("abc =(){}[]:;,.'\"\\#/*-\n\té", max_size=60), st.sampled_from(sorted(CODE)))
def test_no_comment_breaks_it(inside: str, name: str) -> None:
    for text in commented(inside, name):
        assert all(0 <= found.start < found.end <= len(text) for found in find_in(text, TABLE[name]))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "# a = 1" * 100_000),
        ("python", "#\n" * 200_000),
        ("python", "# a = 1\n" * 200_000),
        ("python", " " * 500_000),
        ("python", "# " + "a " * 300_000),
        ("python", "# a = (" + " " * 300_000 + "b)\n"),
        ("python", "# " + "(" * 300_000 + "\n"),
        ("python", "# " + "'" * 300_000 + "=\n"),
        ("python", "#" * 300_000 + "\n"),
        ("c", "/*" * 200_000),
        ("c", "/* */ " * 50_000),
        ("c", "/*\n" + " * a;\n" * 100_000 + "*/\n"),
    ],
)
def test_long_texts_take_linear_time(language: str, text: str) -> None:
    assert len(find_in(text, TABLE[language])) <= 1


def test_long_code_takes_linear_time() -> None:
    text = "/*\n" + "".join(f"a[{number}] = b({number});\n" for number in range(300_000)) + "*/\n"
    assert [found.lines for found in find_in(text, TABLE["c"])] == [300_002]
