"""The tables of the warehouse: their schemas, written once, and the only way to read and write them.

Tables are Delta. Those that hold one row per file or sample are partitioned by language; ledgers, which grow with
every run, by run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that PySpark's own documentation uses
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.errors import UsageError

Mode = Literal["append", "overwrite"]

# One row of the ledger, as a step attaches it to its subject.
VERDICT = T.StructType(
    [
        T.StructField("action", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("evidence", T.StringType()),
    ]
)

REDACTION_FIELDS = [
    T.StructField("entity", T.StringType()),
    T.StructField("start", T.IntegerType()),
    T.StructField("end", T.IntegerType()),
    T.StructField("replacement", T.StringType()),
    T.StructField("detector", T.StringType()),
    T.StructField("score", T.DoubleType()),
]

FINDING_FIELDS = [
    T.StructField("type_id", T.StringType()),
    T.StructField("rule_id", T.StringType()),
    T.StructField("cwe", T.StringType()),
    T.StructField("line", T.IntegerType()),
    T.StructField("end_line", T.IntegerType()),
    T.StructField("severity", T.StringType()),
]

SIGNAL_FIELDS = [
    T.StructField("lines", T.IntegerType()),
    T.StructField("mean_line", T.DoubleType()),
    T.StructField("max_line", T.IntegerType()),
    T.StructField("alpha_share", T.DoubleType()),
    T.StructField("comment_bytes", T.IntegerType()),
    T.StructField("functions", T.IntegerType()),
    T.StructField("longest_function", T.IntegerType()),
    T.StructField("max_depth", T.IntegerType()),
    T.StructField("identifiers", T.IntegerType()),
    T.StructField("error_bytes", T.IntegerType()),
    T.StructField("n_findings", T.IntegerType()),
]

# What one file says about the licence of its project: an SPDX expression, null for a licence that is not known, and the
# share of that licence's text that was found (0 to 1).
EVIDENCE = T.StructType(
    [
        T.StructField("path", T.StringType()),
        T.StructField("kind", T.StringType()),
        T.StructField("expression", T.StringType()),
        T.StructField("similarity", T.DoubleType()),
    ]
)

STEP_COUNTS = T.StructType(
    [
        T.StructField("step", T.StringType()),
        T.StructField("subject", T.StringType()),
        T.StructField("projects_in", T.LongType()),
        T.StructField("files_in", T.LongType()),
        T.StructField("bytes_in", T.LongType()),
        T.StructField("projects_out", T.LongType()),
        T.StructField("files_out", T.LongType()),
        T.StructField("bytes_out", T.LongType()),
        T.StructField("dropped", T.MapType(T.StringType(), T.LongType())),
        T.StructField("edited", T.MapType(T.StringType(), T.LongType())),
        T.StructField("errors", T.MapType(T.StringType(), T.LongType())),
        T.StructField("made", T.MapType(T.StringType(), T.LongType())),
        T.StructField("files_of_dropped_projects", T.LongType()),
        T.StructField("annotations_reused", T.LongType()),
        T.StructField("annotations_computed", T.LongType()),
        T.StructField("seconds", T.DoubleType()),
    ]
)


@dataclass(frozen=True)
class Table:
    """A table: its name under the warehouse, its columns and its partitioning."""

    name: str
    schema: T.StructType
    partition_by: tuple[str, ...] = ()
    has_statistics: bool = True
    """Whether Delta keeps the smallest and largest value of each column and file, by which readers skip files."""


def _columns(*columns: tuple[str, T.DataType]) -> T.StructType:
    return T.StructType([T.StructField(name, type_) for name, type_ in columns])


_TEXT, _WHOLE, _REAL, _YES, _TIME = T.StringType(), T.LongType(), T.DoubleType(), T.BooleanType(), T.TimestampType()
_COUNT = T.IntegerType()

PROJECTS = Table(
    "projects",
    _columns(
        ("project_id", _TEXT),
        ("platform", _TEXT),
        ("name", _TEXT),
        ("version", _TEXT),
        ("container", _TEXT),
        # The address of its repository as host/owner/name, and who says so: its own git remote (remote), the metadata
        # file (metadata), its source, by its host or a mapped column (source), or one of its manifests (manifest).
        # url_folder: in which folder of that repository it lives, where a manifest names one.
        ("url", _TEXT),
        ("url_source", _TEXT),
        ("url_folder", _TEXT),
        ("fork_of", _TEXT),
        ("archived", _YES),
        ("license", _TEXT),
        ("license_class", _TEXT),
        ("license_evidence", T.ArrayType(EVIDENCE)),
        # What its platform says about the licence, as it says it; which of its licence files ingest could not read.
        ("platform_license", _TEXT),
        ("unread_evidence", T.ArrayType(_TEXT)),
        ("stars", _WHOLE),
        ("forks", _WHOLE),
        ("watchers", _WHOLE),
        ("commits", _WHOLE),
        ("authors", _WHOLE),
        ("first_commit", _TIME),
        ("last_commit", _TIME),
        # Ids of the commits without parents, and the smallest commit ids (their first 8 bytes; see sources/git.py).
        ("roots", T.ArrayType(_TEXT)),
        ("history", T.BinaryType()),
        ("test_files", _WHOLE),
        ("files", _WHOLE),
        ("bytes", _WHOLE),
        ("score", _REAL),
        ("snapshot", _TEXT),
    ),
)

# Columns of `projects` that ingest leaves empty and steps fill in.
FOUND_BY_STEPS = ("license", "license_class", "license_evidence", "score")

FILES = Table(
    "files",
    _columns(
        ("file_id", _TEXT),
        ("project_id", _TEXT),
        ("path", _TEXT),
        ("language", _TEXT),
        # By what the language was recognised: name, extension, shebang, modeline or content; null for none of them.
        ("language_by", _TEXT),
        ("size", _WHOLE),
        ("content_sha256", _TEXT),
        ("text_sha256", _TEXT),
        ("encoding", _TEXT),
        ("bom", _YES),
        ("guessed_encoding", _YES),
        ("content", _TEXT),
    ),
    ("language",),
)

DECISIONS = Table(
    "decisions",
    _columns(
        ("run_id", _TEXT),
        ("step", _TEXT),
        ("subject", _TEXT),
        ("subject_id", _TEXT),
        ("action", _TEXT),
        ("reason", _TEXT),
        ("evidence", _TEXT),
    ),
    ("run_id",),
)

REDACTIONS = Table(
    "redactions",
    T.StructType([T.StructField("run_id", _TEXT), T.StructField("file_id", _TEXT), *REDACTION_FIELDS]),
    ("run_id",),
)

FINDINGS = Table(
    "findings",
    T.StructType([T.StructField("run_id", _TEXT), T.StructField("file_id", _TEXT), *FINDING_FIELDS]),
    ("run_id",),
)

CURATED_FILES = Table(
    "curated_files",
    T.StructType(
        [
            *_columns(
                ("file_id", _TEXT),
                ("project_id", _TEXT),
                ("path", _TEXT),
                ("language", _TEXT),
                ("license", _TEXT),
                ("size", _WHOLE),
                ("text_sha256", _TEXT),
                ("content", _TEXT),
            ).fields,
            T.StructField("signals", T.StructType(SIGNAL_FIELDS)),
        ]
    ),
    ("language",),
)

FIM_SAMPLES = Table(
    "fim_samples",
    _columns(
        ("sample_id", _TEXT),
        ("file_id", _TEXT),
        ("project_id", _TEXT),
        ("path", _TEXT),
        ("language", _TEXT),
        # train or validation; a project is in one of them.
        ("split", _TEXT),
        ("kind", _TEXT),
        ("situation", _TEXT),
        ("node_type", _TEXT),
        ("size_class", _TEXT),
        ("construct", _TEXT),
        ("order", _TEXT),
        # Characters of the curated file: the window of which it is a sample, and its middle.
        ("window_start", _COUNT),
        ("window_end", _COUNT),
        ("start", _COUNT),
        ("end", _COUNT),
        # How long `text` is, as fim.counter counts.
        ("tokens", _COUNT),
        # The place of its file in the order of its project, and the files that are shown before it.
        ("position", _COUNT),
        ("context", T.ArrayType(_TEXT)),
        ("prefix", _TEXT),
        ("middle", _TEXT),
        ("suffix", _TEXT),
        ("text", _TEXT),
    ),
    ("language",),
)

RUNS = Table(
    "runs",
    T.StructType(
        [
            *_columns(
                ("run_id", _TEXT),
                ("job", _TEXT),
                ("version", _TEXT),
                ("conf", _TEXT),
                ("started", _TIME),
                ("finished", _TIME),
                ("status", _TEXT),
                ("error", _TEXT),
            ).fields,
            T.StructField("counts", T.ArrayType(STEP_COUNTS)),
        ]
    ),
)

ALL = (PROJECTS, FILES, DECISIONS, REDACTIONS, FINDINGS, CURATED_FILES, FIM_SAMPLES, RUNS)


@dataclass(frozen=True)
class Observed:
    """Rows that are counted while something else is done with them; ``totals`` waits until it is done."""

    rows: DataFrame
    observation: Observation | None

    def totals(self) -> dict[str, Any]:
        """Return the aggregates by name."""
        return dict(self.observation.get) if self.observation else {}


def observing(rows: DataFrame, totals: Mapping[str, Column]) -> Observed:
    """Let aggregates (no distinct ones) be taken of rows when they are written, without another look at them."""
    if not totals:
        return Observed(rows, None)
    observation = Observation()
    return Observed(rows.observe(observation, *[column.alias(name) for name, column in totals.items()]), observation)


def row_count() -> Column:
    """Count rows."""
    return F.count(F.lit(1))


def total(values: Column | str) -> Column:
    """Sum up; nothing adds up to 0."""
    return F.coalesce(F.sum(values), F.lit(0))


class Warehouse:
    """The folder (or object-store prefix) under which every table is a sub-folder."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self.root = root.rstrip("/")
        self._written: set[str] = set()

    def path(self, name: str) -> str:
        """Return where the table called ``name`` is."""
        return f"{self.root}/{name}"

    def exists(self, table: Table) -> bool:
        """Tell whether the table has been written. Tables are never deleted, so a yes is asked for once."""
        if table.name not in self._written and DeltaTable.isDeltaTable(self.spark, self.path(table.name)):
            self._written.add(table.name)
        return table.name in self._written

    def read(self, table: Table) -> DataFrame:
        """Read a table, with the columns of its schema. Raises UsageError when no run has written it yet."""
        if not self.exists(table):
            raise UsageError(f"warehouse {self.root} has no table {table.name}; run the job that writes it first")
        return self.spark.read.format("delta").load(self.path(table.name)).select(*table.schema.names)

    def read_if_any(self, table: Table) -> DataFrame:
        """Read a table; without any rows when no run has written it yet, which Spark's optimizer can see."""
        return self.read(table) if self.exists(table) else self._empty(table)

    def _empty(self, table: Table) -> DataFrame:
        # From a list, Spark would start Python workers for no rows, and plan all joins with them.
        return self.spark.createDataFrame(to_arrow_schema(table.schema).empty_table(), table.schema)

    def write(
        self, table: Table, rows: DataFrame, mode: Mode, totals: Mapping[str, Column] | None = None
    ) -> dict[str, Any]:
        """Write rows that have (at least) the columns of the table's schema.

        Returns ``totals``, aggregates over the rows on their way into the table, by name.
        """
        rows = rows.select(*[rows[field.name].cast(field.dataType) for field in table.schema])
        if "language" in table.partition_by:
            # Else every task writes a file for every language. Languages are of very unequal size: Spark splits the
            # large and joins the small.
            rows = rows.hint("rebalance", "language")
        observed = observing(rows, totals or {})
        writer = observed.rows.write.format("delta").mode(mode)
        # A warehouse that an older version wrote gains the columns that are new.
        writer = writer.option("overwriteSchema" if mode == "overwrite" else "mergeSchema", "true")
        if table.partition_by:
            writer = writer.partitionBy(*table.partition_by)
        if not table.has_statistics:
            writer = writer.option("delta.dataSkippingNumIndexedCols", "0")
        writer.save(self.path(table.name))
        return observed.totals()

    def create(self, table: Table) -> None:
        """Make the table, empty, unless it exists."""
        if not self.exists(table):
            self.write(table, self._empty(table), "append")
