"""The books of a run: a step that loses a row, or explains one that it keeps, fails the run."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console

from codemill import pipeline
from codemill.errors import RunError
from codemill.progress import Progress
from codemill.runs import running
from codemill.steps.step import DROP, Context, Flow, Step, verdict, verdicts
from codemill.tables import CURATED_FILES, DECISIONS, FOUND_BY_STEPS, PROJECTS, RUNS
from tests.spark_rows import context, flow

FILES = [(f"{name}.py", "python", f"x = {name!r}\n") for name in "abcd"]


def keeps_all(_: Context, flow: Flow) -> DataFrame:
    return flow.files.withColumn("verdicts", verdicts())


def drops_one(_: Context, flow: Flow) -> DataFrame:
    return flow.files.withColumn("verdicts", verdicts((F.col("path") == "a.py", verdict(DROP, "unwanted"))))


def drops_all(_: Context, flow: Flow) -> DataFrame:
    return flow.files.withColumn("verdicts", verdicts((F.lit(True), verdict(DROP, "unwanted"))))


def loses_one(_: Context, flow: Flow) -> DataFrame:
    return keeps_all(_, flow).where("path != 'a.py'")


def doubles_one(_: Context, flow: Flow) -> DataFrame:
    return keeps_all(_, flow).unionByName(keeps_all(_, flow).where("path = 'a.py'"))


def explains_twice(_: Context, flow: Flow) -> DataFrame:
    twice = F.concat(*[verdicts((F.col("path") == "a.py", verdict(DROP, reason))) for reason in ("one", "two")])
    return flow.files.withColumn("verdicts", twice)


def curate(spark: SparkSession, root: str, monkeypatch: pytest.MonkeyPatch, judge: Callable[..., DataFrame]) -> Any:
    work = context(spark, root)
    known = flow(work, FILES)
    work.store.warehouse.write(PROJECTS, _whole(known.projects), "overwrite")
    monkeypatch.setattr(pipeline, "STEPS", (Step(3, "generated", "file", judge),))
    with (
        Progress(Console(file=io.StringIO())) as progress,
        running("curate", work.settings, spark, progress) as run,
    ):
        pipeline.curate(run)
    return run


def _whole(projects: DataFrame) -> DataFrame:
    return projects.withColumns(dict.fromkeys(FOUND_BY_STEPS, F.lit(None)))


@pytest.mark.parametrize(("judge", "kept"), [(drops_one, ["b.py", "c.py", "d.py"]), (drops_all, [])])
def test_what_is_dropped_is_counted_and_the_rest_is_written(
    spark: SparkSession,
    warehouse_path: str,
    monkeypatch: pytest.MonkeyPatch,
    judge: Callable[..., DataFrame],
    kept: list[str],
) -> None:
    run = curate(spark, warehouse_path, monkeypatch, judge)
    step, write = run.counts
    n = len(kept)
    assert (step.files_in, step.files_out, step.dropped) == (4, n, {"unwanted": 4 - n})
    assert (step.bytes_in, step.bytes_out) == (4 * 8, n * 8)
    assert (write.files_out, write.bytes_out, write.projects_out) == (n, n * 8, min(n, 1))
    assert sorted(row["path"] for row in run.warehouse.read(CURATED_FILES).collect()) == kept


@pytest.mark.parametrize("judge", [loses_one, doubles_one, explains_twice])
def test_a_step_that_loses_count_fails_the_run_and_the_ledger_says_what_is_known(
    spark: SparkSession, warehouse_path: str, monkeypatch: pytest.MonkeyPatch, judge: Callable[..., DataFrame]
) -> None:
    with pytest.raises(RunError, match="step generated lost count of its files: 4 in"):
        curate(spark, warehouse_path, monkeypatch, judge)
    warehouse = context(spark, warehouse_path).store.warehouse
    assert not warehouse.exists(CURATED_FILES)
    runs = warehouse.read(RUNS).collect()
    assert [(row["status"], "lost count" in row["error"]) for row in runs] == [("failed", True)]
    assert warehouse.read(DECISIONS).count() == (2 if judge is explains_twice else 0)
