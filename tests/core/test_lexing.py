"""Comments by their markers: what is found, what is left alone, in many languages."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.languages import Language, LanguageTable
from codemill.core.lexing import alone, comment_spans, first_unclosed, survey

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


def comments(text: str, language: str) -> list[str]:
    source = text.encode()
    return [source[start:end].decode() for start, end in comment_spans(source, TABLE[language]).tolist()]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("python", "x = 1  # one\n# two\ny = '# no'\n", ["# one", "# two"]),
        ("python", "x = 'it''s'  # one\n'''\n# no\n'''\n", ["# one"]),
        ("python", 'r"""# no\n"""\nx = "\\"# no"  # one\n', ["# one"]),
        (
            "c",
            'int a; // one\n/* two\n */ char *b = "// no"; char c = \'"\'; // three\n',
            ["// one", "/* two\n */", "// three"],
        ),
        ("c", "/* never closed\nint a;\n", ["/* never closed\nint a;\n"]),
        ("javascript", "a = `\n// no ${b}\n`; // one\nfetch('http://a.b/c') // two\n", ["// one", "// two"]),
        ("rust", "fn a<'b>(c: &'b str) {} // one\nlet d = '\"'; // two\n", ["// one", "// two"]),
        ("go", 'a := `// no`\nb := "\\"" // one\n', ["// one"]),
        ("haskell", "f' x = x -- one\n{- two -}\n", ["-- one", "{- two -}"]),
        ("lua", "a = 1 -- one\n--[[ two\nthree ]]\n", ["-- one", "--[[ two\nthree ]]"]),
        ("shell", "echo ${#a} $# # one\n#!two\n", ["# one", "#!two"]),
        ("html", "<p title='a'>don't</p><!-- one\n -->\n", ["<!-- one\n -->"]),
        ("sql", "select '--no' -- one\n/* two */\n", ["-- one", "/* two */"]),
        ("vim_script", 'let a = "no"\n" one\n', ['" one']),
        ("fortran", "a = 'no!' ! one\n", ["! one"]),
        ("json", '{"a": "// no"}\n', []),
        ("common_lisp", '(print ";no") ; one\n#| two |#\n', ["; one", "#| two |#"]),
        ("python", "a = 1\t# one\n", ["# one"]),
        ("rust", "a('\\u{1F600}'\"'\") // one\n", ["// one"]),
        ("batchfile", "REM one\nREMARKS=2\n", ["REM one"]),
        ("ruby", "a = 1 # one\n=begin\ntwo\n=end\nb = 2\n", ["# one", "=begin\ntwo\n=end"]),
    ],
)
def test_comments_and_what_only_looks_like_one(language: str, text: str, found: list[str]) -> None:
    assert comments(text, language) == found


SIGNS = "// /* */ # -- ' \" \"\"\" ''' ` \\ a =begin =end é : :: REM dnl * % @ ; <!-- --> (* *) --[[ ]] { } '\\x41'"


def definition(language: Language) -> re.Pattern[bytes]:
    """Say in a regular expression what comments are: matches with a group."""

    def behind(character: bytes, marker: bytes) -> bytes:  # no such character stands before the marker
        return rb"%s(?<!%s%s)" % (re.escape(marker), character, re.escape(marker))

    def block(opening: bytes, closing: bytes) -> bytes:
        begin = behind(rb"[^\n]", opening) if opening.startswith(b"=") else re.escape(opening)
        return rb"%s.*?(?:%s|\Z)" % (begin, re.escape(closing))

    def line(marker: bytes) -> bytes:
        before = {b"//": b":", b'"': rb"[^\n]", b"*": rb"[^\n]"}.get(marker, rb"\S")
        is_word = marker[-1:].isalpha()
        close = marker in (b"//", b'"', b"*") or is_word or len(marker) == 1
        return (behind(before, marker) if close else re.escape(marker)) + (rb"(?!\w)" if is_word else b"") + rb"[^\n]*"

    def string(quote: bytes) -> bytes:
        inside = rb"[^`\\]" if quote == b"`" else rb"[^%s\\\n]" % quote
        return rb"%s%s*(?:\\.%s*)*%s?" % (quote, inside, inside, quote)

    blocks = sorted(language.block_comments, key=lambda pair: -len(pair[0]))
    lines = sorted(language.line_comments, key=len, reverse=True)
    comments = [block(opening.encode(), closing.encode()) for opening, closing in blocks]
    comments += [line(marker.encode()) for marker in lines]
    strings = [block(quotes, quotes) for quotes in (b'"""', b"'''")] if language.strings else []
    strings += [string(quote.encode()) for quote in language.strings]
    if language.strings and "'" not in language.strings:
        strings.append(rb"'(?:[^'\\\n]|\\[^\n]{1,10}?)'")
    return re.compile(b"|".join([*[comment + b"()" for comment in comments], *strings]), re.DOTALL)


