"""What is found in source code and what is left alone; what takes its place."""

from pathlib import Path
from typing import Any

import pytest
import spacy
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example

from codemill.core.sensitive import SensitiveCatalogue, SensitiveSpan, find, redact

DATA: dict[str, Any] = yaml.safe_load(Path("conf/sensitive.yaml").read_text())
CATALOGUE = SensitiveCatalogue.from_mapping(DATA)
AWS = "AKIA" + "Z7QWERT2YUIOP3LK"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq8\n" * 8 + "-----END RSA PRIVATE KEY-----"


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in find(text, CATALOGUE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Copyright (c) 2014-2023, Lars Asplund. All rights reserved.", [("PERSON", "Lars Asplund")]),
        (" * @author Günter Milde", [("PERSON", "Günter Milde")]),
        ("__author__ = 'Jean-Luc Picard'", [("PERSON", "Jean-Luc Picard")]),
        ("# Guido van Rossum <guido@cwi.nl>", [("PERSON", "Guido van Rossum"), ("EMAIL", "guido@cwi.nl")]),
        ("mail('jane@widgets.io')", [("EMAIL", "jane@widgets.io")]),
        ("host = '93.184.216.34'", [("IP", "93.184.216.34")]),
        ("host = '2606:2800:220:1:248:1893:25c8:1946'", [("IP", "2606:2800:220:1:248:1893:25c8:1946")]),
        ("password = 'hunter2-Tr0ub4dor'", [("PASSWORD", "hunter2-Tr0ub4dor")]),
        ('"db_passwd": "s3cr3t!x"', [("PASSWORD", "s3cr3t!x")]),
        ("url = 'https://bob:x9!kd82@db.widgets.io/a'", [("URL", "bob:x9!kd82")]),
        (f"key = {AWS}", [("KEY", AWS)]),
        (f"token: {GITHUB}", [("KEY", GITHUB)]),
        ("API_KEY = 'q8Zk2LmX9vB4nT7rWc1Y'", [("KEY", "q8Zk2LmX9vB4nT7rWc1Y")]),
        ("# TODO(jdoe): tidy up", [("USERNAME", "jdoe")]),
        ("open('/home/slawek/data.txt')", [("USERNAME", "slawek")]),
    ],
)
def test_sensitive_values_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "# Copyright (c) 2014 Google Inc. All Rights Reserved.",
        "# Copyright 2020 The Python Software Foundation",
        "mail('name@example.com')",
        "git clone git@github.com:a/b.git",
        "@app.route('/users/@me')",
        "version = '1.2.3.4'",
        "host = '127.0.0.1' or '192.168.1.20' or '255.255.255.0' or '8.8'",
        "std::chrono::system_clock::now()",
        "time = '12:30:45'",
        "password = 'changeme'",
        "password = os.environ['PASSWORD']",
        "password = '${DB_PASSWORD}'",
        "password = 'password_field'",
        "url = 'https://user:password@host/a'",
        "sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
        "id = '123e4567-e89b-12d3-a456-426614174000'",
        "api_key = 'your-api-key-goes-here'",
        "token = 'xxxxxxxxxxxxxxxxxxxxxxxx'",
        "# TODO(performance): faster",
        "open('/home/user/data.txt')",
        "foo@1.2.3",
        "",
    ],
)
def test_what_only_looks_sensitive_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_key_block_is_replaced_between_its_first_and_last_line() -> None:
    text = f'KEY = """{PEM}"""\n'
    new, redactions = redact(text, find(text, CATALOGUE), 1, "k")
    assert new == 'KEY = """-----BEGIN RSA PRIVATE KEY-----\nREDACTED_KEY\n-----END RSA PRIVATE KEY-----"""\n'
    assert [one.entity for one in redactions] == ["KEY"]


def test_the_same_value_gets_the_same_replacement_and_another_another() -> None:
    text = "a = '93.184.216.34'\nb = '93.184.216.35'\nc = '93.184.216.34'\n"
    new, redactions = redact(text, find(text, CATALOGUE), 1, "k")
    first, second, third = (one.replacement for one in redactions)
    assert first == third != second
    assert new == f"a = '{first}'\nb = '{second}'\nc = '{third}'\n"
    assert found(new) == []  # addresses of ranges that lead nowhere


def test_replacements_depend_on_seed_and_text_alone() -> None:
    text = "# Copyright 2020 Lars Asplund <lars@widgets.io>\n"
    spans = find(text, CATALOGUE)
    assert redact(text, spans, 1, "k") == redact(text, list(reversed(spans)), 1, "k")
    assert len({redact(text, spans, seed, key)[0] for seed in (1, 2) for key in ("k", "l")}) == 4


