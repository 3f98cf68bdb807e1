"""Crowds, piece by piece, on an index written by hand; test_dedup.py has them as they come."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from codemill.core import minhash
from codemill.steps import crowds, dedup
from codemill.steps.near_duplicates import CROWDS, INDEX, PAIRS, Likeness
from codemill.steps.star_cover import gone
from tests.spark_rows import context


def id_of(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def name_of(id_: bytes) -> str:
    return bytes(id_).rstrip(b"\0").decode()


@pytest.fixture
def likeness(spark: SparkSession, warehouse_path: str) -> Likeness:
    work = context(spark, warehouse_path, dedup={"bucket_size": 2, "num_perm": 64})
    conf = work.settings.steps.dedup
    return Likeness(work.store, dedup.annotator_of(work), conf)


def indexed(likeness: Likeness, buckets: Mapping[str, Sequence[int]], bits: bytes = b"") -> None:
    rows = [
        (id_of(name), 9, bits, minhash.pack(np.array(numbers, dtype=np.uint64))) for name, numbers in buckets.items()
    ]
    likeness.append(
        INDEX, likeness.store.warehouse.spark.createDataFrame(rows, "id binary, size int, bits binary, buckets binary")
    )


def test_edges_that_only_crowded_buckets_support_are_left_out(likeness: Likeness) -> None:
    spark = likeness.store.warehouse.spark
    indexed(likeness, {"a": [10, 20], "b": [10, 30], "c": [10, 20], "x": [40], "y": [40]})
    pairs = [(id_of(one), id_of(other), 0.9, False) for one, other in ("ab", "ac", "xy")]
    edges = spark.createDataFrame(pairs, "left binary, right binary, similarity double, same_code boolean")
    members = spark.createDataFrame([(id_of(name),) for name in "abc"], "id binary")
    crowded = spark.createDataFrame([(10,)], "bucket long")
    left = crowds._supported(likeness, edges, members, crowded).collect()
    assert {name_of(row["left"]) + name_of(row["right"]) for row in left} == {"ac", "xy"}


def test_finer_buckets_bring_together_who_shares_what_the_crowd_does_not(
    likeness: Likeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "_ALL_LEAD", 2)
    spark = likeness.store.warehouse.spark
    # All share the first value, which says nothing; a and b the fourth; c and d, of two languages, the fifth.
    signatures = {name: np.arange(64, dtype=np.uint32) + 1_000 * number for number, name in enumerate("abcdef", 1)}
    for values in signatures.values():
        values[0] = 7
    signatures["b"][3], signatures["d"][4] = signatures["a"][3], signatures["c"][4]
    _prints(likeness, signatures)
    rows = [(1, id_of(name), "python" if name != "d" else "go", 9, b"") for name in signatures]
    here = spark.createDataFrame(rows, "bucket long, id binary, language string, size int, bits binary")
    finer = crowds._finer(likeness, here).collect()
    assert sorted(name_of(row["id"]) for row in finer) == ["a", "b"]
    assert len({row["bucket"] for row in finer}) == 1


def _prints(likeness: Likeness, signatures: Mapping[str, np.ndarray]) -> None:
    table = likeness.annotator.table
    empty = dict.fromkeys(table.schema.names)
    rows = [
        {
            **empty,
            "key": id_of(name).hex() * 2,
            "version": likeness.annotator.version,
            "signature": minhash.pack(values),
        }
        for name, values in signatures.items()
    ]
    likeness.store.warehouse.write(table, likeness.store.warehouse.spark.createDataFrame(rows, table.schema), "append")


def test_leaders_are_compared_with_all_in_every_part_of_a_crowd(
    likeness: Likeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "_TASK_MEMBERS", 2)
    monkeypatch.setattr(crowds, "_ALL_LEAD", 2)  # all of up to four, that is; of more, two
    assert led(likeness, crowd(likeness)) == ["ad", "ae", "bd", "be", "cd", "ce", "de"]


def test_where_few_stay_all_are_compared(likeness: Likeness) -> None:
    rows = crowd(likeness)
    other = rows.withColumn("bucket", F.lit(2).cast("long")).where("priority > 2")
    found = led(likeness, rows.unionByName(other))
    assert found == ["ab", "ac", "ad", "ae", "bc", "bd", "be", "cd", "ce", "de"]


def test_who_stays_again_is_compared_again(likeness: Likeness) -> None:
    # All four are in a crowd. k and x share a small bucket besides, so that x goes at first, and k is compared with l,
    # which it is like; x stays then, until it is compared with l too. m is near all of them and like none.
    spark = likeness.store.warehouse.spark
    buckets = {"m": [10], "l": [10], "k": [10, 20], "x": [10, 20]}
    indexed(likeness, buckets, bits=minhash.pack(np.zeros(1, dtype=np.uint64)))
    members = [(10, id_of(name)) for name in buckets]
    likeness.append(CROWDS, spark.createDataFrame(members, "bucket long, id binary"))
    jaccards = {one + other: 0.6 if one == "m" else 0.9 for one, other in combinations("mlkx", 2)}
    pairs = [(*sorted(map(id_of, pair)), jaccard, False) for pair, jaccard in jaccards.items()]
    columns = "left binary, right binary, jaccard double, same_code boolean"
    likeness.append(PAIRS, spark.createDataFrame(pairs, columns))
    nodes = [(id_of(name), number, "python") for number, name in enumerate("mlkx")]
    edges = crowds.edges_of(likeness, spark.createDataFrame(nodes, "id binary, priority int, language string"))
    assert sorted(name_of(row["id"]) for row in gone(edges).collect()) == ["k", "x"]


def led(likeness: Likeness, rows: DataFrame) -> list[str]:
    found = crowds._led(likeness.conf, rows).collect()
    return sorted(name_of(row["left"]) + name_of(row["right"]) for row in found)


def test_a_crowd_is_thinned_by_its_best(likeness: Likeness) -> None:
    found = crowds._thinned(likeness.conf, crowd(likeness)).collect()
    assert sorted(name_of(row["left"]) + name_of(row["right"]) for row in found) == ["ae", "be", "ce", "de"]


def crowd(likeness: Likeness) -> DataFrame:
    """Five members of a bucket, who are all near each other; e is the best, then d."""
    bits = minhash.pack(np.zeros(1, dtype=np.uint64))
    rows = [(1, id_of(name), number, 9, bits) for number, name in enumerate("edcba")]
    schema = "bucket long, id binary, priority int, size int, bits binary"
    return likeness.store.warehouse.spark.createDataFrame(rows, schema).repartition(3)
