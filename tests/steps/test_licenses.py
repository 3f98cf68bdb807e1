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
    assert json.loads(gpl["verdicts"][0]["evidence"])["evidence"] == [f"COPYING: {gpl['license']}"]


def test_the_policy_is_a_setting(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, licenses={"allowed": ["permissive", "strong_copyleft"], "no_license": "keep"})
    assert verdicts(licenses.judge(work, flow(work, FILES)), "project_id") == {"odd": [("drop", "license_unknown")]}


def test_an_unknown_class_is_one_line(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, licenses={"allowed": ["free"]})
    with pytest.raises(UsageError, match=r"steps.licenses.allowed: found free; allowed are public_domain, permissive"):
        licenses.judge(work, flow(work, FILES))
