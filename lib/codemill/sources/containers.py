"""What every reader of raw sources yields, obeys and raises."""

import re
from dataclasses import dataclass, field
from typing import Literal

# Characters; what Linux allows in bytes.
MAX_PATH = 4096

_ABSOLUTE = re.compile(r"/|[A-Za-z]:")
# Git LFS, specification of pointer files, version 1: fewer than 1,024 bytes, keys in order, version first.
_MAX_POINTER = 1_024
_LFS_POINTER = re.compile(
    rb"version https?://[\w./-]{1,100}/spec/v1\r?\n"
    rb"(?:ext-[^\n]{1,200}\n){0,10}oid sha256:[0-9a-f]{64}\r?\nsize (\d{1,18})\s*"
)

Refusal = Literal[
    "unsafe_path",
    "link",
    "special_file",
    "oversized",
    "encrypted",
    "duplicate_path",
    "unreadable_file",
    "submodule",
    "lfs_pointer",
    "no_project_name",
    "no_content",
]

Failure = Literal[
    "unreadable_archive",
    "truncated_archive",
    "unreadable_folder",
    "unreadable_repository",
    "unsupported_repository",
    "damaged_repository",
    "empty_repository",
    "no_default_branch",
    "ref_loop",
    "too_large",
]


@dataclass(frozen=True)
class FoundFile:
    """A file as it stands in its container: a posix path relative to the project's root, and its bytes."""

    path: str
    raw: bytes


@dataclass(frozen=True)
class RefusedFile:
    """A member that is not read. ``size`` is what the container declares, in bytes; nothing vouches for it.

    ``path`` may be unsafe; it is there to be shown, never to be opened.
    """

    path: str
    size: int
    reason: Refusal
    evidence: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadLimits:
    """How much is read from one container; sizes in bytes, unpacked."""

    max_file_bytes: int
    """Larger files are refused as `oversized`."""
    max_files: int
    """Members, found and refused; with more, the container is `too_large`."""
    max_total_bytes: int
    """Bytes that are unpacked, kept or skipped; with more, the container is `too_large`."""


class UnreadableContainer(Exception):  # noqa: N818 - it is a finding about the container, as the others are about files
    """Why nothing more comes from a container. What was yielded before stands."""

    def __init__(self, reason: Failure, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Intake:
    """What one reading of a container has taken so far; raises UnreadableContainer once it is over the limits."""

    def __init__(self, limits: ReadLimits) -> None:
        self.limits = limits
        self._files = 0
        self._bytes = 0
        self._paths: set[str] = set()

    def take_file(self) -> None:
        """Count one member."""
        self._files += 1
        if self._files > self.limits.max_files:
            raise UnreadableContainer("too_large", f"more than {self.limits.max_files} files")

    def take_bytes(self, n: int) -> None:
        """Count unpacked bytes."""
        self._bytes += n
        if self._bytes > self.limits.max_total_bytes:
            raise UnreadableContainer("too_large", f"more than {self.limits.max_total_bytes} bytes")

    def take_path(self, path: str) -> bool:
        """Tell whether this is the first file with this path: of several, the first one stands."""
        if path in self._paths:
            return False
        self._paths.add(path)
        return True


def lfs_size(raw: bytes) -> int | None:
    """Return the bytes of the file that a Git LFS pointer stands for; None for what is no pointer."""
    if len(raw) >= _MAX_POINTER:
        return None
    found = _LFS_POINTER.fullmatch(raw)
    return int(found[1]) if found else None


def path_text(raw: bytes) -> str:
    """Make a name a valid Unicode string: what is not UTF-8 is read as Latin-1, as file contents are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def relative_path(name: str) -> str | None:
    """Normalise a claimed name to a posix path below the project's root, None if it may lead elsewhere."""
    if not name or len(name) > MAX_PATH or "\0" in name or "\\" in name or _ABSOLUTE.match(name):
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if not parts or ".." in parts else "/".join(parts)
