from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.generated import GeneratedCatalogue, GeneratedReport, header, inspect, sentences

CONF = Path(__file__).parents[2] / "conf" / "generated.yaml"
DATA = yaml.safe_load(CONF.read_text(encoding="utf-8"))
CATALOGUE = GeneratedCatalogue.from_mapping(DATA)
MARKER = {"id": "one_marker", "word": "made", "regex": "^made", "example": "", "counterexample": ""}


def look(text, path="a.py"):
    return inspect(text, path, CATALOGUE)


def path_for(marker):
    return "src/a" + (marker.get("extensions") or [".x"])[0]


@pytest.mark.parametrize("marker", DATA["markers"], ids=lambda marker: marker["id"])
def test_each_marker_matches_its_example_and_not_its_counterexample(marker):
    assert look(marker["example"], path_for(marker)).marker == marker["id"]
    assert look(marker["counterexample"], path_for(marker)).marker is None


def commented(text, opening, line, closing):
    return opening + "".join(f"{line}{one}\n" for one in text.split("\n")) + closing


@pytest.mark.parametrize(
    ("opening", "line", "closing"),
    [
        ("", "# ", ""),
        ("", "## ", ""),
        ("#!/bin/sh\n# -*- mode: sh -*-\n", "# ", ""),
        ("", "// ", ""),
        ("", "/// ", ""),
        ("", "-- ", ""),
        ("", ";; ", ""),
        ("", "% ", ""),
        ("", "! ", ""),
        ("", "' ", ""),
        ("", "dnl ", ""),
        ("", "REM ", ""),
        ("", '.\\" ', ""),
        ("", "*  ", ""),
        ("/*\n", " * ", " */\n"),
        ("/**\n", "", "**/\n"),
        ("<!--\n", "  ", "-->\n"),
        ('<?xml version="1.0"?>\n<!-- ', "", "-->\n"),
        ("(*\n", "", "*)\n"),
        ("{-\n", "", "-}\n"),
        ("--[[\n", "", "]]\n"),
        ("=begin\n", "", "=end\n"),
        ("#|\n", "", "|#\n"),
        ("/+\n", "", "+/\n"),
        ('"""\n', "", '"""\n'),
        ("r'''\n", "", "'''\n"),
        ("<?php\n\nnamespace A\\B;\n\n/*\n", " * ", " */\n"),
        ("package a;\n\nimport a.b.C;\n\n/**\n", " * ", " */\n"),
        ("'use strict';\nconst a = require('a');\n", "// ", ""),
    ],
)
def test_each_marker_of_a_header_is_found_whatever_the_comment_signs(opening, line, closing):
    for marker in DATA["markers"]:
        if marker.get("scope", "header") in ("header", "sentence") and marker.get("lines", 60) > 10:
            text = commented(header(marker["example"]).strip(), opening, line, closing)
            assert look(text, path_for(marker)).marker == marker["id"], text


