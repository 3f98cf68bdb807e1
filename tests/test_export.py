"""The export: what is in the folder, byte for byte, and which folders are left alone."""

import hashlib
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from codemill import export
from codemill.config import Settings
from codemill.core import shards
from codemill.errors import RunError, UsageError
from codemill.progress import Progress
from codemill.runs import Run
from codemill.tables import FIM_SAMPLES, Warehouse

COLUMNS = ("sample_id", "language", "kind", "tokens", "text")
ROWS = [
    {
        "sample_id": f"s{i:03d}",
        "file_id": f"f{i // 2:03d}",
        "project_id": f"p{i % 30}",
        "language": "python" if i % 3 else "c",
        "kind": "random" if i % 5 else "none",
        "split": "validation" if i % 10 == 0 else "train",
        "tokens": i,
        "text": f"<fim_prefix>é{i}<fim_suffix>\r\n<fim_middle>" + "x" * (i % 50),
    }
    for i in range(300)
]


def write(spark: SparkSession, warehouse: str, rows: list[dict[str, Any]], tasks: int = 1) -> None:
    empty = dict.fromkeys(FIM_SAMPLES.schema.names)
    frame = spark.createDataFrame([{**empty, **row} for row in rows], FIM_SAMPLES.schema).repartition(tasks)
    Warehouse(spark, warehouse).write(FIM_SAMPLES, frame, "overwrite")


def exported(spark: SparkSession, warehouse: str, path: Path | str | None, **more: Any) -> Run:
    conf = {"path": None if path is None else str(path), "format": "jsonl", "shard_bytes": 4_000, "columns": COLUMNS}
    conf |= more
    settings = Settings.model_validate({"warehouse": warehouse, "seed": 1, "export": conf})
    run = Run("export", settings, spark, Progress(Console(file=io.StringIO())))
    export.export_samples(run)
    return run


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def samples(data: bytes) -> list[dict[str, Any]]:
    with pa.CompressedInputStream(io.BytesIO(data), "zstd") as stream:
        return [json.loads(line) for line in stream.read().decode().split("\n")[:-1]]


def test_what_is_in_the_folder(spark: SparkSession, warehouse_path: str, tmp_path: Path) -> None:
    write(spark, warehouse_path, ROWS)
    run = exported(spark, warehouse_path, tmp_path / "out")
    found = files(tmp_path / "out")
    manifest = json.loads(found.pop("manifest.json"))
    assert sorted(found) == [
        *[f"train/train-0000{i}-of-00006.jsonl.zst" for i in range(6)],
        "validation/validation-00000-of-00001.jsonl.zst",
    ]
    train = [row for name, data in sorted(found.items()) if name.startswith("train/") for row in samples(data)]
    by_id = {row["sample_id"]: {name: row[name] for name in COLUMNS} for row in ROWS if row["split"] == "train"}
    ids = [row["sample_id"] for row in train]
    assert train == [by_id[id_] for id_ in ids]
    assert ids == sorted(by_id, key=lambda id_: shards.order_key(1, id_))
    assert max(map(len, found.values())) < 4_000

    assert (manifest["status"], manifest["samples"], manifest["seed"]) == ("complete", 300, 1)
    assert (manifest["conf"], manifest["codemill"]) == (run.settings.fingerprint(), export.__version__)
    assert manifest["settings"]["export"] == {"format": "jsonl", "shard_bytes": 4_000, "columns": list(COLUMNS)}
    assert manifest["settings"]["fim"] == run.settings.fim.model_dump(mode="json")
    assert "spark" not in manifest["settings"]
    assert {split: sums["samples"] for split, sums in manifest["splits"].items()} == {"train": 270, "validation": 30}
    assert manifest["counts"][0] == {
        "split": "train",
        "language": "c",
        "kind": "none",
        "samples": 10,
        "bytes": sum(
            len("".join(str(row[name]) for name in COLUMNS).encode())
            for row in ROWS
            if (row["split"], row["language"], row["kind"]) == ("train", "c", "none")
        ),
    }
    assert sum(group["samples"] for group in manifest["counts"]) == 300
    assert manifest["shards"] == [
        {
            "name": name,
            "samples": len(samples(data)),
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for name, data in sorted(found.items())
    ]
    [counts] = run.counts
    assert (counts.made, counts.files_in, counts.projects_in) == ({"train": 270, "validation": 30}, 150, 30)


def test_the_same_table_and_seed_make_the_same_bytes(spark: SparkSession, warehouse_path: str, tmp_path: Path) -> None:
    write(spark, warehouse_path, ROWS)
    exported(spark, warehouse_path, tmp_path / "one")
    write(spark, warehouse_path, random.Random(0).sample(ROWS, len(ROWS)), tasks=5)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "7")
    try:
        exported(spark, warehouse_path, tmp_path / "two")
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    manifests = [json.loads(each.pop("manifest.json")) for each in (one, two)]
    assert one == two
    for manifest in manifests:
        del manifest["conf"]  # of all settings, the folder among them
    assert manifests[0] == manifests[1]


