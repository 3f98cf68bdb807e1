"""The commands as users start them: exit codes, one clear line, and Spark with processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from codemill.tables import CURATED_FILES, FIM_SAMPLES, Warehouse
from tests.pipeline import corpus


def run(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )


# With it, whatever comes to starting Spark says something else.
NO_JAVA = {"JAVA_HOME": "/nowhere"}


def conf(tmp_path: Path, **more: object) -> str:
    path = tmp_path / "conf.yaml"
    sources = [
        {"kind": "archives", "path": str(tmp_path / "archives"), "platform": "pypi"},
        {"kind": "directory", "path": str(tmp_path / "folders")},
    ]
    path.write_text(json.dumps({"warehouse": str(tmp_path / "warehouse"), "sources": sources, **more}))
    return str(path)


@pytest.mark.parametrize(
    ("more", "overrides", "line"),
    [
        ({}, ["steps.dedup.treshold=1"], "unknown key steps.dedup.treshold"),
        ({"sources": []}, [], "sources is empty"),
        ({}, [], "archives is not a folder"),
        ({}, ["fim.format=gpt"], "fim: found format 'gpt', allowed: "),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    tmp_path: Path, more: dict[str, object], overrides: list[str], line: str
) -> None:
    sets = [part for override in overrides for part in ("--set", override)]
    job = "fim" if any(override.startswith("fim.") for override in overrides) else "ingest"
    done = run(f"jobs/{job}.py", "--conf-file", conf(tmp_path, **more), *sets, env=NO_JAVA)
    assert done.returncode == 2
    assert done.stderr.startswith("codemill: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_empty_folder_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "archives").mkdir()
    (tmp_path / "folders").mkdir()
    done = run("jobs/ingest.py", "--conf-file", conf(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "archives holds no archive" in done.stderr


def test_a_job_before_its_time_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = run("jobs/curate.py", "--conf-file", conf(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "has no table projects; run the job that writes it first" in done.stderr


def test_no_java_is_one_line_and_exit_2(tmp_path: Path) -> None:
    corpus.write(tmp_path)
    done = run("jobs/ingest.py", "--conf-file", conf(tmp_path), env={"JAVA_HOME": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Java 17 or newer is needed" in done.stderr


def test_the_nightly_job_works_with_executors_in_processes_of_their_own(spark: SparkSession, tmp_path: Path) -> None:
    """local-cluster pickles everything and shares no memory, which local mode does not."""
    corpus.write(tmp_path)
    compiled = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}  # as on a cluster
    # Executors that live a minute spend most of it on compiling what they will not need.
    brief = {"spark.executor.memory": "1g", "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1"}
    options = {"master": "local-cluster[2,1,1024]", "conf": {**brief, **compiled}}
    export = {"path": str(tmp_path / "export")}
    path = conf(tmp_path, spark=options, steps={"ranking": {"drop_share": 0}}, export=export)
    done = run("jobs/nightly.py", "--conf-file", path, env={"TMPDIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "ingest" in done.stdout
    warehouse = Warehouse(spark, str(tmp_path / "warehouse"))
    curated, samples = warehouse.read(CURATED_FILES), warehouse.read(FIM_SAMPLES)
    assert "shapes/areas.py" in {row["path"] for row in curated.select("path").collect()}
    assert samples.count() == curated.count() > 0
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    assert (manifest["status"], manifest["samples"]) == ("complete", samples.count())
    assert list(tmp_path.glob("codemill-spark-*.log")) == []
