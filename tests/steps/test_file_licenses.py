import json

from identify.vendor.licenses import LICENSES
from pyspark.sql import SparkSession

from codemill.steps import file_licenses, licenses
from tests.spark_rows import File, context, flow, verdicts

TEXTS = dict(LICENSES)

GPL_HEADER = """/*
 * This program is free software; you can redistribute it and/or modify
 * it under the terms of the GNU General Public License as published by
 * the Free Software Foundation; either version 2 of the License, or
 * (at your option) any later version.
 */
int main(void) { return 0; }
"""


def judged(
    spark: SparkSession, root: str, files: list[File], **conf: object
) -> dict[str, tuple[str | None, list[str]]]:
    """Path -> (licence, reasons)."""
    work = context(spark, root, licenses=conf)
    rows = file_licenses.judge(work, flow(work, files)).collect()
    return {row["path"]: (row["license"], [one["reason"] for one in row["verdicts"]]) for row in rows}


def test_a_file_with_a_copyleft_header_goes_alone(spark: SparkSession, warehouse_path: str) -> None:
    files = [
        ("LICENSE", "other", TEXTS["MIT"]),
        ("gpl.c", "c", GPL_HEADER),
        ("tagged.py", "python", "# SPDX-License-Identifier: AGPL-3.0-only\nx = 1\n"),
        ("choice.py", "python", "# SPDX-License-Identifier: MIT OR GPL-2.0-only\nx = 1\n"),
        ("plain.py", "python", "x = 1\n"),
    ]
    result = judged(spark, warehouse_path, files)
    assert result["gpl.c"] == ("GPL-2.0-or-later", ["license_strong_copyleft"])
    assert result["tagged.py"] == ("AGPL-3.0-only", ["license_network_copyleft"])
    assert result["choice.py"] == ("MIT OR GPL-2.0-only", [])
    assert result["plain.py"] == (None, [])


def test_a_licence_in_a_sub_folder_rules_that_folder(spark: SparkSession, warehouse_path: str) -> None:
    files = [
        ("LICENSE", "other", TEXTS["MIT"]),
        ("main.py", "python", "x = 1\n"),
        ("vendor/gnu/COPYING", "other", TEXTS["GPL-3.0"]),
        ("vendor/gnu/src/a.py", "python", "a = 1\n"),
        ("vendor/gnu/free/LICENSE", "other", TEXTS["Apache-2.0"]),
        ("vendor/gnu/free/b.py", "python", "b = 1\n"),
        ("vendor/odd/LICENSE", "other", "You may use this on Tuesdays, if the wind is from the north.\n" * 9),
        ("vendor/odd/c.py", "python", "c = 1\n"),
        ("vendor/d.py", "python", "d = 1\n"),
        # A folder of the same name elsewhere is another folder.
        ("other:vendor/gnu/e.py", "python", "e = 1\n"),
    ]
    result = judged(spark, warehouse_path, files)
    assert result["vendor/gnu/src/a.py"] == ("GPL-3.0-only", ["license_strong_copyleft"])
    assert result["vendor/gnu/free/b.py"] == ("Apache-2.0", [])
    assert result["vendor/odd/c.py"] == (None, ["license_unknown"])
    assert [result[path] for path in ("main.py", "vendor/d.py", "vendor/gnu/e.py")] == [(None, [])] * 3


def test_a_licence_that_could_not_be_read_makes_its_folder_unknown(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [("LICENSE", "other", TEXTS["MIT"]), ("a.py", "python", "a = 1\n"), ("lib/big/b.py", "python", "b = 1\n")]
    projects = [{"project_id": "p", "unread_evidence": ["lib/big/COPYING"]}]
    seen = flow(work, files, projects)
    assert verdicts(file_licenses.judge(work, seen)) == {"lib/big/b.py": [("drop", "license_unknown")]}
    assert verdicts(licenses.judge(work, seen), "project_id") == {}


def test_header_and_folder_are_judged_by_the_stricter(spark: SparkSession, warehouse_path: str) -> None:
    files = [
        ("LICENSE", "other", TEXTS["MIT"]),
        ("lib/COPYING", "other", TEXTS["GPL-3.0"]),
        ("lib/a.py", "python", "# SPDX-License-Identifier: MIT\na = 1\n"),
        ("free/LICENSE", "other", TEXTS["Apache-2.0"]),
        ("free/b.c", "c", GPL_HEADER),
    ]
    result = judged(spark, warehouse_path, files)
    assert [result[path][1] for path in ("lib/a.py", "free/b.c")] == [["license_strong_copyleft"]] * 2


def test_the_evidence_names_the_licence_and_what_says_so(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [
        ("LICENSE", "other", TEXTS["MIT"]),
        ("x/COPYING", "other", TEXTS["GPL-3.0"]),
        ("x/a.py", "python", "a = 1\n"),
    ]
    rows = file_licenses.judge(work, flow(work, [*files, ("gpl.c", "c", GPL_HEADER)])).collect()
    told = {row["path"]: json.loads(row["verdicts"][0]["evidence"]) for row in rows if row["verdicts"]}
    assert told["x/a.py"] == {"license": "GPL-3.0-only", "by": ["x/COPYING"]}
    assert (told["gpl.c"]["license"], told["gpl.c"]["by"]) == ("GPL-2.0-or-later", "notice")
    assert 0.8 < told["gpl.c"]["matched"] <= 1


def test_the_policy_is_a_setting(spark: SparkSession, warehouse_path: str) -> None:
    files = [("LICENSE", "other", TEXTS["MIT"]), ("gpl.c", "c", GPL_HEADER)]
    work = context(spark, warehouse_path, licenses={"allowed": ["permissive", "strong_copyleft"]})
    assert verdicts(file_licenses.judge(work, flow(work, files))) == {}
