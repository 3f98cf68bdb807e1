"""Crowds: buckets that so many texts share that not all their pairs can be looked at.

In: the members of crowded buckets, and the edges that other buckets gave. Out: all edges. What crowds a bucket is
either one text in thousands of variants, or something that unlike texts have in common, such as a template.

- For the variants, each crowd is thinned: the best leads, then the best of those who are not near it, and so on; who
  is near one who leads is compared with it. Of 100,000 variants nearly all go. Then, in rounds, those who stay so far
  are compared, the best with all others where they are many, until a round finds no new edge. That must come: there are
  no more edges than pairs.
- The unlike who are still too many meet again in finer buckets, one for each of the first 64 values of their
  signatures. Values that stem from what all of them share are crowded there too, and let be; values that stem from what
  two of them share bring just these together. Of Jaccard 0.7, two texts share 45 of 64 values; where half of their
  shingles are the crowd's, some 13 of the 45 are their own.

What is given up is stated in docs/near-duplicates.md. Rounds begin anew in every run, so that the outcome depends on
the texts and their priorities alone; what they measured is kept.
"""

from itertools import chain

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import Dedup
from codemill.core.bands import Glance, Numbers
from codemill.steps.candidates import band_buckets
from codemill.steps.measurement import BROADCAST
from codemill.steps.near_duplicates import (
    CROWDS,
    INDEX,
    PAIRS,
    Likeness,
    entries_of,
    measure,
    pair_rows,
    pairs_in,
    texts_of,
)
from codemill.steps.star_cover import gone
from codemill.vectorized import Batches, mapped

_POSITIONS = 64

# In a crowd of which no more stay than so many times what makes a crowd, all pairs are looked at.
_ALL_LEAD = 4

# A task compares so many members of crowds with those that lead there.
_TASK_MEMBERS = 200_000

_PAIR = T.StructType(PAIRS.schema.fields[1:3])


def edges_of(likeness: Likeness, nodes: DataFrame) -> DataFrame:
    """Return all edges (left, right, similarity, same_code) between nodes (id, priority, language), left the better.

    Edges that only crowded buckets support are found anew, since they may stem from a time when a bucket was small.
    """
    if not likeness.exists(CROWDS):
        return likeness.edges(nodes)
    texts = likeness.read(INDEX).drop("buckets").join(nodes.select("id", "priority", "language"), "id")
    members = likeness.read(CROWDS).distinct().join(texts, "id").localCheckpoint()
    if members.isEmpty():
        return likeness.edges(nodes)
    crowded = _larger(members, likeness.conf.bucket_size).localCheckpoint()
    _catch_up(likeness, members.join(crowded, "bucket", "left_anti"))
    members = members.join(crowded, "bucket", "left_semi")
    edges = _supported(likeness, likeness.edges(nodes), members.select("id").distinct(), crowded).localCheckpoint()
    edges = edges.unionByName(_new_edges(likeness, nodes, edges, _thinned(likeness.conf, members)))
    edges, stay = _rounds(likeness, members, nodes, edges)
    finer = _finer(likeness, stay).localCheckpoint()
    if finer.isEmpty():
        return edges
    return _rounds(likeness, members.unionByName(finer), nodes, edges)[0]


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
    held = entries_of(likeness.read(INDEX).join(ids, "id", "left_semi")).join(crowded, "bucket", "left_anti")
    small = ids.join(held.groupBy("id").agg(F.collect_list("bucket").alias("buckets")), "id", "left")
    small = small.select("id", F.coalesce("buckets", F.array().cast("array<bigint>")).alias("buckets"))
    both = edges.join(small.toDF("left", "left_buckets"), "left", "left")
    both = both.join(small.toDF("right", "right_buckets"), "right", "left")
    support = F.arrays_overlap("left_buckets", "right_buckets")
    # Who is in no crowd has no list, and shares what it does with others in small buckets.
    return both.where(F.coalesce(support, F.lit(True))).select(edges.columns)  # noqa: FBT003


