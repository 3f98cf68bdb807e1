"""Curation: the steps, one after the other, and the books that are kept about them.

STEPS is the one list that says which steps there are, and in which order.

After each step its judged rows are written to a work folder, which is what makes the step's counts, seconds and ledger
rows facts and not estimates, and keeps query plans short. Rows in must equal rows out plus rows explained.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from codemill.annotations import FOUND
from codemill.errors import RunError
from codemill.ingest import OTHER
from codemill.runs import Run, StepCounts, decisions_of
from codemill.steps import (
    comments,
    dedup,
    file_licenses,
    generated,
    licenses,
    project_dedup,
    ranking,
    sensitive,
    static_analysis,
    syntax,
)
from codemill.steps.step import DROP, EDIT, ERROR, Context, Flow, Step, leaves
from codemill.tables import (
    CURATED_FILES,
    DECISIONS,
    FILES,
    FINDINGS,
    FOUND_BY_STEPS,
    PROJECTS,
    REDACTIONS,
    SIGNAL_FIELDS,
    observing,
    row_count,
    total,
)

STEPS = (
    Step(1, "licenses", "project", licenses.judge),
    Step(1, "licenses", "file", file_licenses.judge),
    Step(1, "project_dedup", "project", project_dedup.judge),
    Step(2, "ranking", "project", ranking.judge),
    Step(3, "generated", "file", generated.judge),
    Step(3, "dedup", "file", dedup.judge),
    Step(4, "sensitive", "file", sensitive.judge, ledger="redactions"),
    Step(5, "comments", "file", comments.judge),
    Step(6, "syntax", "file", syntax.judge),
    Step(7, "static_analysis", "file", static_analysis.judge, ledger="findings"),
)

_LEDGERS = {"redactions": REDACTIONS, "findings": FINDINGS}
_IDS = {"project": "project_id", "file": "file_id"}

Judged = list[tuple[Step, DataFrame]]


class _Size(NamedTuple):
    """What is in the flow."""

    projects: int
    files: int
    bytes: int


def _passed(subject: str) -> dict[str, Column]:
    """Return the totals of a step's judged rows: what it lets through, and how many verdicts there are."""
    stays = ~leaves()
    totals = {f"{subject}s": F.count_if(stays), "verdicts": total(F.size("verdicts"))}
    if subject == "file":
        totals["bytes"] = total(F.when(stays, F.col("size")))
    return totals


def curate(run: Run) -> None:
    """Take `projects` and `files` through all enabled steps to `curated_files` and the ledgers."""
    context = Context(run.settings, run.store)
    judged: Judged = []
    try:
        flow, size = _start(run)
        for step in STEPS:
            if not getattr(run.settings.steps, step.name).enabled:
                continue
            with run.step(step.name, step.subject) as counts:
                counts.projects_in, counts.files_in, counts.bytes_in = size
                name = f"{step.number}-{step.name}-{step.subject}s"
                rows, passed = _keep(run, name, step.judge(context, flow), _passed(step.subject))
                judged.append((step, rows))
                if passed["verdicts"]:
                    _count(step, rows, counts)
                flow = _let_through(step, flow, rows)
                size = _left(step, flow, size, passed)
                counts.projects_out, counts.files_out, counts.bytes_out = size
                _check(step, counts)
        _write_curated(run, flow, size)
        _write_projects(run, judged)
    finally:
        _write_ledgers(run, judged)
        _delete_work(run)


def _start(run: Run) -> tuple[Flow, _Size]:
    """Open the flow: everything that ingest found and that is in a known language."""
    projects = run.warehouse.read(PROJECTS).drop(*FOUND_BY_STEPS)
    files = (
        run.warehouse.read(FILES)
        .where(F.col("language") != OTHER)
        .select("file_id", "project_id", "path", "language", "size", "text_sha256")
        .withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")})
    )
    # Narrow rows of their own, so that no step opens the texts of files that it does not look at.
    projects, found = _keep(run, "0-projects", projects, {"projects": row_count()})
    files, opened = _keep(run, "0-files", files, {"files": row_count(), "bytes": total("size")})
    return Flow(projects, files), _Size(found["projects"], opened["files"], opened["bytes"])


def _left(step: Step, flow: Flow, before: _Size, passed: dict[str, int]) -> _Size:
    """Return the size of the flow behind a step."""
    if step.subject == "file":
        return _Size(before.projects, passed["files"], passed["bytes"])
    if passed["projects"] == before.projects:
        return before
    row = flow.files.agg(row_count(), total("size")).collect()[0]
    return _Size(passed["projects"], row[0], row[1])


def _work_folder(run: Run) -> str:
    return run.warehouse.path(f"_work/{run.run_id}")


