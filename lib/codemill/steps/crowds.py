"""Crowds: buckets that so many texts share that not all their pairs can be looked at.

In: the members of crowded buckets, and the edges that other buckets gave. Out: all edges. What crowds a bucket is
either one text in thousands of variants, or something that unlike texts have in common, such as a template.

- For the variants, each crowd is thinned: the best leads, then the best of those who are not near it, and so on; who
  is near one who leads is compared with it. Of 100,000 variants nearly all go. Then, in rounds, the best of those who
  stay so far are compared with all others who do, until a round finds no new edge. That must come: a pair is compared
  once.
- The unlike who are still too many meet again in finer buckets, one for each of the first 64 values of their
  signatures. Values that stem from what all of them share are crowded there too, and let be; values that stem from what
  two of them share bring just these together. Of Jaccard 0.7, two texts share 45 of 64 values; where half of their
  shingles are the crowd's, some 13 of the 45 are their own.

What is given up is stated in docs/near-duplicates.md. Rounds begin anew in every run, so that the outcome depends on
the texts and their priorities alone; what they measured is kept.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import Dedup
from codemill.core.bands import Glance
from codemill.steps.candidates import band_buckets, both_sides
from codemill.steps.near_duplicates import (
    CROWDS,
    INDEX,
    PAIRS,
    Batches,
    Likeness,
    mapped,
    measure,
    pair_rows,
    pairs_in,
    texts_of,
)
from codemill.steps.star_cover import gone
from codemill.vectorized import Series, vectorized

_POSITIONS = 64

# A task compares so many members of crowds with those that lead there.
_TASK_MEMBERS = 200_000

_PAIR = T.StructType(PAIRS.schema.fields[1:3])


class Progress(NamedTuple):
    """The edges that are known, and the pairs (left, right) that have been compared, those of the edges included."""

    edges: DataFrame
    compared: DataFrame


def edges_of(likeness: Likeness, nodes: DataFrame) -> DataFrame:
    """Return all edges (left, right, similarity, same_code) between nodes (id, priority, language), left the better.

    Edges that only crowded buckets support are found anew, since they may stem from a time when a bucket was small.
    """
    crowds = likeness.read(CROWDS)
    if not likeness.exists(CROWDS) or crowds.isEmpty():
        return likeness.edges(nodes)
    texts = likeness.read(INDEX).drop("buckets").join(nodes.select("id", "priority", "language"), "id")
    members = crowds.distinct().join(texts, "id").localCheckpoint()
    crowded = _larger(members, likeness.conf.bucket_size).localCheckpoint()
    _catch_up(likeness, members.join(crowded, "bucket", "left_anti"))
    members = members.join(crowded, "bucket", "left_semi")
    edges = _supported(likeness, likeness.edges(nodes), members.select("id").distinct(), crowded).localCheckpoint()
    known = edges.select(F.least("left", "right").alias("left"), F.greatest("left", "right").alias("right"))
    progress = _compare(likeness, nodes, Progress(edges, known), _thinned(likeness.conf, members))
    progress, stay = _rounds(likeness, members, nodes, progress)
    finer = _finer(likeness, stay).localCheckpoint()
    if finer.isEmpty():
        return progress.edges
    return _rounds(likeness, members.unionByName(finer), nodes, progress)[0].edges


def _larger(members: DataFrame, size: int) -> DataFrame:
    """Return the buckets (bucket) of more than ``size`` members."""
    return members.groupBy("bucket").agg(F.count("id").alias("size")).where(F.col("size") > size).select("bucket")


def _catch_up(likeness: Likeness, members: DataFrame) -> None:
    """Measure all pairs in buckets that were crowds when there were texts that are here no more."""
    if members.isEmpty():
        return
    _measured(likeness, pairs_in(likeness, members))


def _supported(likeness: Likeness, edges: DataFrame, ids: DataFrame, crowded: DataFrame) -> DataFrame:
    """Leave out the edges between members of crowds (ids) that share crowded buckets only."""
    within = edges.join(ids.withColumnRenamed("id", "left"), "left", "left_semi")
    within = within.join(ids.withColumnRenamed("id", "right"), "right", "left_semi")
    both = both_sides(within.select("left", "right"), likeness.read(INDEX).select("id", "buckets"))
    shared = both.select("left", "right", F.explode(_shared("left_buckets", "right_buckets")).alias("bucket"))
    by_small = shared.join(crowded, "bucket", "left_anti").select("left", "right").distinct()
    not_supported = both.select("left", "right").join(by_small, ["left", "right"], "left_anti")
    return edges.join(not_supported, ["left", "right"], "left_anti")


def _rounds(likeness: Likeness, members: DataFrame, nodes: DataFrame, progress: Progress) -> tuple[Progress, DataFrame]:
    """Compare those who lead with all others that stay so far, round after round, while that gives edges.

    Return also the members that stay in the end.
    A round without a new edge leaves everybody where they are, so that another one would find nothing either.
    """
    while True:
        here = members.join(gone(progress.edges), "id", "left_anti").localCheckpoint()
        before, progress = progress, _compare(likeness, nodes, progress, _led(likeness.conf, here))
        if progress.edges is before.edges:
            return progress, here


def _compare(likeness: Likeness, nodes: DataFrame, progress: Progress, pairs: DataFrame) -> Progress:
    """Measure pairs (left, right) that have not been compared yet, and add the edges among them."""
    pairs = pairs.join(progress.compared, ["left", "right"], "left_anti").localCheckpoint()
    if pairs.isEmpty():
        return progress
    found = likeness.edges(nodes, _measured(likeness, pairs)).localCheckpoint()
    edges = progress.edges if found.isEmpty() else progress.edges.unionByName(found)
    return Progress(edges, progress.compared.unionByName(pairs))


def _measured(likeness: Likeness, pairs: DataFrame) -> DataFrame:
    """Measure the pairs (left, right) that no run has measured, and return all with what was measured."""
    both = ["left", "right"]
    measure(likeness, pairs.join(likeness.read(PAIRS), both, "left_anti").localCheckpoint())
    return likeness.read(PAIRS).join(pairs, both, "left_semi")


def _thinned(conf: Dedup, members: DataFrame) -> DataFrame:
    """Pair members of crowds, each with the first that is near it among those who lead: (left, right).

    The best leads, then the best of those who are not near it, and so on. A large crowd is thinned in parts.
    """
    parts = _parts(members)
    tasks = members.count() // _TASK_MEMBERS + 1
    rows = members.join(parts, "bucket").withColumn("part", _part()).repartition(tasks, "bucket", "part")
    rows = rows.sortWithinPartitions("bucket", "part", "priority").select("bucket", "part", "id", "size", "bits")
    return mapped(rows, _PAIR, _first_near, conf=conf).distinct()


def _led(conf: Dedup, here: DataFrame) -> DataFrame:
    """Pair the best of every bucket with all others in it, where the pair is worth a measurement: (left, right)."""
    in_order = Window.partitionBy("bucket").orderBy("priority")
    leading = here.withColumn("rank", F.row_number().over(in_order)).where(F.col("rank") <= conf.bucket_size)
    parts = _parts(here)
    everywhere = leading.join(parts, "bucket").withColumn("part", F.explode(F.sequence(F.lit(0), F.col("parts") - 1)))
    following = here.join(parts, "bucket").withColumns({"part": _part(), "rank": F.lit(None).cast("int")})
    rows = everywhere.unionByName(following).select("bucket", "part", "id", "size", "bits", "rank")
    tasks = here.count() // _TASK_MEMBERS + 1
    return mapped(rows.repartition(tasks, "bucket", "part"), _PAIR, _near_leaders, conf=conf).distinct()


def _parts(members: DataFrame) -> DataFrame:
    """Return in how many parts the members of each bucket are looked at: (bucket, parts)."""
    return members.groupBy("bucket").agg(F.ceil(F.count("id") / _TASK_MEMBERS).cast("int").alias("parts"))


def _part() -> Column:
    """Return the part of its bucket that a text is in."""
    return F.pmod(F.xxhash64("id"), "parts").cast("int")


def _groups(batches: Batches) -> Iterator[pa.Table]:
    """Split all rows of a task by bucket and part, in their order."""
    rows = list(batches)
    if not rows:
        return
    table = pa.Table.from_batches(rows)
    for numbers in (
        table.select(["bucket", "part"]).to_pandas().groupby(["bucket", "part"], sort=False).indices.values()
    ):
        yield table.take(pa.array(numbers))


def _first_near(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    glance = Glance(conf.threshold, conf.num_perm)
    for members in _groups(batches):
        for pairs in glance.thinned(texts_of(members, conf.num_perm), conf.bucket_size):
            yield from pair_rows(pairs, schema)


def _near_leaders(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Compare those who lead in a bucket (the others have no rank) with all who follow in this part of it."""
    glance = Glance(conf.threshold, conf.num_perm)
    for members in _groups(batches):
        lead = pc.is_valid(members.column("rank"))
        leaders = members.filter(lead).sort_by("rank")
        followers = members.filter(pc.invert(pc.or_(lead, pc.is_in(members.column("id"), leaders.column("id")))))
        texts = texts_of(pa.concat_tables([leaders, followers]), conf.num_perm)
        for pairs in glance.led(texts, leaders.num_rows):
            yield from pair_rows(pairs, schema)


