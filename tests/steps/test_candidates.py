from pyspark.sql import SparkSession

from codemill.core import minhash
from codemill.steps import candidates


def test_a_crowded_bucket_makes_few_pairs_and_misses_no_copy(spark: SparkSession) -> None:
    keys = spark.range(100).selectExpr("id", "1L as bucket", "id as priority")
    pairs = candidates.candidates(keys, leaders=3)
    assert pairs.count() == 99 + 98 + 97
    assert pairs.select("right").distinct().count() == 99


def test_pairs_are_found_once_however_many_buckets_they_share(spark: SparkSession) -> None:
    keys = spark.createDataFrame(
        [("a", 1, 1), ("b", 1, 2), ("a", 2, 1), ("b", 2, 2), ("c", 3, 3)], "id string, bucket long, priority int"
    )
    assert [tuple(row) for row in candidates.candidates(keys, 8).collect()] == [("a", "b")]


def test_shared_members_are_counted_exactly(spark: SparkSession) -> None:
    sets = [
        bytearray(minhash.pack(minhash.shingles(minhash.hashes_of(text.split()), 1)))
        for text in ("one two three four", "one two three five")
    ]
    frame = spark.createDataFrame([(*sets,), (sets[0], None)], "left binary, right binary")
    assert [row[0] for row in frame.select(candidates.shared_members("left", "right")).collect()] == [3, 0]
