import json

from pyspark.sql import SparkSession

from codemill.steps import project_dedup
from tests.spark_rows import File, context, flow, verdicts


def tree(project: str, *names: str) -> list[File]:
    return [(f"{project}:{name}.py", "python", f"# the contents of {name}\n" * 5) for name in names]


def test_of_two_versions_the_newer_stays(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    projects = [
        {"project_id": "old", "name": "Foo_Bar", "version": "1.9"},
        {"project_id": "new", "name": "foo-bar", "version": "1.10"},
        {"project_id": "rest", "name": "foo", "version": "2"},
    ]
    judged = project_dedup.judge(work, flow(work, tree("new", "a"), projects))
    assert verdicts(judged, "project_id") == {"old": [("drop", "other_version")]}


def test_one_project_on_two_platforms_is_known_by_name_and_home(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    home = {"name": "x", "url": "github.com/a/x"}
    projects = [
        {"project_id": "1", "platform": "npm", "version": "1.0", **home},
        {"project_id": "2", "platform": "pypi", "version": "2.0", **home},
        {"project_id": "3", "platform": "crates", "version": "0.1", "name": "x", "url": "github.com/b/x"},
        {"project_id": "4", "platform": "npm", "version": "1.0", "name": "y", "url": "github.com/a/x"},
    ]
    judged = project_dedup.judge(work, flow(work, tree("1", "a"), projects))
    assert verdicts(judged, "project_id") == {"1": [("drop", "other_platform")]}


def test_a_copy_under_another_name_is_known_by_its_contents(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = tree("a", *"abcdefgh") + tree("b", *"abcdefxy") + tree("c", "p", "q", "r", "a")
    projects = [{"project_id": "a", "files": 9}, {"project_id": "b", "files": 8}, {"project_id": "c", "files": 4}]
    judged = project_dedup.judge(work, flow(work, files, projects))
    assert verdicts(judged, "project_id") == {"b": [("drop", "same_contents")]}
    row = next(row for row in judged.collect() if row["project_id"] == "b")
    assert json.loads(row["verdicts"][0]["evidence"]) == {"kept": "a", "contained": 0.75}


def test_few_shared_files_and_empty_ones_say_nothing(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    empty = [(f"{p}:{d}/__init__.py", "python", "") for p in ("a", "b") for d in "xyz"]
    files = tree("a", "m", "n") + tree("b", "m", "n") + empty
    assert verdicts(project_dedup.judge(work, flow(work, files)), "project_id") == {}
