"""Near-duplicates as a star cover: who goes is similar enough to one that stays.

Used for files and for projects alike. Members of a set are hashed to 64 bits; candidates share a band of their MinHash
signatures; every candidate pair is verified on the hashed sets themselves. The transitive closure of connected
components, which other tools take, chains unlike things together (A ~ B ~ C, though A and C share nothing) and can
remove a file that resembles none of those kept; a star cover can not.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.core import minhash
from codemill.vectorized import Series, vectorized

# A graph of so many edges takes one task a second and some hundred megabytes.
SMALL = 500_000


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


def with_shared(pairs: DataFrame, nodes: DataFrame) -> DataFrame:
    """Add to pairs (left, right) how many members they share, and what else is known of each.

    ``nodes`` are rows (id, members, ...), ``members`` as ``minhash.pack`` makes them, or null. Every other column comes
    out twice, as left_... and right_....
    """
    joined = both_sides(pairs, nodes)
    shared = shared_members("left_members", "right_members")
    return joined.withColumn("shared", shared).drop("left_members", "right_members")


def both_sides(pairs: DataFrame, nodes: DataFrame) -> DataFrame:
    """Add to pairs (left, right) what is known of each: the columns of ``nodes`` (id, ...) as left_... and right_..."""
    sides = [nodes.select(*[F.col(c).alias(_named(side, c)) for c in nodes.columns]) for side in ("left", "right")]
    return pairs.join(sides[0], "left").join(sides[1], "right")


def _named(side: str, column: str) -> str:
    return side if column == "id" else f"{side}_{column}"


def jaccard() -> Column:
    """Return the Jaccard similarity from what ``with_shared`` gives, of nodes with their number of members ``n``."""
    return F.col("shared") / (F.col("left_n") + F.col("right_n") - F.col("shared"))


def star_cover(edges: DataFrame, small: int = SMALL) -> DataFrame:
    """Choose who goes: edges (left, right, similarity, ...), left better -> rows (id, kept, ...) for those that go.

    The greedy cover in the order of priority: the best of all stays, what is similar to it goes, then the best of the
    rest. In distributed rounds: in each, whoever has no better neighbour left stays, its neighbours go, and the edges
    of decided nodes are dropped. The best undecided node is decided in every round, so the rounds end: when no more
    than ``small`` edges are left, which one task then walks through. Who goes names its most similar neighbour that
    stays, with the columns of that edge.
    """
    edges = edges.localCheckpoint()
    open_edges = edges.select("left", "right")
    gone = []
    while open_edges.count() > small:
        waiting = open_edges.select(F.col("right").alias("left"))
        stay = open_edges.select("left").distinct().join(waiting, "left", "left_anti")
        go = open_edges.join(stay, "left", "left_semi").select("right").distinct().localCheckpoint()
        gone.append(go.withColumnRenamed("right", "id"))
        decided = go.withColumnRenamed("right", "left")
        open_edges = open_edges.join(go, "right", "left_anti").join(decided, "left", "left_anti").localCheckpoint()
    schema = T.StructType([T.StructField("id", edges.schema["right"].dataType)])
    gone.append(open_edges.coalesce(1).mapInPandas(_walk, schema))
    all_gone = reduce(DataFrame.unionByName, gone).localCheckpoint()
    kept_edges = edges.join(all_gone.withColumnRenamed("id", "left"), "left", "left_anti")
    others = [column for column in edges.columns if column not in ("left", "right", "similarity")]
    best = F.max(F.struct("similarity", F.col("left").alias("kept"), *others))
    return kept_edges.groupBy(F.col("right").alias("id")).agg(best.alias("best")).select("id", "best.*")


def _walk(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Decide a small graph: take nodes whose better neighbours are all decided, until there are none."""
    parts = list(frames)
    if not parts:
        return
    frame = pd.concat(parts)
    better = frame.groupby("right").size().to_dict()
    worse = frame.groupby("left")["right"].apply(list).to_dict()
    ready = [node for node in worse if node not in better]
    gone: dict[Any, None] = {}
    while ready:
        node = ready.pop()
        for neighbour in worse.get(node, ()):
            if node not in gone:
                gone[neighbour] = None
            better[neighbour] -= 1
            if not better[neighbour]:
                ready.append(neighbour)
    yield pd.DataFrame({"id": list(gone)})


@vectorized(T.LongType())
def shared_members(left: Series, right: Series) -> Series:
    """Count what two sets share, as ``minhash.pack`` makes them; 0 where one is null."""
    both = zip(left, right, strict=True)
    return pd.Series([minhash.intersection(minhash.unpack(a), minhash.unpack(b)) if a and b else 0 for a, b in both])


def buckets(signatures: DataFrame, bands: int, rows: int) -> DataFrame:
    """Explode (id, signature, priority) into one row per band: (id, bucket, priority)."""

    @vectorized(T.ArrayType(T.LongType()))
    def hashes(values: Series) -> Series:
        return values.map(lambda data: minhash.band_hashes(minhash.unpack_signature(data), bands, rows))

    return signatures.select("id", "priority", F.explode(hashes("signature")).alias("bucket"))
