import base64
import hashlib
import io
import json
import stat
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import yaml
from pypi_simple import DigestMismatchError, NoSuchProjectError
from rich.console import Console

from codemill.demo import DemoPackage, Npm, PyPI, UnavailableError, fetch, parse_packages
from codemill.errors import RunError, UsageError

FOO = DemoPackage(registry="pypi", name="foo", version="1.0")
BAR = DemoPackage(registry="pypi", name="bar", version="2.0")
BAZ = DemoPackage(registry="npm", name="@scope/baz", version="3.0.0")


class FakeRegistry:
    """Serves archives made of their own names; fails as it is told to."""

    def __init__(self, failures: dict[str, list[UnavailableError]] | None = None) -> None:
        self.failures = failures or {}
        self.calls: Counter[str] = Counter()

    def download(self, package: DemoPackage, folder: Path) -> Path:
        self.calls[package.name] += 1
        pending = self.failures.get(package.name)
        if pending:
            raise pending.pop(0)
        path = folder / f"{package.name.strip('@').replace('/', '-')}-{package.version}.tar.gz"
        path.write_bytes(package.name.encode())
        return path


def lasting() -> UnavailableError:
    return UnavailableError("there is no such project", lasting=True)


def passing() -> UnavailableError:
    return UnavailableError("ConnectionError", lasting=False)


def run(packages: list[DemoPackage], folder: Path, **registries: FakeRegistry) -> tuple[list[Path], str]:
    out = io.StringIO()
    found = fetch(packages, folder, Console(file=out, width=200), registries, pause_s=0)
    return found, out.getvalue()


# ---- the list


def test_the_list_in_conf_is_sound_and_varied():
    data = yaml.safe_load(Path(__file__).parent.parent.joinpath("conf", "demo-packages.yaml").read_text())
    packages = parse_packages(data)
    assert len(packages) >= 44
    assert {(package.registry, package.kind) for package in packages} == {
        ("pypi", "sdist"), ("pypi", "wheel"), ("npm", "sdist")
    }  # fmt: skip
    versions = Counter((package.registry, package.name) for package in packages)
    assert max(versions.values()) == 2


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"registry": "cran", "name": "a", "version": "1"}, "0.registry"),
        ({"registry": "pypi", "name": "a"}, "0.version"),
        ({"registry": "pypi", "name": "a", "version": 1.0}, "0.version"),
        ({"registry": "pypi", "name": "a", "version": ">=1"}, "allowed is one exact version"),
        ({"registry": "pypi", "name": "../a", "version": "1"}, "allowed is the name of a package"),
        ({"registry": "npm", "name": "--global", "version": "1"}, "allowed is the name of a package"),
        ({"registry": "npm", "name": "git+ssh://x", "version": "1"}, "allowed is the name of a package"),
        ({"registry": "npm", "name": "a", "version": "1", "kind": "wheel"}, "kind is for pypi only"),
        ({"registry": "pypi", "name": "a", "version": "1", "sha": "x"}, "0.sha"),
    ],
)
def test_a_wrong_entry_is_named(entry: dict[str, object], words: str):
    with pytest.raises(UsageError, match=words):
        parse_packages([entry])


@pytest.mark.parametrize("data", [None, {}, [], "pypi", [FOO.model_dump(), FOO.model_dump()]])
def test_a_wrong_list(data: object):
    with pytest.raises(UsageError, match=r"demo\.packages"):
        parse_packages(data)


# ---- fetching


def test_archives_lie_in_a_folder_per_registry(tmp_path: Path):
    found, out = run([FOO, BAZ, BAR], tmp_path, pypi=FakeRegistry(), npm=FakeRegistry())
    assert found == [
        tmp_path / "pypi/foo-1.0.tar.gz",
        tmp_path / "npm/scope-baz-3.0.0.tar.gz",
        tmp_path / "pypi/bar-2.0.tar.gz",
    ]
    assert [path.read_bytes() for path in found] == [b"foo", b"@scope/baz", b"bar"]
    assert out == f"Demo corpus: 3 of 3 packages in {tmp_path}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock.json", "npm", "pypi"]


def test_a_second_call_downloads_nothing(tmp_path: Path):
    first, _ = run([FOO, BAR], tmp_path, pypi=FakeRegistry())
    registry = FakeRegistry()
    assert run([FOO, BAR], tmp_path, pypi=registry)[0] == first
    assert not registry.calls


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b"x"), Path.unlink])
def test_a_harmed_archive_is_fetched_again(harm, tmp_path: Path):
    (path, _), _ = run([FOO, BAR], tmp_path, pypi=FakeRegistry())
    harm(path)
    registry = FakeRegistry()
    run([FOO, BAR], tmp_path, pypi=registry)
    assert registry.calls == {"foo": 1}
    assert path.read_bytes() == b"foo"


