"""Annotations: what is expensive to know about a text, computed once per (content, annotator version) and kept.

An annotator is a pure function of one text (and, for edits, of one argument). Its version is a fingerprint of its own
source code, its catalogue and the packages it stands on, so that nobody has to remember to raise a number. The store
is one Delta table per annotator; a later run computes only what the table does not hold.
"""

import gc
import hashlib
import inspect
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that PySpark's own documentation uses
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.core.isolation import error_word
from codemill.tables import FILES, Table, Warehouse, row_count, total
from codemill.vectorized import Rows, rebatched

# Values of the column text_in: the text of a file is in `files` (text_key = file_id), or, once a step has edited it,
# in the table of edited texts (text_key = key of the edit).
FOUND = "found"
EDITED = "edited"

_KEY_FIELDS = [
    T.StructField("key", T.StringType()),
    T.StructField("text_sha256", T.StringType()),
    T.StructField("version", T.StringType()),
    T.StructField("error", T.StringType()),
]


class Text(NamedTuple):
    """One text to annotate: its content, what kind of text it is (language, file name), for an edit what to do."""

    content: str
    variant: str
    argument: str | None


# So many subjects, of some hundred bytes, may be sent to all executors: then their texts need not be moved to be found.
_BROADCAST = 100_000

# Gets a batch of texts, gives one answer for each, in order: values by column name, or the exception that it caused.
Annotate = Callable[[Sequence[Text]], "Iterable[dict[str, Any] | Exception]"]


@dataclass(frozen=True)
class Annotator:
    """An annotator: its table, its columns, its version and the function that does the work in Python workers.

    ``annotate`` must be importable by the workers (a module's function or a ``partial`` of one). It gets batches of at
    most ``batch_rows`` texts and about ``batch_bytes`` bytes.
    """

    name: str
    payload: T.StructType
    version: str
    annotate: Annotate
    batch_rows: int = 200
    batch_bytes: int = 4 << 20

    @property
    def table(self) -> Table:
        """The Delta table that keeps the answers."""
        fields = [*_KEY_FIELDS, *self.payload.fields]
        # Keys are hashes, all over the range in every file; nothing else is asked for.
        return Table(f"annotations_{self.name}", T.StructType(fields), ("version",), has_statistics=False)

    def key(self, variant: Column, argument: Column | None = None) -> Column:
        """Return the key of an answer: a hash of everything that it depends on."""
        argument = F.lit("") if argument is None else F.coalesce(argument, F.lit(""))
        parts = (F.lit(self.version), F.col("text_sha256"), variant, argument)
        return F.sha2(F.concat_ws("|", *parts), 256)


