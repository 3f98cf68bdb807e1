"""Where each kind of sensitive information is found in source code, and what is left alone.

In the examples ⟦ENTITY:value⟧ marks what is to be found; the text that is looked at has the value only.
"""

import logging
import pickle
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.sensitive import SensitiveCatalogue, SensitiveSpan, detection, find, recognizers, select
from codemill.core.sensitive.spans import apart

DATA = yaml.safe_load((Path(__file__).parents[2] / "conf" / "sensitive.yaml").read_text(encoding="utf-8"))
CATALOGUE = SensitiveCatalogue.from_mapping(DATA)
MARK = re.compile(r"⟦([A-Z]+):([^⟧]*)⟧")

# Shapes of secrets, in pieces: no scanner shall take this file for a leak.
CHANCE = "q8Zk2LmX9vB4nT7rWc1YpD5sHg3JfK6aQe0UiOxR"
HEX = "5f352379324c22463451387a0aec5d2f"
KEY_LINES = "MIICWgIBAAKBgQDTj1bqB4WmayWNPB8jVSYpZYk80Ujvj680pOTh2bORBjbIAyzo\n" * 2
BEGIN, END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"


def split_marks(marked):
    """Take the marks out: the plain text and (entity, start, end) of what they hold."""
    text, expected, done = "", [], 0
    for mark in MARK.finditer(marked):
        text += marked[done : mark.start()]
        expected.append((mark[1], len(text), len(text) + len(mark[2])))
        text += mark[2]
        done = mark.end()
    return text + marked[done:], expected


def applied(text, catalogue=CATALOGUE):
    return [(span.entity, span.start, span.end) for span in select(find(text, catalogue), catalogue)]


