import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.sources import directory
from codemill.sources.containers import FoundFile, ReadLimits, RefusedFile, UnreadableContainer

LIMITS = ReadLimits(max_file_bytes=1_000, max_files=100, max_total_bytes=100_000)


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def test_projects_are_the_sub_folders(tmp_path: Path):
    write(tmp_path, {"b/x": b"", "a/x": b"", "B/x": b"", ".git/x": b"", "README": b""})
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert directory.projects(tmp_path) == [tmp_path / "B", tmp_path / "a", tmp_path / "b"]


def test_files_come_in_the_byte_order_of_their_paths(tmp_path: Path):
    files = {"a/b.c": b"1", "a.c": b"2", "a-b/c": b"3", "Z": b"4", "é": b"5", "a/b/c": b"6"}
    write(tmp_path, files)
    assert list(directory.read(tmp_path, LIMITS)) == [
        FoundFile("Z", b"4"),
        FoundFile("a-b/c", b"3"),
        FoundFile("a.c", b"2"),
        FoundFile("a/b.c", b"1"),
        FoundFile("a/b/c", b"6"),
        FoundFile("é", b"5"),
    ]


def test_only_version_control_is_skipped(tmp_path: Path):
    write(tmp_path, {".git/config": b"", "sub/.hg/x": b"", ".svn/x": b"", ".github/x": b"", "node_modules/x": b""})
    assert [item.path for item in directory.read(tmp_path, LIMITS)] == [".github/x", "node_modules/x"]


def test_links_are_refused_and_never_followed(tmp_path: Path):
    project = write(tmp_path / "project", {"a": b"a"})
    secret = write(tmp_path / "secret", {"x": b"x"})
    (project / "file").symlink_to(secret / "x")
    (project / "folder").symlink_to(secret, target_is_directory=True)
    (project / "loop").symlink_to(project, target_is_directory=True)
    (project / "nowhere").symlink_to("missing")
    assert list(directory.read(project, LIMITS)) == [
        FoundFile("a", b"a"),
        RefusedFile("file", 0, "link", {"target": str(secret / "x")}),
        RefusedFile("folder", 0, "link", {"target": str(secret)}),
        RefusedFile("loop", 0, "link", {"target": str(project)}),
        RefusedFile("nowhere", 0, "link", {"target": "missing"}),
    ]


def test_special_files_are_refused_without_waiting_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe")
    # A socket's path may have 108 bytes only.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert list(directory.read(tmp_path, LIMITS)) == [
            RefusedFile("pipe", 0, "special_file", {"type": "fifo"}),
            RefusedFile("socket", 0, "special_file", {"type": "socket"}),
        ]


def test_what_cannot_be_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, {"a": b"a", "closed/x": b"x", "secret": b"s"})
    real_open, real_scandir = os.open, os.scandir

    # Permissions do not hold for root, who may run the tests.
    def denied_open(path: bytes, flags: int) -> int:
        if os.path.basename(path) == b"secret":  # noqa: PTH119
            raise PermissionError
        return real_open(path, flags)

    def denied_scandir(path: bytes) -> object:
        if os.path.basename(path) == b"closed":  # noqa: PTH119
            raise PermissionError
        return real_scandir(path)

    monkeypatch.setattr(os, "open", denied_open)
    monkeypatch.setattr(os, "scandir", denied_scandir)
    assert list(directory.read(tmp_path, LIMITS)) == [
        FoundFile("a", b"a"),
        RefusedFile("closed", 0, "unreadable_file", {"detail": "PermissionError"}),
        RefusedFile("secret", 0, "unreadable_file", {"detail": "PermissionError"}),
    ]


def test_oversized_files_are_refused(tmp_path: Path):
    write(tmp_path, {"big": b"x" * 1_001, "just": b"x" * 1_000})
    assert list(directory.read(tmp_path, LIMITS)) == [
        RefusedFile("big", 1_001, "oversized", {"limit": 1_000}),
        FoundFile("just", b"x" * 1_000),
    ]


@pytest.mark.parametrize(
    ("limits", "detail"),
    [
        (ReadLimits(1_000, 2, 100_000), "more than 2 files"),
        (ReadLimits(1_000, 100, 25), "more than 25 bytes"),
    ],
)
def test_folders_over_the_limits(limits: ReadLimits, detail: str, tmp_path: Path):
    write(tmp_path, dict.fromkeys("abcd", b"x" * 10))
    reading = directory.read(tmp_path, limits)
    assert [next(reading).path, next(reading).path] == ["a", "b"]
    with pytest.raises(UnreadableContainer) as caught:
        next(reading)
    assert (caught.value.reason, caught.value.detail) == ("too_large", detail)


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(UnreadableContainer, match="unreadable_folder"):
        list(directory.read(tmp_path / "missing", LIMITS))


def test_two_names_that_read_the_same(tmp_path: Path):
    for name in (b"\xe9", "é".encode()):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(name)
    assert list(directory.read(tmp_path, LIMITS)) == [
        FoundFile("é", "é".encode()),
        RefusedFile("é", 1, "duplicate_path"),
    ]


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..", ".git", ".hg", ".svn")
)


@given(st.dictionaries(NAMES, st.binary(max_size=20), max_size=8))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]):
    root = write(tmp_path_factory.mktemp("project"), {f"d/{name}": data for name, data in files.items()})
    found = [FoundFile(f"d/{name}", data) for name, data in files.items()]
    assert list(directory.read(root, LIMITS)) == sorted(found, key=lambda file: file.path.encode())
