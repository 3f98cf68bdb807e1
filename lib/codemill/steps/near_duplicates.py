"""Which texts are like which: the band index, the pairs measured through it, and both kept from night to night.

In: nodes, one per distinct text. Out: edges between texts that are alike. A text lies in as many buckets as its
signature has bands, and in one made of its code alone. Two texts in one bucket are a candidate pair; one that is worth
it (``bands.Shelf``) is measured once, on the sets of its shingles, and what was measured is kept: a night looks up, and
measures, what is new.

A bucket of more than ``bucket_size`` texts is a crowd. It is written down and left to ``crowds``.

Tables hold texts under the first 16 bytes of their fingerprint's key; rows of one ``space`` were made under the same
settings. A run adds its index rows last: one that was killed before is made anew, and adds some pairs twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Store, version_of
from codemill.config import Dedup
from codemill.core import bands, minhash
from codemill.core.bands import Crowds, Entries, Glance, Pairs, Shelf, Texts
from codemill.steps.candidates import both_sides
from codemill.steps.measurement import BROADCAST, MEASURED, measured
from codemill.tables import Table
from codemill.vectorized import Batches, mapped

_SPACE = T.StructField("space", T.StringType())
_BUCKET = T.StructField("bucket", T.LongType())
_ID = T.StructField("id", T.BinaryType())
_TEXT = T.StructType([_ID, T.StructField("size", T.IntegerType()), T.StructField("bits", T.BinaryType())])

# Buckets and bits are 64-bit words, little-endian.
INDEX = Table("dedup_index", T.StructType([_SPACE, *_TEXT, T.StructField("buckets", T.BinaryType())]), ("space",))
PAIRS = Table("dedup_pairs", T.StructType([_SPACE, *MEASURED]), ("space",))
CROWDS = Table("dedup_crowds", T.StructType([_SPACE, _BUCKET, _ID]), ("space",))

_INDEXED = T.StructType(INDEX.schema.fields[1:])
_ENTRY = T.StructType([_BUCKET, *_TEXT])
_BLOCK = T.StructType(
    [
        T.StructField("block", T.IntegerType()),
        *_TEXT,
        T.StructField("buckets", T.ArrayType(T.LongType())),
        T.StructField("is_new", T.BooleanType()),
    ]
)
_FOUND = T.StructType([*PAIRS.schema.fields[1:3], _BUCKET])

# So many entries of the index (a text in a bucket) make a task; with its share of the texts, 50 bytes each.
_TASK_ENTRIES = 1_000_000

# Rows of an Arrow batch that leaves a worker.
_BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Likeness:
    """What makes two texts alike under some settings, and where it is kept."""

    store: Store
    annotator: Annotator
    conf: Dedup

    @property
    def space(self) -> str:
        """Name the rows that were made under these settings."""
        return version_of([bands], (), [self.annotator.version, self.conf.model_dump(exclude={"enabled"})])

    @property
    def banding(self) -> tuple[int, int]:
        """Return (bands, rows)."""
        return bands.banding(self.conf.threshold, self.conf.num_perm, self.conf.recall)

    def read(self, table: Table) -> DataFrame:
        """Read the rows of this space."""
        rows = self.store.warehouse.read_if_any(table)
        return rows.where(F.col("space") == self.space).drop("space")

    def exists(self, table: Table) -> bool:
        """Tell whether the table has been written."""
        return self.store.warehouse.exists(table)

    def append(self, table: Table, rows: DataFrame) -> None:
        """Add rows to this space."""
        self.store.warehouse.write(table, rows.withColumn("space", F.lit(self.space)), "append")

    def prints(self) -> DataFrame:
        """Return the fingerprints of all texts: (id, tokens, size, code, members, signature)."""
        return self.store.known(self.annotator).select(text_id("key"), *self.annotator.payload.names)

    def edges(self, nodes: DataFrame, pairs: DataFrame | None = None) -> DataFrame:
        """Return the edges between nodes (id, priority) among measured pairs, all unless given.

        They are rows (left, right, similarity, same_code), left having the better priority.
        """
        both = both_sides(self.read(PAIRS) if pairs is None else pairs, nodes.select("id", "priority"))
        better = F.col("left_priority") < F.col("right_priority")
        alike = F.col("same_code") | (F.col("jaccard") >= self.conf.threshold)
        return both.where(alike).select(
            F.when(better, F.col("left")).otherwise(F.col("right")).alias("left"),
            F.when(better, F.col("right")).otherwise(F.col("left")).alias("right"),
            F.col("jaccard").alias("similarity"),
            "same_code",
        )


def text_id(key: Column | str) -> Column:
    """Return the id of a text from the key of its fingerprint."""
    return F.unhex(F.substring(key, 1, 32)).alias("id")


def update(likeness: Likeness, texts: DataFrame) -> None:
    """Take the texts (id, language) into the index that it does not hold, and measure the candidates that they make.

    Texts without a fingerprint are left out.
    """
    index = likeness.read(INDEX)
    fresh = texts.select("id", "language").join(index.select("id"), "id", "left_anti").localCheckpoint()
    count = fresh.count()
    if not count:
        return
    prints = likeness.prints().select("id", "tokens", "size", "code", "signature").where("signature is not null")
    prints = prints.join(F.broadcast(fresh) if count <= BROADCAST else fresh, "id")
    new = mapped(prints, _INDEXED, _indexed, conf=likeness.conf, banding=likeness.banding).localCheckpoint()
    if new.isEmpty():
        return
    found = _found(likeness, new, count, index).distinct().localCheckpoint()
    measure(likeness, found.where("bucket is null").select("left", "right"))
    crowded = found.where("bucket is not null").select("bucket", F.col("right").alias("id"))
    if not crowded.isEmpty():
        likeness.append(CROWDS, crowded.join(likeness.read(CROWDS), ["bucket", "id"], "left_anti"))
    likeness.append(INDEX, new)


def measure(likeness: Likeness, pairs: DataFrame) -> bool:
    """Measure distinct pairs (left, right), keep what comes out, and tell whether there were any."""
    found = measured(pairs, likeness.prints(), likeness.conf)
    if found is not None:
        likeness.append(PAIRS, found)
    return found is not None


def _indexed(batches: Batches, conf: Dedup, banding: tuple[int, int], schema: pa.Schema) -> Batches:
    """Find the buckets of texts, and leave out those that lie in none."""
    for batch in batches:
        if not batch.num_rows:
            continue
        languages = [""] * batch.num_rows if conf.across_languages else batch.column("language").to_pylist()
        salts = np.array([xxhash.xxh3_64_intdigest(str(name).encode()) for name in languages], dtype=np.uint64)
        signatures = minhash.unpack_signature(b"".join(batch.column("signature").to_pylist()))
        signatures = signatures.reshape(-1, conf.num_perm)
        is_long = batch.column("tokens").to_numpy() >= max(conf.min_tokens, 1)
        codes = batch.column("code").to_pylist()
        has_code = np.array([conf.same_code and code is not None for code in codes])
        first_words = np.frombuffer(b"".join(code or bytes(16) for code in codes), dtype="<u8")[::2]
        buckets = np.column_stack(
            (bands.band_buckets(signatures, *banding, salts), bands.code_buckets(first_words, salts))
        )
        some = np.column_stack((np.repeat(is_long[:, np.newaxis], banding[0], axis=1), has_code))
        columns = [
            batch.column("id"),
            batch.column("size"),
            pa.array([minhash.pack(words) for words in bands.bits(signatures)]),
            pa.array([minhash.pack(row[kept]) for row, kept in zip(buckets, some, strict=True)]),
        ]
        yield _typed(columns, schema).filter(pa.array(is_long | has_code))


def _found(likeness: Likeness, new: DataFrame, count: int, index: DataFrame) -> DataFrame:
    """Return pairs (left, right, null), one of them new, and (null, right, bucket) for who is in a crowd."""
    entries, crowds = entries_of(new), likeness.read(CROWDS).select("bucket").distinct()
    tasks = _tasks(likeness, count * likeness.banding[0])
    rows = mapped(new, _BLOCK, _blocks, tasks=tasks)
    if likeness.exists(INDEX):
        wanted = entries.select("bucket").distinct().join(crowds, "bucket", "left_anti")
        old = entries_of(index).join(wanted, "bucket", "left_semi")
        rows = rows.unionByName(_block_rows(old, tasks, is_new=False))
    joined = entries.join(crowds, "bucket", "left_semi")
    nobody = F.lit(None).cast("binary").alias("left")
    return _candidates(likeness, rows, tasks).unionByName(joined.select(nobody, F.col("id").alias("right"), "bucket"))


def pairs_in(likeness: Likeness, entries: DataFrame) -> DataFrame:
    """Return the distinct pairs (left, right) that share a bucket, from rows (bucket, id, size, bits) of no crowd."""
    tasks = _tasks(likeness, entries.count())
    found = _candidates(likeness, _block_rows(entries, tasks, is_new=True), tasks)
    return found.select("left", "right").distinct()


def entries_of(index: DataFrame) -> DataFrame:
    """Give rows of the index a row for each bucket: (bucket, id, size, bits)."""
    return mapped(index, _ENTRY, _entries)


def _block_rows(entries: DataFrame, tasks: int, *, is_new: bool) -> DataFrame:
    block = F.pmod("bucket", F.lit(tasks)).cast("int").alias("block")
    return entries.select(block, *_TEXT.names, F.array("bucket").alias("buckets"), F.lit(is_new).alias("is_new"))


def _candidates(likeness: Likeness, rows: DataFrame, tasks: int) -> DataFrame:
    return mapped(rows.repartitionById(tasks, "block"), _FOUND, _shelved, conf=likeness.conf)


def _tasks(likeness: Likeness, entries: int) -> int:
    return max(2 * likeness.store.warehouse.spark.sparkContext.defaultParallelism, entries // _TASK_ENTRIES)


def _flattened(batch: pa.RecordBatch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all buckets of index rows, and the row of each."""
    packed = batch.column("buckets").to_pylist()
    rows = np.repeat(np.arange(len(packed)), [len(some) // 8 for some in packed])
    return np.frombuffer(b"".join(packed), dtype="<i8").astype(np.int64, copy=False), rows


def _entries(batches: Batches, schema: pa.Schema) -> Batches:
    """Give index rows a row for each bucket."""
    for batch in batches:
        buckets, rows = _flattened(batch)
        texts = batch.select(_TEXT.names).take(pa.array(rows))
        yield pa.RecordBatch.from_arrays([pa.array(buckets), *texts.columns], schema=schema)


def _blocks(batches: Batches, schema: pa.Schema, tasks: int) -> Batches:
    """Give index rows a row for each block of buckets that they lie in."""
    for batch in batches:
        buckets, rows = _flattened(batch)
        if not buckets.size:
            continue
        blocks = np.mod(buckets, tasks)
        order = np.lexsort((blocks, rows))
        buckets, rows, blocks = buckets[order], rows[order], blocks[order]
        first = np.flatnonzero(np.concatenate(([True], (rows[1:] != rows[:-1]) | (blocks[1:] != blocks[:-1]))))
        ends = np.append(first, buckets.size).astype(np.int32)
        texts = batch.select(_TEXT.names).take(pa.array(rows[first]))
        columns = [
            pa.array(blocks[first].astype(np.int32)),
            *texts.columns,
            pa.ListArray.from_arrays(pa.array(ends), pa.array(buckets)),
            pa.array(np.ones(first.size, dtype=bool)),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _shelved(batches: Batches, schema: pa.Schema, conf: Dedup) -> Batches:
    """Find the pairs and the crowds in one block of buckets."""
    shelf = Shelf(Glance(conf.threshold, conf.num_perm), conf.bucket_size)
    for batch in batches:
        lists = batch.column("buckets")
        lengths = np.diff(lists.offsets.to_numpy())
        entries = Entries(lists.flatten().to_numpy().view(np.uint64), np.repeat(np.arange(lengths.size), lengths))
        is_new = batch.column("is_new").to_numpy(zero_copy_only=False)
        for crowds in shelf.add(texts_of(batch, conf.num_perm), is_new, entries):
            yield from _crowd_rows(crowds, schema)
    for crowds in shelf.crowds():
        yield from _crowd_rows(crowds, schema)
    yield from pair_rows(shelf.pairs(), schema)


def texts_of(batch: pa.RecordBatch, num_perm: int) -> Texts:
    """Read texts from the columns id, size and bits."""
    return Texts(
        ids=np.frombuffer(b"".join(batch.column("id").to_pylist()), dtype="V16"),
        sizes=batch.column("size").to_numpy().astype(np.int64),
        bits=np.frombuffer(b"".join(batch.column("bits").to_pylist()), dtype="<u8").reshape(-1, -(-num_perm // 64)),
    )


def pair_rows(found: Iterable[Pairs], schema: pa.Schema) -> Batches:
    """Write pairs to the first two columns, few at a time in one batch."""
    held: list[Pairs] = []
    count = 0
    for pairs in found:
        held.append(pairs)
        count += len(pairs[0])
        if count >= _BATCH_ROWS:
            yield from _pair_rows(held, schema)
            held, count = [], 0
    yield from _pair_rows(held, schema)


def _pair_rows(held: list[Pairs], schema: pa.Schema) -> Batches:
    sides = [np.concatenate(side) for side in zip(*held, strict=True)]
    for start in range(0, len(sides[0]) if sides else 0, _BATCH_ROWS):
        yield _rows(schema, *[_ids(side[start : start + _BATCH_ROWS]) for side in sides])


def _crowd_rows(crowds: Crowds, schema: pa.Schema) -> Batches:
    for start in range(0, len(crowds.ids), _BATCH_ROWS):
        some = slice(start, start + _BATCH_ROWS)
        yield _rows(schema, None, _ids(crowds.ids[some]), pa.array(crowds.buckets[some].view(np.int64)))


def _rows(schema: pa.Schema, left: pa.Array | None, right: pa.Array, bucket: pa.Array | None = None) -> pa.RecordBatch:
    return _typed([pa.nulls(len(right)) if one is None else one for one in (left, right, bucket)], schema)


def _typed(columns: list[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    typed = [one.cast(field.type) for one, field in zip(columns, schema, strict=False)]
    return pa.RecordBatch.from_arrays(typed, schema=schema)


def _ids(ids: npt.NDArray[np.void]) -> pa.Array:
    return pa.array([id_.tobytes() for id_ in ids], type=pa.binary())
