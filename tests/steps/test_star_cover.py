"""The star cover on small graphs, where the right answer can be seen."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from codemill.steps import star_cover

Edge = tuple[int, int, float]


def cover(
    spark: SparkSession, edges: Sequence[Edge], partitions: int = 2, small: int = star_cover.SMALL
) -> dict[int, tuple[int, float]]:
    """Node numbers are priorities: the smaller is the better."""
    frame = spark.createDataFrame(edges, "left int, right int, similarity double").repartition(partitions)
    return {row["id"]: (row["kept"], row["similarity"]) for row in star_cover.star_cover(frame, small).collect()}


def test_distributed_rounds_and_one_walk_agree_on_a_chain(spark: SparkSession) -> None:
    edges = [(i, i + 1, 0.8) for i in range(5)]
    assert set(cover(spark, edges, small=0)) == set(cover(spark, edges)) == {1, 3, 5}


def test_the_best_stays_and_its_neighbours_go(spark: SparkSession) -> None:
    assert cover(spark, [(1, 2, 0.8), (1, 3, 0.7)]) == {2: (1, 0.8), 3: (1, 0.7)}


def test_a_chain_is_not_merged_into_one(spark: SparkSession) -> None:
    # 3 is like 2 only, and 2 goes, so 3 stays and takes 4 with it.
    assert cover(spark, [(1, 2, 0.8), (2, 3, 0.9), (3, 4, 0.75)]) == {2: (1, 0.8), 4: (3, 0.75)}


def test_who_goes_names_its_most_similar_neighbour_that_stays(spark: SparkSession) -> None:
    assert cover(spark, [(1, 3, 0.7), (2, 3, 0.9)]) == {3: (2, 0.9)}


def test_nothing_similar_nothing_goes(spark: SparkSession) -> None:
    assert cover(spark, []) == {}


def reference(edges: Sequence[Edge]) -> dict[int, tuple[int, float]]:
    """Walk through the nodes from the best to the worst."""
    gone: dict[int, tuple[int, float]] = {}
    for node in sorted({n for left, right, _ in edges for n in (left, right)}):
        better = [(similarity, left) for left, right, similarity in edges if right == node and left not in gone]
        if better:
            similarity, kept = max(better)
            gone[node] = (kept, similarity)
    return gone


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=25), st.integers(1, 7))
def test_rounds_give_what_one_walk_in_order_gives(
    spark: SparkSession, pairs: set[tuple[int, int]], partitions: int
) -> None:
    edges = [(a, b, round(0.7 + (a * b % 13) / 50, 2)) for a, b in sorted(pairs) if a < b]
    assert cover(spark, edges, partitions) == reference(edges)
    assert cover(spark, edges, partitions, small=0) == reference(edges)