def version_of(modules: Sequence[ModuleType], packages: Sequence[str] = (), parameters: object = None) -> str:
    """Return 16 hex digits that change with the source of the modules, the packages' versions and the parameters."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(_source(module))
    for package in packages:
        digest.update(f"{package}=={metadata.version(package)}".encode())
    digest.update(json.dumps(parameters, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def _source(module: ModuleType) -> bytes:
    """Return the source of a module, or of all modules of a package."""
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    return b"".join(file.read_bytes() for file in files) or inspect.getsource(module).encode()


def each(function: Callable[[Text], dict[str, Any]], texts: Sequence[Text]) -> "Iterator[dict[str, Any] | Exception]":
    """Turn a function of one text into one of a batch, in which a text that breaks it harms no other."""
    for text in texts:
        try:
            answer: dict[str, Any] | Exception = function(text)
        except Exception as error:  # whatever breaks a parser or a detector is that text's answer
            answer = error
        yield answer


@dataclass
class Tally:
    """How many annotations a step needed that were there already, and how many it had to compute."""

    reused: int = 0
    computed: int = 0


@dataclass
class Store:
    """The annotation tables of one warehouse."""

    warehouse: Warehouse
    task_bytes: int = 8 << 20
    report: Callable[[str], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)

    def annotate(
        self,
        subjects: DataFrame,
        annotator: Annotator,
        variant: Column,
        argument: Column | None = None,
        where: Column | None = None,
        contents: DataFrame | None = None,
    ) -> DataFrame:
        """Add an annotation to every subject (``where`` holds), computing those that no run has computed before.

        ``subjects`` has at least text_sha256, size (bytes), text_in and text_key; the texts are where these say, or
        else in ``contents`` (text_key, content), and there need be no text_in. Added are ``key``, a struct named
        like the annotator (null when it failed) and ``error`` (a snake_case word, null when it did not).
        """
        key = annotator.key(variant, argument)
        argument = F.lit(None).cast("string") if argument is None else argument
        keyed = subjects.withColumn("key", key if where is None else F.when(where, key))
        columns = ["key", "text_sha256", "size", "text_key", *(["text_in"] if contents is None else [])]
        wanted = keyed.where("key is not null").select(*columns, variant.alias("variant"), argument.alias("argument"))
        texts = self.texts if contents is None else partial(_joined, contents=contents)
        self._compute(wanted.dropDuplicates(["key"]), annotator, texts)
        answers = self.known(annotator).select(
            "key",
            "error",
            F.when(F.col("error").isNull(), F.struct(*annotator.payload.names)).alias(annotator.name),
        )
        return keyed.join(answers, "key", "left")

    def texts(self, subjects: DataFrame) -> DataFrame:
        """Add the column ``content`` to subjects whose columns text_in and text_key say where it is."""
        found = self.warehouse.read(FILES).select(F.col("file_id").alias("text_key"), "content")
        here = subjects.where(F.col("text_in") == FOUND).join(found, "text_key")
        table = Table(f"annotations_{EDITED}", T.StructType([T.StructField("key", T.StringType())]))
        if not self.warehouse.exists(table):
            return here
        edited = self.warehouse.spark.read.format("delta").load(self.warehouse.path(table.name))
        edited = edited.select(F.col("key").alias("text_key"), "content")
        return here.unionByName(subjects.where(F.col("text_in") == EDITED).join(edited, "text_key"))

    def known(self, annotator: Annotator) -> DataFrame:
        """Return what the annotator's table holds of this version."""
        return self.warehouse.read_if_any(annotator.table).where(F.col("version") == annotator.version)

    def _compute(self, wanted: DataFrame, annotator: Annotator, texts: Callable[[DataFrame], DataFrame]) -> None:
        known = self.known(annotator).select("key", F.col("version").alias("known"))
        wanted = wanted.join(known, "key", "left").localCheckpoint()
        is_missing = F.col("known").isNull()
        totals = wanted.agg(
            row_count(),
            F.count_if(is_missing),
            total(F.when(is_missing, F.col("size"))),
        ).first()
        assert totals is not None  # noqa: S101 - an aggregate without groups has one row
        asked, missing, size = totals
        self.tally.reused += asked - missing
        self.tally.computed += missing
        if not missing:
            return
        self.report(f"{annotator.name}: {missing:,} texts, {size / 1e6:,.1f} MB")
        work = partial(_answers, annotator=annotator, schema=to_arrow_schema(annotator.table.schema))
        subjects = wanted.where(is_missing)
        answers = (
            texts(F.broadcast(subjects) if missing <= _BROADCAST else subjects)
            # By the key itself, Spark would take the partitions for made that found the keys, and has joined to a few.
            .repartition(self.tasks(missing, size), F.xxhash64("key"))
            .select("key", "text_sha256", "variant", "argument", "content")
            .mapInArrow(work, annotator.table.schema)
        )
        self.warehouse.write(annotator.table, answers, "append")

    def tasks(self, rows: int, size: int) -> int:
        """Choose tasks of about ``task_bytes``, but enough of them to keep every core busy; at least one."""
        cores = self.warehouse.spark.sparkContext.defaultParallelism
        return max(1, min(max(size // self.task_bytes + 1, 2 * cores), rows, 100_000))


def _joined(subjects: DataFrame, contents: DataFrame) -> DataFrame:
    return subjects.join(contents, "text_key")


def _answers(batches: Iterator[pa.RecordBatch], annotator: Annotator, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Annotate Arrow batches of (key, text_sha256, variant, argument, content), rebatched by rows and bytes."""
    # After every task Spark's daemon looks for garbage among all that was ever imported: 40 ms, unless it is set apart.
    gc.freeze()
    parts = rebatched(batches, annotator.batch_rows, annotator.batch_bytes)
    for answers in _one_ahead(partial(_annotated, annotator=annotator), parts):
        yield pa.RecordBatch.from_pylist(answers, schema=schema)


def _one_ahead(work: Callable[[Rows], Rows], batches: Iterable[Rows]) -> Iterator[Rows]:
    """Yield what becomes of each batch, in order.

    While one is worked on, in a child process mostly, the next is read, and what became of the one before is sent away.
    """
    with ThreadPoolExecutor(max_workers=1) as worker:
        waiting: deque[Future[Rows]] = deque()
        for batch in batches:
            waiting.append(worker.submit(work, batch))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        for last in waiting:
            yield last.result()


def _annotated(rows: Rows, annotator: Annotator) -> Rows:
    texts = [Text(row["content"], row["variant"], row["argument"]) for row in rows]
    return [
        {
            "key": row["key"],
            "text_sha256": row["text_sha256"],
            "version": annotator.version,
            **({"error": error_word(answer)} if isinstance(answer, Exception) else answer),
        }
        for row, answer in zip(rows, annotator.annotate(texts), strict=True)
    ]
