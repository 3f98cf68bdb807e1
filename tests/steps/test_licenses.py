import json

import pytest
from identify.vendor.licenses import LICENSES
from pyspark.sql import SparkSession

from codemill.errors import UsageError
from codemill.steps import licenses
from tests.spark_rows import context, flow, verdicts

TEXTS = dict(LICENSES)
FILES = [
    ("mit:LICENSE", "other", TEXTS["MIT"]),
    ("mit:a.py", "python", "a = 1\n"),
    ("gpl:COPYING", "other", TEXTS["GPL-3.0"]),
    ("gpl:a.py", "python", "a = 1\n"),
    ("said:package.json", "json", '{"license": "Apache-2.0"}'),
    ("odd:LICENSE", "other", "You may use this on Tuesdays, if the wind is from the north.\n" * 9),
    ("bare:a.py", "python", "a = 1\n"),
]


def test_projects_go_by_the_class_of_their_licence(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    judged = licenses.judge(work, flow(work, FILES))
    assert verdicts(judged, "project_id") == {
        "gpl": [("drop", "license_strong_copyleft")],
        "odd": [("drop", "license_unknown")],
        "bare": [("drop", "no_license")],
    }
    found = {row["project_id"]: row["license"] for row in judged.collect()}
    assert (found["mit"], found["said"], found["bare"]) == ("MIT", "Apache-2.0", None)
    gpl = next(row for row in judged.collect() if row["project_id"] == "gpl")
    evidence = {"path": "COPYING", "kind": "license_text", "license": "GPL-3.0-only", "matched": 1.0}
    assert json.loads(gpl["verdicts"][0]["evidence"])["evidence"] == [evidence]
    assert [entry["path"] for entry in gpl["license_evidence"]] == ["COPYING"]


def test_a_manifest_that_cannot_be_read_is_an_error_of_its_project(spark: SparkSession, warehouse_path: str) -> None:
    files = [
        ("bad:package.json", "json", "{"),
        ("bad:LICENSE", "other", TEXTS["MIT"]),
        ("good:LICENSE", "other", TEXTS["MIT"]),
    ]
    work = context(spark, warehouse_path)
    judged = licenses.judge(work, flow(work, files))
    assert verdicts(judged, "project_id") == {"bad": [("error", "bad_manifest")]}


def test_a_licence_that_ingest_could_not_read_may_be_any(spark: SparkSession, warehouse_path: str) -> None:
    files = [("p:package.json", "json", '{"license": "MIT"}'), ("q:package.json", "json", '{"license": "MIT"}')]
    work = context(spark, warehouse_path)
    judged = licenses.judge(work, flow(work, files, [{"project_id": "p", "unread_evidence": ["LICENSE"]}]))
    assert verdicts(judged, "project_id") == {"p": [("drop", "license_unknown")]}


def test_what_a_platform_says_counts_where_nothing_else_speaks(spark: SparkSession, warehouse_path: str) -> None:
    files = [(f"{name}:a.py", "python", "a = 1\n") for name in ("mit", "gpl", "none")]
    projects = [{"project_id": "mit", "platform_license": "mit"}, {"project_id": "gpl", "platform_license": "GPL-3.0"}]
    work = context(spark, warehouse_path)
    assert verdicts(licenses.judge(work, flow(work, files, projects)), "project_id") == {
        "gpl": [("drop", "license_strong_copyleft")],
        "none": [("drop", "no_license")],
    }


def test_the_policy_is_a_setting(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, licenses={"allowed": ["permissive", "strong_copyleft"], "no_license": "keep"})
    assert verdicts(licenses.judge(work, flow(work, FILES)), "project_id") == {"odd": [("drop", "license_unknown")]}


def test_an_unknown_class_is_one_line(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, licenses={"allowed": ["free"]})
    with pytest.raises(UsageError, match=r"steps.licenses.allowed: found free; allowed are public_domain, permissive"):
        licenses.judge(work, flow(work, FILES))
