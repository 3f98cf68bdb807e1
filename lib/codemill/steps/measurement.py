"""How alike the two texts of each candidate pair are, by their sets of shingles.

In: pairs, and the fingerprints of texts. Out: the Jaccard similarity of each pair, and whether its code is the same.

Sets are as large as the texts that they come from, and a text of a large family is in hundreds of pairs. So sets are
not joined to pairs: texts fall into blocks by a hash of their ids, and pairs into cells, one for every two blocks. A
text travels once to each cell that has a pair of it, and a task holds the sets of one cell at a time.
"""

from collections.abc import Iterator
from itertools import chain, groupby
from math import ceil, sqrt
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import Dedup
from codemill.core import minhash
from codemill.vectorized import Batches, mapped

MEASURED = T.StructType(
    [
        T.StructField("left", T.BinaryType()),
        T.StructField("right", T.BinaryType()),
        T.StructField("jaccard", T.DoubleType()),
        T.StructField("same_code", T.BooleanType()),
    ]
)

# The sets of a cell take about so many bytes, and its pairs are no more than so many.
_CELL_BYTES = 64 << 20
_CELL_PAIRS = 200_000

# So many ids or pairs may be sent to all executors: then of what they are joined with only what is wanted is moved.
BROADCAST = 1_000_000


def measured(pairs: DataFrame, prints: DataFrame, conf: Dedup) -> DataFrame | None:
    """Measure distinct pairs (left, right) of texts that ``prints`` has (id, tokens, size, code, members).

    Return rows (left, right, jaccard, same_code), without pairs of short texts whose code is not the same; None when
    there are no pairs. ``pairs`` are looked at more than once.
    """
    count = pairs.count()
    if not count:
        return None
    small = F.broadcast if count <= BROADCAST else lambda rows: rows
    texts, mean = _extent(prints)
    cores = pairs.sparkSession.sparkContext.defaultParallelism
    of_bytes = 2 * min(texts, 2 * count) * mean / _CELL_BYTES
    blocks = ceil(max(of_bytes, sqrt(2 * max(2 * cores, count / _CELL_PAIRS))))
    cells = blocks * (blocks + 1) // 2
    tasks = min(cells, max(2 * cores, ceil(2 * count * mean / _CELL_BYTES)))
    placed = pairs.withColumn("cell", _cell(blocks))
    wanted = placed.select("cell", F.explode(F.array("left", "right")).alias("id")).distinct()
    nothing = F.lit(None).cast("binary")
    sets = prints.join(small(wanted), "id").select("cell", "id", nothing.alias("other"), "tokens", "code", "members")
    both = placed.select(
        "cell",
        F.col("left").alias("id"),
        F.col("right").alias("other"),
        F.lit(0).alias("tokens"),
        nothing.alias("code"),
        nothing.alias("members"),
    )
    rows = sets.unionByName(both).withColumn("task", F.pmod("cell", F.lit(tasks)).cast("int"))
    rows = rows.repartitionById(tasks, "task").sortWithinPartitions("cell").drop("task")
    return mapped(rows, MEASURED, _measured, conf=conf)


def _extent(prints: DataFrame) -> tuple[int, float]:
    """Return how many texts there are, and how many bytes the set of one takes on average."""
    found = prints.agg(F.count("size"), 8 * F.coalesce(F.avg("size"), F.lit(0.0))).first()
    assert found is not None  # noqa: S101 - an aggregate without groups has one row
    return found[0], found[1]


def _cell(blocks: int) -> Column:
    """Number the cells of a triangle: two blocks, in no order."""
    one, other = (F.pmod(F.xxhash64(side), F.lit(blocks)) for side in ("left", "right"))
    more = F.greatest(one, other)
    return (more * (more + 1) / 2).cast("long") + F.least(one, other)


class _Cell:
    """The sets that a task holds, and the pairs to be measured on them."""

    def __init__(self, conf: Dedup) -> None:
        self._conf = conf
        self._texts: dict[bytes, tuple[bool, bytes | None, minhash.Hashes]] = {}
        self._pairs: list[tuple[bytes, bytes]] = []

    def add(self, id_: bytes, other: bytes | None, tokens: int, code: bytes | None, members: bytes) -> None:
        if other is None:
            self._texts[id_] = (tokens >= self._conf.min_tokens, code, minhash.unpack(members))
        else:
            self._pairs.append((id_, other))

    def measured(self) -> Iterator[tuple[bytes, bytes, float, bool]]:
        for left, right in self._pairs:
            one, other = self._texts.get(left), self._texts.get(right)
            if one is None or other is None:
                continue
            same_code = self._conf.same_code and one[1] is not None and one[1] == other[1]
            if same_code or (one[0] and other[0]):
                yield left, right, minhash.jaccard(one[2], other[2]), same_code


def _measured(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Measure the pairs of cells whose rows come one behind the other."""
    for _, rows in groupby(chain.from_iterable(map(_rows, batches)), itemgetter(0)):
        cell = _Cell(conf)
        for _, *row in rows:
            cell.add(*row)
        yield from _batch(cell, schema)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    names = ("cell", "id", "other", "tokens", "code", "members")
    return zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _batch(cell: _Cell, schema: pa.Schema) -> Batches:
    rows = list(cell.measured())
    if rows:
        columns = zip(zip(*rows, strict=True), schema, strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(values, field.type) for values, field in columns], schema=schema)
