import pytest

from codemill.core import projects


def test_versions_sort_from_new_to_old() -> None:
    versions = ["1.10", "2.0rc1", "1.9.1", "2.0", None, "not a version"]
    assert sorted(versions, key=projects.version_rank)[:4] == ["2.0", "2.0rc1", "1.10", "1.9.1"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("foo-1.2.3", ("foo", "1.2.3")),
        ("foo-bar@v1.2", ("foo-bar", "v1.2")),
        ("foo-1.0-1", ("foo", "1.0-1")),
        ("cli-12.0.0-alpha.15", ("cli", "12.0.0-alpha.15")),
        ("log4j-1.2-api-2.17.1", ("log4j-1.2-api", "2.17.1")),
        ("log4j-1.2-api", ("log4j-1.2-api", None)),
        ("exercise-1", ("exercise-1", None)),
        ("foo1.2", ("foo1.2", None)),
        ("-1.2", ("-1.2", None)),
        ("", ("", None)),
        ("-1.1" * 100_000 + "x", ("-1.1" * 100_000 + "x", None)),
    ],
)
def test_a_version_at_the_end_of_a_name_is_split_off(name: str, expected: tuple[str, str | None]) -> None:
    assert projects.split_version(name) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Owner/Name",
        "git+https://github.com/owner/name.git",
        "git://github.com/owner/name.git#main",
        "ssh://git@github.com/owner/name",
        "git+ssh://git@github.com:22/owner/name.git",
        "git@github.com:owner/name.git",
        "github:owner/name",
        "scm:git:git@github.com:owner/name.git",
        "scm:git:https://github.com/owner/name.git",
        "https://www.github.com/owner/name/tree/main",
        "https://joe:secret@github.com/owner/name/",
        "https://github.com/owner/name/issues?q=1",
    ],
)
def test_addresses_of_one_repository_are_one(url: str) -> None:
    assert projects.canonical_url(url) == "github.com/owner/name"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://gitlab.com/group/sub/name/-/tree/main/x", "gitlab.com/group/sub/name"),
        ("https://gitlab.example.org/a/b.git", "gitlab.example.org/a/b"),
        ("https://bitbucket.org/a/b/src/master/", "bitbucket.org/a/b"),
        ("https://git.sr.ht/~ann/tool", "git.sr.ht/~ann/tool"),
        ("https://sourceforge.net/projects/Tool/files", "sourceforge.net/tool"),
        ("http://tool.sourceforge.net/", "sourceforge.net/tool"),
        ("https://example.org/scm/team/tool.git", "example.org/scm/team/tool"),
        ("ssh://git@host.example.org/team/tool", "host.example.org/team/tool"),
        ("https://github.com/owner", None),
        ("https://github.com/sponsors/owner", None),
        ("https://pypi.org/project/x/", None),
        ("https://x.readthedocs.io/en/latest", None),
        ("https://www.example.org/a/b", None),
        ("mailto:ann@example.org", None),
        ("/srv/git/a/b.git", None),
        ("C:\\code\\b", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_other_addresses(url: str, expected: str | None) -> None:
    assert projects.canonical_url(url) == expected


@pytest.mark.parametrize(
    ("path", "text", "url", "folder"),
    [
        ("package.json", '{"repository": {"url": "git+https://github.com/a/b.git"}}', "github.com/a/b", None),
        ("package.json", '{"repository": "a/b"}', "github.com/a/b", None),
        (
            "package.json",
            '{"repository": {"url": "github:a/b", "directory": "packages/x"}}',
            "github.com/a/b",
            "packages/x",
        ),
        (
            "package.json",
            '{"homepage": "https://github.com/a/b/tree/main/packages/x#readme"}',
            "github.com/a/b",
            "packages/x",
        ),
        (
            "PKG-INFO",
            "Home-page: https://x.org\nProject-URL: Source, https://github.com/a/b\n\nbody",
            "github.com/a/b",
            None,
        ),
        ("x.egg-info/PKG-INFO", "Home-page: https://github.com/a/b\n", "github.com/a/b", None),
        ("pyproject.toml", '[project.urls]\nRepository = "https://github.com/a/b"', "github.com/a/b", None),
        ("setup.cfg", "[metadata]\nurl = https://github.com/a/b\n", "github.com/a/b", None),
        ("Cargo.toml", '[package]\nrepository = "https://github.com/a/b"', "github.com/a/b", None),
        ("pom.xml", "<project><scm><url>https://github.com/a/b</url></scm></project>", "github.com/a/b", None),
        ("x.gemspec", 's.homepage = "https://github.com/a/b"\n', "github.com/a/b", None),
        ("composer.json", '{"support": {"source": "https://github.com/a/b/tree/v1"}}', "github.com/a/b", None),
        ("DESCRIPTION", "Package: x\nURL: https://x.org,\n  https://github.com/a/b\n", "github.com/a/b", None),
        (
            "x.cabal",
            "source-repository head\n  type: git\n  location: git://github.com/a/b.git\n",
            "github.com/a/b",
            None,
        ),
        (
            "x.nuspec",
            '<package><metadata><repository url="https://github.com/a/b"/></metadata></package>',
            "github.com/a/b",
            None,
        ),
        ("go.mod", "module github.com/a/b/v2\n", "github.com/a/b", None),
        ("deep/down/package.json", '{"repository": "a/b"}', None, None),
        ("package.json", "[1]", None, None),
        ("package.json", "{" * 100_000, None, None),
        ("setup.py", "Home-page: https://github.com/a/b", None, None),
    ],
)
def test_the_home_is_read_from_manifests(path: str, text: str, url: str | None, folder: str | None) -> None:
    assert projects.declared_home(path, text) == (None if url is None else (url, folder))


def test_names_have_one_spelling() -> None:
    assert projects.canonical_name("Foo_.Bar") == "foo-bar"
