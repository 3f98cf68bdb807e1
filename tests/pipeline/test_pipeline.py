"""The whole pipeline on a small corpus, in local mode: what comes out, what is explained, what is never shown."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from rich.console import Console

from codemill import funnel
from codemill.cli import JOBS, wanted_jobs
from codemill.config import Settings
from codemill.errors import UsageError
from codemill.explain import explain
from codemill.progress import Progress
from codemill.runs import Run, running
from codemill.tables import (
    ALL,
    CURATED_FILES,
    DECISIONS,
    FILES,
    FIM_SAMPLES,
    FINDINGS,
    PROJECTS,
    REDACTIONS,
    RUNS,
    Warehouse,
)
from tests.pipeline import corpus


@dataclass
class Done:
    """A finished run of all jobs."""

    settings: Settings
    warehouse: Warehouse
    runs: list[Run]

    def rows(self, table: Any) -> list[dict[str, Any]]:
        return [row.asDict(recursive=True) for row in self.warehouse.read(table).collect()]

    def decisions(self, path: str) -> list[tuple[str, str, str]]:
        """Return (step, action, reason) for one file, refused or not."""
        ids = {row["file_id"] for row in self.rows(FILES) if row["path"] == path}
        return [
            (row["step"], row["action"], row["reason"])
            for row in self.rows(DECISIONS)
            if row["subject_id"] in ids or json.loads(row["evidence"]).get("path") == path
        ]


def settings_for(root: Path, warehouse: Path, **more: Any) -> Settings:
    sources = [
        {"kind": "archives", "path": str(root / "archives"), "platform": "pypi"},
        {"kind": "directory", "path": str(root / "folders"), "platform": "local"},
    ]
    steps = {"ranking": {"drop_share": 0.0}, "comments": {"rate": 1.0}, "dedup": {"min_tokens": 20}}
    return Settings.model_validate({"warehouse": str(warehouse), "sources": sources, "steps": steps, "seed": 3, **more})


def run_all(spark: SparkSession, settings: Settings) -> Done:
    runs = []
    with Progress(Console(file=io.StringIO())) as progress:
        for name in wanted_jobs(settings):
            with running(name, settings, spark, progress) as run:
                JOBS[name](run)
            runs.append(run)
    return Done(settings, Warehouse(spark, settings.warehouse), runs)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    corpus.write(root)
    return root


@contextmanager
def partitions(spark: SparkSession, n: int) -> Iterator[None]:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", str(n))
    yield
    spark.conf.set("spark.sql.shuffle.partitions", str(before))


@pytest.fixture(scope="module")
def done(spark: SparkSession, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    with partitions(spark, 1):
        return run_all(spark, settings_for(root, tmp_path_factory.mktemp("tables")))


def test_every_table_is_delta_and_the_data_is_partitioned_by_language(done: Done) -> None:
    for table in ALL:
        assert (Path(done.settings.warehouse) / table.name / "_delta_log").is_dir()
    for table in (FILES, CURATED_FILES, FIM_SAMPLES):
        assert (Path(done.settings.warehouse) / table.name / "language=python").is_dir()


@pytest.mark.parametrize(
    ("path", "decision"),
    [
        ("shapes/zeros.py", ("ingest", "drop", "binary")),
        ("shapes/logo.png", ("ingest", "drop", "binary")),
        ("shapes/long.js", ("ingest", "drop", "oversized")),
        ("notes", ("ingest", "drop", "unknown_language")),
        ("../../outside.py", ("ingest", "drop", "unsafe_path")),
        ("/etc/evil.py", ("ingest", "drop", "unsafe_path")),
        ("src/passwd.ts", ("ingest", "drop", "link")),
        ("pypi/README.txt", ("ingest", "drop", "not_an_archive")),
        ("shapes/empty.py", ("generated", "drop", "empty")),
        ("shapes/shapes.pb.go", ("generated", "drop", "generated_marker")),
        ("shapes/copy.py", ("dedup", "drop", "exact_duplicate")),
        ("shapes/near.py", ("dedup", "drop", "near_duplicate")),
        ("shapes/mail.py", ("sensitive", "edit", "redacted")),
        ("shapes/store.py", ("comments", "edit", "commented_out_code")),
        ("shapes/broken.py", ("syntax", "drop", "syntax_error")),
        ("shapes/account.py", ("static_analysis", "drop", "finding")),
    ],
)
def test_what_goes_or_is_edited_has_a_row(done: Done, path: str, decision: tuple[str, str, str]) -> None:
    assert decision in done.decisions(path)


def test_projects_go_with_a_reason_and_broken_archives_have_a_row(done: Done) -> None:
    containers = {row["project_id"]: row["container"] for row in done.rows(PROJECTS)}
    reasons = {
        containers.get(row["subject_id"], json.loads(row["evidence"]).get("container")): row["reason"]
        for row in done.rows(DECISIONS)
        if row["subject"] == "project"
    }
    assert {key: value for key, value in reasons.items() if key} == {
        "copyleft-1.0.tar.gz": "license_strong_copyleft",
        "bare-1.0.tar.gz": "no_license",
        "shapes-1.0.tar.gz": "other_version",
        "void": "no_license",
        "cut-1.0.tar.gz": "truncated_archive",
        "noise-1.0.zip": "unreadable_archive",
    }


def test_good_files_come_through_whole(done: Done) -> None:
    curated = {row["path"]: row for row in done.rows(CURATED_FILES)}
    assert curated["shapes/areas.py"]["content"] == corpus.GOOD
    assert curated["shapes/areas.py"]["license"] == "MIT"
    assert curated["shapes/areas.py"]["signals"]["functions"] == 2
    assert curated["good.js"]["content"] == corpus.CLOCK
    assert curated["shapes/latin.py"]["content"] == corpus.LATIN
    assert "zipped.py" in curated
    assert "src/sum.ts" in curated


def test_commented_out_code_is_deleted_and_the_rest_kept(done: Done) -> None:
    content = next(row["content"] for row in done.rows(CURATED_FILES) if row["path"] == "shapes/store.py")
    assert "load_all" not in content
    assert content.startswith("import json") and content.endswith("json.dump(value, file)\n")


def test_nothing_sensitive_is_in_any_table_but_files(done: Done) -> None:
    for table in ALL:
        if table is FILES:
            continue
        text = json.dumps(done.rows(table), default=str)
        assert corpus.SECRET not in text, table.name
        assert corpus.MAIL not in text, table.name
    for folder in Path(done.settings.warehouse).glob("annotations_sensitive"):
        rows = done.warehouse.spark.read.format("delta").load(str(folder)).collect()
        assert corpus.SECRET not in str(rows)
    entities = Counter(row["entity"] for row in done.rows(REDACTIONS))
    assert len(entities) >= 3
    original = corpus.SENSITIVE
    spans = {original[row["start"] : row["end"]] for row in done.rows(REDACTIONS) if row["end"] <= len(original)}
    assert corpus.SECRET in spans


def test_findings_name_type_rule_and_line(done: Done) -> None:
    finding = next(row for row in done.rows(FINDINGS) if row["severity"] == "high")
    assert finding["type_id"].startswith("BUG-")
    assert corpus.BUGGY.splitlines()[finding["line"] - 1].strip() in (
        "def __init__(self, owner):",
        "return self.balance",
    )


def test_samples_put_together_are_the_document(done: Done) -> None:
    contents = {row["file_id"]: row["content"] for row in done.rows(CURATED_FILES)}
    samples = done.rows(FIM_SAMPLES)
    assert {row["file_id"] for row in samples} == set(contents)
    for row in samples:
        assert row["prefix"] + row["middle"] + row["suffix"] == contents[row["file_id"]]
        assert row["order"] in ("psm", "spm", "")


def test_the_books_balance(done: Done) -> None:
    ingest, curate, fim = (run.counts for run in done.runs)
    assert ingest[0].files_in == ingest[0].files_out + sum(
        n for reason, n in ingest[0].dropped.items() if reason != "not_an_archive"
    )
    for before, after in zip([ingest[0], *curate], [*curate, *fim], strict=False):
        assert (before.files_out, before.bytes_out) == (after.files_in, after.bytes_in)
    for step in curate:
        explained = sum(step.dropped.values()) + sum(step.errors.values())
        rows = (
            (step.projects_in, step.projects_out)
            if step.subject == "project"
            else (
                step.files_in,
                step.files_out,
            )
        )
        assert step.step == "write" or rows[0] == rows[1] + explained


def test_runs_hold_the_funnel_and_the_terminal_shows_it(done: Done) -> None:
    rows = {row["job"]: row for row in done.rows(RUNS)}
    assert {row["status"] for row in rows.values()} == {"succeeded"}
    counts = {step["step"]: step for step in rows["curate"]["counts"]}
    assert counts["syntax"]["dropped"] == {"syntax_error": 1}
    assert rows["curate"]["conf"] == done.settings.fingerprint()
    console = Console(file=io.StringIO(), width=160)
    funnel.show(console, "curate", done.runs[1].counts)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for step in counts:
        assert step in text
    assert "dropped syntax_error" in text


def story(done: Done, subject: str) -> str:
    console = Console(file=io.StringIO(), width=200)
    explain(done.warehouse, subject, console)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_explain_tells_the_story_of_a_file_and_a_project(done: Done) -> None:
    assert "dedup: drop near_duplicate" in story(done, "shapes/near.py")
    assert "it left there" in story(done, "near.py")
    kept = story(done, "shapes/mail.py")
    assert "sensitive: edit redacted" in kept
    assert "in curated_files: yes; FIM samples: 1" in kept
    assert corpus.SECRET not in kept
    told = story(done, "copyleft")
    assert "licenses: drop license_strong_copyleft" in told
    assert "COPYING: GPL-3.0-only (license_text, 100.0% matched)" in told
    assert "it left with its project" in story(done, "bare.py")
    assert "ingest: drop oversized" in story(done, "shapes/long.js")
    assert "ingest: error truncated_archive" in story(done, "cut-1.0.tar.gz")
    with pytest.raises(UsageError, match="no project, file or refused file"):
        story(done, "nowhere.py")


def table(done: Done, which: Any) -> list[str]:
    return sorted(json.dumps(row, default=str) for row in done.rows(which))


def test_a_second_run_annotates_nothing_and_gives_the_same(spark: SparkSession, done: Done) -> None:
    before = {which.name: table(done, which) for which in (CURATED_FILES, FIM_SAMPLES)}
    again = run_all(spark, done.settings)
    steps = [step for run in again.runs for step in run.counts]
    assert sum(step.annotations_computed for step in steps) == 0
    assert sum(step.annotations_reused for step in steps) > 50
    assert {which.name: table(again, which) for which in (CURATED_FILES, FIM_SAMPLES)} == before
    console = Console(file=io.StringIO(), width=160)
    funnel.show(console, "curate", again.runs[1].counts)
    assert "none was computed again" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_result_is_the_same_in_one_partition_and_in_seven(
    spark: SparkSession, done: Done, root: Path, tmp_path: Path
) -> None:
    with partitions(spark, 7):
        other = run_all(spark, settings_for(root, tmp_path))
    for which in (CURATED_FILES, FIM_SAMPLES):
        assert table(other, which) == table(done, which)
    assert ledger(other.warehouse.read(DECISIONS)) == ledger(done.warehouse.read(DECISIONS).where(_first_runs(done)))


def _first_runs(done: Done) -> str:
    return " or ".join(f"run_id = '{run.run_id}'" for run in done.runs)


def ledger(rows: DataFrame) -> list[str]:
    return sorted(json.dumps(row.asDict()) for row in rows.drop("run_id").collect())
