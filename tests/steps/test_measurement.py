"""Pairs of texts measured on sets written by hand, in one cell and in many."""

from itertools import combinations

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from codemill.config import Dedup
from codemill.core import minhash
from codemill.steps import measurement

MANY = 12


@pytest.fixture
def sets() -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [np.unique(random.integers(0, 60, 40).astype(np.uint64)) for _ in range(MANY)]


def id_of(number: int) -> bytes:
    return bytes([number]) * 16


def prints_of(spark: SparkSession, sets: list[np.ndarray]) -> DataFrame:
    """Texts with these sets; the last two are short, and so is the first, whose code is that of the last."""
    short = (0, MANY - 2, MANY - 1)
    rows = [
        (id_of(number), 29 if number in short else 30, members.size, b"code" if number in (0, MANY - 1) else None)
        for number, members in enumerate(sets)
    ]
    packed = [(*row, minhash.pack(members)) for row, members in zip(rows, sets, strict=True)]
    return spark.createDataFrame(packed, "id binary, tokens int, size int, code binary, members binary")


@pytest.mark.parametrize(("most_bytes", "most_pairs"), [(64 << 20, 200_000), (1_500, 200_000), (64 << 20, 1)])
def test_pairs_are_measured_in_whatever_cells(
    spark: SparkSession, sets: list[np.ndarray], most_bytes: int, most_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "_CELL_BYTES", most_bytes)
    monkeypatch.setattr(measurement, "_CELL_PAIRS", most_pairs)
    pairs = [(id_of(one), id_of(other)) for one, other in combinations(range(MANY), 2)]
    frame = spark.createDataFrame(pairs, "left binary, right binary")
    found = measurement.measured(frame, prints_of(spark, sets), Dedup(min_tokens=30))
    assert found is not None
    expected = {
        (id_of(one), id_of(other)): (minhash.jaccard(sets[one], sets[other]), (one, other) == (0, MANY - 1))
        for one, other in combinations(range(MANY), 2)
        if (one, other) == (0, MANY - 1) or (one > 0 and other < MANY - 2)
    }
    rows = found.collect()
    assert len(rows) == len(expected)
    assert {(bytes(row["left"]), bytes(row["right"])): (row["jaccard"], row["same_code"]) for row in rows} == expected


def test_code_does_not_count_when_it_is_not_to(spark: SparkSession, sets: list[np.ndarray]) -> None:
    pairs = spark.createDataFrame([(id_of(0), id_of(MANY - 1)), (id_of(1), id_of(2))], "left binary, right binary")
    found = measurement.measured(pairs, prints_of(spark, sets), Dedup(min_tokens=30, same_code=False))
    assert found is not None
    assert [(bytes(row["left"]), row["same_code"]) for row in found.collect()] == [(id_of(1), False)]


def test_no_pairs_are_nothing_to_measure(spark: SparkSession, sets: list[np.ndarray]) -> None:
    none = spark.createDataFrame([], "left binary, right binary")
    assert measurement.measured(none, prints_of(spark, sets), Dedup()) is None