@pytest.mark.parametrize(
    "lock", ["", "[]", '{"pypi:foo:1.0:sdist": 1}', '{"pypi:foo:1.0:sdist": {"file": "/etc/x.zip"}}']
)
def test_a_harmed_lock_is_written_anew(lock: str, tmp_path: Path):
    run([FOO], tmp_path, pypi=FakeRegistry())
    (tmp_path / "lock.json").write_text(lock)
    registry = FakeRegistry()
    run([FOO], tmp_path, pypi=registry)
    assert registry.calls == {"foo": 1}
    assert json.loads((tmp_path / "lock.json").read_text()) == {
        "pypi:foo:1.0:sdist": {"file": "foo-1.0.tar.gz", "sha256": hashlib.sha256(b"foo").hexdigest()}
    }


def test_what_is_no_longer_listed_is_removed_and_nothing_else(tmp_path: Path):
    run([FOO, BAR], tmp_path, pypi=FakeRegistry())
    (tmp_path / "pypi" / "mine.zip").write_bytes(b"")
    run([BAR], tmp_path, pypi=FakeRegistry())
    assert sorted(path.name for path in (tmp_path / "pypi").iterdir()) == ["bar-2.0.tar.gz", "mine.zip"]


def test_a_lock_cannot_make_files_elsewhere_vanish(tmp_path: Path):
    folder = tmp_path / "demo"
    run([FOO], folder, pypi=FakeRegistry())
    (tmp_path / "x.zip").write_bytes(b"mine")
    lock = {
        "pypi:bar:1:sdist": {"file": "../../x.zip", "sha256": ""},
        "..:bar:1:sdist": {"file": "x.zip", "sha256": ""},
    }
    (folder / "lock.json").write_text(json.dumps(lock))
    run([FOO], folder, pypi=FakeRegistry())
    assert (tmp_path / "x.zip").exists()


def test_one_package_that_cannot_be_had_is_left_out_with_one_line(tmp_path: Path):
    registry = FakeRegistry({"foo": [lasting()]})
    found, out = run([FOO, BAR], tmp_path, pypi=registry)
    assert [path.name for path in found] == ["bar-2.0.tar.gz"]
    assert out.splitlines() == [
        "Left out pypi: foo 1.0: there is no such project",
        f"Demo corpus: 1 of 2 packages in {tmp_path}",
    ]
    assert registry.calls["foo"] == 1


def test_a_passing_failure_is_tried_three_times(tmp_path: Path):
    registry = FakeRegistry({"foo": [passing(), passing()], "bar": [passing(), passing(), passing()]})
    found, _ = run([FOO, BAR], tmp_path, pypi=registry)
    assert [path.name for path in found] == ["foo-1.0.tar.gz"]
    assert registry.calls == {"foo": 3, "bar": 3}


def test_a_registry_out_of_reach_is_given_up_and_the_other_goes_on(tmp_path: Path):
    many = [DemoPackage(registry="pypi", name=f"p{n}", version="1") for n in range(9)]
    pypi = FakeRegistry({package.name: [passing()] * 9 for package in many})
    found, out = run([*many, BAZ], tmp_path, pypi=pypi, npm=FakeRegistry())
    assert [path.name for path in found] == ["scope-baz-3.0.0.tar.gz"]
    assert pypi.calls == {"p0": 3, "p1": 3}
    assert out.splitlines()[:2] == [
        "Left out pypi: p0 1, pypi: p1 1: ConnectionError",
        "Left out pypi: p2 1, pypi: p3 1, pypi: p4 1 and 4 more: pypi cannot be reached",
    ]


def test_a_registry_that_lacks_packages_is_not_given_up(tmp_path: Path):
    many = [DemoPackage(registry="pypi", name=f"p{n}", version="1") for n in range(5)]
    found, _ = run([*many, FOO], tmp_path, pypi=FakeRegistry({package.name: [lasting()] for package in many}))
    assert [path.name for path in found] == ["foo-1.0.tar.gz"]


def test_nothing_at_all_is_an_error(tmp_path: Path):
    with pytest.raises(RunError, match="none of the 2 demo packages"):
        run([FOO, BAR], tmp_path, pypi=FakeRegistry({"foo": [lasting()], "bar": [lasting()]}))


def test_a_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"demo\.folder"):
        run([FOO], tmp_path / "file", pypi=FakeRegistry())


# ---- PyPI


