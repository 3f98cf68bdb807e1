"""Source files that a machine has anyway, because it has the language installed."""

import subprocess
import sysconfig
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from codemill.core import choice

MAX_BYTES = 100_000
_SEED = 0


def files(language: str, wanted: int, scratch: Path) -> list[Path]:
    """Return up to so many files of a language, chosen by the hash of their paths; none where nothing is installed.

    What lies in archives is unpacked below ``scratch``.
    """
    found = _WHERE[language](scratch) if language in _WHERE else iter(())
    by_hash = sorted(found, key=lambda path: choice.unit(_SEED, str(path), "installed"))
    return list(islice(filter(_is_small_text, by_hash), wanted))


def _is_small_text(path: Path) -> bool:
    try:
        return 0 < path.stat().st_size <= MAX_BYTES and bool(path.read_text(encoding="utf-8").strip())
    except (UnicodeDecodeError, OSError):
        return False


def _below(*folders: str | Path, pattern: str) -> Iterator[Path]:
    """Yield plain files, each once, whatever links lead to it."""
    seen = set()
    for path in chain.from_iterable(Path(folder).rglob(pattern) for folder in folders):
        if path.is_file() and not path.is_symlink() and path not in seen:
            seen.add(path)
            yield path


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "/nonexistent"


def _python(_: Path) -> Iterator[Path]:
    return _below(sysconfig.get_path("stdlib"), pattern="*.py")


def _javascript(_: Path) -> Iterator[Path]:
    return _below(_said("npm", "root", "--global"), pattern="*.js")


def _java(scratch: Path) -> Iterator[Path]:
    """Unpack some of the sources of a development kit."""
    for archive in Path("/usr/lib/jvm").glob("*/lib/src.zip"):
        if not archive.exists():
            continue
        with zipfile.ZipFile(archive) as sources:
            names = [name for name in sources.namelist() if name.endswith(".java") and not name.endswith("-info.java")]
            for name in sorted(names, key=lambda name: choice.unit(_SEED, name, "unpack"))[:500]:
                sources.extract(name, scratch)
        break
    return _below(scratch, pattern="*.java")


def _go(_: Path) -> Iterator[Path]:
    return _below(Path(_said("go", "env", "GOROOT")) / "src", pattern="*.go")


def _rust(_: Path) -> Iterator[Path]:
    sources = Path(_said("rustc", "--print", "sysroot")) / "lib/rustlib/src"
    return _below(sources, Path.home() / ".cargo/registry/src", pattern="*.rs")


def _c(_: Path) -> Iterator[Path]:
    libraries = Path("/usr/include").glob("*.h")
    return chain(libraries, _below("/usr/include/linux", "/usr/include/asm-generic", pattern="*.h"))


def _shell(_: Path) -> Iterator[Path]:
    files = _below("/usr/bin", "/usr/sbin", "/usr/lib/git-core", "/usr/share", "/etc", pattern="*")
    return (path for path in files if path.suffix in {"", ".sh"} and _starts_a_shell(path))


def _starts_a_shell(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = file.readline(80)
    except OSError:
        return False
    return first.startswith((b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash", b"#!/usr/bin/bash"))


def _perl(_: Path) -> Iterator[Path]:
    folders = _said("perl", "-e", 'print join "\\n", grep { m{^/} } @INC').split("\n")
    return _below(*folders, pattern="*.pm")


_WHERE: Mapping[str, Callable[[Path], Iterator[Path]]] = {
    "python": _python,
    "javascript": _javascript,
    "java": _java,
    "go": _go,
    "rust": _rust,
    "c": _c,
    "shell": _shell,
    "perl": _perl,
}