@settings(max_examples=1_000, deadline=None)
@given(
    st.sampled_from(
        [language.name for language in TABLE.languages if language.line_comments or language.block_comments]
    ),
    st.lists(st.sampled_from([*SIGNS.split(), "\n", "\t", " "]), max_size=30),
)
def test_comments_are_those_of_the_definition(language: str, parts: list[str]) -> None:
    source = "".join(parts).encode()
    expected = [match.span() for match in definition(TABLE[language]).finditer(source) if match.lastindex]
    assert [(start, end) for start, end in comment_spans(source, TABLE[language]).tolist()] == expected


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([language.name for language in TABLE.languages]),
    st.lists(st.sampled_from(["//", "/*", "*/", "#", "--", "'", '"', '"""', "`", "\\", "\n", " ", "a", "=begin", "é"])),
)
def test_spans_are_in_order_inside_the_source_and_not_empty(language: str, parts: list[str]) -> None:
    source = "".join(parts).encode()
    last = 0
    for start, end in comment_spans(source, TABLE[language]).tolist():
        assert last <= start < end <= len(source)
        last = end


@pytest.mark.parametrize("unit", ["'", '"', '"""', "`", "\\", "/*", "*/", "//", "#", "'\\", '"\\', "--", "(*"])
@pytest.mark.parametrize("language", ["python", "c", "javascript", "ruby", "ocaml", "lua", "sql", "rust"])
def test_a_million_openings_take_no_longer_than_a_million_letters(unit: str, language: str) -> None:
    source = (unit * (1_000_000 // len(unit))).encode()
    assert sum(end - start for start, end in comment_spans(source, TABLE[language]).tolist()) <= len(source)


@pytest.mark.parametrize(
    ("language", "text", "identifiers", "depth"),
    [
        ("python", "def a(b):\n    if b:\n        return [(1, {2})]  # c (((\n", 5, 5),
        ("python", "a = '''\nb ((\n'''\nc = (\n    1,\n        2)\n", 2, 1),
        ("python", "if a:\n\tif b:\n\t\tc\n\td\n", 5, 2),
        ("c", "int a() {\n  if (b) {\n    c(d[0]);\n  }\n}\n", 6, 4),
        ("json", '{"a": [1, {"b": []}]}', 0, 4),
        ("html", "<a>\n  <b>\n    <c></c>\n  </b>\n</a>\n", 3, 2),
        ("c", ")))]]}\n", 0, 0),
        ("c", "", 0, 0),
    ],
)
def test_the_shape_of_code(language: str, text: str, identifiers: int, depth: int) -> None:
    found = survey(text.encode(), TABLE[language])
    assert (found.identifiers, found.depth) == (identifiers, depth)


def test_many_identifiers_are_counted_once_each() -> None:
    words = [f"word{number}" for number in range(20_000)]
    assert survey(" ".join([*words, *words]).encode(), TABLE["c"]).identifiers == 20_000


def test_words_of_functions_are_found_in_the_code_alone() -> None:
    text = "def a(b=lambda: 'def'):  # def\n    '''\n    def\n    '''\n    undef = def_ = 2\n\n\ndef"
    found = survey(text.encode(), TABLE["python"]).functions.tolist()
    assert found == [0, text.index("lambda"), len(text) - 3]
    words = Language("a", function_words=("function", "f"))
    assert survey(b"function() functions f", words).functions.tolist() == [0, 21]
    assert survey(b"def", Language("a")).functions.tolist() == []


@given(st.text(st.sampled_from("ab#'\"\n /*\\r(")), st.sampled_from(["python", "c", "rust"]))
def test_a_survey_finds_the_same_comments(text: str, language: str) -> None:
    source = text.encode()
    assert survey(source, TABLE[language]).comments.tolist() == comment_spans(source, TABLE[language]).tolist()


def test_what_stands_alone_on_its_line() -> None:
    text = "# a\n  # b\nc  # d\n" + " " * 501 + "# e\n\t# f\n"
    spans = comment_spans(text.encode(), TABLE["python"]).tolist()
    assert alone(text.encode(), spans) == [True, True, False, False, True]
    assert alone(b"", []) == []


@pytest.mark.parametrize(
    ("language", "text", "what", "at"),
    [
        ("c", "int a[2;\n}\n", "bracket", "}"),
        ("c", "int a(b;\n", "bracket", "("),
        ("c", 'a = "b;\n', "string", '"'),
        ("c", "a = 'b;\n", "string", "'"),
        ("c", "a = 1'000; /* b\n", "comment", "/*"),
        ("c", 'a = "b\\\nc";\n', None, ""),
        ("c", "a = '\\'' + '\"';\n", None, ""),
        ("c", "#define A (\\\n  {\n#error don't\nb;\n", None, ""),
        ("cpp", 'a = R"x(\n"(" )y" )x";\n', None, ""),
        ("php", "<?php $a = 'b\nc';\n", None, ""),
    ],
)
def test_what_is_never_closed(language: str, text: str, what: str | None, at: str) -> None:
    found = first_unclosed(text.encode(), TABLE[language], np.empty((0, 2), dtype=np.int64))
    assert found == (None if what is None else (what, text.index(at)))


def test_what_is_left_out_is_not_looked_at() -> None:
    text = b"a(\n(((\n);\n"
    assert first_unclosed(text, TABLE["c"], np.array([[3, 7]])) is None
