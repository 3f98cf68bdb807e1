"""What takes the place of what was found: of the same kind, always the same, and never found again."""

import ast
import ipaddress
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.sensitive import SensitiveCatalogue, SensitiveSpan, find, redact, replacements, select

DATA = yaml.safe_load((Path(__file__).parents[2] / "conf" / "sensitive.yaml").read_text(encoding="utf-8"))
CATALOGUE = SensitiveCatalogue.from_mapping(DATA)
CHANCE = "q8Zk2LmX9vB4nT7rWc1YpD5sHg3JfK6aQe0UiOxR"
KEY_LINES = "MIICWgIBAAKBgQDTj1bqB4WmayWNPB8jVSYpZYk80Ujvj680pOTh2bORBjbIAyzo\n" * 3
BEGIN, END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"


def redacted(text, seed=1, key="k"):
    return redact(text, select(find(text, CATALOGUE), CATALOGUE), seed, key)


def test_a_redaction_says_where_by_what_and_how_sure():
    text = "x = 1\npassword = 'hunter2'\n"
    new, (redaction,) = redacted(text)
    assert new == "x = 1\npassword = 'REDACTED_PASSWORD'\n"
    assert text[redaction.start : redaction.end] == "hunter2"
    assert (redaction.entity, redaction.replacement) == ("PASSWORD", "REDACTED_PASSWORD")
    assert (redaction.detector, redaction.score) == ("password_assignment", 0.7)


def test_names_and_addresses_become_others_of_their_kind():
    new, (name, mail) = redacted("# Author: Lars Asplund <lars@widgets.io>\n")
    assert new == f"# Author: {name.replacement} <{mail.replacement}>\n"
    assert name.replacement in replacements.persons()
    assert mail.replacement.endswith("@example.com")


def test_replacements_are_the_same_on_every_machine():
    text = "# Lars Asplund <lars@widgets.io> TODO(lars) 93.184.216.34 2606:2800:220:1:248:1893:25c8:1946\n"
    found = [(one.entity, one.replacement) for one in redacted(text, seed=20_240_101, key="file")[1]]
    assert found == [
        ("PERSON", "Corey Hardin"),
        ("EMAIL", "ann.duncan@example.com"),
        ("USERNAME", "jesuswilkerson"),
        ("IP", "10.117.228.36"),
        ("IP", "fd00:4f9e:5a25::8d7c"),
    ]


def test_an_address_becomes_a_private_one_of_the_same_family():
    _, (first, second) = redacted("a = '93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'")
    assert ipaddress.IPv4Address(first.replacement).is_private
    assert ipaddress.IPv6Address(second.replacement).is_private


def test_url_credentials_leave_a_url():
    new, _ = redacted("postgres://bo:k4tz3n!@db.widgets.io:5432/x")
    assert new == "postgres://user:REDACTED_PASSWORD@db.widgets.io:5432/x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{BEGIN}\n{KEY_LINES}{END}\n", f"{BEGIN}\nREDACTED_KEY\n{END}\n"),
        (f"# {BEGIN}\n# {KEY_LINES}# {END}\n", f"# {BEGIN}\n# REDACTED_KEY\n# {END}\n"),
    ],
)
def test_a_key_block_keeps_its_first_and_last_line(text, expected):
    assert redacted(text)[0] == expected


@pytest.mark.parametrize(
    ("source", "parse"),
    [
        (f"key = ('{BEGIN}\\n'\n '" + KEY_LINES.strip().replace("\n", "\\n'\n '") + f"\\n'\n '{END}')\n", ast.parse),
        (json.dumps({"key": f"{BEGIN}\n{KEY_LINES}{END}", "password": "a'b2c3"}), json.loads),
        (f'token = b"{CHANCE}"; password = r"k4tz3n!"; author = "Ann O\'Hara"', ast.parse),
    ],
)
def test_literals_stay_literals(source, parse):
    parse(source)
    new, redactions = redacted(source)
    assert redactions
    parse(new)
    assert CHANCE not in new
    assert "MIIC" not in new


def test_the_same_value_gets_the_same_replacement_and_others_get_others():
    owners = [f"TODO(joe{at}x)" for at in range(300)]
    _, redactions = redacted("\n".join(owners + owners))
    names = [one.replacement for one in redactions]
    assert names[:300] == names[300:]
    assert len(set(names)) == 300


def test_more_values_than_the_table_has_are_replaced_too():
    text = "".join(f"TODO(joe{at}x)\n" for at in range(1_200))
    _, redactions = redacted(text)
    assert len(redactions) == 1_200
    assert {one.replacement for one in redactions} <= set(replacements.usernames())


def test_a_replacement_is_never_what_it_replaces():
    for name in replacements.usernames():
        assert redact(name, [SensitiveSpan("USERNAME", 0, len(name), 1.0, "x")], 1, "k")[0] != name


def test_another_seed_or_file_gets_other_replacements():
    text = "# Author: Lars Asplund\n"
    assert redacted(text, 1, "k") == redacted(text, 1, "k")
    assert len({redacted(text, seed, key)[0] for seed in (1, 2) for key in ("k", "l")}) == 4


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 11)])
def test_spans_outside_the_text_are_refused(start, end):
    with pytest.raises(ValueError, match=rf"found {start}\.\.{end}, allowed is 0\.\.10"):
        redact("0123456789", [SensitiveSpan("KEY", start, end, 1.0, "x")], 1, "k")


SENSITIVE = [
    "# Copyright 2020 Jay Loden, Landry Breuil <landry@widgets.io> and others\n",
    "Marcelo Huerta San Martin <richie@widgets.io>",
    " * @author ",
    "Lars Asplund ",
    "lars@widgets.io ",
    "// TODO(lars) '/home/lars/x'\n",
    "host = '93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'\n",
    "password = 'hunter2'; Pwd=k4tz3n!;\n",
    "postgres://bo:k4tz3n!@db.widgets.io/x ",
    f"api_key = '{CHANCE}'\n",
    f"{BEGIN}\n{KEY_LINES}{END}\n",
    "DB_PASSWORD=k4tz3n!\n",
    '{"name": "Alba Mendez",\n"email": "alba@mendez.cat"}\n',
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(SENSITIVE), st.text(max_size=10)), max_size=8).map("".join), st.integers())
def test_a_redacted_text_has_nothing_left_to_redact(text, seed):
    new, redactions = redacted(text, seed)
    assert redacted(new, seed)[0] == new
    assert all(one.replacement != text[one.start : one.end] for one in redactions)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(SENSITIVE), st.text(max_size=10)), max_size=8).map("".join))
def test_the_text_between_redactions_is_untouched(text):
    new, redactions = redacted(text)
    rebuilt, done = [], 0
    for one in redactions:
        rebuilt += [text[done : one.start], one.replacement]
        done = one.end
    assert "".join([*rebuilt, text[done:]]) == new
