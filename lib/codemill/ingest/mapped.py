"""Tables as a source: Delta or Parquet, one row per file, with the columns that a mapping names.

Projects are the distinct names in the table. Nothing is listed on the driver. Texts are read once, where they are; what
rows say of their project (stars, licence) is read apart, from narrow columns.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
from delta.tables import DeltaTable
from pydantic import TypeAdapter, ValidationError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.catalogues import catalogue, read_table, table_text
from codemill.config import Source, TableColumn
from codemill.core.languages import LanguageTable
from codemill.errors import UsageError
from codemill.ingest.containers import batched, read_limits
from codemill.ingest.outside import MissingError, opening
from codemill.ingest.rows import FOUND_PROJECTS, SCANNED, id_column, scanned_file
from codemill.runs import Run
from codemill.sources.containers import MAX_PATH, FoundFile, RefusedFile, relative_path
from codemill.tables import row_count

_NEEDED = ("name", "path", "content")
_MAPPINGS: TypeAdapter[dict[str, dict[TableColumn, str]]] = TypeAdapter(dict[str, dict[TableColumn, str]])

# So few file ids are sent to every task; more are joined by a shuffle.
_FEW = 1_000_000


def open_table(run: Run, position: int, source: Source) -> DataFrame | None:
    """Return the table with the columns called as a mapping calls them; None for an optional one that is missing.

    Raises UsageError when it cannot be read, or when a column is missing.
    """
    key = f"sources.{position}"
    table = _read(run.spark, source, key)
    if table is None:
        return None
    columns = _columns(run, source, key)
    missing = [name for name in columns.values() if name not in table.columns]
    if missing:
        raise UsageError(f"{key}: {source.path} has no column {missing[0]}; it has {', '.join(table.columns)}")
    return table.select(*[F.col(f"`{theirs}`").alias(ours) for ours, theirs in columns.items()])


def _read(spark: SparkSession, source: Source, key: str) -> DataFrame | None:
    try:
        with opening(key, source.path, "a Delta or Parquet table"):
            kind = "delta" if DeltaTable.isDeltaTable(spark, source.path) else "parquet"
            return spark.read.format(kind).load(source.path)
    except MissingError:
        if source.optional:
            return None
        raise


def _columns(run: Run, source: Source, key: str) -> Mapping[TableColumn, str]:
    try:
        mappings = _MAPPINGS.validate_python(read_table("mappings", run.settings.catalogues.mappings))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"catalogues.mappings: {where}: {first['msg']}, found {first['input']!r:.80}") from None
    if source.mapping is not None and source.mapping not in mappings:
        raise UsageError(f"{key}.mapping: found {source.mapping}; allowed are {', '.join(mappings)}")
    columns: dict[TableColumn, str] = {}
    if source.mapping is not None:
        columns.update(mappings[source.mapping])
    columns.update(source.columns)
    unnamed = [name for name in _NEEDED if name not in columns]
    if unnamed:
        raise UsageError(f"{key}.columns: {unnamed[0]} is missing; name the column, or a mapping that does")
    return columns


def found_projects(table: DataFrame, position: int, source: Source) -> DataFrame:
    """Return the projects of an opened table as rows of FOUND_PROJECTS."""
    has = table.columns
    named = table.where("name <> ''")
    counted = [name for name in ("stars", "forks") if name in has]
    counts = {name: F.max(F.expr(f"try_cast({name} as bigint)")).alias(name) for name in counted}
    license_ = F.array_sort(F.collect_set(_license(table))).alias("licenses") if "license" in has else None
    url = F.min(F.col("url").cast("string")).alias("url") if "url" in has else None
    grouped = named.groupBy("name").agg(
        row_count().alias("n"), *counts.values(), *[c for c in (license_, url) if c is not None]
    )
    values: dict[str, Column] = {
        "project_id": id_column(F.lit(source.platform), F.col("name")),
        "platform": F.lit(source.platform),
        "name": F.col("name"),
        "container": F.col("name"),
        "source": F.lit(position),
        "kind": F.lit("table"),
        **{c: F.col(c) for c in counts},
    }
    if license_ is not None:
        # Names that differ from row to row, or stand in one list, all hold.
        values["platform_license"] = F.when(F.size("licenses") > 0, F.array_join("licenses", " AND "))
    if url is not None or source.host:
        values["url"] = F.col("url") if url is not None else F.concat(F.lit(f"https://{source.host}/"), "name")
    return grouped.select(
        *[values.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in FOUND_PROJECTS.fields]
    )


def _license(table: DataFrame) -> Column:
    """Return what a row says of the licence as one string, null when it says nothing."""
    if isinstance(table.schema["license"].dataType, T.ArrayType):
        said = F.array_join(F.array_sort(F.array_distinct(F.col("license").cast("array<string>"))), " AND ")
    else:
        said = F.trim(F.col("license").cast("string"))
    return F.when(said != "", said)


def scan(run: Run, table: DataFrame, source: Source) -> DataFrame:
    """Read the files of an opened table: rows of SCANNED, as many as the table has."""
    limits = read_limits(run.settings)
    read = partial(
        _read_rows,
        limit=limits.max_file_bytes,
        languages=table_text("languages", run.settings.catalogues.languages, LanguageTable.from_mapping),
        schema=to_arrow_schema(SCANNED, timezone="UTC"),
    )
    size = F.octet_length("content")
    rows = table.select(
        F.when(F.col("name") != "", id_column(F.lit(source.platform), F.col("name"))).alias("project_id"),
        F.col("path").cast("string").alias("path"),
        size.cast("bigint").alias("size"),
        # What is too large does not travel.
        F.when(size <= limits.max_file_bytes, F.col("content").cast("binary")).alias("content"),
    )
    return rows.mapInArrow(read, SCANNED)


def _read_rows(
    batches: Iterator[pa.RecordBatch], limit: int, languages: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    table = catalogue(LanguageTable.from_mapping, languages)
    rows = (row for batch in batches for row in batch.to_pylist())
    return batched((_scanned(row, limit, table) for row in rows), schema)


def _scanned(row: dict[str, Any], limit: int, languages: LanguageTable) -> dict[str, Any]:
    claimed = (row["path"] or "")[:MAX_PATH]
    path = relative_path((row["path"] or "").removeprefix("/"))
    size = row["size"] or 0
    item: FoundFile | RefusedFile
    if row["project_id"] is None:
        item = RefusedFile(claimed, size, "no_project_name")
    elif path is None:
        item = RefusedFile(claimed.replace("\0", "\\0"), size, "unsafe_path")
    elif row["size"] is None:
        item = RefusedFile(path, 0, "no_content")
    elif row["content"] is None:
        item = RefusedFile(path, size, "oversized", {"limit": limit})
    else:
        item = FoundFile(path, row["content"])
    return scanned_file(row["project_id"] or "", item, "", languages)


def first_of_each(scanned: DataFrame) -> DataFrame:
    """Refuse all but one of the files with the same path in the same project: that with the smallest hash stays."""
    repeated = (
        scanned.where("row = 'file'")
        .groupBy("file_id", "project_id", "path")
        .agg(row_count().alias("n"), F.min("content_sha256").alias("stays"))
        .where("n > 1")
    )
    found = repeated.count()
    if not found:
        return scanned
    ids = repeated.select("file_id", "stays")
    ids = F.broadcast(ids) if found <= _FEW else ids
    one_each = scanned.join(ids, "file_id").where("row = 'file' and content_sha256 = stays").dropDuplicates(["file_id"])
    others = repeated.select("project_id", "path", F.explode(F.sequence(F.lit(1), F.col("n") - 1)).alias("number"))
    refused = others.select(
        F.lit("refused").alias("row"),
        id_column(F.col("project_id"), F.col("path"), F.lit("duplicate_path"), F.col("number").cast("string")).alias(
            "file_id"
        ),
        "project_id",
        "path",
        F.lit("duplicate_path").alias("reason"),
        F.to_json(F.struct("path")).alias("evidence"),
    )
    rest = scanned.join(ids.select("file_id"), "file_id", "left_anti")
    return rest.unionByName(one_each.drop("stays")).unionByName(refused, allowMissingColumns=True)
