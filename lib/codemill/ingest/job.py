"""The job: read every source once, join what is known of the projects, write projects, files and decisions."""

import json
from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.core import projects as core
from codemill.errors import RunError, UsageError
from codemill.ingest import containers, mapped
from codemill.ingest.metadata import join_metadata
from codemill.ingest.rows import OTHER, id_column, id_of
from codemill.runs import Run, StepCounts, decisions_of
from codemill.steps.step import DROP, ERROR
from codemill.tables import DECISIONS, FILES, FOUND_BY_STEPS, PROJECTS, row_count, total
from codemill.vectorized import Series, vectorized

# A project whose licence files cannot be read is known as such by the first of them.
_MAX_UNREAD = 20


@dataclass(frozen=True)
class _Found:
    """All sources together: rows of FOUND_PROJECTS, rows of SCANNED (kept on disk), and what is no archive."""

    projects: DataFrame
    scanned: DataFrame
    strangers: list[str]
    has_tables: bool


def ingest(run: Run) -> None:
    """Read all sources into `projects` and `files`, replacing what was there."""
    found = _open(run)
    with run.step("ingest") as counts:
        scanned = found.scanned.persist(StorageLevel.DISK_ONLY)
        try:
            _write(run, found, mapped.first_of_each(scanned) if found.has_tables else scanned, counts)
        finally:
            scanned.unpersist()


def _open(run: Run) -> _Found:
    """List the containers and open the tables. Raises UsageError for sources that are missing or empty."""
    listed, strangers = containers.list_containers(run.settings)
    tables = [
        (position, source, table)
        for position, source in enumerate(run.settings.sources)
        if source.kind == "table" and (table := mapped.open_table(run, position, source)) is not None
    ]
    if not listed and not tables:
        raise UsageError("sources: none of them holds anything")
    projects = [mapped.found_projects(table, position, source) for position, source, table in tables]
    scanned = [mapped.scan(run, table, source) for _, source, table in tables]
    if listed:
        projects.append(containers.found_projects(run, listed))
        scanned.append(containers.scan(run, listed))
    union = DataFrame.unionByName
    return _Found(reduce(union, projects), reduce(union, scanned), strangers, bool(tables))


def _write(run: Run, found: _Found, scanned: DataFrame, counts: StepCounts) -> None:
    is_code = F.col("language") != OTHER
    written = run.warehouse.write(
        FILES,
        scanned.where("row = 'file'"),
        "overwrite",
        {"files": F.count_if(is_code), "bytes": total(F.when(is_code, F.col("size")))},
    )
    counts.files_out, counts.bytes_out, counts.bytes_in = written["files"], written["bytes"], written["bytes"]
    joined = join_metadata(run, found.projects)
    projects = _projects(run, joined.projects, scanned)
    counts.projects_out = run.warehouse.write(PROJECTS, projects, "overwrite", {"projects": row_count()})["projects"]
    counts.projects_in = counts.projects_out + len(found.strangers)
    ledger = [_of_files(run, scanned), _of_unreadable(run, scanned)]
    if joined.has_metadata:
        ledger.append(_of_faults(run, joined.projects))
    if joined.corrupt:
        ledger.append(_of_corrupt_lines(run, joined.corrupt))
    if found.strangers:
        ledger.append(_of_strangers(run, found.strangers))
    decisions = reduce(DataFrame.unionByName, ledger)
    explained = run.warehouse.write(DECISIONS, decisions, "append", {"rows": row_count()})["rows"]
    _count(decisions, explained, counts)


