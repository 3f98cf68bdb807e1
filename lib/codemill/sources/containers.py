"""What every reader of raw sources yields, obeys and raises."""

from dataclasses import dataclass, field
from typing import Literal

Refusal = Literal[
    "unsafe_path",
    "link",
    "special_file",
    "oversized",
    "encrypted",
    "duplicate_path",
    "unreadable_file",
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

    def __init__(
        self, reason: Literal["unreadable_archive", "truncated_archive", "unreadable_folder", "too_large"], detail: str
    ) -> None:
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


def path_text(raw: bytes) -> str:
    """Make a name a valid Unicode string: what is not UTF-8 is read as Latin-1, as file contents are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
