"""Archives: tar (plain, gz, bz2, xz, zst), zip and what is one of the two under another name.

Sdists, npm packages and crates are tar; wheels, eggs and source jars are zip. An archive is read as a stream: nothing
is extracted to disk and no more than one file is in memory. It is untrusted: names, sizes and types are claims.

Paths are those below the project's root: where all files of an archive share one top folder (``foo-1.2.3/``,
``package/``) it is left out, but never in wheels, eggs and jars, whose paths begin at an import root. Resource forks
of macOS (``._name``, ``__MACOSX/``) do not count. To know, an archive is gone through twice, first for names only.

Of several files with the same path the first one stands, the others are refused.

The tar reader is our own: it needs a tenth of the format, while that of the standard library can, in patch releases
that are still in use, be kept busy for hours or for ever by a prepared header (CVE-2024-6232, CVE-2025-8194).
"""

import bz2
import gzip
import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from packaging.version import InvalidVersion, Version

from codemill.sources.containers import (
    MAX_PATH,
    FoundFile,
    Intake,
    ReadLimits,
    Refusal,
    RefusedFile,
    UnreadableContainer,
    path_text,
    relative_path,
)

_TAR_NAMES = (
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst"),
    ".crate",
)
_IMPORT_ROOTS = (".whl", ".egg", "-sources.jar")
_ZIP_NAMES = (".zip", *_IMPORT_ROOTS)

_SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_EGG_TAGS = re.compile(r"-py\d[\w.-]*$")

# What readers of compressed and zipped data raise, in all the Python releases that are supported, on hostile bytes.
_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, pa.ArrowException, struct.error),
    *(OSError, EOFError, ValueError, RuntimeError, MemoryError, OverflowError, LookupError),
)