@pytest.mark.parametrize("rule", DATA["paths"], ids=lambda rule: rule["id"])
def test_each_path_rule_matches_its_example_and_not_its_counterexample(rule):
    assert look("", rule["example"]).path_rule == rule["id"]
    assert look("", rule["counterexample"]).path_rule is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regex": "("}, r"markers.0.regex: .*not a regular expression"),
        ({"regex": "made.*"}, r"markers.0.regex: .*unbounded repetition; allowed: \{m,n\}"),
        ({"regex": "made x{3,}"}, r"markers.0.regex: .*unbounded repetition"),
        ({"id": "One"}, r"markers.0.id: String should match pattern"),
        ({"scope": "body"}, r"markers.0.scope: Input should be 'header', 'sentence', 'head' or 'tail', found 'body'"),
        ({"lines": 1000}, r"markers.0.lines: Input should be less than or equal to 60, found 1000"),
        ({"wrod": "x"}, r"markers.0.wrod: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_catalogue_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        GeneratedCatalogue.from_mapping({**DATA, "markers": [MARKER | changes]})


def test_an_id_stands_for_one_marker():
    with pytest.raises(ValueError, match="found id 'one_marker' twice"):
        GeneratedCatalogue.from_mapping({**DATA, "markers": [MARKER, MARKER]})


def test_plain_code_has_no_signs():
    text = "def total(a, b):\n    return a + b\n"
    assert look(text) == GeneratedReport(
        marker=None,
        path_rule=None,
        lines=2,
        mean_line=16.0,
        max_line=16,
        alpha_share=18 / 34,
        digit_share=0.0,
        space_share=11 / 34,
        literal_share=0.0,
        repeated_share=0.0,
        longest_encoded_run=0,
        encoded_share=0.0,
    )


def test_an_empty_file_has_zeros():
    assert look("") == GeneratedReport(None, None, 0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0)


def test_lengths_are_characters_and_letters_of_every_script_count():
    report = look("# 数据 é\nx = '😀'")
    assert (report.lines, report.max_line, report.mean_line) == (2, 7, 6.5)
    assert report.alpha_share == 4 / 14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("// a comment\n// more\n\nint x; // end\n", "a comment\nmore\n"),
        ("/* one\n * two\n */\n# three\nint x;", "one\ntwo\n\nthree"),
        ('"""Doc.\n\nMore."""\nimport x\n# later\n', "Doc.\n\nMore.\n\nlater\n"),
        ("<?php\n/**\n * One.\n */\nclass A {}\n", "\n\nOne.\n"),
        ("'use strict';\n// One\nf();\n// Two\n", "\nOne"),
        ("@file:JvmName('a')\n\npackage a.b\n\n// One\n", "\n\n\n\nOne\n"),
        ('import (\n\t"a"\n)\n\n// One\nfunc f() {}\n', "\n\n\n\nOne"),
        ("import {\n  a,\n} from 'a'\n// One\n", "\n\n\nOne\n"),
        ("from a import (\n    b,\n)\n# One\nb()\n", "\n\n\nOne"),
        ("#include <a.h>\n/* One */\nint x;\n", "\nOne"),
        ('class A(B):\n    """One."""\n    x = 1\n', "\nOne."),
        ("\ufeff// One\nint x;\n", "One"),
        ('" One\nset a\n', "One"),
        ("<#\nOne\n#>\nf\n", "\nOne\n"),
        ("int x;\n// too late\n", ""),
        ("class A:\n    pass\n", ""),
        ("const x = 1\n", ""),
    ],
)
def test_header(text, expected):
    assert header(text) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("This file is\ngenerated   by a.\nNever edit it.", "This file is generated by a.\nNever edit it."),
        ("Names of days\nProduced by a 1.2\n\nMore", "Names of days\nProduced by a 1.2\nMore"),
        ("made; kept -- generated by a", "made; kept\ngenerated by a"),
        ("- one\n- two", "one\ntwo"),
        ("(auto-generated)", "auto-generated)"),
        ("", ""),
    ],
)
def test_sentences(said, expected):
    assert sentences(said) == expected


def test_a_marker_of_sentences_is_not_for_prose():
    text = "# Handbook\n# Generated by the tools of the second chapter.\n"
    assert look(text, "a.py").marker == "sentence_generated_by"
    assert look(text, "a.md").marker is None


def test_windows_line_ends_do_not_hide_a_marker():
    assert look('"use strict";\r\nexports.a = void 0;\r\n', "a.js").marker == "void_exports"


@pytest.mark.parametrize(
    "text",
    [
        'print("# This file was automatically generated by x")\n',
        'HEADER = """\n// Code generated by gen; DO NOT EDIT.\n"""\n',
        "import x\n\nx.start()\n# This file was automatically generated by x.\n",
        "# Looks for the words: Code generated by x. DO NOT EDIT.\n",
        "# Code generated by {{ .Tool }}. DO NOT EDIT.\n",
        "# This file was automatically generated by %s.\n",
        "# This value is generated by the compiler.\n",
        "# This section is generated by a script.\n",
        "# This file was originally generated by x, and is kept by hand now.\n",
        "# This file was manually generated.\n",
        "# Generated from [a schema](https://example.org/a), the parser reads what follows.\n",
        "# Generated by the lexer, tokens are read here.\n",
        "# Created by Jane on 12.03.2014.\n",
        "# DO NOT EDIT! These names are frozen.\n",
        "# Generated by x.\n# Owner: {{ owner }}\n",
        "# Run this script to regenerate the tables.\n",
        "# Modules in this package that start with an underscore are\n# autogenerated, and should not be edited.\n",
        '"""Visuals of scenes.\n\nThese classes are automatically generated by mixing Node with others.\n"""\n',
        "# Made by sphinx-quickstart.\n# Not all values are present in this\n# autogenerated file.\n",
        "# Autogenerated names end in an underscore.\n",
        "x = 1\n" * 70 + "# This file was automatically generated by x.\n",
    ],
)
def test_what_only_talks_of_generated_code_survives(text):
    assert look(text).marker is None


