"""Syntax reports: small texts in, exact measurements out."""

import ast
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import second_opinion, trees
from codemill.core.languages import Language, LanguageTable
from codemill.core.syntax import SyntaxReport, TooDeep, inspect, is_broken

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
        longest_function=2,
        max_depth=1,
        identifiers=5,
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
    report = inspect(
        f"int f() {{\n#if A\n if (x) {{\n#else\n if (y) {{\n#endif\n{calls}}}}}\n", Language("x", grammar="c")
    )
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
    assert inspect("été", Language("a")) == SyntaxReport(parsed=False, bytes=5)
    assert not is_broken(SyntaxReport(parsed=False, bytes=5), Language("a"))


def test_deep_nesting() -> None:
    assert inspect("[" * 5_000 + "]" * 5_000, TABLE["javascript"]).max_depth == 5_000
    with pytest.raises(TooDeep, match="allowed are 10000"):
        inspect("[" * 100_000 + "]" * 100_000, TABLE["javascript"])
    assert inspect("[" * 9_000, TABLE["javascript"]).faults == ("unclosed_bracket",)


def test_a_text_too_large_to_parse() -> None:
    with pytest.raises(trees.TooLarge, match="allowed are 8388608"):
        inspect("a = '" + "x" * 50_000_000 + "'\n", TABLE["python"])


FAULTS = {
    "a bracket, in a language whose macros excuse errors": (
        "c",
        "int a(void) {\n  FOO(b) c;\n  if (d) {\n    e();\n}\n",
        ("cut_off", "unclosed_bracket"),
        1,
    ),
    "branches of the preprocessor that each open one": (
        "c",
        "#if A\nint b(void) {\n#else\nint c(void) {\n#endif\n  FOO bar baz;\n}\n",
        (),
        None,
    ),
    "what #if 0 switches off": ("c", "int a;\n#if 0\nint b( {\n#endif\nFOO bar baz;\n", (), None),
    "one branch has what the other lacks": (
        "c",
        "#ifdef A\nvoid b(void) {\n#endif\n  c();\n#ifdef A\n}\n#endif\nFOO bar baz;\n",
        (),
        None,
    ),
    "brackets in strings, characters, comments, directives and raw strings": (
        "cpp",
        '#define A (\\\n  (\nchar b = \'(\';\n// (\n/* { */ auto c = R"x(" ( )" )x"; auto d = "(\\"(";\nFOO bar baz;\n',
        (),
        None,
    ),
    "a block that a poor grammar does not miss": (
        "makefile",
        "a:\n\techo b\n\nendif\n",
        ("unclosed_block",),
        4,
    ),
    "branches that each open a block": (
        "fortran",
        "subroutine s(a)\n#ifdef A\n  if (a > 1) then\n#else\n  if (a > 2) then\n#endif\n  end if\nend subroutine\n",
        (),
        1,
    ),
    "a macro at the end that needs no semicolon": ("c", "int a;\nmake_n(0)\n", (), 2),
    "a declaration that is cut off": ("c", "int a;\nint b\n", ("cut_off",), 2),
    "a conflict": (
        "python",
        "a = 1\n<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> other\n",
        ("rejected",),
        2,
    ),
    "a conflict in text": (
        "html",
        "<p>\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n</p>\n",
        ("conflict_marker",),
        2,
    ),
    "a conflict in a string": ("python", 'a = """\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> d\n"""\n', (), None),
    "a heading that looks like half of a conflict": ("c", "/*\n=======\n>>>>>>> a\n*/\nint b;\n", (), None),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case: str) -> None:
    language, text, faults, line = FAULTS[case]
    report = inspect(text, TABLE[language])
    assert (report.faults, report.first_error) == (faults, line)


GAPS = {
    "a test, whose macro begins it": ("cpp", 'TEST_CASE("reads (fast); all", "[reader]")\n{\n  a();\n}\n'),
    "texts that macros stand for, one after the other": (
        "c",
        'const char *a = A_VERSION A_EXTRA;\nchar b[] =\n  B_ONE\n  B_TWO;\nchar c[] = "d" STRING(F) "g";\n',
    ),
    "a prototype for old compilers, on two lines": (
        "c",
        "extern int EXPORT a OF((const char *b,\n  int c));\nextern int EXPORT d OF((int e,\n  int f));\n",
    ),
    "an exception as the argument of a macro": ("cpp", 'void a() {\n  EXPECT_THROW(throw b(""), c, "");\n}\n'),
    "a lambda as an argument": (
        "cpp",
        "int PNGAPI b(void);\nvoid a() {\n  ON_CALL(*b, c(_)).Will(Invoke([](size_t d) {\n    return d;\n  }));\n}\n",
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_what_the_grammar_lacks_is_no_error(case: str) -> None:
    language, text = GAPS[case]
    report = inspect(text, TABLE[language])
    assert (report.error_nodes, report.missing_nodes, report.faults) == (0, 0, ())


OLD_AND_EARLY = {
    "print 'a'\n": False,
    "print('a')\n": True,
    "try:\n    a\nexcept B, c:\n    d\n": False,
    "a <> b\n": False,
    "a = 0755\n": False,
    "a = 0o755, 00, 0.5, 01.5, 0x1F, 1_000\n": True,
    "a = 10L\n": False,
    "a = `b`\n": False,
    "a = '`'  # `\n": True,
    "a = 1\n    b = 2\n": False,
    "if a:\nb\n": False,
    "if a:\n        b\n    c\n": False,
    "if a:\n\tb\n        c\n": False,
    "if a:\n  b = [\n1,\n    2]\n  c = \\\n 3\n# d\n": True,
    "if a: b\nc\n": True,
    "return 1\n": False,
    "for a in b:\n    def c():\n        break\n": False,
    "for a in b:\n    if c:\n        break\n": True,
    "def a(b=1, c): pass\n": False,
    "def a((b, c)): pass\n": False,
    "try:\n    a\nb\n": False,
    "match a:\n    case [1, *b]:\n        c\n": True,
}


@pytest.mark.parametrize("text", OLD_AND_EARLY)
def test_what_only_pythons_own_parser_knows(text: str) -> None:
    assert is_broken(inspect(text, TABLE["python"]), TABLE["python"]) != OLD_AND_EARLY[text]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["if a:", "b", "c(", ")", "[", "]", "'", '"', "# d", "\\", " ", "    ", "\t", "\n"])))
def test_what_the_interpreter_refuses_for_its_indentation_is_never_kept(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        ast.parse(text)
    except IndentationError:
        assert is_broken(inspect(text, TABLE["python"]), TABLE["python"])
    except SyntaxError:
        pass
    else:
        assert not is_broken(inspect(text, TABLE["python"]), TABLE["python"])


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
def test_what_python_says_of_a_tree_with_errors_holds(text: str) -> None:
    report = inspect(text, TABLE["python"])
    if trees.parse(text, "python").root.has_error:
        opinion = second_opinion.ask("python", text)
        assert opinion is not None
        assert is_broken(report, TABLE["python"]) != opinion.accepted
    else:
        assert report.error_nodes + report.missing_nodes == 0


def test_a_missing_token_that_no_node_stands_for() -> None:
    text = "{''\n''}''"
    assert trees.parse(text, "python").root.has_error
    assert inspect(text, TABLE["python"]).faults == ("rejected",)
