"""Explain: what happened to one file or project, step by step, from the tables alone."""

import json
from collections.abc import Iterator
from datetime import datetime

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console

from codemill.errors import UsageError
from codemill.ingest import OTHER
from codemill.pipeline import STEPS
from codemill.runs import latest
from codemill.tables import (
    CURATED_FILES,
    DECISIONS,
    FILES,
    FIM_SAMPLES,
    FINDINGS,
    PROJECTS,
    REDACTIONS,
    Table,
    Warehouse,
)

_ORDER = ("ingest", *dict.fromkeys(step.name for step in STEPS), "fim")
_AT_MOST = 10
_METRICS = ("stars", "forks", "commits", "authors", "first_commit", "last_commit")


def explain(warehouse: Warehouse, subject: str, console: Console) -> None:
    """Print the story of the files and projects that ``subject`` names: an id, a path, a name or the end of a path.

    Raises UsageError when nothing has that name.
    """
    book = _Book(warehouse)
    stories = [*book.projects(subject), *book.files(subject), *book.refused(subject)]
    if not stories:
        raise UsageError(f"{subject}: no project, file or refused file of this id, path or name in {warehouse.root}")
    for story in stories[:_AT_MOST]:
        for line in story:
            console.print(line, highlight=False, soft_wrap=True, markup=False)
    if len(stories) > _AT_MOST:
        console.print(f"... and {len(stories) - _AT_MOST} more; give a longer path or an id", highlight=False)


class _Book:
    """The ledgers of the last runs that succeeded."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._runs = [run for job in ("ingest", "curate", "fim") if (run := latest(warehouse, job)) is not None]

    def projects(self, subject: str) -> list[list[str]]:
        """Tell the stories of the projects with this id, name or container."""
        wanted = F.lit(subject)
        rows = self._warehouse.read(PROJECTS).where(
            (F.col("project_id") == wanted) | (F.col("name") == wanted) | (F.col("container") == wanted)
        )
        return [list(self._project(row)) for row in _some(rows)]

    def files(self, subject: str) -> list[list[str]]:
        """Tell the stories of the files with this id or (end of a) path."""
        rows = self._warehouse.read(FILES).drop("content").where(_names(F.col("file_id"), F.col("path"), subject))
        return [list(self._file(row)) for row in _some(rows)]

    def refused(self, subject: str) -> list[list[str]]:
        """Tell the stories of what ingest refused, which is in no other table."""
        path = F.get_json_object("evidence", "$.path")
        rows = self._ledger(DECISIONS).where(
            (F.col("step") == "ingest")
            & (F.col("reason") != "unknown_language")
            & (_names(F.col("subject_id"), path, subject) | (F.get_json_object("evidence", "$.container") == subject))
        )
        return [[f"{row['subject']} {row['subject_id']}", _decision(row)] for row in _some(rows)]

    def _project(self, row: Row) -> Iterator[str]:
        version = f" {row['version']}" if row["version"] else ""
        yield f"project {row['project_id']}  {row['platform']}/{row['container']} ({row['name']}{version})"
        yield f"  licence {row['license'] or '-'} ({row['license_class'] or '-'}), score {_or_dash(row['score'])}"
        for entry in row["license_evidence"] or ():
            matched = f"{entry['kind']}, {entry['similarity']:.1%} matched"
            yield f"    {entry['path']}: {entry['expression'] or 'unknown'} ({matched})"
        yield f"  {row['files']:,} files, {row['bytes']:,} bytes, {row['test_files']:,} test files"
        yield "  " + ", ".join(f"{name} {_or_dash(row[name])}" for name in _METRICS)
        if row["url"]:
            yield f"  {row['url']} (says its {row['url_source']})"
        decisions = self._decisions(row["project_id"])
        yield from map(_decision, decisions)
        if all(entry["step"] == "ingest" for entry in decisions):
            yield "  no step dropped it"

    def _file(self, row: Row) -> Iterator[str]:
        yield f"file {row['file_id']}  {row['path']}"
        encoding = f"{row['encoding']}{' (guessed)' if row['guessed_encoding'] else ''}"
        by = f" (by its {row['language_by']})" if row["language_by"] else ""
        yield f"  {row['language']}{by}, {row['size']:,} bytes, {encoding}, project {row['project_id']}"
        decisions = self._decisions(row["file_id"])
        yield from map(_decision, decisions)
        yield from self._spans(
            REDACTIONS, row, lambda r: f"{r['start']}-{r['end']} {r['entity']} -> {r['replacement']}"
        )
        yield from self._spans(
            FINDINGS, row, lambda r: f"line {r['line']} {r['type_id']} {r['rule_id']} ({r['severity']})"
        )
        yield self._end(row, decisions)

    def _spans(self, table: Table, row: Row, words) -> Iterator[str]:  # type: ignore[no-untyped-def]
        for entry in _some(self._ledger(table).where(F.col("file_id") == row["file_id"])):
            yield f"    {table.name}: {words(entry)}"

    def _end(self, row: Row, decisions: list[Row]) -> str:
        # What ingest says of a project is about what could not be read of it; the rest goes on.
        project = [entry for entry in self._decisions(row["project_id"]) if entry["step"] != "ingest"]
        if any(entry["action"] != "edit" for entry in decisions):
            return "  it left there"
        if project:
            return f"  it left with its project:\n{_decision(project[-1])}"
        if row["language"] == OTHER:
            return "  it is no code"
        samples = self._count(FIM_SAMPLES, row)
        return f"  in curated_files: {'yes' if self._count(CURATED_FILES, row) else 'no'}; FIM samples: {samples}"

    def _count(self, table: Table, row: Row) -> int:
        if not self._warehouse.exists(table):
            return 0
        return self._warehouse.read(table).where(F.col("file_id") == row["file_id"]).count()

    def _ledger(self, table: Table) -> DataFrame:
        self._warehouse.create(table)
        return self._warehouse.read(table).where(F.col("run_id").isin(self._runs))

    def _decisions(self, subject_id: str) -> list[Row]:
        rows = self._ledger(DECISIONS).where(F.col("subject_id") == subject_id).collect()
        return sorted(rows, key=lambda row: (_ORDER.index(row["step"]), row["reason"], row["evidence"]))


def _names(id_: Column, path: Column, subject: str) -> Column:
    return (id_ == subject) | (path == subject) | path.endswith(f"/{subject}")


def _some(rows: DataFrame) -> list[Row]:
    return rows.limit(_AT_MOST * 5).collect()


def _decision(row: Row) -> str:
    evidence = json.loads(row["evidence"] or "{}")
    words = ", ".join(f"{key}={value}" for key, value in evidence.items())
    return f"  {row['step']}: {row['action']} {row['reason']}{f' ({words})' if words else ''}"


def _or_dash(value: float | datetime | None) -> str:
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else f"{value:g}"
