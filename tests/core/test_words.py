"""Blocks by their words: what balances is never a fault, what lost an end always is, comments and strings hide both."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.languages import Block, Hidden, LanguageTable, Words
from codemill.core.words import findings, shown

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)

SMALL = Words(
    blocks=(
        Block(opens=r"(?:if|elsif)\b", closes=r"(?:elsif|else|fi)\b"),
        Block(opens=r"else\b", closes=r"fi\b"),
        Block(opens=r"do\b", closes=r"od\b"),
        Block(opens=r"sub\b", closes=r"(?:end|bus)\b", closed="all_or_none"),
        Block(opens=r"mod\b", closes=r"end\b", closed="sometimes"),
    ),
    hidden=(
        Hidden(opens=r"\(\*", closes=r"\*\)", nests=r"\(\*", unclosed="unclosed_comment"),
        Hidden(opens="#", closes="$"),
        Hidden(opens=r"\\\n", reads=" "),
        Hidden(opens="<<([A-Z]{1,9})$", closes=r"^\1$"),
        Hidden(opens='"', closes='["\n]', inside=r"\\[^\n]", reads="_", unclosed="unclosed_string"),
        Hidden(opens="\n%", closes="$", when="^percent$", unless="^per mille$"),
    ),
    begins=r"^\w.",
    brackets="()[]",
    in_brackets=False,
    never=(("doubled", "=="),),
)


def found(text: str, words: Words = SMALL) -> list[tuple[str, int]]:
    """Return what is wrong and the lines, from 1, that it is on."""
    source = text.encode()
    return [(word, source.count(b"\n", 0, offset) + 1) for word, offset in findings(source, words)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("if a\nelsif b\nelse c\nfi\n", []),
        ("if a\nb\n", [("unclosed_block", 1)]),
        ("a\nfi\n", [("unclosed_block", 2)]),
        ("if a\nod\n", [("unclosed_block", 2)]),
        ("a\nelse\nfi\n", [("unclosed_block", 2)]),
        ("if a else b\nelse c fi\n", [("unclosed_block", 2)]),
        ("if a else b\nelsif c fi\n", [("unclosed_block", 2)]),
        ("a.if b; iffy; do_it; x.od\n", []),
        ("sub a\nsub b\n", []),
        ("sub a end\nsub b bus\n", []),
        ("sub a end\nsub b\n", [("unclosed_block", 2)]),
        ("mod a\nmod b\nend\n", []),
        ("if a\nmod b\nfi\n", []),
        ("mod b\nfi\n", [("unclosed_block", 2)]),
        ("if (a[1])\nfi\n", []),
        ("if (a\nfi\n", [("unclosed_bracket", 1)]),
        ("a[1)\n", [("unclosed_bracket", 1)]),
        ("(a)\n)\n", [("unclosed_bracket", 2)]),
        ("(if)do [end]od\n", []),
        ("if a (\n) fi (fi)\n", []),
        ('"if (" # do\n(* od *) a\n', []),
        ('a\n"do\n', [("unclosed_string", 2)]),
        ('"a\\"do"\n', []),
        ("do a(* (* od *) od *)od\n", []),
        ("(* (* do *)\n", [("unclosed_comment", 1)]),
        ("a <<END\ndo\n END\nEND\nod\n", [("unclosed_block", 5)]),
        ("a\n=\\\n=\n", []),
        ('a "=="\nb == c\n', [("doubled", 2)]),
        ("% do\n", [("unclosed_block", 1)]),
        ("% do\npercent\n", []),
        ("% do\npercent\nper mille\n", [("unclosed_block", 1)]),
        ("if a\r\nfi\r\n", []),
    ],
)
def test_what_balances(text: str, expected: list[tuple[str, int]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text", [")", "a\n)", "fi", "a fi", "(", "a\n(", "if", "a\nif", "a\r\n# b\nfi", "(* b *)\n[", "(*"]
)
def test_places_are_those_of_the_text(text: str) -> None:
    ((_, offset),) = findings(text.encode(), SMALL)
    assert offset == max(text.rfind(word) for word in (")", "(", "[", "fi", "if"))


def test_what_is_hidden_reads_as_the_table_says() -> None:
    assert shown(b'a "b" c # d\n(* e\nf *) g\\\nh\n', SMALL) == b"a ___ c    \n    \n     g  h\n"


def test_words_count_in_brackets_where_the_table_says_so() -> None:
    words = Words(blocks=(Block(opens="do", closes="od"),), begins=r"^\w", brackets="()")
    assert found("(do od)\n", words) == []
    assert found("(do)\nod\n", words) == [("unclosed_bracket", 1)]


def test_upper_case_reads_as_lower_case() -> None:
    words = Words(blocks=(Block(opens="do", closes="od"),), ignore_case=True, never=(("twice", "xx"),))
    assert found("DO\nOd\n", words) == []
    assert found("DO\nXx\n", words) == [("twice", 2), ("unclosed_block", 1)]


def test_a_block_that_the_text_as_a_whole_is() -> None:
    words = Words(blocks=(Block(closes="stop"), Block(opens="do", closes="od")))
    assert found("do\nod\nstop\n", words) == []
    assert found("do\nod\n", words) == [("unclosed_block", 1)]
    assert found("stop\nstop\n", words) == [("unclosed_block", 2)]


BLOCKS = {
    "fortran": [
        ("if (a .gt. b) then", "end if"),
        ("do i = 1, n", "enddo"),
        ("subroutine s(a)", "end"),
        ("select case (a)", "end select"),
        ("integer function f(a)", "END FUNCTION f"),
        ("type :: t", "end type t"),
        ("outer: do", "end do outer"),
    ],
    "pascal": [("begin", "end;"), ("repeat", "until A = 1;"), ("case A of", "end;"), ("TRY x; except", "end;")],
    "matlab": [("if a", "end"), ("for k = 1:n", "endfor"), ("while (a)", "end;"), ("switch a", "end"), ("try", "end")],
    "vim_script": [
        ("if a", "endif"),
        ("for x in y", "endfor"),
        ("wh 1", "endw"),
        ("try", "endtry"),
        ("fu! s:a(b) abort", "endf"),
    ],
    "makefile": [("ifeq ($(a),b)", "endif"), ("ifdef a", "endif"), ("define a", "endef"), (".if a", ".endif")],
    "tcl": [("if {$a} {", "}"), ("proc a {b c} {", "}")],
}
NOTHING = {
    "fortran": ["! end if", "a = 'end do'", "b = end + 1", "", "c = 'it''s (' // \"do\""],
    "pascal": ["{ end }", "A := 'begin';", "// until", "(* case *)", "endless := 'it''s (';"],
    "matlab": ["% end", "a = 'if';", 'b = "while (";', "c = d';", "e = f(end, 1:end);", "# for", "g.end = 1;"],
    "vim_script": ['" endif', "let a = 'endif'", 'let b = "endif ("', "map <F1> :endif<CR>", "let c = d.endif"],
    "makefile": ["# endif", "\techo endif", "a = endif", "endif_x = 1", "b = \\\n  endif"],
    "tcl": ["set a \\}", "set b [list]", "puts {a b}", "# a comment"],
}


@st.composite
def nested(draw: st.DrawFn, language: str) -> list[str]:
    """Draw the lines of a text whose blocks balance."""
    lines: list[str] = []
    open_: list[str] = []
    for opens in draw(st.lists(st.booleans(), min_size=2, max_size=12)):
        lines.append(draw(st.sampled_from(NOTHING[language])))
        if opens:
            opening, closing = draw(st.sampled_from(BLOCKS[language]))
            lines.append(opening)
            open_.append(closing)
        elif open_:
            lines.append(open_.pop())
    return [*lines, *reversed(open_)]


def only_blocks(lines: list[str], language: str) -> list[int]:
    """Return the numbers of the lines that end a block."""
    ends = {closing for _, closing in BLOCKS[language]}
    return [number for number, line in enumerate(lines) if line in ends]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(BLOCKS)))
def test_balanced_blocks_are_no_fault_and_those_without_an_end_are(data: st.DataObject, language: str) -> None:
    words = TABLE[language].words
    assert words is not None
    lines = data.draw(nested(language))
    text = "\n".join(lines) + "\n"
    assert found(text, words) == []
    assert found(text.replace("\n", "\r\n"), words) == []
    ends = only_blocks(lines, language)
    if ends:
        lines.pop(data.draw(st.sampled_from(ends)))
        assert found("\n".join(lines) + "\n", words) != []


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([language.name for language in TABLE.languages if language.words]),
    st.lists(
        st.sampled_from(["if", "end", "begin", "\n", "(", "}", "'", '"', "%", "{", "#", "\\", "!", "$(", "\t", "é"])
    ),
)
def test_what_is_shown_is_as_long_as_the_text(language: str, parts: list[str]) -> None:
    words = TABLE[language].words
    assert words is not None
    source = " ".join(parts).encode()
    assert len(shown(source, words)) == len(source)
    for word, offset in findings(source, words):
        assert re.fullmatch("[a-z_]+", word)
        assert 0 <= offset <= len(source)


@pytest.mark.parametrize("unit", ["(", "'", '"', "{", "#|", "if ", "\n ", "end\n", "\\", "&\n", "%{\n", " ", "a = "])
@pytest.mark.parametrize("language", [language.name for language in TABLE.languages if language.words])
def test_a_hundred_thousand_of_anything_take_no_longer_than_a_second(unit: str, language: str) -> None:
    words = TABLE[language].words
    assert words is not None
    assert len(list(findings((unit * (100_000 // len(unit))).encode(), words))) < 9
