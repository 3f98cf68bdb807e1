import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from codemill.config import Ranking
from codemill.steps import ranking
from codemill.steps.step import Flow
from codemill.tables import PROJECTS
from tests.spark_rows import context

Project = Mapping[str, Any]

METRICS = "project_id string, platform string, stars {0}, commits {0}, test_files {0}"


def frame(spark: SparkSession, projects: Iterable[Project], of: str = "long") -> DataFrame:
    rows = [
        (p["project_id"], p.get("platform", "local"), p.get("stars"), p.get("commits"), p.get("test_files"))
        for p in projects
    ]
    return spark.createDataFrame(rows, METRICS.format(of))


def scores(spark: SparkSession, projects: Iterable[Project], of: str = "long", **weights: float) -> dict[str, float]:
    return {
        row["project_id"]: row["score"]
        for row in ranking.with_score(frame(spark, projects, of), Ranking(**weights)).collect()
    }


def judge(spark: SparkSession, projects: DataFrame, **settings: Any) -> dict[str, Any]:
    """Return the evidence of what goes, by id; every project must come out once."""
    return told(ranking.judge(context(spark, "", ranking=settings), Flow(projects, projects)), projects)


def told(frame: DataFrame, projects: DataFrame) -> dict[str, Any]:
    judged = frame.collect()
    assert sorted(row["project_id"] for row in judged) == sorted(row["project_id"] for row in projects.collect())
    assert {(v["action"], v["reason"]) for row in judged for v in row["verdicts"]} <= {("drop", "low_rank")}
    return {row["project_id"]: json.loads(row["verdicts"][0]["evidence"]) for row in judged if row["verdicts"]}


def gone(spark: SparkSession, known: Mapping[str, float], **settings: Any) -> list[str]:
    """Return the ids that go of projects whose scores are known."""
    rows = [(id_, score, None) for id_, score in known.items()]
    scored = spark.createDataFrame(rows, "project_id string, score double, ranks string")
    return sorted(told(ranking.drop_lowest(scored, Ranking(**settings)), scored))


def test_a_rank_is_the_share_with_less_ties_in_the_middle(spark: SparkSession) -> None:
    projects = [
        *({"project_id": f"apart {stars}", "platform": "a", "stars": stars} for stars in (0, 5, 70, 900)),
        *({"project_id": f"tied {i}", "platform": "b", "stars": stars} for i, stars in enumerate((0, 0, 0, 8))),
        *({"project_id": f"same {i}", "platform": "c", "stars": 0} for i in range(3)),
        {"project_id": "alone", "platform": "d", "stars": 7},
    ]
    assert scores(spark, projects) == {
        "apart 0": 0.125,
        "apart 5": 0.375,
        "apart 70": 0.625,
        "apart 900": 0.875,
        "tied 0": 0.375,
        "tied 1": 0.375,
        "tied 2": 0.375,
        "tied 3": 0.875,
        "same 0": 0.5,
        "same 1": 0.5,
        "same 2": 0.5,
        "alone": 0.5,
    }


def test_a_score_is_the_weighted_mean_of_the_ranks(spark: SparkSession) -> None:
    projects = [
        {"project_id": "a", "stars": 9, "commits": 1, "test_files": 0},
        {"project_id": "b", "stars": 1, "commits": 9, "test_files": 0},
    ]
    rows = ranking.with_score(frame(spark, projects), Ranking()).orderBy("project_id").collect()
    assert [(row["score"], row["ranks"].asDict()) for row in rows] == [
        (0.5625, {"stars": 0.75, "commits": 0.25, "test_files": 0.5}),
        (0.4375, {"stars": 0.25, "commits": 0.75, "test_files": 0.5}),
    ]
    assert scores(spark, projects, stars=0, test_files=0) == {"a": 0.25, "b": 0.75}


def test_nobody_is_punished_for_a_metric_that_is_not_known(spark: SparkSession) -> None:
    projects = [
        {"project_id": "famous", "stars": 1000, "commits": 5},
        {"project_id": "obscure", "stars": 1, "commits": 5},
        {"project_id": "busy", "commits": 90},
        {"project_id": "blank"},
    ]
    third = 1 / 3
    assert scores(spark, projects) == {
        "famous": round((0.5 * 0.75 + 0.25 * third) / 0.75, 5),
        "obscure": round((0.5 * 0.25 + 0.25 * third) / 0.75, 5),
        "busy": round(5 / 6, 5),
        "blank": 0.5,
    }
    assert scores(spark, projects, commits=0) == {"famous": 0.75, "obscure": 0.25, "busy": 0.5, "blank": 0.5}


