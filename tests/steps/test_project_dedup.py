import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from pyspark.sql import SparkSession

from codemill.core import minhash
from codemill.steps import project_dedup
from tests.spark_rows import File, context, flow, verdicts

Projects = Sequence[dict[str, Any]]


def tree(project: str, *names: str, below: str = "") -> list[File]:
    return [(f"{project}:{below}{name}.py", "python", f"# the contents of {name}\n" * 5) for name in names]


def numbered(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def history(*ranges: range) -> dict[str, Any]:
    """The sketch and the length of a history of commits, each of which is a number; it is the same number's hash."""
    numbers = np.concatenate([np.arange(r.start, r.stop, dtype=np.uint64) for r in ranges])
    values = np.sort(minhash.runs(numbers, 1) * np.uint64(0x9E3779B97F4A7C15))
    return {"history": bytearray(minhash.pack(values[:1024])), "commits": len(numbers)}


def gone(spark: SparkSession, root: str, files: list[File], projects: Projects, **conf: object) -> dict[str, str]:
    """Project -> reason, of those that go."""
    work = context(spark, root, project_dedup=conf)
    judged = project_dedup.judge(work, flow(work, files or tree("other", "x"), projects))
    return {id_: reason for id_, ((_, reason),) in verdicts(judged, "project_id").items()}


def test_of_two_versions_the_newer_stays(spark: SparkSession, warehouse_path: str) -> None:
    projects = [
        {"project_id": "old", "name": "Foo_Bar", "version": "1.9"},
        {"project_id": "new", "name": "foo-bar", "version": "1.10"},
        {"project_id": "rest", "name": "foo", "version": "2"},
    ]
    assert gone(spark, warehouse_path, [], projects) == {"old": "other_version"}


def test_folders_of_versions_are_one_project_where_address_or_contents_say_so(
    spark: SparkSession, warehouse_path: str
) -> None:
    home = {"url": "github.com/a/x", "url_source": "manifest"}
    projects = [
        {"project_id": "a", "name": "x-1.9", **home},
        {"project_id": "b", "name": "x-1.10", **home},
        {"project_id": "elsewhere", "name": "x-1.8", "platform": "npm", **home},
        {"project_id": "part", "name": "x-part-1.10", **home},
        {"project_id": "old", "name": "lib-0.9.0"},
        {"project_id": "new", "name": "lib-1.0.0"},
        {"project_id": "namesake", "name": "lib-2.0.0"},
        {"project_id": "week1", "name": "week-1", **home},
        {"project_id": "week2", "name": "week-2", **home},
    ]
    files = tree("old", *"abcdefgh") + tree("new", *"abcd", *numbered("n", 6)) + tree("namesake", *numbered("m", 6))
    assert gone(spark, warehouse_path, files, projects) == {
        "a": "other_version",
        "elsewhere": "other_platform",
        "old": "same_contents",
    }


def test_one_project_on_two_platforms_is_known_by_name_and_home(spark: SparkSession, warehouse_path: str) -> None:
    home = {"name": "x", "url": "github.com/a/x", "url_source": "manifest"}
    projects = [
        {"project_id": "1", "platform": "npm", "version": "1.0", **home},
        {"project_id": "2", "platform": "pypi", "version": "2.0", **home},
        {"project_id": "3", "platform": "crates", "name": "x", "url": "github.com/b/x", "url_source": "manifest"},
        {"project_id": "4", "platform": "npm", "name": "y", "url": "github.com/a/x", "url_source": "manifest"},
    ]
    assert gone(spark, warehouse_path, [], projects) == {"1": "other_platform"}


def test_packages_of_one_repository_in_other_languages_are_not_one(spark: SparkSession, warehouse_path: str) -> None:
    home = {"name": "proto", "url": "github.com/a/proto", "url_source": "manifest"}
    projects = [
        {"project_id": "gem", "platform": "rubygems", "stars": 3, **home},
        {"project_id": "crate", "platform": "crates", "stars": 2, **home},
        {"project_id": "wheel", "platform": "pypi", "stars": 1, **home},
        {"project_id": "data", "platform": "npm", "stars": 0, **home},
    ]
    files = [
        ("gem:a.rb", "ruby", "def ruby\nend\n" * 50),
        ("gem:README.md", "markdown", "the same words\n" * 50),
        ("crate:a.rs", "rust", "fn rust() {}\n" * 50),
        ("crate:build.rb", "ruby", "build\n"),
        ("wheel:a.py", "python", "def python(): ...\n" * 20),
        ("wheel:a.rs", "rust", "fn other() {}\n" * 20),
        ("wheel:README.md", "markdown", "the same words\n" * 50),
        ("data:a.json", "json", "[1, 2, 3]\n" * 20),
    ]
    assert gone(spark, warehouse_path, files, projects) == {"wheel": "other_platform", "data": "other_platform"}


def test_a_repository_stands_for_its_mirror_and_its_package_not_for_a_monorepos(
    spark: SparkSession, warehouse_path: str
) -> None:
    remote = {"url": "github.com/a/tool", "url_source": "remote", "stars": 10}
    declared = {"url": "github.com/a/tool", "url_source": "manifest", "platform": "npm", "stars": 0}
    projects = [
        {
            "project_id": "repository",
            "name": "a/tool",
            "platform": "github",
            "last_commit": datetime(2024, 1, 1),
            **remote,
        },
        {"project_id": "mirror", "name": "mirrors/tool.x", "platform": "disk", **remote, "stars": None},
        {"project_id": "package", "name": "tool", **declared},
        {"project_id": "helper", "name": "tool-helper", **declared},
        {"project_id": "part", "name": "tool-part", **declared},
    ]
    files = tree("repository", *numbered("f", 20)) + tree("part", "f1", "f2", "f3", "f4", below="dist/")
    files += tree("helper", "own1", "own2", "own3", "f1")
    assert gone(spark, warehouse_path, files, projects) == {
        "mirror": "same_repository",
        "package": "same_repository",
        "part": "same_contents",
    }


def test_a_fork_is_known_by_what_is_said_of_it(spark: SparkSession, warehouse_path: str) -> None:
    projects = [
        {"project_id": "up", "name": "ann/tool", "platform": "github", "url": "github.com/ann/tool", "stars": 9},
        {"project_id": "by_url", "name": "bob/tool", "platform": "github", "fork_of": "github.com/ann/tool"},
        {"project_id": "by_name", "name": "cid/other", "platform": "github", "fork_of": "Ann/Tool"},
        {"project_id": "elsewhere", "name": "dan/tool", "platform": "gitlab", "fork_of": "ann/tool"},
        {"project_id": "sibling1", "name": "eve/x", "platform": "github", "fork_of": "github.com/gone/x", "stars": 3},
        {"project_id": "sibling2", "name": "fay/y", "platform": "github", "fork_of": "github.com/gone/x", "stars": 1},
    ]
    expected = {"by_url": "fork", "by_name": "fork", "sibling2": "fork"}
    assert gone(spark, warehouse_path, [], projects) == expected


def test_forks_that_went_separate_ways_are_known_by_their_history(spark: SparkSession, warehouse_path: str) -> None:
    projects = [
        {"project_id": "up", "stars": 9, "roots": ["r"], **history(range(10_000))},
        {"project_id": "far", "stars": 1, "roots": ["r"], **history(range(3_000), range(50_000, 57_000))},
        {"project_id": "small", "stars": 1, "roots": ["r"], **history(range(60), range(60_000, 60_040))},
        {"project_id": "from_template", "stars": 1, "roots": ["r"], **history(range(20), range(70_000, 70_200))},
        {"project_id": "few", "stars": 1, "roots": ["r"], **history(range(5))},
        {"project_id": "shallow", "stars": 1, **history(range(9_000, 10_000))},
        {"project_id": "stranger", "stars": 1, "roots": ["s"], **history(range(80_000, 90_000))},
    ]
    files = [file for project in projects for file in tree(project["project_id"], project["project_id"])]
    assert gone(spark, warehouse_path, files, projects) == {
        "far": "shared_history",
        "small": "shared_history",
        "shallow": "shared_history",
    }


def test_a_copy_under_another_name_is_known_by_its_contents(spark: SparkSession, warehouse_path: str) -> None:
    files = tree("a", *"abcdefgh") + tree("b", *"abcdefxy") + tree("c", "p", "q", "r", "a")
    work = context(spark, warehouse_path)
    judged = project_dedup.judge(
        work, flow(work, files, [{"project_id": "a", "stars": 5}, {"project_id": "b", "stars": 1}])
    )
    assert verdicts(judged, "project_id") == {"b": [("drop", "same_contents")]}
    row = next(row for row in judged.collect() if row["project_id"] == "b")
    evidence = {"kept": "a", "kept_name": "a", "shared_files": 6, "contained": 0.75, "shared_commits": 0}
    assert json.loads(row["verdicts"][0]["evidence"]) == evidence
    assert set(judged.columns) == {*flow(work, files).projects.columns, "verdicts"}


def test_an_older_version_a_tenth_of_the_size_is_seen(spark: SparkSession, warehouse_path: str) -> None:
    files = tree("new", *numbered("f", 400)) + tree("old", *numbered("f", 40), *numbered("removed", 5))
    assert gone(spark, warehouse_path, files, [{"project_id": "new", "stars": 9}]) == {"old": "same_contents"}


def test_a_library_that_others_carry_is_not_a_copy_of_them(spark: SparkSession, warehouse_path: str) -> None:
    library = numbered("lib", 30)
    files = tree("library", *library)
    for name in ("one", "two"):
        files += tree(name, *library, below="vendor/library/") + tree(name, *numbered(f"{name}_own", 40))
    projects = [
        {"project_id": "one", "stars": 100},
        {"project_id": "two", "stars": 50},
        {"project_id": "library", "stars": 1},
    ]
    assert gone(spark, warehouse_path, files, projects) == {}


def test_a_copy_below_another_folder_is_a_copy(spark: SparkSession, warehouse_path: str) -> None:
    files = tree("sdist", *numbered("f", 20), below="src/") + tree("wheel", *numbered("f", 20))
    assert gone(spark, warehouse_path, files, [{"project_id": "sdist", "stars": 2}]) == {"wheel": "same_contents"}


def test_projects_from_one_template_are_not_merged(spark: SparkSession, warehouse_path: str) -> None:
    template = numbered("template", 10)
    files = []
    for name in ("one", "two", "three"):
        files += tree(name, *template) + tree(name, *numbered(name, 12))
    for i in range(6):
        files += tree(f"tiny{i}", *template, f"only{i}")
    # Nine projects have the template: more than eight say nothing.
    assert gone(spark, warehouse_path, files, [], max_file_projects=8) == {}


def test_few_shared_files_and_empty_ones_say_nothing(spark: SparkSession, warehouse_path: str) -> None:
    empty = [(f"{p}:{d}/__init__.py", "python", "") for p in ("a", "b") for d in "xyz"]
    assert gone(spark, warehouse_path, tree("a", "m", "n") + tree("b", "m", "n") + empty, []) == {}


def test_nobody_goes_for_being_like_someone_who_goes(spark: SparkSession, warehouse_path: str) -> None:
    a, b, c = numbered("f", 10), numbered("f", 20)[3:13], numbered("f", 20)[6:16]
    files = tree("a", *a) + tree("b", *b) + tree("c", *c)
    projects = [{"project_id": "a", "stars": 9}, {"project_id": "b", "stars": 5}, {"project_id": "c", "stars": 1}]
    assert gone(spark, warehouse_path, files, projects) == {"b": "same_contents"}


def test_the_priority_is_a_setting(spark: SparkSession, warehouse_path: str) -> None:
    home = {"name": "x", "url": "github.com/a/x", "url_source": "remote"}
    projects = [
        {"project_id": "famous", "stars": 9, "platform": "p", "last_commit": datetime(2020, 1, 1), **home},
        {"project_id": "fresh", "stars": 1, "platform": "p", "last_commit": datetime(2024, 1, 1), **home, "name": "y"},
    ]
    assert gone(spark, warehouse_path, [], projects) == {"fresh": "same_repository"}
    assert gone(spark, warehouse_path, [], projects, priority=["newest"]) == {"famous": "same_repository"}
    assert gone(spark, warehouse_path, [], projects, priority=[]) == {"fresh": "same_repository"}


def test_a_crowd_with_one_address_one_root_and_one_file_makes_few_pairs(
    spark: SparkSession, warehouse_path: str
) -> None:
    projects = [
        {"project_id": f"{i:04}", "name": f"n{i}", "url": "github.com/a/x", "url_source": "remote", "roots": ["r"]}
        for i in range(1_500)
    ]
    files = [file for i in range(0, 1_500, 50) for file in tree(f"{i:04}", "same")]
    result = gone(spark, warehouse_path, files, projects)
    assert len(result) == 1_499
    assert "0000" not in result


def test_the_order_of_the_rows_does_not_matter(spark: SparkSession, warehouse_path: str) -> None:
    files = tree("a", *"abcdefgh") + tree("b", *"abcdefxy") + tree("c", *"abcdefgz") + tree("d", *"tuvwxyz")
    assert gone(spark, warehouse_path, files, []) == gone(spark, warehouse_path, files[::-1], [])
