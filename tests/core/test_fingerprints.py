"""What a text is compared by: tokens, shingles, its code without comments; licences at the head left out."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import minhash
from codemill.core.fingerprints import Fingerprint, fingerprint, tokens
from codemill.core.languages import LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)
CODE = "def add(first, second):\n    return first + second\n"
LICENSE = "# Copyright 2020 Somebody\n# Permission is hereby granted, free of charge, to any person\n"


def look(text: str, language: str = "python", *, skip_license: bool = True, length: int = 5) -> Fingerprint:
    return fingerprint(text, TABLE[language], length, skip_license=skip_license)


def jaccard(one: str, other: str, language: str = "python", *, skip_license: bool = True) -> float:
    both = (look(text, language, skip_license=skip_license).members for text in (one, other))
    return minhash.jaccard(*both)


def words(text: str) -> list[str]:
    """Tokens as a regular expression says them: the definition in one line."""
    return re.findall(r"[0-9A-Za-z_\x80-\U0010ffff]+|[^\s\x80-\U0010ffff]", text)


def shape(values: object) -> list[int]:
    """Number values by their first occurrence: two sequences with the same shape repeat themselves in the same way."""
    seen: dict[object, int] = {}
    return [seen.setdefault(value, len(seen)) for value in values]  # type: ignore[attr-defined]


def test_tokens_are_words_and_single_signs_without_white_space() -> None:
    def hashes(text: str) -> list[int]:
        return tokens(text.encode())[1].tolist()

    assert hashes("if (a1 >=\n b)") == hashes("if(a1> =b)")
    assert hashes("a 1") != hashes("a 2")  # digits count
    assert hashes("A") != hashes("a")  # case counts
    assert hashes("ab") != hashes("ba")
    assert hashes(" \n\t") == []
    assert tokens("  né = 1".encode())[0].tolist() == [2, 6, 8]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab_1 \n\t.(é漢\u00a0😀"))
def test_tokens_are_those_of_the_definition(text: str) -> None:
    starts, hashes = tokens(text.encode())
    assert shape(hashes.tolist()) == shape(words(text))
    assert starts.tolist() == sorted(starts.tolist())


def test_a_million_tokens_and_one_of_a_megabyte() -> None:
    many = "ab + 1\n" * 500_000
    assert look(many).tokens == 1_500_000
    assert look(many).members.size == 3
    assert look("a" * 3_000_000).tokens == 1


def test_shingles_are_runs_of_tokens() -> None:
    assert look("a b c d e f").members.size == 2
    assert look("a b c").members.size == 1  # shorter than a shingle: all of it
    assert look("a a a a a a a a").members.size == 1
    assert (look("").members.size, look("").tokens, look("").code) == (0, 0, None)


def test_comments_and_white_space_do_not_change_the_code() -> None:
    other = "# adds\ndef add(first,second):  # two\n\n\treturn (first + second)\n".replace(
        "(first + second)", "first + second"
    )
    assert look(CODE).code == look(other).code
    assert look(CODE).code != look(CODE.replace("+", "-")).code
    assert look(CODE).members.tolist() != look(other).members.tolist()
    assert look("/*one*/int a = b + c;/*two*/ f(a);\n", "c").code == look("int a = b + c;\nf(a);", "c").code


def test_documentation_under_a_package_clause_is_not_the_same_code() -> None:
    clause, page = "package codec\n", "// " + "Words about what this package does. " * 9 + "\n"
    assert look(clause, "go").code is not None
    assert look(page + clause, "go").code is None
    code = "func add(a int, b int) int { return a + b }\n" * 3
    assert look(page + code, "go").code == look(code, "go").code


@pytest.mark.parametrize(
    ("language", "text", "changed"),
    [
        ("python", LICENSE + "\nimport os\n", LICENSE + "\nclass A:\n    pass\n"),
        ("php", "<?php\n/* Copyright (c) 2001 The Authors. All rights reserved. " + "x " * 99 + "*/\necho 1;\n",
         "<?php\n/* Copyright (c) 2001 The Authors. All rights reserved. " + "x " * 99 + "*/\nfoo(bar);\n"),
        ("c", "#ifndef A_H\n#define A_H\n// SPDX-License-Identifier: MIT\n// " + "x " * 99 + "\nint a;\n",
         "#ifndef A_H\n#define A_H\n// SPDX-License-Identifier: MIT\n// " + "x " * 99 + "\nchar b[3];\n"),
    ],
)  # fmt: skip
def test_a_licence_at_the_head_makes_no_likeness(language: str, text: str, changed: str) -> None:
    assert jaccard(text, changed, language) < 0.5 < jaccard(text, changed, language, skip_license=False)


def test_other_comments_and_later_licences_count() -> None:
    head = "# This module adds numbers, slowly and with care.\n"
    assert look(head + CODE).tokens == look(head).tokens + look(CODE).tokens
    late = CODE * 3 + LICENSE
    assert look(late).tokens == look(late, skip_license=False).tokens


def test_a_comment_behind_an_empty_line_is_not_part_of_the_licence() -> None:
    text = LICENSE + "\n# Adds numbers.\n" + CODE
    assert look(text).tokens == look("# Adds numbers.\n" + CODE).tokens


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab #\n'\"/*.1copyright"), st.sampled_from(["python", "c", "html", "sql", "csv"]))
def test_what_holds_for_every_text(text: str, language: str) -> None:
    found, whole = look(text, language), look(text, language, skip_license=False)
    assert whole.tokens == len(words(text)) >= found.tokens
    assert found.members.tolist() == sorted(set(found.members.tolist()))
    assert found.members.size == (max(1, found.tokens - 4) if found.tokens else 0) or found.members.size < found.tokens
    assert look(text.replace("\n", "\r\n"), language).code == found.code
    assert np.array_equal(look(text + "\n", language).members, found.members)
