"""FIM samples: the table `curated_files` -> the table `fim_samples`.

A document becomes a sample by hashes of (seed, file_id, purpose), so the table is the same in any partitioning. A
document that holds one of the format's sentinels is dropped with a decision: it could pass off text as control tokens.
"""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.catalogues import catalogue, table_text
from codemill.core import fim, isolation, trees
from codemill.core.fim import FimCatalogue, FimOptions
from codemill.core.isolation import Failed
from codemill.core.languages import LanguageTable
from codemill.errors import RunError, UsageError
from codemill.runs import Run, StepCounts, decisions_of
from codemill.steps.step import DROP, ERROR
from codemill.tables import CURATED_FILES, DECISIONS, FIM_SAMPLES, row_count, total

_MADE = T.StructType(
    [
        *FIM_SAMPLES.schema.fields,
        T.StructField("action", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("evidence", T.StringType()),
    ]
)
_BATCH_ROWS = 200


def make_samples(run: Run) -> None:
    """Turn every curated file into samples, replacing what was there."""
    options = _options(run)
    languages = table_text("languages", run.settings.catalogues.languages, LanguageTable.from_mapping)
    with run.step("fim") as counts:
        files = run.warehouse.read(CURATED_FILES)
        totals = files.agg(row_count(), total("size"), F.count_distinct("project_id"))
        counts.files_in, counts.bytes_in, counts.projects_in = totals.collect()[0]
        make = partial(
            _make, options=options, seed=run.settings.seed, languages=languages, schema=to_arrow_schema(_MADE)
        )
        tasks = run.store.tasks(counts.files_in, counts.bytes_in)
        columns = files.select("file_id", "language", "content").repartition(tasks, "file_id")
        made = columns.mapInArrow(make, _MADE).persist(StorageLevel.DISK_ONLY)
        try:
            _write(run, made, counts)
        finally:
            made.unpersist()


def _options(run: Run) -> FimOptions:
    conf = run.settings.fim
    table = table_text("fim", run.settings.catalogues.fim, FimCatalogue.from_mapping)
    formats: FimCatalogue = catalogue(FimCatalogue.from_mapping, table)
    try:
        return formats.options(conf.format, fim_rate=conf.fim_rate, spm_rate=conf.spm_rate, kinds=dict(conf.kinds))
    except ValueError as error:
        raise UsageError(" ".join(str(error).split())[:400]) from None


def _write(run: Run, made: DataFrame, counts: StepCounts) -> None:
    is_sample = F.col("action").isNull()
    written = run.warehouse.write(
        FIM_SAMPLES,
        made.where(is_sample),
        "overwrite",
        {"samples": row_count(), "bytes": total(F.octet_length("text"))},
    )
    counts.bytes_out, counts.projects_out = written["bytes"], counts.projects_in
    for row in made.groupBy("kind", "action", "reason").count().collect():
        target = {None: counts.made, DROP: counts.dropped, ERROR: counts.errors}[row["action"]]
        target[row["reason"] or row["kind"]] = row["count"]
    explained = sum(counts.dropped.values()) + sum(counts.errors.values())
    if explained:
        refused = made.where(~is_sample).withColumnRenamed("file_id", "subject_id")
        run.warehouse.write(DECISIONS, decisions_of(run, "fim", "file", refused), "append")
    counts.files_out = made.where(is_sample).select("file_id").distinct().count()
    if counts.files_in != counts.files_out + explained or written["samples"] != sum(counts.made.values()):
        raise RunError(
            f"fim lost count of its files: {counts.files_in:,} in, {counts.files_out:,} with samples, "
            f"{explained:,} explained; {written['samples']:,} samples written"
        )


def _make(
    batches: Iterator[pa.RecordBatch], options: FimOptions, seed: int, languages: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    table = catalogue(LanguageTable.from_mapping, languages)
    answer = partial(fim.answer, options=options, seed=seed)
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            files = batch.slice(start, _BATCH_ROWS).to_pylist()
            items = [(file["content"], file["file_id"], table[file["language"]]) for file in files]
            answers = isolation.each(answer, items, trees.LIMITS)
            rows = [row for file, found in zip(files, answers, strict=True) for row in _rows(file, found)]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _rows(file: dict[str, Any], answer: dict[str, Any] | Failed) -> Iterator[dict[str, Any]]:
    """Yield the samples of one file, or one row that says why there are none."""
    known = {"file_id": file["file_id"], "language": file["language"]}
    if isinstance(answer, Failed):
        yield {**known, "action": ERROR, "reason": answer.word, "evidence": "{}"}
    elif "sentinel" in answer:
        yield {**known, "action": DROP, "reason": "sentinel_in_text", "evidence": json.dumps(answer)}
    else:
        yield from ({**known, **sample} for sample in answer["samples"])
