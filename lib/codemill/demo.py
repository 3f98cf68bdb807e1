"""The demo corpus: real source packages by name and version, downloaded from public registries once and then kept.

``<folder>/pypi/`` and ``<folder>/npm/`` hold the archives, ``<folder>/lock.json`` the SHA-256 of each. Archives are
only ever read: nothing of a package is installed, built, imported or run.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import requests
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pypi_simple import DigestMismatchError, NoSuchProjectError, PyPISimple
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from codemill.errors import RunError, UsageError
from codemill.sources.archives import is_archive

_ATTEMPTS = 3
# After so many packages in a row that the network kept back, the registry's other packages are not waited for.
_GIVE_UP_AFTER = 2
_TIMEOUT_S = 60

# Strict, so that nothing on the list can be taken for an option, an address or a folder.
_NAMES = {
    "pypi": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"),
    "npm": re.compile(r"(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*"),
}
_VERSION = re.compile(r"\d[A-Za-z0-9.+_-]*")


class DemoPackage(BaseModel):
    """One package of the demo corpus. ``kind`` says which archive of a PyPI package is meant; npm has one only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    kind: Literal["sdist", "wheel"] = "sdist"

    @model_validator(mode="after")
    def _plain(self) -> "DemoPackage":
        if not _NAMES[self.registry].fullmatch(self.name):
            raise ValueError(f"name is {self.name!r}, allowed is the name of a package")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"version is {self.version!r}, allowed is one exact version")
        if self.registry == "npm" and self.kind != "sdist":
            raise ValueError("kind is for pypi only")
        return self

    def __str__(self) -> str:
        """Name the package as people do."""
        return f"{self.registry}: {self.name} {self.version}"


class UnavailableError(Exception):
    """A package cannot be had. ``lasting`` when another attempt would end in the same way."""

    def __init__(self, message: str, *, lasting: bool) -> None:
        super().__init__(message)
        self.lasting = lasting


class Registry(Protocol):
    """A source of packages."""

    def download(self, package: DemoPackage, folder: Path) -> Path:
        """Put the archive into the (empty) folder, checked against the registry's digest. Raises UnavailableError."""


def parse_packages(data: object) -> list[DemoPackage]:
    """Parse the list of packages (conf/demo-packages.yaml). Raises UsageError with the first thing wrong with it."""
    try:
        packages = TypeAdapter(list[DemoPackage]).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"demo.packages: {where}: {first['msg']}, found {str(first['input'])[:80]!r}") from None
    if not packages:
        raise UsageError("demo.packages: the list is empty")
    twice = {str(package) for package in packages if packages.count(package) > 1}
    if twice:
        raise UsageError(f"demo.packages: {min(twice)} occurs twice")
    return packages


