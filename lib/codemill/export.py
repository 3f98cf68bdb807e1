"""Files to train on: the table `fim_samples` -> a folder of shards and a manifest.

The same table, seed and settings give the same bytes in every shard, in any partitioning. Executors write the shards,
each under a temporary name that it loses when it is complete, so no attempt that fails or is doubled leaves a part of
one. A folder without a manifest was not written by an export and is left alone; a manifest that says "unfinished" is
that of an export that failed.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill import __version__
from codemill.config import Export
from codemill.core import shards
from codemill.core.shards import Layout, Plan, Written
from codemill.errors import RunError, UsageError
from codemill.runs import Run, StepCounts
from codemill.tables import FIM_SAMPLES, row_count, total
from codemill.vectorized import Batches, mapped

SPLITS = ("train", "validation")
MANIFEST = "manifest.json"
_TEMPORARY = "_temporary"

_GROUPS = ("split", "language", "kind", "bucket")
_SIZED = T.StructType(
    [
        T.StructField("split", T.StringType()),
        T.StructField("language", T.StringType()),
        T.StructField("kind", T.StringType()),
        T.StructField("bytes", T.LongType()),
        T.StructField("bucket", T.IntegerType()),
    ]
)
_PLACE = [T.StructField("shard", T.IntegerType()), T.StructField("order_key", T.LongType())]
_WRITTEN = T.StructType(
    [
        T.StructField("name", T.StringType()),
        T.StructField("samples", T.LongType()),
        T.StructField("size", T.LongType()),
        T.StructField("sha256", T.StringType()),
    ]
)


@dataclass(frozen=True)
class Target:
    """The folder of an export: a local path or an address, which executors and driver open alike."""

    address: str

    def claim(self, manifest: dict[str, Any]) -> None:
        """Take the folder: what an earlier export wrote goes, and an unfinished manifest stands for the new one.

        Raises UsageError when the folder holds something else, and when it cannot be written.
        """
        try:
            filesystem, path = self._open()
            found = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
            if found and not _is_manifest(filesystem, f"{path}/{MANIFEST}"):
                raise UsageError(
                    f"export.path {self.address}: the folder is not empty and has no {MANIFEST} of an earlier export; "
                    "allowed are a new folder, an empty one, and one that an export wrote"
                )
            for name in (*SPLITS, _TEMPORARY):
                filesystem.create_dir(f"{path}/{name}")
                filesystem.delete_dir_contents(f"{path}/{name}")
            _write_manifest(filesystem, path, {"status": "unfinished", **manifest})
        except (pa.ArrowException, OSError) as error:
            words = " ".join(str(error).split())[:200]
            raise UsageError(
                f"export.path {self.address}: cannot be written ({words}); allowed are local folders and addresses "
                "that Arrow knows (s3://, gs://, abfs://, hdfs://)"
            ) from None

    def write_shard(self, name: str, batches: Batches, columns: Sequence[str], form: shards.Format) -> Written:
        """Write one shard, whole or not at all."""
        filesystem, path = self._open()
        temporary = f"{path}/{_TEMPORARY}/{uuid.uuid4().hex}"
        # Else a name that ends in .zst would be compressed once more.
        with filesystem.open_output_stream(temporary, compression=None) as sink:
            written = shards.write_shard(sink, batches, columns, form)
        _move(filesystem, temporary, f"{path}/{name}")
        return written

    def sizes(self) -> dict[str, int]:
        """Return the sizes of the shards that are there, bytes by name."""
        filesystem, path = self._open()
        found = [each for split in SPLITS for each in filesystem.get_file_info(fs.FileSelector(f"{path}/{split}"))]
        return {each.path[len(path) + 1 :]: each.size for each in found}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Take away what failed attempts left, and splits without samples; say that the export is complete."""
        filesystem, path = self._open()
        for name in (_TEMPORARY, *(split for split in SPLITS if split not in manifest["splits"])):
            filesystem.delete_dir(f"{path}/{name}")
        _write_manifest(filesystem, path, {"status": "complete", **manifest})

    def _open(self) -> tuple[fs.FileSystem, str]:
        if "://" not in self.address:
            return fs.LocalFileSystem(), str(Path(self.address).absolute())
        filesystem, path = fs.FileSystem.from_uri(self.address)
        return filesystem, path.rstrip("/")