_CHUNK = 1 << 16


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is read as an archive."""
    return name.lower().endswith((*_TAR_NAMES, *_ZIP_NAMES))


def name_and_version(filename: str) -> tuple[str, str | None]:
    """Split the file name of an archive into the project's name and its version, None if it has none.

    The version is the longest end, after a dash, that is one to PEP 440 or to Semantic Versioning; failing that,
    what follows the last dash before a digit (``guava-31.1-jre-sources.jar``).
    """
    stem = _stem(filename)
    if filename.lower().endswith(".whl"):
        name, _, rest = stem.partition("-")
        return name, rest.partition("-")[0] or None
    if filename.lower().endswith(".egg"):
        stem = _EGG_TAGS.sub("", stem)
    dashes = [found.start() for found in re.finditer(r"(?<=[^-])-(?=v?\d)", stem)]
    for dash in dashes:
        if _is_version(stem[dash + 1 :]):
            return stem[:dash], stem[dash + 1 :]
    if dashes:
        return stem[: dashes[-1]], stem[dashes[-1] + 1 :]
    return stem, None


def read(path: Path, limits: ReadLimits) -> Iterator[FoundFile | RefusedFile]:
    """Yield the files of an archive in its order, found or refused.

    Raises UnreadableContainer for what is no archive, is damaged, is cut off or is over the limits, after what came
    before the damage. A zip archive is read past damaged members, each refused as `unreadable_file`.
    """
    top = _common_top(path, limits)
    intake = Intake(limits)
    damaged = []
    for member in _members(path, intake):
        if member.is_folder:
            continue
        taken = _take(member, top, intake, limits)
        yield taken
        if isinstance(taken, RefusedFile) and taken.reason == "unreadable_file":
            damaged.append(taken.path)
    if damaged:
        raise UnreadableContainer("unreadable_archive", f"{len(damaged)} unreadable members, the first: {damaged[0]}")


@dataclass(frozen=True)
class _Member:
    """An entry of an archive; ``read`` gives the data, and works until the next member is asked for."""

    name: str
    size: int
    read: Callable[[], bytes]
    is_folder: bool = False
    refusal: Refusal | None = None
    evidence: dict[str, str | int] = field(default_factory=dict)


def _take(member: _Member, top: str, intake: Intake, limits: ReadLimits) -> FoundFile | RefusedFile:
    intake.take_file()
    path = relative_path(member.name)
    if path is None:
        return RefusedFile(member.name[:MAX_PATH].replace("\0", "\\0"), member.size, "unsafe_path")
    path = path.removeprefix(top)
    if member.refusal is not None:
        return RefusedFile(path, member.size, member.refusal, member.evidence)
    if not intake.take_path(path):
        return RefusedFile(path, member.size, "duplicate_path")
    if member.size > limits.max_file_bytes:
        return RefusedFile(path, member.size, "oversized", {"limit": limits.max_file_bytes})
    try:
        return FoundFile(path, member.read())
    except _UnreadableMemberError as error:
        return RefusedFile(path, member.size, "unreadable_file", {"detail": str(error)})


def _common_top(path: Path, limits: ReadLimits) -> str:
    """Return the top folder that all files share, with a slash, or nothing."""
    tops: set[str] = set()
    if path.name.lower().endswith(_IMPORT_ROOTS):
        return ""
    intake = Intake(limits)
    try:
        for member in _members(path, intake):
            if member.is_folder:
                continue
            intake.take_file()
            name = relative_path(member.name)
            if name is None or _is_resource_fork(name):
                continue
            top, slash, _ = name.partition("/")
            tops.add(top + slash)
            if len(tops) > 1 or not slash:
                return ""
    except UnreadableContainer:
        # The second reading comes to the same place, and says so.
        pass
    return next(iter(tops), "")


def _is_resource_fork(path: str) -> bool:
    return path.startswith("__MACOSX/") or path.rpartition("/")[2].startswith("._")


def _members(path: Path, intake: Intake) -> Iterator[_Member]:
    """Yield the members of an archive, whose format its first bytes tell."""
    try:
        with path.open("rb") as file:
            start = file.read(10)
    except OSError as error:
        raise UnreadableContainer("unreadable_archive", f"cannot be opened ({type(error).__name__})") from None
    if not start:
        raise UnreadableContainer("unreadable_archive", "empty file")
    unpack = _unpacker(start)
    if unpack is None and (start.startswith(_ZIP_MAGIC) or path.name.lower().endswith(_ZIP_NAMES)):
        return _zip_members(path, intake)
    return _tar_members(_TarStream((unpack or _plain)(path), intake))


def _stem(filename: str) -> str:
    lower = filename.lower()
    # The longest end first: `.tar.gz` before `.gz` would be.
    for end in sorted((*_TAR_NAMES, *_ZIP_NAMES), key=len, reverse=True):
        if lower.endswith(end):
            return filename[: -len(end)]
    return filename


def _is_version(text: str) -> bool:
    if _SEMANTIC_VERSION.fullmatch(text):
        return True
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


# ---- zip

# One such piece of bzip2 unpacks to 80 MB at most, and the standard library unpacks all it has read.
_DENSE_CHUNK = 1 << 12
# The most that zipfile reads at once is the list of members; a megabyte lists about 10,000.
_MAX_ZIP_INDEX_PER_FILE = 256
_UTF_8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


class _UnreadableMemberError(Exception):
    """A member of a zip archive is damaged, or packed in a way that cannot be read; the others are not concerned."""


class _Capped(io.BufferedReader):
    """A file that refuses to be read in pieces over a limit, which only a forged length asks for."""

    def __init__(self, path: Path, cap: int) -> None:
        super().__init__(io.FileIO(path))
        self._cap = cap

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._cap:
            raise UnreadableContainer("too_large", f"the list of members takes {size} bytes")
        return super().read(-1 if size is None else size)


def _zip_members(path: Path, intake: Intake) -> Iterator[_Member]:
    cap = max(1 << 20, _MAX_ZIP_INDEX_PER_FILE * intake.limits.max_files)
    with _Capped(path, cap) as file:
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            file.seek(0)
            # A zip archive ends with its list of members: what begins like one and lacks it was cut off.
            if file.read(4) == b"PK\x03\x04" and "not a zip file" in str(error):
                raise UnreadableContainer("truncated_archive", "the list of members is missing") from None
            raise UnreadableContainer("unreadable_archive", _words(error)) from None
        with archive:
            for info in archive.infolist():
                yield _zip_member(archive, info, intake)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, intake: Intake) -> _Member:
    name = _zip_name(info)
    read_data = partial(_zip_data, archive, info, intake)
    member = partial(_Member, name, info.file_size, read_data, is_folder=name.endswith("/"))
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return member(refusal="link")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return member(refusal="special_file")
    if info.flag_bits & _ENCRYPTED_FLAG:
        return member(refusal="encrypted")
    return member()


def _zip_name(info: zipfile.ZipInfo) -> str:
    # zipfile cuts names at a NUL, and takes those without the flag for code page 437, where most tools write UTF-8.
    name = info.orig_filename
    if info.flag_bits & _UTF_8_FLAG:
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def _zip_data(archive: zipfile.ZipFile, info: zipfile.ZipInfo, intake: Intake) -> bytes:
    """Read a member; zipfile stops at the size that was declared, and compares the checksum there."""
    intake.take_bytes(info.file_size)
    chunk = _CHUNK if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else _DENSE_CHUNK
    try:
        with archive.open(info) as data:
            return b"".join(iter(partial(data.read, chunk), b""))
    except _DAMAGE as error:
        raise _UnreadableMemberError(_words(error)) from None


# ---- tar

_BLOCK = 512
# Names and attributes that stand before a member; they are read into memory.
_MAX_EXTENSION = 1 << 20
_CHECKSUM_FIELD = slice(148, 156)
_REGULAR, _LINKS, _NO_DATA, _SPARSE = b"\x0007", b"12", b"123456", b"S"
_SPECIAL_NAMES = {b"3": "character device", b"4": "block device", b"6": "fifo", b"S": "sparse file"}


def _unpacker(start: bytes) -> Callable[[Path], BinaryIO] | None:
    """Name what opens compressed data that begins like this, None for what is not compressed."""
    found: Callable[..., Any] | None = None
    if start.startswith(b"\x1f\x8b"):
        found = gzip.open
    elif start.startswith(b"BZh") and start[4:] in (b"1AY&SY", b"\x17rE8P\x90"):
        found = bz2.open
    elif start.startswith(b"\xfd7zXZ"):
        found = lzma.open
    elif start.startswith(b"\x28\xb5\x2f\xfd"):
        found = partial(pa.input_stream, compression="zstd")
    return found


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")


class _TarStream:
    """The unpacked bytes of a tar archive, read forward only and counted."""

    def __init__(self, file: BinaryIO, intake: Intake) -> None:
        self._file = file
        self._intake = intake
        self._at = 0
        self._data_left = 0
        self._padding = 0

    def close(self) -> None:
        self._file.close()

    def header(self) -> bytes | None:
        """Return the next header, past what is left of the last one's data; None at the end of the archive."""
        self.skip(self._data_left + self._padding)
        self._data_left = self._padding = 0
        block = self._read(_BLOCK)
        if not block and self._at:
            return None
        if len(block) < _BLOCK and self._at > _BLOCK:
            raise UnreadableContainer("truncated_archive", f"cut off at byte {self._at}")
        if not block.strip(b"\0") and len(block) == _BLOCK:
            # What follows the end does not count, but only there is the checksum of the compressed data compared.
            while self._read(_CHUNK):
                pass
            return None
        if len(block) < _BLOCK or not _checksum_holds(block):
            what = f"damaged at byte {self._at - _BLOCK}" if self._at > _BLOCK else "not an archive"
            raise UnreadableContainer("unreadable_archive", what)
        return block

    def begin(self, size: int) -> None:
        """Enter the data of a member."""
        self._data_left = size
        self._padding = -size % _BLOCK

    def data(self) -> bytes:
        """Read the data of the member that was begun."""
        size, self._data_left = self._data_left, 0
        return self._exactly(size)

    def extension(self, size: int) -> bytes:
        """Read the data of a header that describes the next member."""
        if size > _MAX_EXTENSION:
            raise UnreadableContainer("unreadable_archive", f"a header of {size} bytes at byte {self._at}")
        return self._exactly(size + -size % _BLOCK)[:size]

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._exactly(min(size, _CHUNK)))

    def _exactly(self, size: int) -> bytes:
        found = self._read(size)
        if len(found) < size:
            raise UnreadableContainer("truncated_archive", f"cut off at byte {self._at}")
        return found

    def _read(self, size: int) -> bytes:
        try:
            found = self._file.read(size)
        except _DAMAGE as error:
            # pyarrow (zstd) says it in words only.
            if isinstance(error, EOFError) or "Truncated" in str(error):
                raise UnreadableContainer("truncated_archive", f"cut off at unpacked byte {self._at}") from None
            raise UnreadableContainer("unreadable_archive", _words(error)) from None
        self._at += len(found)
        self._intake.take_bytes(len(found))
        return found