def test_no_result_holds_what_was_found() -> None:
    text = f"password = 'hunter2-Tr0ub4dor'\nkey = '{AWS}'\n"
    spans = find(text, CATALOGUE)
    _, redactions = redact(text, spans, 1, "k")
    assert len(redactions) == 2
    assert "Tr0ub4dor" not in f"{spans}{redactions}"
    assert AWS not in f"{spans}{redactions}"


def test_spans_that_overlap_are_refused() -> None:
    spans = [SensitiveSpan("EMAIL", 0, 5, 1.0, "x"), SensitiveSpan("EMAIL", 3, 8, 1.0, "x")]
    with pytest.raises(ValueError, match=r"found 3\.\.8, allowed is 5\.\.10"):
        redact("0123456789", spans, 1, "k")


PIECES = st.sampled_from(
    [
        "a@b.co ",
        "\n",
        "Copyright 2020 Ann Lee ",
        "password='x1!yz9' ",
        f"{AWS} ",
        "é",
        "İ",
        "9.9.9.99 ",
        "x" * 50,
        "://",
        "'",
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=20))).map("".join))
def test_spans_stay_inside_apart_and_the_rest_is_untouched(text: str) -> None:
    spans = find(text, CATALOGUE)
    ends = [0, *(position for span in spans for position in (span.start, span.end)), len(text)]
    assert ends == sorted(ends)
    assert spans == find(text, CATALOGUE)
    new, redactions = redact(text, spans, 1, "k")
    position = 0
    for one, following in zip(redactions, [*[r.start for r in redactions], len(text)][1:], strict=True):
        position = new.index(one.replacement, position) + len(one.replacement)
        rest = text[one.end : following]
        assert new[position : position + len(rest)] == rest
        position += len(rest)


def test_one_line_of_a_megabyte_is_fine() -> None:
    assert found("a@" * 250_000 + "password = 'x1!yz92'" + ".9" * 250_000) == [("PASSWORD", "x1!yz92")]
    assert found("f" * 500_000 + ":a" * 250_000) == []


def test_thresholds_are_kept_apart_from_detection() -> None:
    strict = {
        **DATA,
        "entities": {"KEY": {"enabled": True, "threshold": 0.99}, "IP": {"enabled": False, "threshold": 0}},
    }
    catalogue = SensitiveCatalogue.from_mapping(strict)
    assert catalogue.thresholds == {"KEY": 0.99}
    assert [span.entity for span in find(f"k = {AWS}", catalogue)] == ["KEY"]


def test_a_named_entity_model_is_loaded_and_asked_about_likely_lines(tmp_path: Path) -> None:
    spacy.util.fix_random_seed(0)
    names = ["Ada Lovelace", "alan turing", "grace hopper", "edsger dijkstra", "barbara liskov", "ken thompson"]
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("PERSON")
    examples = [
        Example.from_dict(
            nlp.make_doc(f"{words}{name} 2020"), {"entities": [(len(words), len(words) + len(name), "PERSON")]}
        )
        for name in names
        for words in ("# author ", "# maintainer ", "# written by ")
    ]
    nlp.initialize(lambda: examples)
    for _ in range(12):
        nlp.update(examples)
    nlp.to_disk(tmp_path / "model")
    catalogue = SensitiveCatalogue.from_mapping({**DATA, "ner_model": str(tmp_path / "model")})
    text = "x = 'grace hopper'\n# written by grace hopper 2020\n"
    spans = [span for span in find(text, catalogue) if span.detector == "named_entities"]
    assert [text[span.start : span.end] for span in spans] == ["grace hopper"]
    assert spans[0].start > text.index("#")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entities": {"SHOE_SIZE": {"enabled": True, "threshold": 0.5}}}, "found entity SHOE_SIZE, allowed: PERSON"),
        ({"entities": {"KEY": {"enabled": True, "threshold": 2}}}, "entities.KEY.threshold"),
        ({"patterns": [{**DATA["patterns"][0], "check": "good"}]}, "patterns.email.check: found good, allowed"),
        ({"patterns": [{**DATA["patterns"][0], "anchors": ["A"]}]}, "patterns.email.anchors: found 'A'"),
        ({"patterns": [{**DATA["patterns"][0], "regex": "(?P<value>(a+)+)"}]}, "unbounded repetition"),
        ({"patterns": [{**DATA["patterns"][0], "regex": "abc"}]}, "no group `value`"),
        ({"patterns": [{**DATA["patterns"][0], "regex": "(?P<value>a"}]}, "not a regular expression"),
    ],
)
def test_a_mistake_in_the_table_names_the_key(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="sensitive: ") as caught:
        SensitiveCatalogue.from_mapping({**DATA, **change})
    assert words in str(caught.value)
