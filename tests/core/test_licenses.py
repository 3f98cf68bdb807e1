from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from codemill.core.licenses import (
    CLASSES,
    LicenseTable,
    identify_text,
)

CONF = Path(__file__).parents[2] / "conf" / "licenses.yaml"
DATA = yaml.safe_load(CONF.read_text(encoding="utf-8"))
TABLE = LicenseTable.from_mapping(DATA)
TEXTS = dict(LICENSES)
GNU = {"AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0"}

RESTRICTIONS = {"words": {"use": ["use"]}, "everywhere": [], "texts": [], "few_words": []}
MINIMAL = {
    "classes": {"permissive": ["MIT"]},
    "exceptions": {},
    "names": {},
    "threshold": 0.85,
    "texts": [],
    "phrases": [],
    "statements": [],
    "marks": {},
    "grants": [],
    "hints": [],
    "restrictions": RESTRICTIONS,
    "includes": {},
}


def test_the_table_knows_hundreds_of_ids_in_every_class_but_unknown():
    assert len(TABLE.classes) > 600
    assert set(TABLE.classes.values()) == set(CLASSES) - {"unknown"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": {"free": ["MIT"]}}, r"classes: found class 'free', allowed: public_domain, permissive"),
        ({"classes": {"permissive": ["MIT Licence"]}}, r"classes.permissive: found 'MIT Licence', allowed: an SPDX id"),
        ({"classes": {"permissive": ["MIT"], "proprietary": ["mit"]}}, r"mit stands under permissive too"),
        (
            {"exceptions": {"Classpath-exception-2.0": "weak"}},
            r"exceptions.Classpath-exception-2.0: found class 'weak'",
        ),
        ({"names": {"MIT": ["Expat"], "ISC": ["the expat license"]}}, r"'the expat license' also means MIT"),
        ({"threshold": 1.5}, r"threshold: Input should be less than or equal to 1, found 1.5"),
        ({"thresholds": 0.5}, r"thresholds: Extra inputs are not permitted"),
        ({"restrictions": RESTRICTIONS | {"texts": ["may (not"]}}, r"restrictions: found 'may \(not': missing \)"),
        ({"restrictions": RESTRICTIONS | {"few_words": ["not <used>"]}}, r"restrictions: found <used>, allowed: <use>"),
    ],
)
def test_a_wrong_table_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        LicenseTable.from_mapping(MINIMAL | changes)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", "permissive"),
        ("Unlicense", "public_domain"),
        ("MPL-2.0", "weak_copyleft"),
        ("LGPL-2.1-or-later", "weak_copyleft"),
        ("GPL-3.0", "strong_copyleft"),
        ("AGPL-3.0-only", "network_copyleft"),
        ("CC-BY-NC-4.0", "non_commercial"),
        ("BUSL-1.1", "source_available"),
        ("LicenseRef-proprietary", "proprietary"),
        ("MIT OR GPL-3.0-only", "permissive"),
        ("MIT AND GPL-3.0-only", "strong_copyleft"),
        ("(MIT OR AGPL-3.0-only) AND MPL-2.0", "weak_copyleft"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "weak_copyleft"),
        ("GPL-2.0-only WITH Linux-syscall-note", "strong_copyleft"),
        ("Apache-2.0 WITH LLVM-exception", "permissive"),
        ("LicenseRef-ours", "unknown"),
        ("MIT OR LicenseRef-ours", "permissive"),
        ("MIT AND LicenseRef-ours", "unknown"),
        ("no expression", "unknown"),
        ("", "unknown"),
        ("(" * 900 + "MIT" + ")" * 900, "permissive"),
    ],
)
def test_class_of_an_expression(expression, expected):
    assert TABLE.class_of(expression) == expected


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_reference_text_is_told_from_the_others(name):
    expected = f"{name}-only" if name in GNU else name
    assert identify_text(TEXTS[name], TABLE).spdx == expected


@pytest.mark.parametrize("entry", DATA["texts"], ids=lambda entry: entry["id"])
def test_every_text_of_the_table_is_told_from_the_others(entry):
    assert identify_text("Copyright 2001 A. Person\n\n" + entry["text"], TABLE).spdx == entry["id"]


def test_layout_does_not_matter():
    words = TEXTS["MIT"].split()
    one_line = " ".join(words)
    comment = "\n".join(f" * {' '.join(words[i : i + 7])}" for i in range(0, len(words), 7))
    html = "<p>" + TEXTS["MIT"].replace("\n\n", "</p><p class='x'>") + "</p>"
    shouting = "# LICENCE\n\nCopyright © 1999-2020 Jane Doe, all rights reserved\n\n" + TEXTS["MIT"].upper()
    assert [identify_text(text, TABLE).spdx for text in (one_line, comment, html, shouting)] == ["MIT"] * 4