def _tar_members(stream: _TarStream) -> Iterator[_Member]:
    """Yield the members of a tar archive (POSIX ustar and pax, GNU), as in POSIX.1-2017, pax, "Interchange format"."""
    described: dict[bytes, bytes] = {}
    with closing(stream):
        while (block := stream.header()) is not None:
            kind, size = block[156:157], _number(block[124:136])
            if kind in b"xX":
                described |= _pax_records(stream.extension(size))
            elif kind in b"LK":
                described[b"path" if kind == b"L" else b"linkpath"] = _terminated(stream.extension(size))
            elif kind == b"g":
                stream.begin(size)
            else:
                yield _tar_member(stream, block, described)
                described = {}


def _tar_member(stream: _TarStream, block: bytes, described: dict[bytes, bytes]) -> _Member:
    kind = block[156:157]
    size = _size(block, described)
    if kind == _SPARSE:
        more = block[482]
        while more:
            more = stream.extension(_BLOCK)[504]
    stream.begin(0 if kind in _NO_DATA else size)
    name = path_text(described.get(b"GNU.sparse.name") or described.get(b"path") or _ustar_name(block))
    member = partial(_Member, name, size, stream.data)
    if kind in _LINKS:
        target = described.get(b"linkpath") or _terminated(block[157:257])
        return member(refusal="link", evidence={"target": path_text(target).replace("\0", "\\0")})
    if kind == b"5" or (kind in _REGULAR and name.endswith("/")):
        return member(is_folder=True)
    if any(key.startswith(b"GNU.sparse.") for key in described):
        kind = _SPARSE
    if kind not in _REGULAR:
        what = _SPECIAL_NAMES.get(kind, f"tar type {path_text(kind)}")
        return member(refusal="special_file", evidence={"type": what})
    return member()


