from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from codemill.core.licenses import (
    CLASSES,
    Evidence,
    LicenseTable,
    combine,
    declared,
    evidence_kind,
    identify_text,
    read_evidence,
)

CONF = Path(__file__).parents[2] / "conf" / "licenses.yaml"
DATA = yaml.safe_load(CONF.read_text(encoding="utf-8"))
TABLE = LicenseTable.from_mapping(DATA)
TEXTS = dict(LICENSES)
GNU = {"AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0"}

MINIMAL = {
    "classes": {"permissive": ["MIT"]},
    "exceptions": {},
    "names": {},
    "threshold": 0.85,
    "texts": [],
    "phrases": [],
    "statements": [],
    "restrictions": [],
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
    assert (match.spdx, match.restriction) == (None, "for non commercial use")


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
        ("", None, False),
    ],
)
def test_short_texts(text, spdx, pointer):
    match = identify_text(text, TABLE)
    assert (match.spdx, match.pointer) == (spdx, pointer)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_random_text_is_never_a_licence(text):
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


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", "license_text"),
        ("LICENCE.txt", "license_text"),
        ("LICENSE-MIT", "license_text"),
        ("MIT-LICENSE.txt", "license_text"),
        ("COPYING.LESSER", "license_text"),
        ("COPYING3", "license_text"),
        ("license.md", "license_text"),
        ("UNLICENSE", "license_text"),
        ("lib/COPYING", "license_text"),
        ("LICENSES/Apache-2.0.txt", "license_text"),
        ("x-1.0.dist-info/licenses/LICENSE", "license_text"),
        ("a/b/LICENSE", None),
        ("LICENSE-3RD-PARTY.txt", None),
        ("NOTICE", None),
        ("license.py", None),
        ("licensed.txt", None),
        ("PKG-INFO", "manifest"),
        ("x-1.0.dist-info/METADATA", "manifest"),
        ("package.json", "manifest"),
        ("Cargo.toml", "manifest"),
        ("crates/a/Cargo.toml", None),
        ("METADATA", None),
        ("README.md", None),
    ],
)
def test_evidence_kind(path, expected):
    assert evidence_kind(path) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("PKG-INFO", "Name: a\nLicense-Expression: MIT or apache-2.0\nLicense: GPL\n", "MIT OR Apache-2.0"),
        ("PKG-INFO", "Name: a\nLicense: MIT License\n\nLicense: GPL\n", "MIT"),
        ("PKG-INFO", "License: see file\nClassifier: License :: OSI Approved :: BSD License\n", "BSD-3-Clause"),
        ("PKG-INFO", "License: UNKNOWN\nClassifier: License :: OSI Approved\n", None),
        (
            "PKG-INFO",
            "License: MIT\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n",
            "GPL-3.0-only",
        ),
        ("PKG-INFO", "License: " + TEXTS["ISC"].replace("\n", "\n        ") + "\nName: a\n", "ISC"),
        ("a-1.dist-info/METADATA", "License: Apache 2.0\n", "Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = "BSD-2-Clause"\n', "BSD-2-Clause"),
        ("pyproject.toml", '[project]\nlicense = {text = "Apache Software License 2.0"}\n', "Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\n', None),
        ("pyproject.toml", '[tool.poetry]\nlicense = "LGPLv3+"\n', "LGPL-3.0-or-later"),
        ("pyproject.toml", "not toml", None),
        ("setup.cfg", "[metadata]\nlicense = New BSD License\n", "BSD-3-Clause"),
        ("setup.cfg", "[metadata]\nclassifiers =\n  License :: OSI Approved :: MIT License\n", "MIT"),
        ("setup.cfg", "[wheel]\nuniversal = 1\n", None),
        ("package.json", '{"license": "(MIT OR GPL-2.0)"}', "MIT OR GPL-2.0-only"),
        ("package.json", '{"license": {"type": "MIT", "url": "x"}}', "MIT"),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}', "Apache-2.0 OR MIT"),
        ("package.json", '{"license": "SEE LICENSE IN eula.txt"}', None),
        ("package.json", '{"license": "UNLICENSED"}', "LicenseRef-proprietary"),
        ("package.json", '{"license": 7}', None),
        ("package.json", "[" * 100_000, None),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", "[package]\nlicense.workspace = true\n", None),
        ("Cargo.toml", '[workspace.package]\nlicense = "MPL-2.0"\n', "MPL-2.0"),
        ("README.md", "License: MIT", None),
    ],
)
def test_declared(path, text, expected):
    assert declared(path, text, TABLE) == expected


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["PKG-INFO", "pyproject.toml", "setup.cfg", "package.json", "Cargo.toml"]), st.text(max_size=200)
)
def test_no_manifest_raises(path, text):
    declared(path, text, TABLE)


