import json

from pyspark.sql import SparkSession

from codemill.steps import ranking
from tests.spark_rows import context, flow, verdicts


def scores(
    spark: SparkSession, root: str, projects: list[dict[str, object]], share: float
) -> dict[str, tuple[float, bool]]:
    work = context(spark, root, ranking={"drop_share": share})
    judged = ranking.judge(work, flow(work, [], projects))
    return {row["project_id"]: (row["score"], bool(row["verdicts"])) for row in judged.collect()}


def test_the_lowest_share_goes(spark: SparkSession, warehouse_path: str) -> None:
    projects = [{"project_id": str(i), "stars": 10**i, "test_files": i} for i in range(10)]
    result = scores(spark, warehouse_path, projects, 0.2)
    assert {id_ for id_, (_, gone) in result.items() if gone} == {"0", "1"}
    assert result["9"][0] == 1.0


def test_a_project_is_not_punished_for_a_metric_it_lacks(spark: SparkSession, warehouse_path: str) -> None:
    projects = [
        {"project_id": "famous", "stars": 1000, "test_files": 10},
        {"project_id": "unknown", "stars": None, "test_files": 10},
        {"project_id": "obscure", "stars": 1, "test_files": 10},
    ]
    result = scores(spark, warehouse_path, projects, 0.34)
    assert result["unknown"][0] == 1.0
    assert [id_ for id_, (_, gone) in result.items() if gone] == ["obscure"]


def test_among_equals_the_hash_decides_and_about_the_share_goes(spark: SparkSession, warehouse_path: str) -> None:
    projects = [{"project_id": str(i), "test_files": 0} for i in range(400)]
    result = scores(spark, warehouse_path, projects, 0.1)
    assert 20 < sum(gone for _, gone in result.values()) < 60
    assert result == scores(spark, warehouse_path, list(reversed(projects)), 0.1)


def test_nothing_goes_at_share_zero(spark: SparkSession, warehouse_path: str) -> None:
    projects = [{"project_id": str(i), "test_files": i} for i in range(4)]
    work = context(spark, warehouse_path, ranking={"drop_share": 0.0})
    assert verdicts(ranking.judge(work, flow(work, [], projects)), "project_id") == {}


def test_the_evidence_is_the_score_and_the_cutoff(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, ranking={"drop_share": 0.5})
    projects = [{"project_id": "a", "test_files": 0}, {"project_id": "b", "test_files": 3}]
    row = next(row for row in ranking.judge(work, flow(work, [], projects)).collect() if row["project_id"] == "a")
    assert json.loads(row["verdicts"][0]["evidence"]) == {"score": 0.0, "cutoff": 1.0}