def _ustar_name(block: bytes) -> bytes:
    name = _terminated(block[:100])
    # GNU's own format ("ustar  ") keeps times where POSIX keeps the folder.
    prefix = _terminated(block[345:500]) if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _size(block: bytes, described: dict[bytes, bytes]) -> int:
    stated = described.get(b"size")
    if stated is None:
        return _number(block[124:136])
    if not stated.isdigit() or len(stated) > 20:
        raise UnreadableContainer("unreadable_archive", f"a member of {path_text(stated[:20])} bytes")
    return int(stated)


def _number(raw: bytes) -> int:
    """Read a number of a header: octal digits, or binary (GNU) where the first bit is set."""
    if raw[0] == 0x80:
        return int.from_bytes(raw[1:], "big")
    digits = _terminated(raw).strip()
    if digits.strip(b"01234567"):
        raise UnreadableContainer("unreadable_archive", f"a header with the number {path_text(digits)}")
    return int(digits or b"0", 8)


def _terminated(raw: bytes) -> bytes:
    return raw.partition(b"\0")[0]


def _checksum_holds(block: bytes) -> bool:
    """Compare the checksum of a header: the sum of its bytes, which some tools took for signed ones."""
    stored = _terminated(block[_CHECKSUM_FIELD]).strip()
    if not stored or stored.strip(b"01234567"):
        return False
    unsigned = sum(block) - sum(block[_CHECKSUM_FIELD]) + 8 * ord(" ")
    signed = sum(struct.unpack("148b8x356b", block)) + 8 * ord(" ")
    return int(stored, 8) in (unsigned, signed)


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Parse records of the form ``length key=value`` and a line end, the length counting all of it."""
    records = {}
    at = 0
    while at < len(data) and data[at]:
        digits, _, _ = data[at : at + 8].partition(b" ")
        end = at + int(digits) if digits.isdigit() else 0
        if end <= at + len(digits) + 1 or data[end - 1 : end] != b"\n":
            raise UnreadableContainer("unreadable_archive", "a damaged pax header")
        key, _, value = data[at + len(digits) + 1 : end - 1].partition(b"=")
        records[key] = value
        at = end
    return records


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