def _projects(run: Run, joined: DataFrame, scanned: DataFrame) -> DataFrame:
    """Put together what the source, the metadata, the history and the files say of each project."""
    is_file = F.col("row") == "file"
    nearest = F.struct(F.size(F.split("path", "/")).alias("depth"), "path")
    totals = scanned.groupBy("project_id").agg(
        F.count_if(is_file).alias("files"),
        total(F.when(is_file, F.col("size"))).alias("bytes"),
        F.count_if("is_test").alias("test_files"),
        F.min("home").alias("home"),
        F.max(F.col("row") == "unreadable").alias("broken"),
        F.first("facts", ignorenulls=True).alias("facts"),
        F.slice(F.sort_array(F.collect_set(F.when(F.col("unread"), nearest))), 1, _MAX_UNREAD)["path"].alias("unread"),
    )
    none = F.lit(0)
    rows = joined.join(totals, "project_id", "left").where(
        F.coalesce("files", none) + F.when(F.col("broken"), none).otherwise(1) > 0
    )
    addresses = {
        "remote": _canonical_url("facts.remote"),
        "metadata": _canonical_url("told.url"),
        "source": _canonical_url("url"),
        "manifest": F.col("home.url"),
    }
    known = F.filter(
        F.array(*[F.struct(url.alias("url"), F.lit(by).alias("by")) for by, url in addresses.items()]),
        lambda address: address["url"].isNotNull(),
    )
    rows = rows.withColumn("address", F.get(known, 0))
    told = {name: F.coalesce(f"told.{name}", name) for name in ("platform", "stars", "forks")}
    facts = {name: F.col(f"facts.{name}") for name in ("authors", "first_commit", "last_commit", "roots", "history")}
    return rows.select(
        "project_id",
        "name",
        "version",
        "container",
        *[value.alias(name) for name, value in {**told, **facts}.items()],
        F.col("address.url").alias("url"),
        F.col("address.by").alias("url_source"),
        F.when(F.col("address.url") == F.col("home.url"), F.col("home.folder")).alias("url_folder"),
        F.coalesce(_canonical_url("told.fork_of"), "told.fork_of").alias("fork_of"),
        "told.archived",
        "told.watchers",
        F.coalesce("told.license", "platform_license").alias("platform_license"),
        F.col("unread").alias("unread_evidence"),
        # The history itself is exact; a platform may count another branch.
        F.coalesce("facts.commits", "told.commits").alias("commits"),
        *[F.coalesce(name, none).alias(name) for name in ("files", "bytes", "test_files")],
        *[F.lit(None).alias(name) for name in FOUND_BY_STEPS],
        F.lit(run.run_id).alias("snapshot"),
    )


@vectorized(T.StringType())
def _canonical_url(urls: Series) -> Series:
    return urls.map(core.canonical_url, na_action="ignore")


def _of_files(run: Run, scanned: DataFrame) -> DataFrame:
    refused = scanned.where("row = 'refused'").select(
        F.col("file_id").alias("subject_id"), F.lit(DROP).alias("action"), "reason", "evidence"
    )
    unclaimed = scanned.where((F.col("row") == "file") & (F.col("language") == OTHER)).select(
        F.col("file_id").alias("subject_id"),
        F.lit(DROP).alias("action"),
        F.lit("unknown_language").alias("reason"),
        F.to_json(F.struct("path")).alias("evidence"),
    )
    return decisions_of(run, "ingest", "file", refused.unionByName(unclaimed))


def _of_unreadable(run: Run, scanned: DataFrame) -> DataFrame:
    broken = scanned.where("row = 'unreadable'").select(
        F.col("project_id").alias("subject_id"), F.lit(ERROR).alias("action"), "reason", "evidence"
    )
    return decisions_of(run, "ingest", "project", broken)


def _of_faults(run: Run, joined: DataFrame) -> DataFrame:
    """Return what is wrong with the metadata of single projects."""
    kinds = {"bad_metadata": F.col("faults"), "conflicting_metadata": F.col("conflicts")}
    faults = [
        F.when(
            F.size(columns) > 0,
            F.struct(
                F.lit(reason).alias("reason"), F.to_json(F.struct("name", columns.alias("columns"))).alias("evidence")
            ),
        )
        for reason, columns in kinds.items()
    ]
    rows = joined.select("project_id", F.explode(F.array_compact(F.array(*faults))).alias("fault"))
    rows = rows.select(F.col("project_id").alias("subject_id"), F.lit(ERROR).alias("action"), "fault.*")
    return decisions_of(run, "ingest", "project", rows)


def _of_corrupt_lines(run: Run, corrupt: DataFrame) -> DataFrame:
    rows = corrupt.select(
        id_column(F.col("file")).alias("subject_id"),
        F.lit(ERROR).alias("action"),
        F.lit("unreadable_metadata").alias("reason"),
        F.to_json(F.struct("file", "lines")).alias("evidence"),
    )
    return decisions_of(run, "ingest", "project", rows)


def _of_strangers(run: Run, strangers: list[str]) -> DataFrame:
    listed = [(id_of(path), DROP, "not_an_archive", json.dumps({"path": path})) for path in strangers]
    schema = "subject_id string, action string, reason string, evidence string"
    return decisions_of(run, "ingest", "project", run.spark.createDataFrame(listed, schema))


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