FOUND = {
    "person": [
        "# Copyright (c) 2010-2014, 2016 by ⟦PERSON:Jay Loden⟧, ⟦PERSON:Landry Breuil⟧ and ⟦PERSON:Arnon Yaari⟧.",
        "// Copyright © ⟦PERSON:James Henstridge⟧ 2003, All Rights Reserved",
        " * @author ⟦PERSON:Günter Milde⟧",
        "//! authors : ⟦PERSON:Tim Wood⟧, ⟦PERSON:Iskren Chernev⟧, Moment.js contributors",
        "-- Maintainer:        ⟦PERSON:J. R. Hartley⟧",
        "Signed-off-by: ⟦PERSON:Linus B. Torvalds⟧ <⟦EMAIL:linus@linux-foundation.org⟧>",
        "__author__ = '⟦PERSON:Matthias Köppe⟧'",
        'authors = [{name = "⟦PERSON:Inada Naoki⟧"}]',
        's.authors = ["⟦PERSON:Mason Wendell⟧", "⟦PERSON:Sam O\'Hara⟧"]',
        '{"name": "⟦PERSON:Alba Mendez⟧",\n "email": "⟦EMAIL:alba@mendez.cat⟧"}',
        "<developer>\n  <id>nj</id>\n  <name>⟦PERSON:Nate Jensen⟧</name>",
        "\\author{⟦PERSON:David Goodger⟧}",
        "# Written by ⟦PERSON:Makoto McDonald⟧ March 2002",
        "⟦PERSON:Guido van Rossum⟧ (⟦EMAIL:guido@cwi.nl⟧)",
        " * @author ⟦PERSON:张三丰⟧",
        "# Author: ⟦PERSON:Лев Толстой⟧",
    ],
    "email": [
        "mailto:⟦EMAIL:colin@colinhacks.dev⟧?subject=x",
        "see https://widgets.io/?mail=⟦EMAIL:joe@widgets.io⟧",
        "ß⟨⟦EMAIL:joe+tag@mail.widgets.co.uk⟧⟩.",
    ],
    "ip": [
        'host = "⟦IP:93.184.216.34⟧:8080"',
        "block ⟦IP:41.86.3.250⟧-⟦IP:41.86.3.255⟧ now.",
        "http://[⟦IP:2606:2800:220:1:248:1893:25c8:1946⟧]/",
    ],
    "password": [
        "password: str = '⟦PASSWORD:Tr0ub4dor&3⟧'",
        'if (passwd == "⟦PASSWORD:s3cr3t!⟧") {',
        'config["db_password"] = `⟦PASSWORD:hunter2⟧`',
        'props.put("password", "⟦PASSWORD:hunter2⟧");',
        'setPassword("⟦PASSWORD:hunter2⟧")',
        "CREATE USER bo IDENTIFIED BY '⟦PASSWORD:hunter2⟧';",
        "db_pass = '⟦PASSWORD:x8!kkQ⟧'",
        '"Server=db;Uid=bo;Pwd=⟦PASSWORD:k4tz3n!⟧;"',
        "export DB_PASSWORD=⟦PASSWORD:k4tz3n!⟧\nDEBUG=1",
        "db:\n  password: ⟦PASSWORD:k4tz3n!⟧\n",
    ],
    "key": [
        f"API_KEY = '⟦KEY:{CHANCE}⟧'",
        f'"client_secret": "⟦KEY:{HEX}⟧"',
        f"APP_SECRET_KEY=⟦KEY:{HEX}⟧",
        f"Authorization: Bearer ⟦KEY:{CHANCE}⟧",
        f"https://widgets.io/v1?access_token=⟦KEY:{CHANCE}⟧&a=1",
        "id: ⟦KEY:AKIA" + "Z7QWERT2YUIOP3LK⟧",
        f"git clone https://⟦KEY:ghp_{CHANCE[:36]}⟧@github.com/a/b",
        f"'⟦KEY:glpat-{CHANCE[:20]}⟧'",
        f"'⟦KEY:xoxb-{CHANCE[:30]}⟧'",
        f"https://hooks.slack.com/services/⟦KEY:T024BE7LD/B024BE7LD/{CHANCE[:24]}⟧",
        f"'⟦KEY:sk_live_{CHANCE[:24]}⟧'",
        f"'⟦KEY:AIza{CHANCE[:35]}⟧'",
        f"'⟦KEY:hf_{CHANCE[:34]}⟧'",
        f"'⟦KEY:SG.{CHANCE[:22]}.{CHANCE}⟧'",
        f"jwt = ⟦KEY:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0{CHANCE * 20}.{CHANCE}⟧",
    ],
    "private key": [
        f"{BEGIN}\n⟦KEY:{KEY_LINES.strip()}==⟧\n{END}\n",
        f"# {BEGIN}\n# ⟦KEY:{KEY_LINES.strip()}⟧\n# {END}\n",
        f'"{BEGIN}\\n" +\n"⟦KEY:{KEY_LINES.strip()}⟧\\n" +\n"{END}\\n"',
    ],
    "user name": [
        "// TODO(@⟦USERNAME:bnoordhuis⟧) Remove in v3.0.0.",
        " * @author ⟦USERNAME:nelson85⟧\n",
        "'/home/⟦USERNAME:alienoid⟧/dev', 'C:\\\\Users\\\\⟦USERNAME:Bob⟧\\\\x'",
    ],
    "url": [
        "redis://⟦URL::k4tz3n!⟧@cache.widgets.io/0",
        "postgres://⟦URL:bo:k4tz3n!⟧@db.widgets.io:5432/x",
    ],
}


@pytest.mark.parametrize("marked", [example for examples in FOUND.values() for example in examples])
def test_sensitive_information_is_found_in_its_bounds(marked):
    text, expected = split_marks(marked)
    assert applied(text) == expected


