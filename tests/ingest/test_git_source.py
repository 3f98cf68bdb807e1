import io
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from codemill.errors import UsageError
from codemill.explain import explain
from tests.ingest.ingested import take_in
from tests.sources.repositories import make

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


def test_repositories_are_projects_with_a_history(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    root = tmp_path / "mirrors"
    make(root / "ann/one.git", {"a.py": b"a = 1\n"}, {"a.py": b"a = 2\n", "tests/test_a.py": b"b = 1\n"})
    (root / "ann/one.git/config").write_text('[remote "origin"]\n\turl = git@github.com:Ann/One.git\n')
    make(root / "bob/two", {"model.py": POINTER, "b.py": b"b = 1\n"}, bare=False)
    make(root / "bob/empty")
    make(root / "bob/loop", {"x.py": b"1"})
    (root / "bob/loop/refs/heads/main").write_text("ref: refs/heads/main\n")
    done = take_in(spark, warehouse_path, [{"kind": "git", "path": str(root), "platform": "github"}])
    assert sorted(done.projects()) == ["ann/one", "bob/two"]
    one = done.projects()["ann/one"]
    assert (one["commits"], one["authors"], one["test_files"], len(one["roots"])) == (2, 1, 1, 1)
    assert (one["url"], one["url_source"], len(one["history"])) == ("github.com/ann/one", "remote", 16)
    assert (one["last_commit"] - one["first_commit"]).total_seconds() == 1
    assert isinstance(one["first_commit"], datetime)
    assert done.files()["ann/one/a.py"]["content"] == "a = 2\n"
    assert [(subject, action, reason) for subject, action, reason, _ in done.decisions()] == [
        ("file", "drop", "lfs_pointer"),
        ("project", "error", "empty_repository"),
        ("project", "error", "ref_loop"),
    ]


def test_explain_shows_what_is_known_of_a_repository(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    make(tmp_path / "r/ann/one.git", {"a.py": b"a = 1\n"})
    done = take_in(spark, warehouse_path, [{"kind": "git", "path": str(tmp_path / "r"), "host": "github.com"}])
    console = Console(file=io.StringIO(), width=200)
    explain(done.run.warehouse, "ann/one", console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "commits 1, authors 1, first_commit 2017-07-14, last_commit 2017-07-14" in told
    assert "github.com/ann/one (says its source)" in told


def test_a_list_of_repositories(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    make(tmp_path / "x/one.git", {"a.py": b"a = 1\n"})
    make(tmp_path / "x/two.git", {"a.py": b"a = 1\n"})
    lines = tmp_path / "list.txt"
    lines.write_text("x/one.git\n")
    done = take_in(spark, warehouse_path, [{"kind": "git", "path": str(lines), "host": "git.example.org"}])
    assert {name: row["url"] for name, row in done.projects().items()} == {"x/one": "git.example.org/x/one"}
    lines.write_text("x/three.git\n")
    with pytest.raises(UsageError, match=r"sources.0.path: line 1 of list.txt: x/three.git is no repository"):
        take_in(spark, warehouse_path, [{"kind": "git", "path": str(lines)}])


def test_a_licence_too_large_to_read_is_remembered(spark: SparkSession, tmp_path: Path, warehouse_path: str) -> None:
    large = dict.fromkeys(["LICENSE", "a/b/COPYING", "b.py"], b"x" * 200)
    make(tmp_path / "r/big", {**large, "package.json": b'{"license": "MIT"}', "a.py": b"a = 1\n"})
    source = {"kind": "git", "path": str(tmp_path / "r")}
    done = take_in(spark, warehouse_path, [source], ingest={"max_file_bytes": 100})
    assert done.projects()["big"]["unread_evidence"] == ["LICENSE", "a/b/COPYING"]
