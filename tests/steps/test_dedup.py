import json

from pyspark.sql import SparkSession

from codemill.steps import dedup
from tests.spark_rows import context, flow, verdicts

WORDS = [f"word{i}" for i in range(200)]
TEXT = " ".join(WORDS)
LIKE = " ".join([*WORDS[:190], "other"])  # Jaccard about 0.94
UNLIKE = " ".join(reversed(WORDS))


def evidence(judged, path: str) -> dict[str, object]:  # type: ignore[no-untyped-def]
    row = next(row for row in judged.collect() if row["path"] == path)
    return json.loads(row["verdicts"][0]["evidence"])


def test_of_equal_files_the_first_by_path_stays(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(work, flow(work, [("b.py", "python", TEXT), ("a.py", "python", TEXT), ("c.c", "c", TEXT)]))
    assert verdicts(judged) == {"b.py": [("drop", "exact_duplicate")]}  # another language is another file
    assert evidence(judged, "b.py") == {"kept": "p:a.py"}


def test_the_file_of_the_better_project_stays(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("low:a.py", "python", TEXT), ("high:z.py", "python", TEXT)])
    scored = files.projects.selectExpr("*", "if(project_id = 'high', 0.9, 0.1) as score")
    judged = dedup.judge(work, type(files)(scored, files.files))
    assert verdicts(judged) == {"a.py": [("drop", "exact_duplicate")]}


def test_a_near_duplicate_names_the_file_that_stays_and_their_similarity(
    spark: SparkSession, warehouse_path: str
) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(
        work, flow(work, [("a.py", "python", TEXT), ("b.py", "python", LIKE), ("c.py", "python", UNLIKE)])
    )
    assert verdicts(judged) == {"b.py": [("drop", "near_duplicate")]}
    assert evidence(judged, "b.py") == {"kept": "p:a.py", "jaccard": round(186 / 197, 4)}


def test_a_copy_of_a_near_duplicate_names_a_file_that_stays_too(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(
        work, flow(work, [("a.py", "python", TEXT), ("b.py", "python", LIKE), ("c.py", "python", LIKE)])
    )
    assert {evidence(judged, path)["kept"] for path in ("b.py", "c.py")} == {"p:a.py"}


def test_fifty_short_files_all_stay(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [(f"{i}.py", "python", f"x = {i}") for i in range(50)]
    assert verdicts(dedup.judge(work, flow(work, files))) == {}


def test_under_the_threshold_nothing_goes_and_the_policy_computes_nothing_again(
    spark: SparkSession, warehouse_path: str
) -> None:
    files = [("a.py", "python", TEXT), ("b.py", "python", LIKE)]
    work = context(spark, warehouse_path)
    assert verdicts(dedup.judge(work, flow(work, files))) == {"b.py": [("drop", "near_duplicate")]}
    strict = context(spark, warehouse_path, dedup={"threshold": 0.99})
    assert verdicts(dedup.judge(strict, flow(strict, files))) == {}
    assert (strict.store.tally.computed, strict.store.tally.reused) == (0, 2)


def test_across_languages_by_setting(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, dedup={"across_languages": True})
    judged = dedup.judge(work, flow(work, [("a.js", "javascript", TEXT), ("b.ts", "typescript", LIKE)]))
    assert verdicts(judged) == {"b.ts": [("drop", "near_duplicate")]}
