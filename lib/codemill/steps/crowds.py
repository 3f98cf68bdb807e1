"""Crowds: buckets that so many texts share that not all their pairs can be looked at.

In: the members of crowded buckets, and the edges that other buckets gave. Out: all edges. What crowds a bucket is
either one text in thousands of variants, or something that unlike texts have in common, such as a template.

- For the variants, the best of those in a bucket that stay so far lead: they are compared with all others there. What
  is like one of them goes, so that others move up, until a round in which ``bucket_size`` lead finds no new pair. That
  must come: a pair is compared once. First one leads in each bucket, then a few, then all that may: of 100,000 variants
  the first takes nearly all away.
- The unlike who are still too many meet again in finer buckets, one for each of the first 64 values of their
  signatures. Values that stem from what all of them share are crowded there too, and let be; values that stem from what
  two of them share bring just these together. Of Jaccard 0.7, two texts share 45 of 64 values; where half of their
  shingles are the crowd's, some 13 of the 45 are their own.

What is given up is stated in docs/near-duplicates.md. Rounds begin anew in every run, so that the outcome depends on
the texts and their priorities alone; what they measured is kept.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import Dedup
from codemill.core import bands, minhash
from codemill.core.bands import Glance
from codemill.steps import near_duplicates
from codemill.steps.candidates import both_sides
from codemill.steps.near_duplicates import (
    CROWDS,
    INDEX,
    PAIRS,
    Batches,
    Likeness,
    mapped,
    measured,
    pair_rows,
    pairs_in,
)
from codemill.steps.star_cover import gone
from codemill.vectorized import Series, vectorized

_POSITIONS = 64
_GROWTH = 16

# A task compares so many members of crowds with those that lead there.
_TASK_MEMBERS = 200_000

_PAIR = T.StructType(PAIRS.schema.fields[1:3])


def edges_of(likeness: Likeness, nodes: DataFrame) -> DataFrame:
    """Return all edges (left, right, similarity, same_code) between nodes (id, priority, language), left the better.

    Edges that only crowded buckets support are found anew, since they may stem from a time when a bucket was small.
    """
    crowds = likeness.read(CROWDS)
    if crowds.isEmpty():
        return likeness.edges(nodes)
    texts = likeness.read(INDEX).drop("buckets").join(nodes.select("id", "priority", "language"), "id")
    members = crowds.distinct().join(texts, "id").localCheckpoint()
    crowded = _larger(members, likeness.conf.bucket_size).localCheckpoint()
    _catch_up(likeness, members.join(crowded, "bucket", "left_anti"))
    members = members.join(crowded, "bucket", "left_semi")
    edges = _supported(likeness, likeness.edges(nodes), members.select("id").distinct(), crowded).localCheckpoint()
    compared = edges.select(F.least("left", "right").alias("left"), F.greatest("left", "right").alias("right"))
    edges, compared = _rounds(likeness, members, nodes, edges, compared)
    finer = _finer(likeness, members.join(gone(edges), "id", "left_anti")).localCheckpoint()
    if finer.isEmpty():
        return edges
    return _rounds(likeness, members.unionByName(finer), nodes, edges, compared)[0]


def _larger(members: DataFrame, size: int) -> DataFrame:
    """Return the buckets (bucket) of more than ``size`` members."""
    return members.groupBy("bucket").agg(F.count("id").alias("size")).where(F.col("size") > size).select("bucket")


def _catch_up(likeness: Likeness, members: DataFrame) -> None:
    """Measure all pairs in buckets that were crowds when there were texts that are here no more."""
    if members.isEmpty():
        return
    measured(
        likeness,
        pairs_in(likeness, members).join(likeness.read(PAIRS).select("left", "right"), ["left", "right"], "left_anti"),
    )


def _supported(likeness: Likeness, edges: DataFrame, ids: DataFrame, crowded: DataFrame) -> DataFrame:
    """Leave out the edges between members of crowds (ids) that share crowded buckets only."""
    within = edges.join(ids.withColumnRenamed("id", "left"), "left", "left_semi")
    within = within.join(ids.withColumnRenamed("id", "right"), "right", "left_semi")
    both = both_sides(within.select("left", "right"), likeness.read(INDEX).select("id", "buckets"))
    shared = both.select("left", "right", F.explode(_shared("left_buckets", "right_buckets")).alias("bucket"))
    by_small = shared.join(crowded, "bucket", "left_anti").select("left", "right").distinct()
    not_supported = both.select("left", "right").join(by_small, ["left", "right"], "left_anti")
    return edges.join(not_supported, ["left", "right"], "left_anti")


def _rounds(
    likeness: Likeness, members: DataFrame, nodes: DataFrame, edges: DataFrame, compared: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """Compare those who lead with all others, round after round; return the edges and what has been compared."""
    leaders = 1
    while True:
        here = members.join(gone(edges), "id", "left_anti").localCheckpoint()
        pairs = _led(likeness.conf, here, leaders).join(compared, ["left", "right"], "left_anti").localCheckpoint()
        if not pairs.isEmpty():
            compared = compared.unionByName(pairs).localCheckpoint()
            edges = edges.unionByName(likeness.edges(nodes, _measured(likeness, pairs))).localCheckpoint()
        elif leaders == likeness.conf.bucket_size:
            return edges, compared
        leaders = min(_GROWTH * leaders, likeness.conf.bucket_size)


def _measured(likeness: Likeness, pairs: DataFrame) -> DataFrame:
    """Measure the pairs (left, right) that no run has measured, and return all with what was measured."""
    known = likeness.read(PAIRS).join(pairs, ["left", "right"], "left_semi").localCheckpoint()
    return known.unionByName(measured(likeness, pairs.join(known, ["left", "right"], "left_anti")))


def _led(conf: Dedup, here: DataFrame, leaders: int) -> DataFrame:
    """Pair the best of every bucket with all others in it, where the pair is worth a measurement: (left, right)."""
    in_order = Window.partitionBy("bucket").orderBy("priority")
    leading = here.withColumn("rank", F.row_number().over(in_order)).where(F.col("rank") <= leaders)
    parts = here.groupBy("bucket").agg(F.ceil(F.count("id") / _TASK_MEMBERS).cast("int").alias("parts"))
    everywhere = leading.join(parts, "bucket").withColumn("part", F.explode(F.sequence(F.lit(0), F.col("parts") - 1)))
    part = F.pmod(F.xxhash64("id"), "parts").cast("int")
    following = here.join(parts, "bucket").withColumns({"part": part, "rank": F.lit(None).cast("int")})
    rows = everywhere.unionByName(following).select("bucket", "part", "id", "size", "bits", "rank")
    tasks = here.count() // _TASK_MEMBERS + 1
    return mapped(rows.repartition(tasks, "bucket", "part"), _PAIR, _compared, conf=conf).distinct()


def _compared(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Compare those who lead in a bucket (the others have no rank) with all who follow in this part of it."""
    glance = Glance(conf.threshold, conf.num_perm)
    rows = list(batches)
    if not rows:
        return
    table = pa.Table.from_batches(rows)
    groups = table.select(["bucket", "part", "rank"]).to_pandas().groupby(["bucket", "part"], sort=False)
    for numbers in groups.indices.values():
        members = table.take(pa.array(numbers)).sort_by("rank")
        lead = pc.is_valid(members.column("rank"))
        leaders = members.filter(lead)
        followers = members.filter(pc.invert(pc.or_(lead, pc.is_in(members.column("id"), leaders.column("id")))))
        texts = near_duplicates.texts_of(pa.concat_tables([leaders, followers]), conf.num_perm)
        for pairs in glance.led(texts, np.arange(leaders.num_rows)):
            yield from pair_rows(pairs, schema)