def test_parquet_replaces_an_earlier_export(spark: SparkSession, warehouse_path: str, tmp_path: Path) -> None:
    write(spark, warehouse_path, ROWS)
    exported(spark, warehouse_path, tmp_path / "out")
    (tmp_path / "out" / "README.md").write_text("ours")
    rows = [row for row in ROWS if row["split"] == "train"]
    write(spark, warehouse_path, rows)
    exported(spark, warehouse_path, str(tmp_path / "out"), format="parquet", shard_bytes=1_000_000)
    assert sorted(files(tmp_path / "out")) == ["README.md", "manifest.json", "train/train-00000-of-00001.parquet"]
    assert not (tmp_path / "out" / "validation").exists()
    table = pq.read_table(tmp_path / "out" / "train" / "train-00000-of-00001.parquet", partitioning=None)
    assert table.schema.names == list(COLUMNS)
    assert sorted(table["text"].to_pylist()) == sorted(str(row["text"]) for row in rows)


def test_a_table_without_samples(spark: SparkSession, warehouse_path: str, tmp_path: Path) -> None:
    write(spark, warehouse_path, [])
    exported(spark, warehouse_path, tmp_path.as_uri() + "/out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert (manifest["status"], manifest["samples"], manifest["shards"]) == ("complete", 0, [])


@pytest.mark.parametrize(
    ("name", "text"), [("notes.txt", "x"), ("manifest.json", '{"name": "an extension"}'), ("manifest.json", "[" * 9999)]
)
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "precious").write_text("x")
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=r"the folder is not empty and has no manifest.json of an earlier export"):
        export.Target(str(tmp_path)).claim({})
    assert files(tmp_path) == {name: text.encode(), "train/precious": b"x"}


@pytest.mark.parametrize("address", ["ftp://host/x", "/dev/null"])
def test_an_address_that_cannot_be_written(address: str) -> None:
    with pytest.raises(UsageError, match=f"export.path {address}: cannot be written .*; allowed are local folders and"):
        export.Target(address).claim({})


def test_the_folder_must_be_named(spark: SparkSession, warehouse_path: str) -> None:
    with pytest.raises(UsageError, match=r"export.path is missing"):
        exported(spark, warehouse_path, None)


def test_an_export_that_failed_is_unfinished_and_can_be_repeated(
    spark: SparkSession, warehouse_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(spark, warehouse_path, [{**ROWS[1], "split": "test"}])
    with pytest.raises(RunError, match="split test; allowed are train, validation"):
        exported(spark, warehouse_path, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["status"] == "unfinished"
    write(spark, warehouse_path, ROWS[:1])
    with monkeypatch.context() as patch, pytest.raises(RunError, match=r"validation has 1 in fim_samples, 0 written"):
        patch.setattr(export, "_write", lambda *_: [])
        exported(spark, warehouse_path, tmp_path / "out")
    with monkeypatch.context() as patch, pytest.raises(RunError, match=r"should have \d+ bytes, found 0; the folder"):
        patch.setattr(export.Target, "sizes", lambda self: {})
        exported(spark, warehouse_path, tmp_path / "out")
    exported(spark, warehouse_path, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["status"] == "complete"


def test_an_attempt_that_fails_leaves_no_shard(tmp_path: Path) -> None:
    target = export.Target(str(tmp_path))
    target.claim({})
    name = "train/train-00000-of-00001.jsonl.zst"

    def batches() -> Any:
        yield pa.RecordBatch.from_pylist([{"text": "x"}])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        target.write_shard(name, batches(), ["text"], "jsonl")
    assert target.sizes() == {}
    written = target.write_shard(name, iter([pa.RecordBatch.from_pylist([{"text": "x"}])]), ["text"], "jsonl")
    again = target.write_shard(name, iter([pa.RecordBatch.from_pylist([{"text": "x"}])]), ["text"], "jsonl")
    assert written == again
    assert target.sizes() == {name: written.size}
