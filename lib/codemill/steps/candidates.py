"""Candidate pairs by shared buckets, and what is known of both sides of a pair."""

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.core import bands, minhash
from codemill.vectorized import Series, vectorized


def candidates(keys: DataFrame, leaders: int) -> DataFrame:
    """Pair up what shares a bucket: (id, bucket, priority) -> distinct (left, right), left having the better priority.

    A smaller priority is better, and no two are equal. In a bucket, the best ``leaders`` members are paired with all
    others, so that a bucket of n members gives at most leaders * n pairs instead of n * n: a bucket that large is
    made of copies of a few originals. A bucket of more members than its ``crowd``, where keys have that column and it
    is not null, says nothing and pairs nobody.
    """
    bucket = Window.partitionBy("bucket")
    rank, members = F.row_number().over(bucket.orderBy("priority")), F.count("bucket").over(bucket)
    ranked = keys.withColumns({"rank": rank, "members": members}).where("members > 1")
    if "crowd" in keys.columns:
        ranked = ranked.where("crowd is null or members <= crowd")
    left = ranked.where(F.col("rank") <= leaders).select(
        "bucket", F.col("id").alias("left"), F.col("rank").alias("lead")
    )
    right = ranked.select("bucket", F.col("id").alias("right"), "rank")
    return left.join(right, "bucket").where("lead < rank").select("left", "right").distinct()


def both_sides(pairs: DataFrame, nodes: DataFrame) -> DataFrame:
    """Add to pairs (left, right) what is known of each: the columns of ``nodes`` (id, ...) as left_... and right_..."""
    sides = [nodes.select(*[F.col(c).alias(_named(side, c)) for c in nodes.columns]) for side in ("left", "right")]
    return pairs.join(sides[0], "left").join(sides[1], "right")


def _named(side: str, column: str) -> str:
    return side if column == "id" else f"{side}_{column}"


@vectorized(T.LongType())
def shared_members(left: Series, right: Series) -> Series:
    """Count what two sets share, as ``minhash.pack`` makes them; 0 where one is null."""
    both = zip(left, right, strict=True)
    return pd.Series([minhash.intersection(minhash.unpack(a), minhash.unpack(b)) if a and b else 0 for a, b in both])


def buckets(signatures: DataFrame, count: int, rows: int) -> DataFrame:
    """Explode (id, signature, priority) into one row per band: (id, bucket, priority)."""
    bucket = F.explode(band_buckets(count, rows, F.col("signature"), F.lit(0).cast("bigint"))).alias("bucket")
    return signatures.select("id", "priority", bucket)


def band_buckets(count: int, rows: int, signature: Column, salt: Column) -> Column:
    """Return the buckets of the first ``count`` bands of a signature; of another salt, other buckets."""

    @vectorized(T.ArrayType(T.LongType()))
    def of(signatures: Series, salts: Series) -> Series:
        values = np.stack([minhash.unpack_signature(packed) for packed in signatures])
        found = bands.band_buckets(values, count, rows, salts.to_numpy().view(np.uint64))
        return pd.Series(list(found.view(np.int64)))

    return of(signature, salt)