def _finer(likeness: Likeness, here: DataFrame) -> DataFrame:
    """Put those in buckets that are still crowded into finer ones, and return these but for the crowded among them."""
    size = likeness.conf.bucket_size
    texts = here.join(_larger(here, size), "bucket", "left_semi").drop("bucket").dropDuplicates(["id"])
    signed = texts.join(likeness.prints().select("id", "signature"), "id")
    rows = signed.withColumn("bucket", F.explode(_value_buckets("signature", _salt(likeness.conf)))).drop("signature")
    sizes = rows.groupBy("bucket").agg(F.count("id").alias("members"))
    return rows.join(sizes.where(F.col("members").between(2, size * size)).select("bucket"), "bucket", "left_semi")


def _salt(conf: Dedup) -> Column:
    return F.xxhash64(F.lit("") if conf.across_languages else F.col("language"))


@vectorized(T.ArrayType(T.LongType()))
def _value_buckets(signatures: Series, salts: Series) -> Series:
    """Return one bucket for each of the first values of a signature."""
    values = np.stack([minhash.unpack_signature(packed)[:_POSITIONS] for packed in signatures])
    found = bands.band_buckets(values, values.shape[1], 1, salts.to_numpy().view(np.uint64))
    return pd.Series(list(found.view(np.int64)))


@vectorized(T.ArrayType(T.LongType()))
def _shared(left: Series, right: Series) -> Series:
    """Return the buckets in which two texts lie both."""
    both = zip(left, right, strict=True)
    return pd.Series([np.intersect1d(np.frombuffer(a, dtype="<i8"), np.frombuffer(b, dtype="<i8")) for a, b in both])
