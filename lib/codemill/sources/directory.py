"""Folders: each sub-folder of a source is a project, each file below it is read in the order of its path.

Links are never followed, wherever they lead. The only thing skipped without a word is what version control keeps for
itself (`.git`, `.hg`, `.svn`).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from codemill.sources.containers import FoundFile, Intake, ReadLimits, RefusedFile, UnreadableContainer, path_text

_VERSION_CONTROL = frozenset({b".git", b".hg", b".svn"})


def projects(root: Path) -> list[Path]:
    """List the project folders below a source, sorted by name; links and the folders of version control are none."""
    with os.scandir(root) as entries:
        names = [
            e.name for e in entries if e.is_dir(follow_symlinks=False) and os.fsencode(e.name) not in _VERSION_CONTROL
        ]
    return [root / name for name in sorted(names, key=os.fsencode)]


def read(path: Path, limits: ReadLimits) -> Iterator[FoundFile | RefusedFile]:
    """Yield the files below a project folder, found or refused, in the byte order of their paths.

    Raises UnreadableContainer when the folder itself cannot be listed or is over the limits.
    """
    intake = Intake(limits)
    try:
        pending = _listing(os.fsencode(path), b"")
    except OSError as error:
        raise UnreadableContainer("unreadable_folder", f"cannot be listed ({type(error).__name__})") from None
    while pending:
        below, entry = pending.pop()
        if entry.is_dir(follow_symlinks=False):
            if entry.name in _VERSION_CONTROL:
                continue
            try:
                pending += _listing(entry.path, below + b"/")
            except OSError as error:
                intake.take_file()
                yield RefusedFile(path_text(below), 0, "unreadable_file", {"detail": type(error).__name__})
        else:
            intake.take_file()
            yield _take(path_text(below), entry, intake)


def _listing(folder: bytes, below: bytes) -> list[tuple[bytes, "os.DirEntry[bytes]"]]:
    """List a folder backwards: the entry that comes first is the first to be popped.

    A folder sorts as if its name ended in a slash, so that the files come out in the byte order of their paths.
    """
    with os.scandir(folder) as entries:
        named = [(below + entry.name, entry) for entry in entries]
    return sorted(
        named, key=lambda pair: pair[0] + (b"/" if pair[1].is_dir(follow_symlinks=False) else b""), reverse=True
    )


def _take(path: str, entry: "os.DirEntry[bytes]", intake: Intake) -> FoundFile | RefusedFile:
    try:
        if entry.is_symlink():
            target = Path(os.fsdecode(entry.path)).readlink()
            return RefusedFile(path, 0, "link", {"target": path_text(os.fsencode(target))})
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return RefusedFile(path, 0, "special_file", {"type": _kind(status.st_mode)})
        if not intake.take_path(path):
            return RefusedFile(path, status.st_size, "duplicate_path")
        return _read(path, entry.path, status.st_size, intake)
    except OSError as error:
        return RefusedFile(path, 0, "unreadable_file", {"detail": type(error).__name__})


def _read(path: str, where: bytes, size: int, intake: Intake) -> FoundFile | RefusedFile:
    limit = intake.limits.max_file_bytes
    if size <= limit:
        # What was a file when it was listed may be a link or a pipe by now; a file may have grown.
        handle = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(limit + 1)
        size = max(size, len(raw))
        if size <= limit:
            intake.take_bytes(len(raw))
            return FoundFile(path, raw)
    return RefusedFile(path, size, "oversized", {"limit": limit})


def _kind(mode: int) -> str:
    names = ((stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "character device"))
    return next((name for holds, name in names if holds(mode)), "block device")