def test_other_words_for_the_holder_do_not_matter():
    text = TEXTS["BSD-3-Clause"].replace("the copyright holder nor", "the University of Utopia nor")
    match = identify_text(text.replace("COPYRIGHT HOLDERS AND CONTRIBUTORS", "REGENTS"), TABLE)
    assert match.spdx == "BSD-3-Clause"
    assert 0.85 < match.similarity < 1


def test_two_texts_hold_together_unless_a_choice_is_offered():
    both = TEXTS["MIT"] + "\n\n" + TEXTS["Apache-2.0"]
    assert identify_text(both, TABLE).spdx == "Apache-2.0 AND MIT"
    assert identify_text("You may use this under either of two licences.\n" + both, TABLE).spdx == "Apache-2.0 OR MIT"


def test_lgpl_3_contains_the_gpl_it_is_written_upon():
    assert identify_text(TEXTS["GPL-3.0"] + TEXTS["LGPL-3.0"], TABLE).spdx == "LGPL-3.0-only"


def test_a_restriction_makes_a_known_text_unknown():
    match = identify_text(TEXTS["MIT"] + "\nThis software is for non-commercial use.", TABLE)
    assert (match.spdx, match.restriction) == (None, "non commercial")


def test_a_text_of_many_words_may_have_words_that_few_may_not():
    rider, prose = "\nStudents must ask.\n", "It came to be in a summer long ago. " * 12
    assert identify_text(TEXTS["MIT"] + rider, TABLE).restriction == "students"
    assert identify_text(TEXTS["MIT"] + rider + prose, TABLE).spdx == "MIT"


def test_texts_that_share_words_with_one_that_is_not_free_do_not_hide_it():
    notice = "The generator is under another licence:\nLicensed under the Apache License, Version 2.0\n"
    data = next(entry["text"] for entry in DATA["texts"] if entry["id"] == "Unicode-DFS-2016")
    assert TABLE.is_free(identify_text(TEXTS["MIT"] + notice + data, TABLE).spdx)


def test_commons_clause_is_seen_beside_the_text_it_changes():
    rider = (
        '"Commons Clause" License Condition v1.0: the grant of rights will not include the right to Sell the Software.'
    )
    match = identify_text(rider + TEXTS["Apache-2.0"], TABLE)
    assert match.spdx == "Apache-2.0 AND LicenseRef-Commons-Clause"
    assert TABLE.class_of(match.spdx) == "source_available"


@pytest.mark.parametrize(
    ("text", "spdx", "pointer"),
    [
        ("You may do with this whatever Jane allows you to do, and nothing else.", None, False),
        ("Copyright 2019 Jane Doe. All rights reserved.", None, False),
        ("This software is released under the MIT License.", "MIT", False),
        (
            "Licensed under either of Apache License, Version 2.0 or MIT license at your option.",
            "Apache-2.0 OR MIT",
            False,
        ),
        ("This project is dual-licensed under the Unlicense and MIT licenses.", "MIT OR Unlicense", False),
        ("SPDX-License-Identifier: GPL-2.0+ OR MIT\n", "GPL-2.0-or-later OR MIT", False),
        ("SPDX-License-Identifier: Nonsense\n", None, False),
        ("This is made available under *either* of the licenses in LICENSE.APACHE or LICENSE.BSD.", None, True),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0", False),
        ("License: Apache 2.0\n\nCopyright 2019 Jane Doe\n", "Apache-2.0", False),
        ("../LICENSE-MIT", None, True),
        # Half a text and a link to the whole: not what the link says.
        (TEXTS["MIT"][: len(TEXTS["MIT"]) * 6 // 10] + " This is the MIT License.", None, False),
        ("", None, False),
    ],
)
def test_short_texts(text, spdx, pointer):
    match = identify_text(text, TABLE)
    assert (match.spdx, match.pointer) == (spdx, pointer)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_random_text_is_never_a_licence(text):
    assume(TABLE.expression_of_name(text) is None)
    match = identify_text(text, TABLE)
    assert match.spdx is None
    assert 0 <= match.similarity < TABLE.threshold


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(20, 200), st.text(alphabet="#*/ \t>", max_size=4))
def test_rewrapping_and_comment_signs_never_change_the_answer(name, width, sign):
    words, lines = TEXTS[name].split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += " " + word
    assert identify_text("\n".join(sign + line for line in lines), TABLE).spdx == identify_text(TEXTS[name], TABLE).spdx