class FakeClient:
    """The part of PyPISimple that is used."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.packages = [
            self._package("foo-1.0-py3-none-any.whl", "1.0", "wheel"),
            self._package("foo-1.0.zip", "1.0", "sdist"),
            self._package("foo-1.0.tar.gz", "1.0", "sdist"),
            self._package("foo-2.0.tar.gz", "2.0", "sdist"),
            self._package("../foo-3.0.tar.gz", "3.0", "sdist"),
            self._package("foo-4.0.tar.gz", "4.0", "sdist", {}),
        ]

    def get_project_page(self, project: str, timeout: float) -> SimpleNamespace:
        if self._error is not None:
            raise self._error
        return SimpleNamespace(packages=self.packages)

    def download_package(self, pkg: SimpleNamespace, path: Path, *, verify: bool, timeout: float) -> None:
        assert verify
        path.write_bytes(b"data")

    @staticmethod
    def _package(filename: str, version: str, kind: str, digests: dict[str, str] | None = None) -> SimpleNamespace:
        digests = {"sha256": "0"} if digests is None else digests
        return SimpleNamespace(filename=filename, version=version, package_type=kind, digests=digests)


@pytest.mark.parametrize(("kind", "filename"), [("sdist", "foo-1.0.tar.gz"), ("wheel", "foo-1.0-py3-none-any.whl")])
def test_pypi(kind: str, filename: str, tmp_path: Path):
    package = DemoPackage(registry="pypi", name="foo", version="1.0", kind=kind)
    assert PyPI(FakeClient()).download(package, tmp_path) == tmp_path / filename


@pytest.mark.parametrize("version", ["1.1", "3.0", "4.0"])
def test_pypi_without_a_fitting_archive(version: str, tmp_path: Path):
    with pytest.raises(UnavailableError, match=f"there is no sdist of version {version}") as caught:
        PyPI(FakeClient()).download(DemoPackage(registry="pypi", name="foo", version=version), tmp_path)
    assert caught.value.lasting


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(response=response)


@pytest.mark.parametrize(
    ("error", "message", "is_lasting"),
    [
        (NoSuchProjectError("foo", ""), "there is no such project", True),
        (DigestMismatchError(algorithm="sha256", expected_digest="", actual_digest="", url=""), "SHA-256", False),
        (requests.ConnectionError(), "ConnectionError", False),
        (http_error(403), "HTTP 403", True),
        (http_error(503), "HTTP 503", False),
        (ValueError("odd\npage"), "ValueError: odd page", True),
    ],
)
def test_pypi_failures(error: Exception, message: str, is_lasting: bool, tmp_path: Path):
    with pytest.raises(UnavailableError, match=message) as caught:
        PyPI(FakeClient(error)).download(FOO, tmp_path)
    assert caught.value.lasting is is_lasting


# ---- npm


def fake_npm(folder: Path, script: str) -> Npm:
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Npm(str(path))


def test_npm(tmp_path: Path):
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(b"data").digest()).decode()
    npm = fake_npm(
        tmp_path, f"""printf data > a-1.tgz; echo "$@" > ../arguments; echo '[{{"integrity": "{integrity}"}}]'"""
    )
    folder = tmp_path / "partial"
    folder.mkdir()
    assert npm.download(BAZ, folder) == folder / "a-1.tgz"
    assert (
        tmp_path / "arguments"
    ).read_text() == "pack @scope/baz@3.0.0 --ignore-scripts --json --pack-destination .\n"


@pytest.mark.parametrize(
    ("script", "message", "is_lasting"),
    [
        ("""echo '{"error": {"code": "E404"}}'; exit 1""", "npm: E404", True),
        ("""echo '{"error": {"code": "ENOTFOUND"}}'; exit 1""", "npm: ENOTFOUND", False),
        ("exit 3", "npm ended with 3 and no answer", False),
        ("""printf other > a-1.tgz; echo '[{"integrity": "sha512-AAAA"}]'""", "integrity", False),
        ("""printf other > a-1.tgz; echo '[{"integrity": "md5-eV8yArF8trw9S3cdjGyerw=="}]'""", "integrity", False),
        ("""printf other > a-1.tgz; echo '[{}]'""", "integrity", False),
        ("""echo '[{"integrity": "sha512-AAAA"}]'""", "integrity", False),
    ],
)
def test_npm_failures(script: str, message: str, is_lasting: bool, tmp_path: Path):
    folder = tmp_path / "partial"
    folder.mkdir()
    with pytest.raises(UnavailableError, match=message) as caught:
        fake_npm(tmp_path, script).download(BAZ, folder)
    assert caught.value.lasting is is_lasting


def test_npm_that_cannot_be_started(tmp_path: Path):
    with pytest.raises(UnavailableError, match="npm cannot be started"):
        Npm(str(tmp_path / "missing")).download(BAZ, tmp_path)


def test_without_npm_its_packages_are_left_out_with_one_line(tmp_path: Path):
    packages = [BAZ, BAZ.model_copy(update={"version": "4.0.0"}), FOO]
    found, out = run(packages, tmp_path, pypi=FakeRegistry(), npm=Npm(None))
    assert [path.name for path in found] == ["foo-1.0.tar.gz"]
    assert out.splitlines()[0] == "Left out npm: @scope/baz 3.0.0, npm: @scope/baz 4.0.0: npm is not installed"
