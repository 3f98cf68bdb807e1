"""FIM samples: the table `curated_files` -> the table `fim_samples`.

A document becomes samples by hashes of (seed, file_id, purpose), so the table is the same in any partitioning. Not made
into samples, with a decision: a document that holds a control token of the format, which could pass off text as
control tokens (or its tokens are escaped, by setting), and one that holds a text of a benchmark.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill import config, repositories
from codemill.catalogues import catalogue, table_text
from codemill.config import Settings
from codemill.core import choice, fim, isolation, trees
from codemill.core.constructs import ConstructTable
from codemill.core.decontamination import Benchmarks, Overlap, read_references
from codemill.core.fim import Document, FimCatalogue, FimOptions, SampleSettings
from codemill.core.isolation import Failed
from codemill.core.languages import LanguageTable
from codemill.errors import RunError, UsageError
from codemill.runs import Run, StepCounts, decisions_of
from codemill.steps.step import DROP, EDIT, ERROR
from codemill.tables import CURATED_FILES, DECISIONS, FIM_SAMPLES, PROJECTS, row_count, total
from codemill.vectorized import mapped, rebatched

_MADE = T.StructType(
    [
        *FIM_SAMPLES.schema.fields,
        T.StructField("action", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("evidence", T.StringType()),
    ]
)
# A file becomes several times as many bytes of samples.
_BATCH_ROWS = 200
_BATCH_BYTES = 8 << 20
_TOKEN_BYTES = 5


@dataclass(frozen=True)
class _Plan:
    """What a worker needs to know."""

    options: FimOptions
    seed: int
    validation_share: float
    languages: str
    constructs: str
    benchmarks: Benchmarks | None


def make_samples(run: Run) -> None:
    """Turn every curated file into samples, replacing what was there."""
    plan = plan_of(run.settings)
    with run.step("fim") as counts:
        files = run.warehouse.read(CURATED_FILES)
        totals = files.agg(row_count(), total("size"), F.count_distinct("project_id"))
        counts.files_in, counts.bytes_in, counts.projects_in = totals.collect()[0]
        tasks = run.store.tasks(counts.files_in, counts.bytes_in)
        wanted = _documents(run, files, plan.options).repartition(tasks, "file_id")
        made = mapped(wanted, _MADE, _make, plan=plan).persist(StorageLevel.DISK_ONLY)
        try:
            _write(run, made, counts)
        finally:
            made.unpersist()


def plan_of(settings: Settings) -> _Plan:
    """Check everything that the settings say of samples. Raises UsageError."""
    conf, tables = settings.fim, settings.catalogues
    formats: FimCatalogue = catalogue(
        FimCatalogue.from_mapping, table_text("fim", tables.fim, FimCatalogue.from_mapping)
    )
    asked = conf.model_dump(include=set(SampleSettings.model_fields))
    try:
        options = formats.options(conf.format, conf.custom, **asked)
    except ValueError as error:
        raise UsageError(" ".join(str(error).split())[:400]) from None
    return _Plan(
        options,
        settings.seed,
        conf.validation_share,
        table_text("languages", tables.languages, LanguageTable.from_mapping),
        table_text("constructs", tables.constructs, ConstructTable.from_mapping),
        _benchmarks(conf.benchmarks),
    )


def _benchmarks(conf: config.Benchmarks) -> Benchmarks | None:
    if conf.path is None:
        return None
    try:
        return Benchmarks.from_texts(read_references(Path(conf.path)), conf.ngram, conf.min_share)
    except ValueError as error:
        raise UsageError(f"fim.benchmarks.path: {error}") from None


def _documents(run: Run, files: DataFrame, options: FimOptions) -> DataFrame:
    """Give every file the name of its project, its place in it, and the files that it shows."""
    names = run.warehouse.read(PROJECTS).select("project_id", _repository().alias("repository"))
    # No tokenizer has tokens of many more characters than this, on average.
    budget = options.max_tokens * (1 if options.counter in ("bytes", "characters") else _TOKEN_BYTES)
    places = repositories.placed(run, files, budget)
    columns = files.select("file_id", "project_id", "path", "language", "content").join(names, "project_id", "left")
    if not run.settings.fim.repository.rate or not options.format.shows_files:
        return columns.join(places.select("file_id", "position"), "file_id").withColumn(
            "shown", repositories.nothing_shown()
        )
    places = places.localCheckpoint()
    others = repositories.shown(files, places)
    return columns.join(places.select("file_id", "position"), "file_id").join(others, "file_id", "left")


def _repository() -> Column:
    # host/owner/name
    owned = F.regexp_extract(F.coalesce("url", F.lit("")), r"^[^/]+/(.+)$", 1)
    return F.when(owned != "", owned).otherwise(F.col("name"))


def _write(run: Run, made: DataFrame, counts: StepCounts) -> None:
    is_sample = F.col("sample_id").isNotNull()
    written = run.warehouse.write(
        FIM_SAMPLES,
        made.where(is_sample),
        "overwrite",
        # Each file that has samples has one of the number 0.
        {
            "samples": row_count(),
            "bytes": total(F.octet_length("text")),
            "files": F.count_if(F.col("sample_id").endswith(":0")),
        },
    )
    counts.bytes_out, counts.projects_out = written["bytes"], counts.projects_in
    counts.files_out = written["files"]
    for row in made.groupBy("kind", "action", "reason").count().collect():
        target = {None: counts.made, DROP: counts.dropped, EDIT: counts.edited, ERROR: counts.errors}[row["action"]]
        target[row["reason"] or row["kind"]] = row["count"]
    explained = sum(counts.dropped.values()) + sum(counts.errors.values())
    if explained or counts.edited:
        verdicts = made.where(~is_sample).withColumnRenamed("file_id", "subject_id")
        run.warehouse.write(DECISIONS, decisions_of(run, "fim", "file", verdicts), "append")
    if counts.files_in != counts.files_out + explained or written["samples"] != sum(counts.made.values()):
        raise RunError(
            f"fim lost count of its files: {counts.files_in:,} in, {counts.files_out:,} with samples, "
            f"{explained:,} explained; {written['samples']:,} samples written"
        )


def _make(batches: Iterator[pa.RecordBatch], plan: _Plan, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    languages = catalogue(LanguageTable.from_mapping, plan.languages)
    table = catalogue(ConstructTable.from_mapping, plan.constructs)
    answer = partial(fim.answer, table=table, options=plan.options, seed=plan.seed)
    for files in rebatched(batches, _BATCH_ROWS, _BATCH_BYTES, _size):
        overlaps = [plan.benchmarks.find(file["content"]) if plan.benchmarks else None for file in files]
        clean = [file for file, overlap in zip(files, overlaps, strict=True) if not overlap]
        items = [_document(file, languages, plan) for file in clean]
        answers = isolation.each(answer, items, trees.LIMITS)
        rows = [row for file, found in zip(clean, answers, strict=True) for row in _rows(file, found, plan)]
        rows += [_overlapping(file, found) for file, found in zip(files, overlaps, strict=True) if found]
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _size(file: dict[str, Any]) -> int:
    return len(file["content"]) + sum(len(other["content"]) for other in file["shown"] or ())


def _document(file: dict[str, Any], languages: LanguageTable, plan: _Plan) -> Document:
    shown = [(other["file_id"], other["path"], other["content"]) for other in file["shown"] or ()]
    if plan.benchmarks:
        shown = [other for other in shown if not plan.benchmarks.find(other[2])]
    language = languages[file["language"]]
    return Document(file["content"], file["file_id"], language, file["path"], file["repository"] or "", tuple(shown))


def _known(file: dict[str, Any]) -> dict[str, Any]:
    return {name: file[name] for name in ("file_id", "project_id", "path", "language", "position")}


def _overlapping(file: dict[str, Any], found: Overlap) -> dict[str, Any]:
    evidence = json.dumps({"benchmark": found.benchmark, "share": round(found.share, 3)})
    return {**_known(file), "action": DROP, "reason": "benchmark_overlap", "evidence": evidence}


def _rows(file: dict[str, Any], answer: dict[str, Any] | Failed, plan: _Plan) -> Iterator[dict[str, Any]]:
    """Yield the samples of one file, or one row that says why there are none; one more if sentinels were escaped."""
    known = _known(file)
    if isinstance(answer, Failed):
        yield {**known, "action": ERROR, "reason": answer.word, "evidence": "{}"}
    elif "sentinel" in answer:
        yield {**known, "action": DROP, "reason": "sentinel_in_text", "evidence": json.dumps(answer)}
    else:
        is_validation = choice.unit(plan.seed, file["project_id"], "split") < plan.validation_share
        known["split"] = "validation" if is_validation else "train"
        yield from ({**known, **sample, **_parts(file["content"], sample)} for sample in answer["samples"])
        if answer["escapes"]:
            evidence = json.dumps({"sentinels": answer["escapes"]})
            yield {**known, "action": EDIT, "reason": "sentinel_escaped", "evidence": evidence}


def _parts(text: str, sample: dict[str, Any]) -> dict[str, str]:
    start, end = sample["start"], sample["end"]
    return {
        "prefix": text[sample["window_start"] : start],
        "middle": text[start:end],
        "suffix": text[end : sample["window_end"]],
    }
