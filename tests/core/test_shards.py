import hashlib
import io
import json
import random
from itertools import groupby, islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import choice, shards
from codemill.core.shards import Layout, Plan

SAMPLES = [{"sample_id": f"s{i}", "text": "código = 'é'\u2028\n" * (i % 7), "tokens": i} for i in range(60)]


def batches(rows: list[dict[str, Any]], size: int, text: pa.DataType | None = None) -> list[pa.RecordBatch]:
    text = text or pa.string()
    schema = pa.schema([("sample_id", text), ("text", text), ("tokens", pa.int32())])
    return [pa.RecordBatch.from_pylist(rows[i : i + size], schema=schema) for i in range(0, len(rows), size)]


def written(form: shards.Format, parts: list[pa.RecordBatch], columns: tuple[str, ...] = ("text", "tokens")) -> bytes:
    sink = io.BytesIO()
    done = shards.write_shard(sink, parts, columns, form)
    data = sink.getvalue()
    assert (done.size, done.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert done.samples == sum(part.num_rows for part in parts)
    return data


def read(form: shards.Format, data: bytes) -> list[dict[str, Any]]:
    if form == "parquet":
        return list(pq.read_table(io.BytesIO(data)).to_pylist())
    with pa.CompressedInputStream(io.BytesIO(data), "zstd") as stream:
        return [json.loads(line) for line in stream.read().decode().split("\n")[:-1]]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_shard_is_read_as_it_was_written(form: shards.Format) -> None:
    expected = [{"text": row["text"], "tokens": row["tokens"]} for row in SAMPLES]
    assert read(form, written(form, batches(SAMPLES, 60))) == expected


def test_lines_are_json_that_people_can_read() -> None:
    with pa.CompressedInputStream(io.BytesIO(written("jsonl", batches(SAMPLES[:2], 2))), "zstd") as stream:
        assert stream.read().decode() == '{"text":"","tokens":0}\n{"text":"código = \'é\'\u2028\\n","tokens":1}\n'


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_batches_make_no_difference_to_the_bytes(form: shards.Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_ROW_GROUP_BYTES", 2_500_000)
    texts = random.Random(0)
    rows = [{"sample_id": f"s{i}", "text": texts.randbytes(500).hex(), "tokens": i} for i in range(3_000)]
    whole = written(form, batches(rows, 3_000))
    assert written(form, batches(rows, 7)) == whole
    assert written(form, batches(rows, 1_000, pa.large_string())) == whole


def test_row_groups_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_ROW_GROUP_BYTES", 200)
    data = written("parquet", batches(SAMPLES, 25))
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert len(groups) > 5
    rows = iter(SAMPLES)
    for size in groups[:-1]:
        group = [len(f"{row['text']}{row['tokens']}".encode()) for row in islice(rows, size)]
        assert sum(group[:-1]) < 200 <= sum(group)
    assert [row["tokens"] for row in read("parquet", data)] == list(range(60))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_shard_without_samples_can_be_read(form: shards.Format) -> None:
    assert read(form, written(form, [])) == []


def test_batches_are_cut_where_the_number_changes() -> None:
    schema = pa.schema([("shard", pa.int32()), ("x", pa.string())])
    rows = [(0, "a"), (0, "b"), (2, "c"), (2, "d"), (3, "e")]
    parts = [
        pa.RecordBatch.from_pylist([{"shard": n, "x": x} for n, x in each], schema=schema)
        for each in (rows[:3], rows[3:3], rows[3:])
    ]
    found = [(number, part.column("x").to_pylist()) for number, part in shards.parts(parts, "shard")]
    assert found == [(0, ["a", "b"]), (2, ["c"]), (2, ["d"]), (3, ["e"])]


def test_the_order_is_a_hash_of_seed_and_id() -> None:
    ids = [f"s{i}" for i in range(1000)]
    order = sorted(ids, key=lambda id_: shards.order_key(1, id_))
    assert order != ids
    assert order == sorted(random.Random(0).sample(ids, 1000), key=lambda id_: shards.order_key(1, id_))
    assert order != sorted(ids, key=lambda id_: shards.order_key(2, id_))
    assert shards.order_key(1, "s1") == choice.index(1, "s1", "shuffle", 2**63)


def test_buckets_follow_the_order() -> None:
    keys = sorted(shards.order_key(1, f"s{i}") for i in range(1000))
    buckets = [shards.bucket_of(key) for key in keys]
    assert buckets == sorted(buckets)
    assert 0 <= buckets[0] < buckets[-1] < shards.BUCKETS
    assert shards.bucket_of(2**63 - 1) == shards.BUCKETS - 1


@pytest.mark.parametrize(
    ("sizes", "shard_bytes", "firsts"),
    [
        ([(bucket, 10) for bucket in range(8)], 20, (0, 2, 4, 6)),
        ([(bucket, 10) for bucket in range(9)], 20, (0, 3, 5, 7)),  # no rest of 10
        ([(bucket, 10) for bucket in range(8)], 30, (0, 3, 6)),
        ([(5, 10), (900, 10)], 1000, (5,)),
        ([(5, 10), (900, 10)], 1, (5, 900)),  # no more shards than buckets
        ([(1, 5), (2, 100), (3, 5), (4, 5), (5, 5)], 20, (1, 3)),  # no crumbs after a large one
        ([(3, 0), (4, 0)], 20, (3,)),
        ([(900, 10), (5, 10)], 10, (5, 900)),
    ],
)
def test_where_shards_are_cut(sizes: list[tuple[int, int]], shard_bytes: int, firsts: tuple[int, ...]) -> None:
    assert Layout.of("train", sizes, shard_bytes).firsts == firsts


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(0, 200), st.integers(1, 50), min_size=1), st.integers(1, 500))
def test_every_sample_has_a_shard_and_no_shard_is_much_too_large(sizes: dict[int, int], shard_bytes: int) -> None:
    layout = Layout.of("train", sizes.items(), shard_bytes)
    held = dict.fromkeys(range(len(layout.firsts)), 0)
    for bucket, size in sizes.items():
        held[int(layout.numbers(pa.array([bucket]).to_numpy())[0])] += size
    assert min(held.values()) > 0
    assert max(held.values()) < 1.5 * shard_bytes + 50


def test_names_sort_in_the_order_of_the_splits() -> None:
    plan = Plan((Layout("train", (0, 30_000)), Layout("validation", (0,))))
    assert plan.names("jsonl") == [
        "train/train-00000-of-00002.jsonl.zst",
        "train/train-00001-of-00002.jsonl.zst",
        "validation/validation-00000-of-00001.jsonl.zst",
    ]
    assert plan.names("parquet")[0] == "train/train-00000-of-00002.parquet"


def test_shards_are_numbered_through_the_splits() -> None:
    plan = Plan((Layout("train", (0, 30_000)), Layout("validation", (7, 60_000)), Layout("test", (0,))))
    keys = [bucket << 47 for bucket in (0, 29_999, 30_000, 7, 60_000, 60_000, 60_000, 0)]
    splits = ["train", "train", "train", "validation", "validation", "train", "test", "unknown"]
    assert plan.shards(splits, keys).tolist() == [0, 0, 1, 2, 3, 1, 4, -1]


def test_shards_one_after_the_other_are_the_shuffled_order() -> None:
    keys = sorted(shards.order_key(1, f"s{i}") for i in range(1000))
    layout = Layout.of("train", [(shards.bucket_of(key), 1) for key in keys], 100)
    numbers = Plan((layout,)).shards(["train"] * 1000, keys).tolist()
    assert [number for number, _ in groupby(numbers)] == list(range(10))
