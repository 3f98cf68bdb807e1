from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from codemill.errors import UsageError
from codemill.ingest.rows import id_of
from tests.ingest.ingested import take_in

COLUMNS = {"name": "repo", "path": "file", "content": "text"}


def write(spark: SparkSession, path: Path, rows: list[dict[str, Any]], form: str = "parquet", schema: str = "") -> str:
    frame = spark.createDataFrame([Row(**row) for row in rows]) if not schema else spark.createDataFrame(rows, schema)
    frame.write.format(form).save(str(path))
    return str(path)


def stack_row(name: str, path: str, content: str, stars: int | None, *licenses: str) -> dict[str, Any]:
    return {
        "max_stars_repo_name": name,
        "max_stars_repo_path": path,
        "content": content,
        "max_stars_count": stars,
        "max_stars_repo_licenses": list(licenses),
        "lang": "Python",
    }


def test_the_stack_is_read_with_its_own_column_names(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    rows = [
        stack_row("ann/one", "src/a.py", "a = 1\n", 12, "MIT"),
        stack_row("ann/one", "tests/test_a.py", "b = 2\n", 12, "MIT"),
        stack_row("bob/two", "b.py", "c = 3\n", None, "MIT", "Apache-2.0"),
    ]
    schema = (
        "max_stars_repo_name string, max_stars_repo_path string, content string, max_stars_count long, "
        "max_stars_repo_licenses array<string>, lang string"
    )
    source = {"kind": "table", "path": write(spark, tmp_path / "t", rows, schema=schema), "mapping": "the_stack"}
    done = take_in(spark, warehouse_path, [{**source, "platform": "github", "host": "github.com"}])
    one, two = done.projects()["ann/one"], done.projects()["bob/two"]
    assert (one["stars"], one["files"], one["test_files"], one["platform"]) == (12, 2, 1, "github")
    assert (one["url"], one["url_source"], one["platform_license"]) == ("github.com/ann/one", "source", "MIT")
    assert (two["stars"], two["platform_license"]) == (None, "Apache-2.0 AND MIT")
    assert one["project_id"] == id_of("github", "ann/one")
    assert {path: row["content"] for path, row in done.files().items()} == {
        "ann/one/src/a.py": "a = 1\n",
        "ann/one/tests/test_a.py": "b = 2\n",
        "bob/two/b.py": "c = 3\n",
    }


def test_delta_with_bytes_and_columns_of_ones_own(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    rows = [{"repo": "p", "file": "/a.py", "text": "é = 1\n".encode("latin-1")}]
    path = write(spark, tmp_path / "t", rows, "delta")
    done = take_in(spark, warehouse_path, [{"kind": "table", "path": path, "columns": COLUMNS}])
    assert done.files()["p/a.py"]["content"] == "é = 1\n"
    assert done.projects()["p"]["url"] is None


def test_what_cannot_be_a_file_is_refused_with_a_word(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    rows = [
        {"repo": "p", "file": "a.py", "text": "a = 1\n"},
        {"repo": "p", "file": "../up.py", "text": "b = 1\n"},
        {"repo": "p", "file": None, "text": "c = 1\n"},
        {"repo": "p", "file": "none.py", "text": None},
        {"repo": "p", "file": "big.py", "text": "x" * 101},
        {"repo": "", "file": "nobody.py", "text": "d = 1\n"},
        {"repo": None, "file": "nobody.py", "text": "d = 1\n"},
    ]
    path = write(spark, tmp_path / "t", rows, schema="repo string, file string, text string")
    source = {"kind": "table", "path": path, "columns": COLUMNS}
    done = take_in(spark, warehouse_path, [source], ingest={"max_file_bytes": 100})
    assert list(done.files()) == ["p/a.py"]
    assert list(done.projects()) == ["p"]
    assert [(reason, evidence["path"]) for _, _, reason, evidence in done.decisions()] == [
        ("no_content", "none.py"),
        ("no_project_name", "nobody.py"),
        ("no_project_name", "nobody.py"),
        ("oversized", "big.py"),
        ("unsafe_path", ""),
        ("unsafe_path", "../up.py"),
    ]


def test_of_files_with_one_path_one_stays_whatever_the_order(
    spark: SparkSession, tmp_path: Path, warehouse_path: str
) -> None:
    rows = [{"repo": "p", "file": "a.py", "text": text} for text in ("a = 1\n", "a = 2\n", "a = 2\n", "a = 3\n")]
    kept = set()
    for number, order in enumerate((rows, rows[::-1])):
        source = {"kind": "table", "path": write(spark, tmp_path / f"{number}", order), "columns": COLUMNS}
        done = take_in(spark, f"{warehouse_path}{number}", [source])
        assert [reason for _, _, reason, _ in done.decisions()] == ["duplicate_path"] * 3
        assert done.run.counts[0].files_in == 4
        kept.add(done.files()["p/a.py"]["content"])
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"mapping": "the_stick"}, r"sources.0.mapping: found the_stick; allowed are the_stack, the_stack_v2"),
        ({"columns": {"name": "repo"}}, r"sources.0.columns: path is missing; name the column, or a mapping that does"),
        ({"columns": {**COLUMNS, "text": "body"}}, r"columns"),
        ({"columns": {**COLUMNS, "stars": "likes"}}, r"sources.0: .* has no column likes; it has repo, file, text"),
        (
            {"path": "/nowhere", "columns": COLUMNS},
            r"0.path: /nowhere cannot be read as a Delta or Parquet table",
        ),
    ],
)
def test_a_wrong_table_is_one_line(
    spark: SparkSession, tmp_path: Path, warehouse_path: str, source: dict[str, Any], line: str
) -> None:
    path = write(spark, tmp_path / "t", [{"repo": "p", "file": "a.py", "text": "a"}])
    with pytest.raises((UsageError, ValueError), match=line):
        take_in(spark, warehouse_path, [{"kind": "table", "path": path, **source}])


def test_a_missing_optional_table_is_left_out(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    there = {"kind": "table", "path": write(spark, tmp_path / "t", [{"repo": "p", "file": "a.py", "text": "a = 1\n"}])}
    sources = [
        {**there, "columns": COLUMNS},
        {"kind": "table", "path": "/nowhere", "optional": True, "columns": COLUMNS},
    ]
    assert list(take_in(spark, warehouse_path, sources).projects()) == ["p"]