LEFT_ALONE = [
    # no persons
    "# Copyright (c) 1994 Sun Microsystems, Inc.",
    "# Copyright 2012 Nokia Siemens Networks Oyj",
    "# Copyright (C) 2001 International Business Machines Corporation and others. All Rights Reserved.",
    "@author Google Inc.",
    "-- 'value(...) is not supported by Vivado Synth 2014",
    "name = 'Common Lisp'\nurl = 'https://lisp-lang.org'",
    "# Author: John Doe",
    # no e-mail addresses
    "git@github.com:org/repo.git",
    "joe@build.widgets.io:/srv/git",
    "ssh://joe@build.widgets.io/srv",
    "npm install left-pad@1.3.0 @types/node@20.1.2",
    "icon@2x.png",
    "joe@example.com, joe@mail.example.org, root@localhost, a@b.test",
    "auth-agent-req@openssh.com",
    "org.acme.Class@Object.toString",
    "@property\n@app.route('/x')",
    # no addresses of hosts
    "version = '41.2.33.44'",
    "<FileVersion>41.2.33.44</FileVersion>",
    "Chrome/41.2.33.44",
    "v41.2.33.44 or 1.2.3.4 or 1.3.6.1.4.1.311.33.44 or pkg-41.2.33.44.tar.gz",
    "127.0.0.1 0.0.0.0 10.1.2.3 172.16.5.4 192.168.0.33 169.254.169.254 255.255.255.0 255.255.255.255",
    "192.0.2.44 198.51.100.44 203.0.113.44 224.0.0.251 8.8.8.8 208.67.222.222 999.99.99.99",
    "::1 fe80::1ff:fe23:4567:890a 2001:db8:85a3::8a2e:370:7334 std::chrono::ab 12:30:45 00:1a:2b:3c:4d:5e",
    # no passwords
    "password = 'changeme' or '' or 'xxx' or 'password' or 'password123' or 'my-secret' or 'test1234'",
    "password = '<password>' or '${DB_PASSWORD1}' or '%(password)s' or '{password1}' or '********'",
    "password = os.environ['DB_PASSWORD1']\npassword = getpass2()\npassword = user2.secret1",
    "password: 'user.password_reset' , 'Required!', '#password-field', '/var/run/pw1'",
    "codecs.encode(password, 'rot13')",
    "PASSWORD=$DB_PASSWORD1\n",
    # no keys
    "commit = '3f786850e387550fdab836ed7e6dc881de23001b'",
    "token_sha256 = '3f786850e387550fdab836ed7e6dc881de23001b'",
    'publicKeyToken="1fc8b3b9a1e18e3b"',
    "secret_id = '123e4567-e89b-12d3-a456-426614174000'",
    "api_key = 'YOUR_API_KEY_GOES_HERE_123'",
    "token = 'MyAccessTokenProvider20'",
    "secret = '0123456789abcdef0123456789abcdef'",
    f"data = '{CHANCE}'",
    "AKIAIOSFODNN7EXAMPLE",
    "-----BEGIN CERTIFICATE-----\n" + KEY_LINES + "-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n" + KEY_LINES + "-----END PUBLIC KEY-----",
    # no user names
    "# TODO(performance), TODO(#123), TODO(crbug.com), FIXME(v2)",
    "/home/user/x, /home/runner/work, ~/home/x/y, /srv/home/joe/x",
    # no credentials
    "https://user:password@host/, ftp://${USER}:${PW}@host, http://host:8080/@joe, http://postgres:postgres@db/x",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_sensitive_is_left_alone(text):
    assert [text[start:end] for _, start, end in applied(text)] == []


def test_letters_that_lower_case_makes_two_of_move_no_offset():
    text, expected = split_marks("İ" * 1_000 + "\nPASSWORD = '⟦PASSWORD:hunter2⟧'")
    assert applied(text) == expected


@pytest.mark.parametrize("pad", range(32))
def test_of_a_long_list_on_one_line_the_names_in_reach_are_found_whole(pad):
    text = (
        f"/* Copyright B{'b' * (pad % 16 + 1)} M{'m' * (pad // 16 * 16 + 1)}, "
        + "Annamariagiulia Leerdammerbrug, " * 60
    )
    names = [text[start:end] for _, start, end in applied(text)]
    assert len(names) > 15
    assert set(names[1:]) == {"Annamariagiulia Leerdammerbrug"}


def test_every_span_is_reported_and_policy_selects():
    text = "login = 'alienoid'; password = 'hunter2'"
    reported = find(text, CATALOGUE)
    assert [(span.entity, span.detector, span.score) for span in reported] == [
        ("USERNAME", "login_assignment", 0.4),
        ("PASSWORD", "password_assignment", 0.7),
    ]
    assert [span.entity for span in select(reported, CATALOGUE)] == ["PASSWORD"]
    entities = {"USERNAME": {"enabled": True, "threshold": 0.4}, "PASSWORD": {"enabled": False, "threshold": 0.1}}
    other = SensitiveCatalogue.from_mapping({**DATA, "entities": entities})
    assert find(text, other) == reported
    assert [span.entity for span in select(reported, other)] == ["USERNAME"]


def test_overlaps_go_to_the_best_score_then_the_longest_then_the_first_entity():
    spans = [
        SensitiveSpan("URL", 0, 10, 0.5, "a"),
        SensitiveSpan("EMAIL", 5, 20, 0.9, "b"),
        SensitiveSpan("IP", 20, 25, 0.5, "c"),
        SensitiveSpan("KEY", 21, 29, 0.5, "d"),
        SensitiveSpan("PERSON", 30, 33, 0.5, "e"),
        SensitiveSpan("KEY", 30, 33, 0.5, "e"),
    ]
    assert [(span.entity, span.start) for span in apart(spans)] == [("EMAIL", 5), ("KEY", 21), ("KEY", 30)]


def test_catalogues_of_the_same_data_are_the_same_key_of_a_cache():
    again = pickle.loads(pickle.dumps(SensitiveCatalogue.from_mapping(DATA)))
    assert again == CATALOGUE
    assert detection._engine(again) is detection._engine(CATALOGUE)
    assert again != SensitiveCatalogue.from_mapping({**DATA, "allow": {}})


def test_presidio_runs_with_our_recognisers_alone():
    engine = detection._engine(CATALOGUE)
    assert type(engine).__module__.startswith("presidio_analyzer")
    assert {one.name for one in engine.get_recognizers()} == {row["id"] for row in DATA["patterns"]}


def test_a_mistake_in_a_text_or_a_library_quotes_nothing(monkeypatch):
    def broken(text, *_):
        raise ValueError(f"cannot handle {text}")

    monkeypatch.setattr(recognizers, "windows", broken)
    with pytest.raises(RuntimeError) as caught:
        find("password = 'hunter2'", CATALOGUE)
    assert str(caught.value) == "looking for sensitive information failed: ValueError"
    assert caught.value.__suppress_context__


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG, "root"):
        detection._engine.cache_clear()
        assert find("password = 'hunter2'", CATALOGUE)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"near": None}, "patterns.ipv4: found neither anchors nor near"),
        ({"unless_after": r"\w+"}, r"patterns.ipv4.unless_after: unbounded repetition; allowed: \{m,n\}"),
        ({"near": "a{2,}"}, "patterns.ipv4.near: unbounded repetition"),
        ({"reach": 0}, "patterns.0.reach: .* found 0"),
        ({"entity": "SHOE_SIZE"}, "found entity SHOE_SIZE, allowed: PERSON"),
    ],
)
def test_a_mistake_in_a_pattern_names_the_key(change, message):
    row = next(row for row in DATA["patterns"] if row["id"] == "ipv4")
    with pytest.raises(ValueError, match=message):
        SensitiveCatalogue.from_mapping({**DATA, "patterns": [{**row, **change}]})


@pytest.mark.parametrize("piece", ["@", "a@b.", "1.1.1.1.", "::", "McAaa ", "author: ", "(c)", BEGIN + "\n", "eyJ."])
def test_a_megabyte_without_an_end_of_line_or_of_a_match_is_fine(piece):
    assert applied(piece * (1_000_000 // len(piece)) + " password='hunter2'")[-1][0] == "PASSWORD"


PIECES = st.sampled_from(
    [split_marks(example)[0] for examples in FOUND.values() for example in examples if len(example) < 200]
    + [*LEFT_ALONE, "\n", " ", "İ", "'", '"', "\\", "@", "://", ":", "é" * 30]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=12).map("".join))
def test_spans_are_inside_apart_in_order_and_always_the_same(text):
    spans = find(text, CATALOGUE)
    bounds = [0, *(bound for span in spans for bound in (span.start, span.end)), len(text)]
    assert bounds == sorted(bounds)
    assert all(span.start < span.end and 0 < span.score <= 1 for span in spans)
    assert find(text, SensitiveCatalogue.from_mapping(DATA)) == spans
