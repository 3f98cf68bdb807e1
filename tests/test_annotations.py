"""The annotation store with annotators that count what they are asked for."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill import annotations
from codemill.annotations import Annotator, Text, each, version_of
from codemill.core import choice, minhash
from tests.spark_rows import context, flow

LENGTH = T.StructType([T.StructField("characters", T.LongType()), T.StructField("batch", T.LongType())])


def measure(texts: Sequence[Text]) -> Iterator["dict[str, Any] | Exception"]:
    return each(partial(one, batch=len(texts)), texts)


def one(text: Text, batch: int) -> dict[str, Any]:
    if text.content == "bad":
        raise RecursionError("bad")  # the content must not come out with it
    return {"characters": len(text.content), "batch": batch}


def annotator(version: str = "1", **limits: int) -> Annotator:
    return Annotator("length", LENGTH, version, measure, **limits)


def test_each_content_is_annotated_once_and_never_again(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.py", "python", "same"), ("b.py", "python", "same"), ("c.py", "python", "other")]).files
    first = work.store.annotate(files, annotator(), F.col("language"))
    assert {row["path"]: row["length"]["characters"] for row in first.collect()} == {"a.py": 4, "b.py": 4, "c.py": 5}
    assert (work.store.tally.computed, work.store.tally.reused) == (2, 0)
    work.store.annotate(files, annotator(), F.col("language"))
    assert (work.store.tally.computed, work.store.tally.reused) == (2, 2)


def test_another_version_variant_or_content_is_computed(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.py", "python", "same")]).files
    for version, variant, expected in (("1", "x", 1), ("2", "x", 2), ("2", "y", 3), ("2", "y", 3)):
        work.store.annotate(files, annotator(version), F.lit(variant))
        assert work.store.tally.computed == expected


def test_a_text_that_breaks_the_annotator_harms_no_other(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.py", "python", "bad"), ("b.py", "python", "good")]).files
    rows = {row["path"]: row for row in work.store.annotate(files, annotator(), F.lit("")).collect()}
    assert (rows["a.py"]["error"], rows["a.py"]["length"]) == ("recursion_error", None)
    assert (rows["b.py"]["error"], rows["b.py"]["length"]["characters"]) == (None, 4)


def test_only_the_subjects_asked_for_are_annotated(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.py", "python", "aa"), ("b.c", "c", "bb")]).files
    annotated = work.store.annotate(files, annotator(), F.lit(""), where=F.col("language") == "c")
    rows = {row["path"]: row["length"] for row in annotated.collect()}
    assert rows["a.py"] is None
    assert rows["b.c"]["characters"] == 2
    assert work.store.tally.computed == 1


def test_no_subject_no_work(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.py", "python", "aa")]).files.limit(0)
    assert work.store.annotate(files, annotator(), F.lit("")).count() == 0


@pytest.mark.parametrize(("limits", "largest"), [({"batch_rows": 3}, 3), ({"batch_bytes": 20}, 2)])
def test_batches_are_bounded_in_rows_and_bytes(
    spark: SparkSession, warehouse_path: str, limits: dict[str, int], largest: int
) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [(f"{i}.py", "python", f"{i:010}") for i in range(20)]).files
    annotated = work.store.annotate(files, annotator(**limits), F.lit(""))
    assert max(row["length"]["batch"] for row in annotated.collect()) == largest


def test_arrow_batches_are_bounded_in_bytes(spark: SparkSession) -> None:
    """A hundred texts of 1 MB come in batches of at most about 16 MB, not in one of 100 MB."""
    wide = spark.range(100, numPartitions=1).selectExpr("id", "repeat('x', 1000000) as content")

    def sizes(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield pa.RecordBatch.from_pydict({"id": pa.array([batch.num_rows], pa.int64())})

    rows = wide.mapInArrow(sizes, "id long").collect()
    assert sum(row["id"] for row in rows) == 100
    assert max(row["id"] for row in rows) <= 18


def test_versions_follow_source_packages_and_parameters() -> None:
    base = version_of([choice], ["numpy"], {"a": 1})
    assert base == version_of([choice], ["numpy"], {"a": 1})
    others = [
        version_of([minhash], ["numpy"], {"a": 1}),
        version_of([choice], ["pyarrow"], {"a": 1}),
        version_of([choice], ["numpy"], {"a": 2}),
        version_of([annotations], ["numpy"], {"a": 1}),
    ]
    assert len({base, *others}) == 5
