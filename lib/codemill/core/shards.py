"""Samples in shuffled order, cut into files of about equal size: which sample goes where, and how a file is written.

The order is that of a hash of (seed, sample id, "shuffle"). A file holds the samples of a range of hashes, in their
order, so the bytes of every file follow from the samples and the seed alone, whoever writes it.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill.core import choice

Format = Literal["jsonl", "parquet"]

_SUFFIXES = {"jsonl": "jsonl.zst", "parquet": "parquet"}

_KEY_BITS = 63
_BUCKET_BITS = 16
BUCKETS = 1 << _BUCKET_BITS
"""Ranges of keys between which files are cut: what is in them is known by bucket, not by sample. So there are no more
files than buckets, and where there are nearly as many, files differ by a bucket or two."""

# Row groups are cut between rows, wherever batches end: else the same samples might make other bytes. Of what zstd is
# given it cuts blocks itself.
_ROW_GROUP_BYTES = 64 << 20


@dataclass(frozen=True)
class Layout:
    """Into how many files the samples of one split are cut, and where: ``firsts`` are their first buckets."""

    split: str
    firsts: tuple[int, ...]

    @classmethod
    def of(cls, split: str, sizes: Iterable[tuple[int, int]], shard_bytes: int) -> "Layout":
        """Cut into files of ``shard_bytes`` bytes or little more or less, given (bucket, bytes) of all buckets in use.

        All are about as large, the last one too, and none is empty.
        """
        ordered = sorted(sizes)
        total = max(1, sum(size for _, size in ordered))
        shards = max(1, round(total / shard_bytes))
        firsts: list[int] = []
        before = due = 0
        for bucket, size in ordered:
            if before * shards >= due * total:
                firsts.append(bucket)
                due = before * shards // total + 1
            before += size
        return cls(split, tuple(firsts))

    def numbers(self, buckets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the number of the file that each bucket belongs to."""
        return np.searchsorted(np.array(self.firsts), buckets, side="right") - 1

    def name(self, number: int, form: Format) -> str:
        """Return the name of a file, below a folder for the split: train/train-00003-of-00017.jsonl.zst."""
        return f"{self.split}/{self.split}-{number:05d}-of-{len(self.firsts):05d}.{_SUFFIXES[form]}"


@dataclass(frozen=True)
class Plan:
    """All files, numbered through the splits."""

    layouts: tuple[Layout, ...]

    def shards(self, splits: Sequence[str], keys: Sequence[int]) -> npt.NDArray[np.int32]:
        """Return the file of each sample, from its split and its key. Samples of no known split have file -1."""
        buckets = np.array([bucket_of(key) for key in keys], dtype=np.int64)
        of = np.array(splits, dtype=object)
        numbers = np.full(buckets.size, -1, dtype=np.int32)
        first = 0
        for layout in self.layouts:
            here = of == layout.split
            numbers[here] = first + layout.numbers(buckets[here])
            first += len(layout.firsts)
        return numbers

    def names(self, form: Format) -> list[str]:
        """Return the names of the files by number."""
        return [layout.name(number, form) for layout in self.layouts for number in range(len(layout.firsts))]


@dataclass(frozen=True)
class Written:
    """What a file holds: how many samples, in how many bytes, with which hash."""

    samples: int
    size: int
    sha256: str


def order_key(seed: int, sample_id: str) -> int:
    """Return a sample's place in the shuffled order, a number of 63 bits; of equal ones the id decides."""
    return choice.index(seed, sample_id, "shuffle", 1 << _KEY_BITS)


def bucket_of(key: int) -> int:
    """Return the range of keys, from 0 to BUCKETS - 1, that a key lies in."""
    return key >> (_KEY_BITS - _BUCKET_BITS)


def parts(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut batches where the whole numbers in a column change; yield the number with each part."""
    for batch in batches:
        values = batch.column(column).to_numpy(zero_copy_only=False)
        bounds = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), values.size]
        for start, end in pairwise(bounds if values.size else []):
            yield int(values[start]), batch.slice(start, end - start)


def write_shard(sink: BinaryIO, batches: Iterable[pa.RecordBatch], columns: Sequence[str], form: Format) -> Written:
    """Write columns of batches, texts and numbers, as one file.

    ``jsonl`` is compressed with zstd and written as batches come; of ``parquet`` a row group, some 64 MB, is held.
    """
    hashed = _Hashed(sink)
    with pa.PythonFile(hashed, mode="w") as file:
        samples = _WRITERS[form](file, batches, columns)
    return Written(samples, hashed.size, hashed.digest.hexdigest())


@dataclass
class _Hashed(io.RawIOBase):
    """Hands bytes on, and counts and hashes them."""

    sink: BinaryIO
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        self.sink.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)


def _write_jsonl(file: pa.NativeFile, batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> int:
    samples = 0
    with pa.CompressedOutputStream(file, "zstd") as stream:
        for batch in batches:
            rows = batch.select(columns).to_pylist()
            lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
            stream.write("".join(lines).encode())
            samples += len(rows)
    return samples


def _write_parquet(file: pa.NativeFile, batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> int:
    samples = 0
    groups = _row_groups(batch.select(columns) for batch in batches)
    first = next(groups, [])
    schema = pa.schema([(field.name, _plain(field.type)) for batch in first[:1] for field in batch.schema])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in chain([first] if first else [], groups):
            table = pa.Table.from_batches(group).cast(schema).combine_chunks()
            writer.write_table(table, row_group_size=table.num_rows)
            samples += table.num_rows
    return samples


def _plain(type_: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(type_) else type_


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Yield parts of batches that together have the bytes of a row group, the last one fewer."""
    group: list[pa.RecordBatch] = []
    room = _ROW_GROUP_BYTES
    for batch in batches:
        ends = np.cumsum(_row_bytes(batch))
        start = 0
        while start < batch.num_rows:
            before = int(ends[start - 1]) if start else 0
            stop = min(int(np.searchsorted(ends, before + room)) + 1, batch.num_rows)
            group.append(batch.slice(start, stop - start))
            room -= int(ends[stop - 1]) - before
            start = stop
            if room <= 0:
                yield group
                group, room = [], _ROW_GROUP_BYTES
    if group:
        yield group


def _row_bytes(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    sizes = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        lengths = pc.binary_length(column.cast(pa.large_string()))
        sizes += pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False)
    return sizes


_WRITERS: dict[Format, Callable[[pa.NativeFile, Iterable[pa.RecordBatch], Sequence[str]], int]] = {
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