def fetch(
    packages: Sequence[DemoPackage],
    folder: Path,
    console: Console,
    registries: Mapping[str, Registry] | None = None,
    pause_s: float = 2.0,
) -> list[Path]:
    """Download what is not in the folder yet, remove what is no longer on the list, and return the archives in order.

    A package that cannot be had is left out with a warning. Raises RunError if none can be had, UsageError if the
    folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cache = _Cache(folder)
        cache.forget_others(packages)
        found = _fetch_missing(packages, cache, console, _Patience(registries or _registries(), pause_s))
    except OSError as error:
        raise UsageError(f"demo.folder: {folder} cannot be written ({error.strerror or error})") from None
    if not found:
        raise RunError(f"none of the {len(packages)} demo packages could be fetched; is the network reachable?")
    console.print(f"Demo corpus: {len(found)} of {len(packages)} packages in {folder}", highlight=False, soft_wrap=True)
    return found


def _fetch_missing(
    packages: Sequence[DemoPackage], cache: "_Cache", console: Console, patience: "_Patience"
) -> list[Path]:
    columns = (
        TextColumn("Fetching the demo corpus"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[at]}"),
    )
    found = []
    left_out: dict[str, list[str]] = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(packages), at="")
        for package in packages:
            progress.update(task, at=str(package))
            try:
                found.append(cache.find(package) or cache.add(package, patience.download))
            except UnavailableError as error:
                left_out.setdefault(str(error), []).append(str(package))
            progress.advance(task)
    for reason, names in left_out.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        console.print(f"Left out {', '.join(names[:3])}{more}: {reason}", highlight=False, soft_wrap=True, markup=False)
    return found


class _Cache:
    """Archives below a folder, and the lock that holds their digests. Files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock_file = folder / "lock.json"
        self._lock = self._read_lock()

    def find(self, package: DemoPackage) -> Path | None:
        """Return the archive of a package if it is there and as it was when it was downloaded."""
        entry = self._lock.get(_key(package))
        if entry is None:
            return None
        path = self._folder / package.registry / entry["file"]
        return path if path.is_file() and _sha256(path) == entry["sha256"] else None

    def add(self, package: DemoPackage, download: Callable[[DemoPackage, Path], Path]) -> Path:
        """Download a package beside the archives, then move it among them."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".partial-") as partial:
            fresh = download(package, Path(partial))
            path = self._folder / package.registry / fresh.name
            path.parent.mkdir(exist_ok=True)
            digest = _sha256(fresh)
            fresh.replace(path)
        self._lock[_key(package)] = {"file": path.name, "sha256": digest}
        self._write_lock()
        return path

    def forget_others(self, packages: Sequence[DemoPackage]) -> None:
        """Remove the archives of packages that are not on the list: sources read whatever is in the folder."""
        wanted = {_key(package) for package in packages}
        for key in self._lock.keys() - wanted:
            entry = self._lock.pop(key)
            (self._folder / key.partition(":")[0] / entry["file"]).unlink(missing_ok=True)
            self._write_lock()

    def _read_lock(self) -> dict[str, dict[str, str]]:
        try:
            lock = TypeAdapter(dict[str, dict[str, str]]).validate_json(self._lock_file.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return {key: entry for key, entry in lock.items() if _is_sound(key, entry)}

    def _write_lock(self) -> None:
        fresh = self._lock_file.with_suffix(".partial")
        fresh.write_text(json.dumps(self._lock, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(self._lock_file)


def _is_sound(key: str, entry: Mapping[str, str]) -> bool:
    """Tell whether an entry of the lock names an archive of ours, and none elsewhere on the disk."""
    return key.partition(":")[0] in _NAMES and "sha256" in entry and _is_plain(entry.get("file", ""))


def _is_plain(name: str) -> bool:
    return is_archive(name) and Path(name).name == name


def _key(package: DemoPackage) -> str:
    return f"{package.registry}:{package.name}:{package.version}:{package.kind}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file.read, "sha256").hex()


def _digest(read: Callable[[int], bytes], algorithm: str) -> bytes:
    digest = hashlib.new(algorithm)
    while chunk := read(1 << 20):
        digest.update(chunk)
    return digest.digest()


class _Patience:
    """Tries a few times, and stops trying a registry that cannot be reached."""

    def __init__(self, registries: Mapping[str, Registry], pause_s: float) -> None:
        self._registries = registries
        self._pause_s = pause_s
        self._failures = dict.fromkeys(registries, 0)

    def download(self, package: DemoPackage, folder: Path) -> Path:
        if self._failures[package.registry] >= _GIVE_UP_AFTER:
            raise UnavailableError(f"{package.registry} cannot be reached", lasting=True)
        try:
            path = self._attempt(package, folder, _ATTEMPTS)
        except UnavailableError as error:
            self._failures[package.registry] += not error.lasting
            raise
        self._failures[package.registry] = 0
        return path

    def _attempt(self, package: DemoPackage, folder: Path, attempts: int) -> Path:
        try:
            return self._registries[package.registry].download(package, folder)
        except UnavailableError as error:
            if error.lasting or attempts == 1:
                raise
        time.sleep(self._pause_s)
        return self._attempt(package, folder, attempts - 1)


def _registries() -> dict[str, Registry]:
    return {"pypi": PyPI(PyPISimple(session=_session())), "npm": Npm(shutil.which("npm"))}


def _session() -> requests.Session:
    """Make a session that trusts what pip and Python trust; requests itself knows of REQUESTS_CA_BUNDLE only."""
    session = requests.Session()
    bundle = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    if bundle:
        session.verify = bundle
    return session


class PyPI:
    """The Python package index, through a client of its simple API (PEP 503, PEP 691)."""

    def __init__(self, client: PyPISimple) -> None:
        self._client = client

    def download(self, package: DemoPackage, folder: Path) -> Path:
        """Download one sdist or wheel, and check the SHA-256 that the index states."""
        try:
            return self._download(package, folder)
        except NoSuchProjectError:
            raise UnavailableError("there is no such project", lasting=True) from None
        except DigestMismatchError:
            raise UnavailableError("what came is not what the index says (SHA-256)", lasting=False) from None
        except requests.RequestException as error:
            answer = error.response
            lasting = answer is not None and 400 <= answer.status_code < 500
            what = f"HTTP {answer.status_code}" if answer is not None else type(error).__name__
            raise UnavailableError(what, lasting=lasting) from None
        except ValueError as error:
            raise UnavailableError(f"{type(error).__name__}: {' '.join(str(error).split())}", lasting=True) from None

    def _download(self, package: DemoPackage, folder: Path) -> Path:
        page = self._client.get_project_page(package.name, timeout=_TIMEOUT_S)
        fitting = sorted(
            (
                found
                for found in page.packages
                if found.version == package.version
                and found.package_type == package.kind
                and _is_plain(found.filename)
                and "sha256" in found.digests
            ),
            key=lambda found: found.filename,
        )
        if not fitting:
            raise UnavailableError(f"there is no {package.kind} of version {package.version}", lasting=True)
        path = folder / fitting[0].filename
        self._client.download_package(fitting[0], path, verify=True, timeout=_TIMEOUT_S)
        return path


class Npm:
    """The npm registry, through `npm pack`, which downloads one archive and runs none of its scripts."""

    def __init__(self, executable: str | None) -> None:
        self._executable = executable

    def download(self, package: DemoPackage, folder: Path) -> Path:
        """Download one package; npm checks it against the registry, and the file is checked against npm's word."""
        if self._executable is None:
            raise UnavailableError("npm is not installed", lasting=True)
        answer = self._pack(f"{package.name}@{package.version}", folder)
        if isinstance(answer, dict):
            code = answer.get("error", {}).get("code", "no reason given")
            raise UnavailableError(f"npm: {code}", lasting=code in ("E404", "ETARGET", "E403"))
        archives = [path for path in folder.rglob("*.tgz") if path.is_file()]
        if len(archives) != 1 or not _has_integrity(archives[0], str(answer[0].get("integrity"))):
            raise UnavailableError("what came is not what npm says (integrity)", lasting=False)
        return archives[0]

    def _pack(self, spec: str, folder: Path) -> Any:
        command = [str(self._executable), "pack", spec, "--ignore-scripts", "--json", "--pack-destination", "."]
        try:
            done = subprocess.run(  # noqa: S603 - the name and the version were checked
                command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=3 * _TIMEOUT_S, check=False
            )
            return json.loads(done.stdout)
        except OSError as error:
            raise UnavailableError(f"npm cannot be started ({type(error).__name__})", lasting=True) from None
        except subprocess.TimeoutExpired:
            raise UnavailableError("npm took too long", lasting=False) from None
        except ValueError:
            raise UnavailableError(f"npm ended with {done.returncode} and no answer", lasting=False) from None


def _has_integrity(path: Path, integrity: str) -> bool:
    """Check a file against a subresource integrity (W3C): an algorithm, a dash, a digest in base64."""
    algorithm, _, digest = integrity.partition("-")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return False
    with path.open("rb") as file:
        return base64.b64encode(_digest(file.read, algorithm)).decode() == digest
