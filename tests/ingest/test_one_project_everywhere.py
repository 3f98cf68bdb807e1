"""One project found as a git mirror, a fork, a registry package, an older version and rows of an open data set."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from codemill.annotations import FOUND
from codemill.steps import project_dedup
from codemill.steps.step import Context, Flow
from codemill.tables import FILES, FOUND_BY_STEPS, PROJECTS
from tests.ingest.ingested import Ingested, take_in
from tests.sources.repositories import commit, make
from tests.steps.test_project_dedup import numbered

MANIFEST = b'{"name": "tool", "license": "MIT", "repository": "github:ann/tool"}'


def contents(*names: str) -> dict[str, bytes]:
    return {f"src/{name}.py": f"# the contents of {name}\n".encode() * 5 for name in names}


def package(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))


def write(spark: SparkSession, root: Path) -> list[dict[str, Any]]:
    now, before = numbered("f", 30), numbered("f", 20)
    upstream = make(root / "git/ann/tool", *[contents(*numbered("f", n)) for n in range(10, 31)])
    (root / "git/ann/tool/config").write_text('[remote "origin"]\n\turl = https://github.com/ann/tool.git\n')
    # A fork that shares 15 of its 20 commits and hardly a file: nobody says that it is one.
    fork = make(root / "git/bob/renamed", *[contents(*numbered("f", n)) for n in range(10, 25)])
    tip = fork.references["refs/heads/main"].target
    for number in range(5):
        tip = commit(fork, contents(*numbered(f"new{number}_", 30)), [tip])
    assert upstream.references["refs/heads/main"].target != tip
    make(root / "git/eve/other", {**contents(*numbered("other", 20)), **contents("f1", "f2")})
    package(root / "npm/tool-2.0.0.tgz", {"package.json": MANIFEST, "dist/index.js": b"var tool = 1;\n" * 9})
    package(root / "npm/tool-1.0.0.tgz", {"package.json": MANIFEST, "dist/index.js": b"var tool = 0;\n" * 9})
    rows = [("zoe/copy", path, raw.decode()) for path, raw in contents(*before, "added").items()]
    spark.createDataFrame(rows, "repo string, file string, text string").write.parquet(str(root / "table"))
    (root / "stars.csv").write_text("name,stars\nann/tool,100\nbob/renamed,3\neve/other,50\n")
    assert set(before) < set(now)
    return [
        {"kind": "git", "path": str(root / "git"), "platform": "github", "metadata": {"path": str(root / "stars.csv")}},
        {"kind": "archives", "path": str(root / "npm"), "platform": "npm"},
        {
            "kind": "table",
            "path": str(root / "table"),
            "platform": "data set",
            "columns": {"name": "repo", "path": "file", "content": "text"},
        },
    ]


def judged(done: Ingested) -> dict[str, tuple[str, dict[str, Any]]]:
    """Container -> (reason, evidence), of those that go."""
    run = done.run
    files = run.warehouse.read(FILES).selectExpr("*", f"'{FOUND}' as text_in", "file_id as text_key").drop("content")
    flow = Flow(run.warehouse.read(PROJECTS).drop(*FOUND_BY_STEPS), files)
    rows = project_dedup.judge(Context(run.settings, run.store), flow).where("size(verdicts) > 0").collect()
    return {
        row["container"]: (row["verdicts"][0]["reason"], json.loads(row["verdicts"][0]["evidence"])) for row in rows
    }


def test_one_of_them_stays_and_is_named(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    done = take_in(spark, warehouse_path, write(spark, tmp_path))
    stays = done.projects()["ann/tool"]["project_id"]
    gone = judged(done)
    assert {name: reason for name, (reason, _) in gone.items()} == {
        "bob/renamed": "shared_history",
        "tool-1.0.0.tgz": "same_repository",
        "tool-2.0.0.tgz": "same_repository",
        "zoe/copy": "same_contents",
    }
    assert {evidence["kept"] for _, evidence in gone.values()} == {stays}
    assert gone["bob/renamed"][1]["shared_commits"] == 15
    assert gone["zoe/copy"][1]["contained"] == round(20 / 21, 4)
    assert gone["tool-2.0.0.tgz"][1]["url"] == "github.com/ann/tool"
