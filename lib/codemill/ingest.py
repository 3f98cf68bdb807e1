"""Ingest: sources -> the tables `projects` and `files`, with a decision for whatever is refused.

The driver lists containers (archives, project folders); each is read by one task, as a stream, so that neither the
number of projects nor their size matters to memory. What comes out depends on the containers' bytes and names alone.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.catalogues import catalogue, table_text
from codemill.config import Settings, Source
from codemill.core.decoding import Undecodable, decode
from codemill.core.languages import LanguageTable
from codemill.core.projects import declared_url, is_test
from codemill.errors import RunError, UsageError
from codemill.runs import Run, StepCounts, decisions_of
from codemill.sources import archives, directory
from codemill.sources.containers import FoundFile, ReadLimits, RefusedFile, UnreadableContainer
from codemill.steps.step import DROP, ERROR
from codemill.tables import DECISIONS, FILES, PROJECTS, row_count, total

# The language of a text that no row of the language table claims: kept as evidence (licence texts), not as code.
OTHER = "other"

_BATCH_ROWS = 500
_BATCH_BYTES = 8 << 20

_CONTAINERS = T.StructType(
    [
        T.StructField(n, T.StringType())
        for n in ("project_id", "kind", "path", "platform", "container", "name", "version")
    ]
)

_FILE_FIELDS = [f for f in FILES.schema.fields if f.name != "project_id"]
_SCANNED = T.StructType(
    [
        T.StructField("row", T.StringType()),
        T.StructField("project_id", T.StringType()),
        *_FILE_FIELDS,
        T.StructField("reason", T.StringType()),
        T.StructField("evidence", T.StringType()),
        T.StructField("url", T.StringType()),
        T.StructField("is_test", T.BooleanType()),
    ]
)


@dataclass(frozen=True)
class Container:
    """One archive or project folder. ``container`` is its path below the source, ``path`` where it is read."""

    project_id: str
    kind: str
    path: str
    platform: str
    container: str
    name: str
    version: str | None


def ingest(run: Run) -> None:
    """Read all sources into `projects` and `files`, replacing what was there."""
    found, strangers = list_containers(run.settings)
    with run.step("ingest") as counts:
        containers = run.spark.createDataFrame([asdict(container) for container in found], _CONTAINERS)
        scanned = _scan(run, containers, _tasks(run, found)).persist(StorageLevel.DISK_ONLY)
        try:
            _write(run, containers, scanned, strangers, counts)
        finally:
            scanned.unpersist()


def list_containers(settings: Settings) -> tuple[list[Container], list[str]]:
    """List the containers of every source, and beside them the paths that are neither archive nor folder.

    Raises UsageError for a source that is missing or empty, and for two containers that would get the same id.
    """
    if not settings.sources:
        raise UsageError("sources is empty; name at least one folder of archives or of projects")
    found: dict[str, Container] = {}
    strangers = []
    for position, source in enumerate(settings.sources):
        root = Path(source.path)
        paths, others = _paths(root, source, position)
        strangers += [f"{source.platform}/{path.relative_to(root).as_posix()}" for path in others]
        for path in paths:
            container = _container(source, root, path)
            if container.project_id in found:
                raise UsageError(
                    f"sources.{position}: {container.container} occurs twice on platform {source.platform}; "
                    "give one of the sources another platform"
                )
            found[container.project_id] = container
    if not found:
        raise UsageError("sources: none of them holds anything")
    return list(found.values()), strangers


def _paths(root: Path, source: Source, position: int) -> tuple[list[Path], list[Path]]:
    if not root.is_dir():
        if source.optional:
            return [], []
        raise UsageError(f"sources.{position}.path: {source.path} is not a folder")
    paths, others = _archives(root) if source.kind == "archives" else (directory.projects(root), [])
    if not paths and not source.optional:
        wanted = "archive" if source.kind == "archives" else "project folder"
        raise UsageError(f"sources.{position}.path: {source.path} holds no {wanted}")
    return paths, others


def _archives(root: Path) -> tuple[list[Path], list[Path]]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [p for p in files if archives.is_archive(p.name)], [p for p in files if not archives.is_archive(p.name)]


def _container(source: Source, root: Path, path: Path) -> Container:
    below = path.relative_to(root).as_posix()
    name, version = archives.name_and_version(path.name) if source.kind == "archives" else (path.name, None)
    return Container(
        _id(source.platform, below), source.kind, str(path.resolve()), source.platform, below, name, version
    )


def _id(*parts: str) -> str:
    """Return 128 bits of SHA-256 as hex: enough for no collision among 10**12 files."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _tasks(run: Run, found: list[Container]) -> int:
    """Choose how many tasks read: enough to even out archives of unequal size, not one for every small one."""
    cores = run.spark.sparkContext.defaultParallelism
    return min(len(found), max(8 * cores, len(found) // 8), 100_000)


def _scan(run: Run, containers: DataFrame, tasks: int) -> DataFrame:
    limits = run.settings.ingest
    read = partial(
        _read_containers,
        limits=ReadLimits(
            max_file_bytes=limits.max_file_bytes,
            max_files=limits.max_project_files,
            max_total_bytes=limits.max_project_bytes,
        ),
        languages=table_text("languages", run.settings.catalogues.languages, LanguageTable.from_mapping),
        schema=to_arrow_schema(_SCANNED),
    )
    return containers.coalesce(1).repartition(tasks).mapInArrow(read, _SCANNED)


def _write(run: Run, containers: DataFrame, scanned: DataFrame, strangers: list[str], counts: StepCounts) -> None:
    is_code = F.col("language") != OTHER
    written = run.warehouse.write(
        FILES,
        scanned.where("row = 'file'"),
        "overwrite",
        {"files": F.count_if(is_code), "bytes": total(F.when(is_code, F.col("size")))},
    )
    counts.files_out, counts.bytes_out, counts.bytes_in = written["files"], written["bytes"], written["bytes"]
    totals = scanned.groupBy("project_id").agg(
        F.count_if(F.col("row") == "file").alias("files"),
        total(F.when(F.col("row") == "file", F.col("size"))).alias("bytes"),
        F.count_if("is_test").alias("test_files"),
        F.min("url").alias("url"),
        F.max(F.col("row") == "unreadable").alias("broken"),
    )
    nothing = F.lit(None)
    projects = (
        containers.join(totals, "project_id", "left")
        .where(F.coalesce(F.col("files"), F.lit(0)) + F.when(F.col("broken"), 0).otherwise(1) > 0)
        .fillna(0, ["files", "bytes", "test_files"])
        .withColumns(dict.fromkeys(("license", "license_class", "stars", "commits", "score"), nothing))
        .withColumn("snapshot", F.lit(run.run_id))
    )
    counts.projects_out = run.warehouse.write(PROJECTS, projects, "overwrite", {"projects": row_count()})["projects"]
    counts.projects_in = counts.projects_out + len(strangers)
    decisions = _decisions(run, scanned, strangers)
    explained = run.warehouse.write(DECISIONS, decisions, "append", {"rows": row_count()})["rows"]
    _count(decisions, explained, counts)


def _decisions(run: Run, scanned: DataFrame, strangers: list[str]) -> DataFrame:
    refused = scanned.where("row = 'refused'").select(
        F.col("file_id").alias("subject_id"), F.lit(DROP).alias("action"), "reason", "evidence"
    )
    unclaimed = scanned.where((F.col("row") == "file") & (F.col("language") == OTHER)).select(
        F.col("file_id").alias("subject_id"),
        F.lit(DROP).alias("action"),
        F.lit("unknown_language").alias("reason"),
        F.to_json(F.struct("path")).alias("evidence"),
    )
    broken = scanned.where("row = 'unreadable'").select(
        F.col("project_id").alias("subject_id"), F.lit(ERROR).alias("action"), "reason", "evidence"
    )
    rows = decisions_of(run, "ingest", "file", refused.unionByName(unclaimed)).unionByName(
        decisions_of(run, "ingest", "project", broken)
    )
    if strangers:
        listed = [(_id(path), DROP, "not_an_archive", json.dumps({"path": path})) for path in strangers]
        schema = "subject_id string, action string, reason string, evidence string"
        rows = rows.unionByName(decisions_of(run, "ingest", "project", run.spark.createDataFrame(listed, schema)))
    return rows


def _count(decisions: DataFrame, written: int, counts: StepCounts) -> None:
    """Fill in what was refused, and see that as many decisions were written."""
    counts.files_in = counts.files_out
    rows = decisions.groupBy("subject", "action", "reason").count().collect()
    for row in rows:
        target = counts.errors if row["action"] == ERROR else counts.dropped
        target[row["reason"]] = target.get(row["reason"], 0) + row["count"]
        if row["subject"] == "file":
            counts.files_in += row["count"]
    if sum(row["count"] for row in rows) != written:
        raise RunError(f"ingest lost count: {written:,} decisions were written, not as many as there are")


def _read_containers(
    batches: Iterator[pa.RecordBatch], limits: ReadLimits, languages: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    table = catalogue(LanguageTable.from_mapping, languages)
    rows: list[dict[str, Any]] = []
    size = 0
    for batch in batches:
        for container in batch.to_pylist():
            for row in _read(container, limits, table):
                rows.append(row)
                size += len(row.get("content") or "")
                if len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES:
                    yield pa.RecordBatch.from_pylist(rows, schema=schema)
                    rows, size = [], 0
    yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _read(container: dict[str, Any], limits: ReadLimits, languages: LanguageTable) -> Iterator[dict[str, Any]]:
    """Yield one row per file of a container: found, refused, or, for what made the rest unreadable, `unreadable`."""
    project_id = container["project_id"]
    read = archives.read if container["kind"] == "archives" else directory.read
    try:
        for number, item in enumerate(read(Path(container["path"]), limits)):
            # The path of a refused member may be that of a file which stays.
            own = () if isinstance(item, FoundFile) else (item.reason, str(number))
            row = _found(item, languages) if isinstance(item, FoundFile) else _refusal(item)
            yield {**row, "project_id": project_id, "file_id": _id(project_id, item.path, *own), "path": item.path}
    except UnreadableContainer as error:
        evidence = {"container": container["container"], "detail": error.detail}
        yield {"row": "unreadable", "project_id": project_id, "reason": error.reason, "evidence": json.dumps(evidence)}


def _found(item: FoundFile, languages: LanguageTable) -> dict[str, Any]:
    decoded = decode(item.raw)
    if isinstance(decoded, Undecodable):
        return _refused(item.path, len(item.raw), decoded.reason)
    raw_hash = hashlib.sha256(item.raw).hexdigest()
    text = decoded.text.encode()
    return {
        "row": "file",
        "language": languages.detect(item.path) or OTHER,
        "size": len(text),
        "content_sha256": raw_hash,
        "text_sha256": raw_hash if text == item.raw else hashlib.sha256(text).hexdigest(),
        "encoding": decoded.encoding,
        "bom": decoded.bom,
        "guessed_encoding": decoded.lossy_guess,
        "content": decoded.text,
        "url": declared_url(item.path, decoded.text),
        "is_test": is_test(item.path),
    }


def _refusal(item: RefusedFile) -> dict[str, Any]:
    return _refused(item.path, item.size, item.reason, **item.evidence)


def _refused(path: str, size: int, reason: str, **evidence: str | int) -> dict[str, Any]:
    row = {"path": path, "size": size, **evidence}
    return {"row": "refused", "size": size, "reason": reason, "evidence": json.dumps(row)}