def _is_manifest(filesystem: fs.FileSystem, path: str) -> bool:
    if filesystem.get_file_info(path).type != fs.FileType.File:
        return False
    with filesystem.open_input_stream(path) as source:
        try:
            manifest = json.loads(source.read())
        except (ValueError, RecursionError):
            return False
    return isinstance(manifest, dict) and "codemill" in manifest


def _write_manifest(filesystem: fs.FileSystem, path: str, manifest: dict[str, Any]) -> None:
    temporary = f"{path}/{_TEMPORARY}.json"
    with filesystem.open_output_stream(temporary) as sink:
        sink.write((json.dumps(manifest, indent=1) + "\n").encode())
    _move(filesystem, temporary, f"{path}/{MANIFEST}")


def _move(filesystem: fs.FileSystem, source: str, to: str) -> None:
    """Rename a file. One of that name, of another attempt or an earlier export, gives way, where need be by hand."""
    try:
        filesystem.move(source, to)
    except OSError:
        if filesystem.get_file_info(to).type != fs.FileType.File:
            raise
        filesystem.delete_file(to)
        filesystem.move(source, to)


def export_samples(run: Run) -> None:
    """Write all samples to the folder that the settings name, replacing what an earlier export wrote there."""
    conf, seed = run.settings.export, run.settings.seed
    if conf.path is None:
        raise UsageError("export.path is missing: it names the folder that the samples are written to")
    target = Target(conf.path)
    samples = run.warehouse.read(FIM_SAMPLES)
    head = {
        "codemill": __version__,
        "conf": run.settings.fingerprint(),
        "seed": seed,
        # Without what may hold keys of a store, and without the folder itself, which may be moved.
        "settings": run.settings.model_dump(mode="json", exclude={"spark": True, "export": {"path"}}),
    }
    with run.step("export") as counts:
        target.claim(head)
        found = _count(samples, conf.columns, seed)
        plan = _plan(found, conf.shard_bytes)
        written = _write(samples, target, plan, conf, seed)
        manifest = {**head, **_contents(found, written)}
        _check(manifest, target)
        target.finish(manifest)
        _keep(counts, samples, manifest)