def _rounds(likeness: Likeness, members: DataFrame, nodes: DataFrame, edges: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Compare those who lead with all others that stay so far, round after round, while that gives edges.

    Return all edges, and the members that stay in the end. A round without a new edge leaves everybody where they are,
    so that another one would find nothing either.
    """
    while True:
        here = members.join(gone(edges), "id", "left_anti").localCheckpoint()
        found = _new_edges(likeness, nodes, edges, _led(likeness.conf, here))
        if found.isEmpty():
            return edges, here
        edges = edges.unionByName(found)


def _new_edges(likeness: Likeness, nodes: DataFrame, edges: DataFrame, pairs: DataFrame) -> DataFrame:
    """Measure pairs (left, right), and return the edges among them that are not known."""
    measured = _measured(likeness, pairs)
    return likeness.edges(nodes, measured).join(edges, ["left", "right"], "left_anti").localCheckpoint()


def _measured(likeness: Likeness, pairs: DataFrame) -> DataFrame:
    """Measure the distinct pairs (left, right) that no run has measured, and return all with what was measured."""
    both = ["left", "right"]
    pairs = pairs.localCheckpoint()
    wanted = F.broadcast(pairs) if pairs.count() <= BROADCAST else pairs
    known = likeness.read(PAIRS).join(wanted, both).localCheckpoint()
    if not measure(likeness, pairs.join(known, both, "left_anti").localCheckpoint()):
        return known
    return likeness.read(PAIRS).join(wanted, both)


def _thinned(conf: Dedup, members: DataFrame) -> DataFrame:
    """Pair members of crowds, each with the first that is near it among those who lead: (left, right).

    The best leads, then the best of those who are not near it, and so on. A large crowd is thinned in parts.
    """
    sizes = _sizes(members).localCheckpoint()
    rows = members.join(sizes, "bucket").withColumn("part", _part()).repartition(_tasks(sizes), "bucket", "part")
    rows = rows.sortWithinPartitions("bucket", "part", "priority").select("bucket", "part", "id", "size", "bits")
    return mapped(rows, _PAIR, _first_near, conf=conf).distinct()


def _led(conf: Dedup, here: DataFrame) -> DataFrame:
    """Pair those who lead in a bucket with all others in it, where the pair is worth a measurement: (left, right).

    The best lead; where few are left, everybody.
    """
    sizes = _sizes(here).localCheckpoint()
    in_order = Window.partitionBy("bucket").orderBy("priority")
    leads = (F.col("rank") <= conf.bucket_size) | (F.col("members") <= _ALL_LEAD * conf.bucket_size)
    parts = F.when(leads, F.sequence(F.lit(0), F.col("parts") - 1)).otherwise(F.array(_part()))
    ranked = here.join(sizes, "bucket").withColumn("rank", F.row_number().over(in_order)).withColumn("leads", leads)
    rows = ranked.select("bucket", F.explode(parts).alias("part"), "id", "size", "bits", "rank", "leads")
    rows = rows.repartition(_tasks(sizes), "bucket", "part").sortWithinPartitions("bucket", "part", "rank")
    return mapped(rows, _PAIR, _near_leaders, conf=conf).distinct()


def _sizes(members: DataFrame) -> DataFrame:
    """Return how many members each bucket has, and in how many parts these are looked at: (bucket, members, parts)."""
    count = F.count("id")
    parts = F.ceil(count / _TASK_MEMBERS).cast("int")
    return members.groupBy("bucket").agg(count.alias("members"), parts.alias("parts"))


def _tasks(sizes: DataFrame) -> int:
    total = sizes.agg(F.sum("members")).first()
    return ((total and total[0]) or 0) // _TASK_MEMBERS + 1


def _part() -> Column:
    """Return the part of its bucket that a text is in."""
    return F.pmod(F.xxhash64("id"), "parts").cast("int")


def _first_near(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Thin the members of each part of a bucket, which come in their order."""
    glance = Glance(conf.threshold, conf.num_perm)
    members, begins, ends = _grouped(batches)
    parts = (members.slice(begin, end - begin) for begin, end in zip(begins, ends, strict=True))
    found = (glance.thinned(texts_of(part, conf.num_perm), conf.bucket_size) for part in parts)
    yield from pair_rows(chain.from_iterable(found), schema)


def _near_leaders(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Compare those who lead in each part of a bucket, and come first, with all behind them."""
    members, begins, ends = _grouped(batches)
    if not members.num_rows:
        return
    leaders = np.flatnonzero(members.column("leads").to_numpy())
    behind = np.repeat(ends, ends - begins)[leaders]
    glance = Glance(conf.threshold, conf.num_perm)
    yield from pair_rows(glance.led(texts_of(members, conf.num_perm), leaders, behind), schema)


def _grouped(batches: Batches) -> tuple[pa.Table, Numbers, Numbers]:
    """Return all rows of a task, which are sorted, and where the rows of each part of a bucket begin and end."""
    rows = list(batches)
    if not rows:
        return pa.table({}), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    table = pa.Table.from_batches(rows)
    bucket, part = table.column("bucket").to_numpy(), table.column("part").to_numpy()
    changes = np.flatnonzero((bucket[1:] != bucket[:-1]) | (part[1:] != part[:-1])) + 1
    return table, np.concatenate(([0], changes)), np.append(changes, table.num_rows)


def _finer(likeness: Likeness, here: DataFrame) -> DataFrame:
    """Put those in buckets that are still crowded into finer ones, and return these but for the crowded among them."""
    size = likeness.conf.bucket_size
    crowds = _larger(here, _ALL_LEAD * size)
    texts = here.join(crowds, "bucket", "left_semi").drop("bucket").dropDuplicates(["id"])
    signed = texts.join(likeness.prints().select("id", "signature"), "id")
    positions = min(_POSITIONS, likeness.conf.num_perm)
    finer = band_buckets(positions, 1, F.col("signature"), _salt(likeness.conf))
    rows = signed.withColumn("bucket", F.explode(finer)).drop("signature")
    sizes = rows.groupBy("bucket").agg(F.count("id").alias("members"))
    return rows.join(sizes.where(F.col("members").between(2, size * size)).select("bucket"), "bucket", "left_semi")


def _salt(conf: Dedup) -> Column:
    return F.xxhash64(F.lit("") if conf.across_languages else F.col("language"))