def _finer(likeness: Likeness, here: DataFrame) -> DataFrame:
    """Put those in buckets that are still crowded into finer ones, and return these but for the crowded among them."""
    size = likeness.conf.bucket_size
    texts = here.join(_larger(here, size), "bucket", "left_semi").drop("bucket").dropDuplicates(["id"])
    signed = texts.join(likeness.prints().select("id", "signature"), "id")
    positions = min(_POSITIONS, likeness.conf.num_perm)
    finer = band_buckets(positions, 1, F.col("signature"), _salt(likeness.conf))
    rows = signed.withColumn("bucket", F.explode(finer)).drop("signature")
    sizes = rows.groupBy("bucket").agg(F.count("id").alias("members"))
    return rows.join(sizes.where(F.col("members").between(2, size * size)).select("bucket"), "bucket", "left_semi")


def _salt(conf: Dedup) -> Column:
    return F.xxhash64(F.lit("") if conf.across_languages else F.col("language"))


@vectorized(T.ArrayType(T.LongType()))
def _shared(left: Series, right: Series) -> Series:
    """Return the buckets in which two texts lie both."""
    both = zip(left, right, strict=True)
    return pd.Series([np.intersect1d(np.frombuffer(a, dtype="<i8"), np.frombuffer(b, dtype="<i8")) for a, b in both])
