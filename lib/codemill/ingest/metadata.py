"""Metadata: what a platform knows of projects (stars, forks, address ...), joined to them by name.

Everything is read as text and then understood: a value of the wrong type, and rows of one name that contradict each
other, give the project a null and a row in the ledger, and harm nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import PurePosixPath

from pyspark.sql import Column, DataFrame, DataFrameReader
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import Metadata
from codemill.errors import UsageError
from codemill.ingest.outside import opening
from codemill.runs import Run

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
_TYPES: dict[str, T.DataType] = {
    **dict.fromkeys(("platform", "url", "license", "fork_of"), T.StringType()),
    **dict.fromkeys(("stars", "forks", "watchers", "commits"), T.LongType()),
    "archived": T.BooleanType(),
}
_TOO_MANY = 1e15

_READERS: dict[str, Callable[[DataFrameReader, str], DataFrame]] = {
    # Descriptions and the like may hold line breaks, in quotes (RFC 4180).
    "csv": lambda reader, path: reader.csv(path, header=True, multiLine=True, quote='"', escape='"'),
    "jsonl": lambda reader, path: reader.json(path, primitivesAsString=True, columnNameOfCorruptRecord=_CORRUPT),
    "parquet": lambda reader, path: reader.parquet(path),
}
# What stands for no value where a column is text, as CSV always is.
_NOTHING = ("", "null", "none", "nan", "na", "n/a", "nil")
_CORRUPT = "_corrupt_record"
_SHOWN = 80

# What a joined project has beside its own columns: what the file says; which columns hold what they should not, and
# what; which columns have several values.
_TOLD = T.StructType([T.StructField(name, type_) for name, type_ in _TYPES.items()])
_JOINED = {
    "told": _TOLD,
    "faults": T.MapType(T.StringType(), T.StringType()),
    "conflicts": T.ArrayType(T.StringType()),
}


@dataclass(frozen=True)
class Joined:
    """Found projects with the columns told, faults and conflicts, null where no metadata file knows the name.

    ``corrupt``: a row (file, lines) for every metadata file with lines that could not be read; None when no file can
    have such lines.
    """

    projects: DataFrame
    has_metadata: bool
    corrupt: DataFrame | None


def join_metadata(run: Run, found: DataFrame) -> Joined:
    """Join to found projects what the metadata files of their sources say.

    Raises UsageError for a file that cannot be read as what it should be.
    """
    files = [(i, source.metadata) for i, source in enumerate(run.settings.sources) if source.metadata is not None]
    if not files:
        nothing = {name: F.lit(None).cast(type_) for name, type_ in _JOINED.items()}
        return Joined(found.withColumns(nothing), has_metadata=False, corrupt=None)
    raw = [(position, metadata, _raw(run, position, metadata)) for position, metadata in files]
    known = [_known(rows).withColumn("source", F.lit(position)) for position, _, rows in raw]
    joined = found.join(reduce(DataFrame.unionByName, known), ["source", "name"], "left")
    corrupt = [_corrupt_lines(rows, metadata) for _, metadata, rows in raw if _CORRUPT in rows.columns]
    return Joined(joined, has_metadata=True, corrupt=reduce(DataFrame.unionByName, corrupt) if corrupt else None)


def _raw(run: Run, position: int, metadata: Metadata) -> DataFrame:
    """Read a metadata file as text, its columns called as here: name, those of _TYPES that it has, _CORRUPT."""
    key = f"sources.{position}.metadata"
    format_ = metadata.format or _FORMATS.get(PurePosixPath(metadata.path.removesuffix(".gz")).suffix.lower())
    if format_ is None:
        raise UsageError(f"{key}.format is missing; {metadata.path} is neither called .csv, .jsonl nor .parquet")
    with opening(key, metadata.path, format_):
        table = _READERS[format_](run.spark.read, metadata.path)
    columns = {name: metadata.columns.get(name, name) for name in ("name", *_TYPES)}  # type: ignore[call-overload]
    wanted = {ours: theirs for ours, theirs in columns.items() if theirs in table.columns}
    missing = [theirs for ours, theirs in columns.items() if ours not in wanted and ours in ("name", *metadata.columns)]
    if missing:
        has = ", ".join(column for column in table.columns if column != _CORRUPT)
        raise UsageError(f"{key}.columns: {metadata.path} has no column {missing[0]}; it has {has or 'none'}")
    corrupt = [F.col(_CORRUPT)] if _CORRUPT in table.columns else []
    return table.select(*[_text(table, theirs).alias(ours) for ours, theirs in wanted.items()], *corrupt)


def _text(table: DataFrame, column: str) -> Column:
    value = F.col(f"`{column}`")
    nested = isinstance(table.schema[column].dataType, T.ArrayType | T.StructType | T.MapType)
    return F.trim(F.to_json(value) if nested else value.cast("string"))


def _known(raw: DataFrame) -> DataFrame:
    """Understand text, and merge the rows of one name: (name, told, faults, conflicts)."""
    given = [name for name in _TYPES if name in raw.columns]
    text = {name: F.when(~F.lower(name).isin(*_NOTHING), F.col(name)) for name in given}
    rows = raw.where("name <> ''").select("name", *[value.alias(name) for name, value in text.items()])
    values = {name: _typed(name, _TYPES[name]) for name in given}
    merged = rows.groupBy("name").agg(
        *[F.min(value).alias(f"{name}_min") for name, value in values.items()],
        *[F.max(value).alias(f"{name}_max") for name, value in values.items()],
        *[
            F.min(F.when(value.isNull(), F.substring(name, 1, _SHOWN))).alias(f"{name}_bad")
            for name, value in values.items()
        ],
    )
    one = {name: F.when(F.col(f"{name}_min") == F.col(f"{name}_max"), F.col(f"{name}_min")) for name in given}
    told = [one.get(name, F.lit(None)).cast(type_).alias(name) for name, type_ in _TYPES.items()]
    bad = F.array(*[F.struct(F.lit(name).alias("key"), F.col(f"{name}_bad").alias("value")) for name in given])
    several = F.array(*[F.when(F.col(f"{name}_min") != F.col(f"{name}_max"), F.lit(name)) for name in given])
    return merged.select(
        "name",
        F.struct(*told).alias("told"),
        F.map_from_entries(F.filter(bad, lambda entry: entry["value"].isNotNull())).alias("faults"),
        F.array_compact(several).alias("conflicts"),
    )


def _typed(column: str, type_: T.DataType) -> Column:
    """Return the value of a text column, null when it has none of the type. Counts may be written 12.0, never -1."""
    if isinstance(type_, T.BooleanType):
        return F.expr(f"try_cast({column} as boolean)")
    if isinstance(type_, T.LongType):
        number = F.expr(f"try_cast({column} as double)")
        return F.when((number >= 0) & (number < _TOO_MANY) & (number == F.floor(number)), number.cast("bigint"))
    return F.col(column)


def _corrupt_lines(raw: DataFrame, metadata: Metadata) -> DataFrame:
    # Spark refuses to read nothing but the corrupt lines; none of them has a name.
    lines = raw.agg(F.count_if(F.col(_CORRUPT).isNotNull() & F.col("name").isNull()).alias("lines"))
    return lines.where("lines > 0").select(F.lit(metadata.path).alias("file"), "lines")