def test_a_template_survives_under_its_name():
    text = "// Code generated by gen. DO NOT EDIT.\n"
    assert look(text, "a.go").marker == "go_convention"
    assert look(text, "a.go.tmpl").marker is None


def test_a_marker_with_extensions_is_for_these_files():
    text = "var a;\n//# sourceMappingURL=a.js.map\n"
    assert (look(text, "a.js").marker, look(text, "a.py").marker) == ("source_mapped", None)


def test_a_marker_in_the_tail_is_the_last_line():
    mapped = "//# sourceMappingURL=a.js.map"
    assert look(f"var a;\n{mapped}\n\n", "a.js").marker == "source_mapped"
    assert look(f"var a;\n{mapped}\nf();\ng();\n", "a.js").marker is None


@pytest.mark.parametrize(
    ("text", "longest", "share"),
    [
        ("A" * 63, 0, 0.0),
        ("A" * 64, 64, 1.0),
        ("x = '" + "aB3+" * 20 + "' ", 80, 80 / 87),
        ("QUJD\n" * 20, 100, 1.0),
        ("é" * 100, 0, 0.0),
        ("0x12, " * 8, 48, 1.0),
        ("0x12, " * 7, 0, 0.0),
        ("{" + r"\x41" * 10 + "}", 40, 40 / 42),
        (r"\u0041" * 8, 48, 1.0),
        ("de ad be ef " * 3, 36, 1.0),
        ("if a be on is at of he", 0, 0.0),
        (" " * 100, 0, 0.0),
    ],
)
def test_encoded_runs(text, longest, share):
    report = look(text)
    assert report.longest_encoded_run == longest
    assert report.encoded_share == pytest.approx(share)


TEXT = st.text(
    st.one_of(st.sampled_from("ab01 \n\t#/*'\"\\xu,{}"), st.characters(codec="utf-8")),
    max_size=400,
)


@settings(max_examples=50, deadline=None)
@given(TEXT, st.sampled_from(["a.py", "b.min.js", "c"]))
def test_every_figure_is_within_its_bounds(text, path):
    report = look(text, path)
    assert 0 <= report.mean_line <= report.max_line <= len(text)
    assert report.lines == len(text.split("\n")) - (text == "" or text.endswith("\n"))
    assert 0 <= report.alpha_share + report.digit_share <= 1
    for share in (report.encoded_share, report.space_share, report.literal_share, report.repeated_share):
        assert 0 <= share <= 1
    assert report.max_line == max(map(len, text.split("\n")))
    assert 0 <= report.longest_encoded_run <= len(text)
    assert report.alpha_share * len(text) == pytest.approx(sum(map(str.isalpha, text)))


@settings(max_examples=50, deadline=None)
@given(TEXT)
def test_what_follows_code_does_not_change_the_marker(text):
    assert look("# hand-written\nimport os\n\n" + text + "\nend()\n").marker is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("1, 2\n0xFF, 3u\n\n  {'\\x00'},\n", 1.0),
        ("int t[] = {\n1, 2,\n3, 4\n};\n", 0.75),
        ("one, two\n", 0.0),
        ("\n \n", 0.0),
        ("1", 1.0),
    ],
)
def test_lines_of_literals(text, share):
    assert look(text).literal_share == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("set_1(7);\nset_2(14);\n\n  set_33( 9 );\n", 2 / 3),
        ("a();\nb();\nc();\n", 0.0),
        ("a();\na();\r\n", 0.5),
        ("", 0.0),
    ],
)
def test_lines_that_repeat_a_shape(text, share):
    assert look(text).repeated_share == pytest.approx(share)


def test_blanks_are_spaces_tabs_and_line_ends():
    assert look("a b\tc\r\n").space_share == 4 / 7


def test_long_lines_and_open_comments_are_no_trouble():
    for unit in ("a", " ", "0x1,", "ab ", '"""', "/*", "{", "generated by "):
        report = look("# " + unit * (300_000 // len(unit)))
        assert (report.lines, report.marker) == (1, None)