def _count(samples: DataFrame, columns: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Count samples and bytes by split and bucket (the kind is null), and by split, language and kind (no bucket)."""
    size = sum((F.coalesce(F.octet_length(F.col(name).cast("string")), F.lit(0)) for name in columns), F.lit(0))
    narrow = samples.select("sample_id", "split", "language", "kind", size.cast("long").alias("bytes"))
    sized = mapped(narrow, _SIZED, _sized, seed=seed)
    sets = sized.groupingSets([["split", "bucket"], ["split", "language", "kind"]], *_GROUPS)
    return list(sets.agg(row_count().alias("samples"), total("bytes").alias("bytes")).toArrow().to_pylist())


def _sized(batches: Batches, seed: int, schema: pa.Schema) -> Batches:
    for batch in batches:
        buckets = [shards.bucket_of(key) for key in _keys(batch, seed)]
        known = batch.select(["split", "language", "kind", "bytes"])
        yield _with(known, schema, pa.array(buckets, pa.int32()))


def _plan(found: Sequence[dict[str, Any]], shard_bytes: int) -> Plan:
    sizes: dict[str, list[tuple[int, int]]] = {split: [] for split in SPLITS}
    for row in found:
        if row["split"] not in sizes:
            raise RunError(f"fim_samples has samples of split {row['split']}; allowed are {', '.join(SPLITS)}")
        if row["bucket"] is not None:
            sizes[row["split"]].append((row["bucket"], row["bytes"]))
    return Plan(tuple(Layout.of(split, each, shard_bytes) for split, each in sizes.items() if each))


def _write(samples: DataFrame, target: Target, plan: Plan, conf: Export, seed: int) -> list[dict[str, Any]]:
    """Write the shards; return what was written, in their order."""
    names = plan.names(conf.format)
    if not names:
        return []
    wanted = samples.select(*dict.fromkeys(("split", "sample_id", *conf.columns)))
    schema = T.StructType([*wanted.schema.fields, *_PLACE])
    placed = mapped(wanted, schema, _placed, plan=plan, seed=seed)
    ordered = placed.repartitionById(len(names), "shard").sortWithinPartitions("shard", "order_key", "sample_id")
    rows = mapped(ordered, _WRITTEN, _written, target=target, names=names, columns=conf.columns, form=conf.format)
    # Sorted here: to sort them Spark would first look at a sample of the rows, and for that write all shards.
    return sorted((row.asDict() for row in rows.collect()), key=itemgetter("name"))


def _placed(batches: Batches, plan: Plan, seed: int, schema: pa.Schema) -> Batches:
    for batch in batches:
        keys = _keys(batch, seed)
        numbers = plan.shards(batch.column("split").to_pylist(), keys)
        yield _with(batch, schema, pa.array(numbers, pa.int32()), pa.array(keys, pa.int64()))


def _written(
    batches: Batches,
    target: Target,
    names: Sequence[str],
    columns: Sequence[str],
    form: shards.Format,
    schema: pa.Schema,
) -> Batches:
    for number, parts in groupby(shards.parts(batches, "shard"), key=itemgetter(0)):
        written = target.write_shard(names[number], (part for _, part in parts), columns, form)
        yield pa.RecordBatch.from_pylist([{"name": names[number], **asdict(written)}], schema=schema)


def _keys(batch: pa.RecordBatch, seed: int) -> list[int]:
    return [shards.order_key(seed, sample_id) for sample_id in batch.column("sample_id").to_pylist()]


def _with(batch: pa.RecordBatch, schema: pa.Schema, *more: pa.Array) -> pa.RecordBatch:
    """Add columns to a batch. Spark may hand over large strings; the schema says what it takes back."""
    columns = [column.cast(field.type) for column, field in zip([*batch.columns, *more], schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _contents(found: Sequence[dict[str, Any]], written: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the part of the manifest that says what is there."""
    groups = [row for row in found if row["bucket"] is None]
    by = ("split", "language", "kind")
    groups.sort(key=lambda row: tuple(str(row[name]) for name in by))
    return {
        **_sums(groups),
        "splits": {split: _sums(own) for split in SPLITS if (own := [row for row in groups if row["split"] == split])},
        "counts": [{name: row[name] for name in (*by, "samples", "bytes")} for row in groups],
        "shards": written,
    }


def _sums(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in ("samples", "bytes")}


def _check(manifest: dict[str, Any], target: Target) -> None:
    """Compare what was to be written, what was written and what is there."""
    for split, sums in manifest["splits"].items():
        written = sum(each["samples"] for each in manifest["shards"] if each["name"].startswith(f"{split}/"))
        if written != sums["samples"]:
            raise RunError(
                f"export lost count of its samples: {split} has {sums['samples']:,} in fim_samples, {written:,} written"
            )
    expected = {each["name"]: each["size"] for each in manifest["shards"]}
    found = target.sizes()
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise RunError(
            f"export.path {target.address}: {wrong[0]} should have {expected.get(wrong[0], 0):,} bytes, "
            f"found {found.get(wrong[0], 0):,}; the folder must be one and the same for all executors"
        )


def _keep(counts: StepCounts, samples: DataFrame, manifest: dict[str, Any]) -> None:
    counts.bytes_in = counts.bytes_out = manifest["bytes"]
    found = samples.agg(F.count_distinct("file_id"), F.count_distinct("project_id")).collect()[0]
    counts.files_in, counts.projects_in = counts.files_out, counts.projects_out = found
    counts.made = {split: sums["samples"] for split, sums in manifest["splits"].items()}