def text_of(path, spdx):
    return Evidence(path, "license_text", spdx, 1.0 if spdx else 0.1)


def manifest(spdx, path="PKG-INFO"):
    return Evidence(path, "manifest", spdx, 1.0)


@pytest.mark.parametrize(
    ("evidence", "expression", "license_class"),
    [
        ([], None, "none"),
        ([manifest("MIT")], "MIT", "permissive"),
        ([manifest("MIT"), manifest("ISC", "setup.cfg")], "ISC AND MIT", "permissive"),
        ([text_of("LICENSE", "MIT")], "MIT", "permissive"),
        ([text_of("LICENSE", None)], None, "unknown"),
        ([text_of("LICENSE", None), manifest("MIT")], "MIT", "unknown"),
        ([text_of("LICENSE", "MIT"), text_of("COPYING", None)], "MIT", "unknown"),
        ([text_of("LICENSE", "GPL-3.0-only"), manifest("MIT")], "GPL-3.0-only", "strong_copyleft"),
        ([text_of("LICENSE", "MIT"), manifest("GPL-3.0-only")], "GPL-3.0-only AND MIT", "strong_copyleft"),
        ([text_of("LICENSE", "GPL-3.0-only"), manifest("GPL-3.0-or-later")], "GPL-3.0-or-later", "strong_copyleft"),
        ([text_of("LICENSE", "BSD-2-Clause"), manifest("BSD-3-Clause")], "BSD-2-Clause", "permissive"),
        ([text_of("LICENSE-MIT", "MIT"), text_of("LICENSE-APACHE", "Apache-2.0")], "Apache-2.0 AND MIT", "permissive"),
        (
            [
                text_of("LICENSE-MIT", "MIT"),
                text_of("LICENSE-GPL", "GPL-2.0-only"),
                manifest("MIT OR GPL-2.0-or-later"),
            ],
            "MIT OR GPL-2.0-or-later",
            "permissive",
        ),
        (
            [text_of("COPYING", "GPL-3.0-only"), text_of("COPYING.LESSER", "LGPL-3.0-only")],
            "LGPL-3.0-only",
            "weak_copyleft",
        ),
        ([text_of("LICENSE", "MIT"), text_of("vendor/COPYING", "GPL-2.0-only")], "MIT", "permissive"),
        ([text_of("META-INF/LICENSE", "MIT"), text_of("docs/LICENSE", None)], "MIT", "permissive"),
    ],
)
def test_combine(evidence, expression, license_class):
    result = combine(evidence, TABLE)
    assert (result.expression, result.license_class) == (expression, license_class)
    assert set(result.evidence) == set(evidence)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Evidence,
            st.sampled_from(["LICENSE", "COPYING", "docs/LICENSE", "PKG-INFO"]),
            st.sampled_from(["license_text", "manifest"]),
            st.sampled_from(["MIT", "GPL-2.0-only", "MPL-2.0 OR MIT", "LicenseRef-x", None]),
            st.just(1.0),
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_evidence_does_not_matter(evidence, random):
    shuffled = evidence.copy()
    random.shuffle(shuffled)
    assert combine(shuffled, TABLE) == combine(evidence, TABLE)


def test_read_evidence_of_a_file():
    assert read_evidence("LICENSE", TEXTS["MIT"], TABLE) == Evidence("LICENSE", "license_text", "MIT", 1.0)
    assert read_evidence("LICENSE", "Mine, all mine.", TABLE) == Evidence("LICENSE", "license_text", None, 0.0)
    assert read_evidence("package.json", '{"license": "ISC"}', TABLE) == Evidence(
        "package.json", "manifest", "ISC", 1.0
    )
    assert read_evidence("package.json", "{}", TABLE) is None
    assert read_evidence("LICENSE", "See LICENSE.txt and COPYING.txt", TABLE) is None
    assert read_evidence("LICENSE", " \n", TABLE) is None
    assert read_evidence("main.py", "License: MIT", TABLE) is None