def test_values_are_told_apart_one_by_one_to_a_thousand_and_then_to_a_percent(spark: SparkSession) -> None:
    stars = [999, 1000, 1001, 1012, 50_000, 51_000, 1_000_000, 1_000_001, 2**62]
    found = scores(spark, [{"project_id": str(n), "stars": n} for n in stars])
    assert sorted(found, key=lambda id_: (found[id_], int(id_))) == [str(n) for n in stars]
    assert found["1000000"] == found["1000001"]
    assert len(set(found.values())) == 8


def test_what_is_no_number_of_anything_counts_as_unknown(spark: SparkSession) -> None:
    values = {"nan": float("nan"), "inf": float("inf"), "-inf": -float("inf"), "-1": -1.0, "null": None}
    projects = [{"project_id": id_, "stars": stars} for id_, stars in {**values, "0": 0.0, "huge": 1e308}.items()]
    assert scores(spark, projects, of="double") == {**dict.fromkeys(values, 0.5), "0": 0.25, "huge": 0.75}


def test_exactly_the_lowest_share_goes(spark: SparkSession) -> None:
    known = {str(i): i / 10 for i in range(10)}
    assert gone(spark, known) == ["0"]
    assert gone(spark, known, drop_share=0.29) == ["0", "1"]
    assert gone(spark, known, drop_share=0) == []
    assert len(gone(spark, known, drop_share=1)) == 10


def test_a_share_is_taken_by_its_decimals(spark: SparkSession) -> None:
    assert 0.29 * 100 < 29
    assert len(gone(spark, {str(i): i / 100 for i in range(100)}, drop_share=0.29)) == 29


def test_of_few_projects_none_goes_unless_told(spark: SparkSession) -> None:
    nine = {str(i): i / 10 for i in range(9)}
    assert gone(spark, nine, drop_share=0.5) == []
    assert gone(spark, nine, drop_share=0.5, min_projects=1) == ["0", "1", "2", "3"]
    assert gone(spark, {}) == []


def test_ties_break_by_id(spark: SparkSession) -> None:
    ids = ["b", "a", "abcde", "abcdf", "abcd", "é", "z" * 9, "", "B", "abcdé"]
    assert gone(spark, dict.fromkeys(ids, 0.5), drop_share=0.5) == sorted(ids)[:5]
    assert gone(spark, {**dict.fromkeys(ids, 0.5), "low": 0.1}, drop_share=0.3) == sorted(["low", *sorted(ids)[:2]])


def test_the_evidence_is_the_score_the_ranks_and_the_cutoff(spark: SparkSession) -> None:
    projects = frame(spark, [{"project_id": str(i), "stars": i, "commits": 3} for i in range(10)])
    assert judge(spark, projects, drop_share=0.2) == {
        "0": {"score": 0.2, "ranks": {"stars": 0.05, "commits": 0.5}, "cutoff": 0.26667},
        "1": {"score": 0.26667, "ranks": {"stars": 0.15, "commits": 0.5}, "cutoff": 0.26667},
    }


def test_an_older_score_is_replaced_and_nothing_else_changes(spark: SparkSession) -> None:
    columns = [f"cast(null as {field.dataType.simpleString()}) as {field.name}" for field in PROJECTS.schema]
    projects = spark.range(1).selectExpr(*columns)
    scored = ranking.with_score(projects, Ranking())
    assert scored.columns == [*[name for name in projects.columns if name != "score"], "score", "ranks"]
    assert scored.drop("ranks").collect()[0].asDict() == {**dict.fromkeys(projects.columns), "score": 0.5}


def test_many_projects_go_by_the_definition_in_any_order(spark: SparkSession) -> None:
    dice = random.Random(4)
    projects = [
        {
            "project_id": f"{dice.getrandbits(128):032x}",
            "platform": dice.choice(["github", "github", "github", "pypi"]),
            "stars": dice.choice([None, 0, 0, 0, 1, dice.randrange(900)]),
            "commits": dice.choice([None, None, dice.randrange(5)]),
            "test_files": dice.choice([0, 0, 1]),
        }
        for _ in range(500)
    ]
    found = scores(spark, projects)
    assert found == pytest.approx({p["project_id"]: by_definition(p, projects) for p in projects}, abs=1e-5)
    result = judge(spark, frame(spark, projects), drop_share=0.3)
    assert sorted(result) == sorted(sorted(found, key=lambda id_: (found[id_], id_))[:150])
    assert judge(spark, frame(spark, projects[::-1]).repartition(7), drop_share=0.3) == result


def by_definition(project: Project, projects: Sequence[Project]) -> float:
    """Score one project as the documentation says, by looking at all others."""
    total = weights = 0.0
    for metric, weight in (("stars", 0.5), ("commits", 0.25), ("test_files", 0.25)):
        if (own := project[metric]) is not None:
            others = [p[metric] for p in projects if p["platform"] == project["platform"] and p[metric] is not None]
            below, equal = sum(other < own for other in others), others.count(own)
            total += weight * (below + equal / 2) / len(others)
            weights += weight
    return total / weights
