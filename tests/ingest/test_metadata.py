import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from codemill.errors import UsageError
from tests.ingest.ingested import Ingested, take_in

CSV = """name,stars,forks,watchers,archived,fork_of,url,platform,license
a,12,3,,true,https://github.com/Up/Stream.git,git@github.com:Ann/A.git,github,mit
b,7.0,,1,no,,,,
elsewhere,1,1,1,false,,,,
"""


def folders(root: Path, *names: str) -> dict[str, Any]:
    for name in names:
        (root / "src" / name).mkdir(parents=True)
        (root / "src" / name / "main.py").write_text(f"name = {name!r}\n")
    return {"kind": "directory", "path": str(root / "src")}


def with_metadata(spark: SparkSession, tmp_path: Path, warehouse: str, name: str, text: str, **more: Any) -> Ingested:
    path = tmp_path / name
    path.write_text(text)
    return take_in(spark, warehouse, [{**folders(tmp_path, "a", "b", "c"), "metadata": {"path": str(path), **more}}])


def test_what_the_file_says_of_a_name_is_joined(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    done = with_metadata(spark, tmp_path, warehouse_path, "m.csv", CSV)
    a, b, c = (done.projects()[name] for name in "abc")
    assert (a["stars"], a["forks"], a["watchers"], a["archived"]) == (12, 3, None, True)
    assert (a["url"], a["url_source"], a["fork_of"]) == ("github.com/ann/a", "metadata", "github.com/up/stream")
    assert (a["platform"], a["platform_license"]) == ("github", "mit")
    assert (b["stars"], b["archived"], b["platform"], b["platform_license"]) == (7, False, "local", None)
    assert (c["stars"], c["archived"]) == (None, None)
    assert done.decisions() == []


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_other_formats_say_the_same(spark: SparkSession, tmp_path: Path, warehouse_path: str, form: str) -> None:
    path = tmp_path / f"m.{form}"
    rows = [{"full_name": "a", "stars": 12}, {"full_name": "b", "stars": 7}]
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        spark.createDataFrame(rows).write.parquet(str(path))
    metadata = {"path": str(path), "columns": {"name": "full_name"}}
    done = take_in(spark, warehouse_path, [{**folders(tmp_path, "a", "b"), "metadata": metadata}])
    assert {name: row["stars"] for name, row in done.projects().items()} == {"a": 12, "b": 7}


def test_a_value_of_the_wrong_type_is_an_error_of_that_project_alone(
    spark: SparkSession, tmp_path: Path, warehouse_path: str
) -> None:
    text = "name,stars,archived\na,many,perhaps\nb,-3,true\nc,4,\n"
    done = with_metadata(spark, tmp_path, warehouse_path, "m.csv", text)
    assert {name: row["stars"] for name, row in done.projects().items()} == {"a": None, "b": None, "c": 4}
    assert done.decisions() == [
        ("project", "error", "bad_metadata", {"name": "a", "columns": {"stars": "many", "archived": "perhaps"}}),
        ("project", "error", "bad_metadata", {"name": "b", "columns": {"stars": "-3"}}),
    ]


def test_rows_of_one_name_that_contradict_each_other_say_nothing(
    spark: SparkSession, tmp_path: Path, warehouse_path: str
) -> None:
    text = "name,stars,forks\na,1,5\na,2,5\nb,3,\nb,3,4\n"
    done = with_metadata(spark, tmp_path, warehouse_path, "m.csv", text)
    a, b = done.projects()["a"], done.projects()["b"]
    assert (a["stars"], a["forks"], b["stars"], b["forks"]) == (None, 5, 3, 4)
    assert done.decisions() == [
        ("project", "error", "conflicting_metadata", {"name": "a", "columns": ["stars"]}),
    ]
    assert done.run.counts[0].projects_out == 3


def test_lines_that_are_no_json_are_counted(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    text = '{"name": "a", "stars": 1}\n{"name": "b", "sta\n[1, 2]\n{"name": "c", "stars": {"n": 1}}\n'
    done = with_metadata(spark, tmp_path, warehouse_path, "m.jsonl", text)
    assert {name: row["stars"] for name, row in done.projects().items()} == {"a": 1, "b": None, "c": None}
    reasons = {reason: evidence for _, _, reason, evidence in done.decisions()}
    assert reasons["unreadable_metadata"]["lines"] >= 1
    assert reasons["bad_metadata"]["name"] == "c"


def test_a_quoted_field_may_hold_line_breaks_and_quotes(
    spark: SparkSession, tmp_path: Path, warehouse_path: str
) -> None:
    text = 'name,description,stars\r\na,"two\r\nlines, with ""quotes""",5\r\nb,plain,6\r\n'
    done = with_metadata(spark, tmp_path, warehouse_path, "m.csv", "\ufeff" + text)
    assert [done.projects()[name]["stars"] for name in "ab"] == [5, 6]


@pytest.mark.parametrize(
    ("name", "text", "more", "line"),
    [
        ("m.csv", "id,stars\na,1\n", {}, r"sources.0.metadata.columns: .* has no column name; it has id, stars"),
        ("m.csv", "name\na\n", {"columns": {"stars": "likes"}}, r"has no column likes; it has name"),
        ("m.txt", "name\na\n", {}, r"sources.0.metadata.format is missing"),
        ("m.parquet", "no parquet", {}, r"sources.0.metadata.path: .* cannot be read as parquet"),
        ("m.jsonl", "no json\n", {}, r"has no column name; it has none"),
        ("m.csv", "", {}, r"has no column name; it has none"),
    ],
)
def test_a_wrong_file_is_one_line(
    spark: SparkSession, tmp_path: Path, warehouse_path: str, name: str, text: str, more: dict[str, Any], line: str
) -> None:
    with pytest.raises(UsageError, match=line):
        with_metadata(spark, tmp_path, warehouse_path, name, text, **more)


def test_a_missing_file_is_one_line(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    source = {**folders(tmp_path, "a"), "metadata": {"path": str(tmp_path / "none.csv")}}
    with pytest.raises(UsageError, match=r"sources.0.metadata.path: .*none.csv cannot be read as csv \(PATH_NOT_FOUND"):
        take_in(spark, warehouse_path, [source])
