import pytest

from codemill.core import projects


@pytest.mark.parametrize(
    "path", ["tests/a.py", "a/test/b.c", "test_a.py", "pkg/a_test.go", "a.spec.ts", "src/FooTest.java"]
)
def test_tests_are_known_by_their_paths(path: str) -> None:
    assert projects.is_test(path)


@pytest.mark.parametrize("path", ["a.py", "contest/a.py", "latest.js", "attest.go", "src/protest.java"])
def test_other_files_are_no_tests(path: str) -> None:
    assert not projects.is_test(path)


def test_versions_sort_from_new_to_old() -> None:
    versions = ["1.10", "2.0rc1", "1.9.1", "2.0", None, "not a version"]
    assert sorted(versions, key=projects.version_rank)[:4] == ["2.0", "2.0rc1", "1.10", "1.9.1"]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Owner/Name",
        "git+https://github.com/owner/name.git",
        "git://github.com/owner/name.git#main",
        "ssh://git@github.com/owner/name",
        "https://www.github.com/owner/name/tree/main",
    ],
)
def test_addresses_of_one_repository_are_one(url: str) -> None:
    assert projects.canonical_url(url) == "github.com/owner/name"


def test_the_home_is_read_from_manifests() -> None:
    package = '{"repository": {"type": "git", "url": "git+https://github.com/a/b.git"}}'
    assert projects.declared_url("package.json", package) == "github.com/a/b"
    assert projects.declared_url("package.json", '{"repository": "a/b"}') == "github.com/a/b"
    assert projects.declared_url("package.json", '{"homepage": "https://a.org/b"}') == "a.org/b"
    metadata = "Name: x\nHome-page: https://x.org/docs\nProject-URL: Source, https://github.com/a/b\n\nbody"
    assert projects.declared_url("PKG-INFO", metadata) == "github.com/a/b"
    assert projects.declared_url("deep/down/PKG-INFO", metadata) is None
    assert projects.declared_url("package.json", "[1]") is None
    assert projects.declared_url("package.json", "{" * 100_000) is None
    assert projects.declared_url("setup.py", metadata) is None


def test_names_have_one_spelling() -> None:
    assert projects.canonical_name("Foo_.Bar") == "foo-bar"