def _keep(run: Run, name: str, rows: DataFrame, totals: Mapping[str, Column]) -> tuple[DataFrame, dict[str, int]]:
    """Write rows to the work folder and read them back: computed once, and with a short plan from here on.

    Returns ``totals`` beside the rows, taken while they are written.
    """
    path = f"{_work_folder(run)}/{name}"
    observed = observing(rows, totals)
    observed.rows.write.parquet(path)
    return run.spark.read.schema(rows.schema).parquet(path), observed.totals()


def _let_through(step: Step, flow: Flow, judged: DataFrame) -> Flow:
    kept = judged.where(~leaves()).drop("verdicts", *([step.ledger] if step.ledger else []))
    if step.subject == "file":
        return Flow(flow.projects, kept)
    return Flow(kept, flow.files.join(kept.select("project_id"), "project_id", "left_semi"))


def _count(step: Step, judged: DataFrame, counts: StepCounts) -> None:
    by_verdict = judged.select(F.explode("verdicts").alias("v")).groupBy("v.action", "v.reason").count()
    target = {DROP: counts.dropped, EDIT: counts.edited, ERROR: counts.errors}
    for row in by_verdict.collect():
        target[row["action"]][row["reason"]] = row["count"]


def _check(step: Step, counts: StepCounts) -> None:
    """Compare what came in with what was let through and what was explained, each counted by itself."""
    explained = sum(counts.dropped.values()) + sum(counts.errors.values())
    if step.subject == "project":
        rows_in, rows_out = counts.projects_in, counts.projects_out
        counts.files_of_dropped_projects = counts.files_in - counts.files_out
    else:
        rows_in, rows_out = counts.files_in, counts.files_out
    if rows_in != rows_out + explained:
        raise RunError(
            f"step {step.name} lost count of its {step.subject}s: {rows_in:,} in, {rows_out:,} out, "
            f"{explained:,} explained"
        )


def _write_curated(run: Run, flow: Flow, size: _Size) -> None:
    with run.step("write") as counts:
        files = _licensed(flow)
        missing = [f for f in SIGNAL_FIELDS if f.name not in files.columns]
        files = files.withColumns({f.name: F.lit(None).cast(f.dataType) for f in missing})
        rows = run.store.texts(files).withColumn("signals", F.struct(*[f.name for f in SIGNAL_FIELDS]))
        written = run.warehouse.write(CURATED_FILES, rows, "overwrite", {"files": row_count(), "bytes": total("size")})
        counts.projects_in, counts.files_in, counts.bytes_in = size
        counts.files_out, counts.bytes_out = written["files"], written["bytes"]
        counts.projects_out = flow.files.select("project_id").distinct().count()
        if counts.files_out != counts.files_in:
            raise RunError(f"curated_files has {counts.files_out:,} rows, {counts.files_in:,} files came through")


def _licensed(flow: Flow) -> DataFrame:
    """Give every file the licence that rules it: its own, else its project's."""
    files = flow.files if "license" in flow.files.columns else flow.files.withColumn("license", F.lit(None))
    if "license" not in flow.projects.columns:
        return files
    whole = flow.projects.select("project_id", F.col("license").alias("of_project"))
    return files.join(whole, "project_id").withColumn("license", F.coalesce("license", "of_project"))


def _write_projects(run: Run, judged: Judged) -> None:
    """Give `projects` what the steps found out about them."""
    rows = run.warehouse.read(PROJECTS)
    wanted = set(FOUND_BY_STEPS)
    for step, frame in judged:
        # The step that finds something out has it for all projects, later ones for those that are left.
        found = sorted(wanted & set(frame.columns)) if step.subject == "project" else []
        wanted -= set(found)
        if found:
            rows = rows.drop(*found).join(frame.select("project_id", *found), "project_id", "left")
    run.warehouse.write(PROJECTS, rows, "overwrite")


def _write_ledgers(run: Run, judged: Judged) -> None:
    decisions = []
    for step, rows in judged:
        named = rows.select(F.col(_IDS[step.subject]).alias("subject_id"), F.explode("verdicts").alias("v"))
        decisions.append(decisions_of(run, step.name, step.subject, named.select("subject_id", "v.*")))
        if step.ledger:
            entries = rows.select(F.lit(run.run_id).alias("run_id"), "file_id", F.explode(step.ledger).alias("e"))
            run.warehouse.write(_LEDGERS[step.ledger], entries.select("run_id", "file_id", "e.*"), "append")
    if decisions:
        run.warehouse.write(DECISIONS, reduce(DataFrame.unionByName, decisions), "append")


def _delete_work(run: Run) -> None:
    jvm: Any = run.spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(_work_folder(run))
    recursive = True
    path.getFileSystem(run.spark._jsc.hadoopConfiguration()).delete(path, recursive)
