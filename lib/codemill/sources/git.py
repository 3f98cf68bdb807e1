"""Git repositories, bare or with a work tree: the files at the tip of the default branch, and what the history says.

A repository is data. Objects are read from the packs (by libgit2) and loose files of its own objects folder, each
checked against its hash; references and the address of the remote are read by the few lines below. A repository is
never opened as one, so configuration, includes, hooks, filters, attributes, alternates, replacements, grafts and links
out of it have nobody to follow them, and nothing asks who owns it.

The default branch is what HEAD names; where that is not there, the remote's HEAD, `main`, `master`, the only branch.
"""

import hashlib
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pygit2
from pygit2.enums import ObjectType, Option

from codemill.sources.containers import (
    MAX_PATH,
    FoundFile,
    Intake,
    ReadLimits,
    RefusedFile,
    UnreadableContainer,
    path_text,
    relative_path,
)

SKETCH = 1_024
MAX_ROOTS = 32

# Commits and trees are small; what is larger was made to be a burden.
_MAX_COMMIT = 1 << 20
_MAX_TREE = 64 << 20
_MAX_REFS = 64 << 20
_MAX_LINKS = 5
_FROM, _TO = (
    datetime(1970, 1, 1, tzinfo=timezone.utc).timestamp(),
    datetime(2100, 1, 1, tzinfo=timezone.utc).timestamp(),
)

# Bytes in which the header of a loose object surely ends; and the compressed ones that it takes to get so far, of which
# the tables of the compression may be hundreds.
_HEADER = 64
_COMPRESSED_HEADER = 4_096
_LOOSE = re.compile(rb"(commit|tree|blob|tag) (\d{1,18})\0")
_KINDS = {b"commit": ObjectType.COMMIT, b"tree": ObjectType.TREE, b"blob": ObjectType.BLOB, b"tag": ObjectType.TAG}
_OID = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECTION = re.compile(r'\[[ \t]*([A-Za-z0-9.-]+)(?:[ \t]+"([^"\n]*)")?[ \t]*\]')
_SETTING = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9-]*)[ \t]*=[ \t]*(.*)")
_CREDENTIALS = re.compile(r"//[^/@]*@")


@dataclass(frozen=True)
class RepositoryFacts:
    """What a repository says of itself.

    ``tip``, ``branch``: the commit that was read, and the branch that named it (None when HEAD is detached).
    ``commits``: how many can be reached from the tip. ``authors``: how many distinct e-mail addresses wrote them.
    ``first_commit``, ``last_commit``: by the committers' clocks, None outside 1970 to 2100. ``roots``: ids of commits
    without parents, at most 32, sorted. ``history``: the 1,024 smallest values of the first 8 bytes of the commits'
    ids, sorted, little-endian: all of them when there are no more. ``shallow``: the history was cut when the repository
    was cloned. ``remote_url``: of `origin`, else of the first remote, without credentials.
    """

    tip: str
    branch: str | None
    commits: int
    authors: int
    first_commit: datetime | None
    last_commit: datetime | None
    roots: tuple[str, ...]
    history: bytes
    shallow: bool
    remote_url: str | None


def repositories(root: Path) -> list[Path]:
    """List the repositories below a folder in the byte order of their paths, or those that a file lists.

    Links are not followed, and nothing is looked for inside a repository. In a list, one path a line, relative to the
    list's own folder; blank lines and lines that begin with # do not count. Raises ValueError for a line that names no
    repository.
    """
    if root.is_file():
        return _listed(root)
    found: list[Path] = []
    pending = [root]
    while pending:
        folder = pending.pop()
        if _looks_like_one(folder):
            found.append(folder)
            continue
        with os.scandir(folder) as entries:
            pending += [folder / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(found, key=os.fsencode)


def _listed(file: Path) -> list[Path]:
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()]
    found = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        path = file.parent / line
        if not _looks_like_one(path):
            raise ValueError(f"line {number} of {file.name}: {line} is no repository")
        found.append(path)
    return found


def _looks_like_one(folder: Path) -> bool:
    return os.path.lexists(folder / ".git") or (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").exists()
    )


def name_of(root: Path, path: Path) -> str:
    """Return the name of a repository that ``repositories(root)`` lists: `owner/name`, without `.git`.

    In a list, the last two parts of the path.
    """
    parts = path.parts[-2:] if root.is_file() else path.relative_to(root).parts or path.parts[-1:]
    return "/".join(parts).removesuffix(".git")


def read(path: Path, limits: ReadLimits) -> Iterator[RepositoryFacts | FoundFile | RefusedFile]:
    """Yield what the history says, then the files at the tip of the default branch, in the byte order of their paths.

    Raises UnreadableContainer for what is no repository, has no commit, names no branch, is damaged or is over the
    limits; in the last two cases after what could be read.
    """
    try:
        yield from _read(path, limits)
    except OSError as error:
        raise UnreadableContainer("unreadable_repository", type(error).__name__) from None


def _read(path: Path, limits: ReadLimits) -> Iterator[RepositoryFacts | FoundFile | RefusedFile]:
    folder = _folder(path)
    objects = _Objects(folder / "objects")
    branch, tip = _default_branch(folder)
    tip = objects.commit_of(tip)
    yield _facts(folder, objects, branch, tip)
    yield from _files(objects, tip, Intake(limits))
    if objects.missing:
        hint = "; its alternates are not followed" if (folder / "objects/info/alternates").exists() else ""
        raise UnreadableContainer("damaged_repository", f"{objects.missing} objects cannot be read{hint}")


def _folder(path: Path) -> Path:
    """Return where the repository's own data is; nothing of it may be a link to somewhere else."""
    inside = path / ".git"
    folder = inside if os.path.lexists(inside) else path
    for part in (folder, folder / "objects"):
        if part.is_symlink() or not part.is_dir():
            raise UnreadableContainer("unsupported_repository", f"{part.name} is no folder of its own")
    if (folder / "reftable").is_dir():
        raise UnreadableContainer("unsupported_repository", "its references are a reftable")
    return folder


class _Objects:
    """The objects of one repository, by id; ``missing`` counts those that were wanted and could not be read."""

    def __init__(self, folder: Path) -> None:
        _refuse_links(folder)
        pygit2.option(Option.ENABLE_CACHING, False)  # noqa: FBT003 - the library's own signature
        self._folder = folder
        self._packs = pygit2.Odb()
        self._packs.add_backend(pygit2.OdbBackendPack(str(folder)), 1)
        self.missing = 0

    def size(self, oid: str) -> int | None:
        """Return the bytes of an object, without reading it; None for what cannot be read."""
        header = self._header(oid)
        if header is None:
            self.missing += 1
            return None
        return header[1]

    def read(self, oid: str, kind: ObjectType, limit: int) -> bytes | None:
        """Return an object; None for one that cannot be read, is of another kind or is larger than ``limit`` bytes."""
        header = self._header(oid)
        if header is not None and header[0] == kind and header[1] <= limit:
            raw = self._packed(oid) if self._is_packed(oid) else _read_loose(self._loose(oid), oid, header[1])
            if raw is not None:
                return raw
        self.missing += 1
        return None

    def commit_of(self, oid: str) -> str:
        """Return the commit that an id means: itself, or what an annotated tag points to."""
        for _ in range(_MAX_LINKS):
            header = self._header(oid)
            if header is None or header[0] != ObjectType.TAG:
                break
            tag = self.read(oid, ObjectType.TAG, _MAX_COMMIT) or b""
            oid = tag.partition(b"\n")[0].removeprefix(b"object ").decode("latin-1")
        if header is None or header[0] != ObjectType.COMMIT:
            raise UnreadableContainer("damaged_repository", f"its tip {oid[:40]} cannot be read")
        return oid

    def _header(self, oid: str) -> tuple[ObjectType, int] | None:
        """Return what an object is, and its bytes."""
        if not _OID.fullmatch(oid):
            return None
        if not self._is_packed(oid):
            return _loose_header(self._loose(oid))
        try:
            kind, size = self._packs.read_header(oid)
        except (pygit2.GitError, KeyError, ValueError):
            return None
        return ObjectType(kind), int(size)

    def _is_packed(self, oid: str) -> bool:
        return oid in self._packs

    def _packed(self, oid: str) -> bytes | None:
        try:
            return bytes(self._packs.read(oid)[1])
        except (pygit2.GitError, KeyError, ValueError):
            return None

    def _loose(self, oid: str) -> Path:
        return self._folder / oid[:2] / oid[2:]


def _loose_header(path: Path) -> tuple[ObjectType, int] | None:
    # The library reads loose objects too, but some that were cut off it reads for ever.
    try:
        with path.open("rb") as file:
            head = zlib.decompressobj().decompress(file.read(_COMPRESSED_HEADER), _HEADER)
    except (OSError, zlib.error):
        return None
    found = _LOOSE.match(head)
    return (_KINDS[found[1]], int(found[2])) if found else None


def _read_loose(path: Path, oid: str, size: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            stream = zlib.decompressobj()
            whole = stream.decompress(file.read(2 * size + _COMPRESSED_HEADER), size + _HEADER)
    except (OSError, zlib.error):
        return None
    raw = whole.partition(b"\0")[2]
    return raw if len(raw) == size and hashlib.sha1(whole, usedforsecurity=False).hexdigest() == oid else None


def _refuse_links(folder: Path) -> None:
    """Raise UnreadableContainer when an objects folder reaches out of itself by links."""
    for where, folders, files in os.walk(folder):
        linked = [name for name in (*folders, *files) if (Path(where) / name).is_symlink()]
        if linked:
            raise UnreadableContainer("unsupported_repository", f"objects/.../{linked[0]} is a link")


def _default_branch(folder: Path) -> tuple[str | None, str]:
    """Return the branch that is read and its commit's id. Raises UnreadableContainer when there is none."""
    references = _packed(folder)
    head = _text(folder / "HEAD", MAX_PATH).strip()
    if not head.startswith("ref:"):
        if _SHA256.fullmatch(head):
            raise UnreadableContainer("unsupported_repository", "its objects have SHA-256 ids")
        if _OID.fullmatch(head):
            return None, head
    branches = sorted({*(name for name in references if name.startswith("refs/heads/")), *_loose_heads(folder)})
    named = head.removeprefix("ref:").strip() if head.startswith("ref:") else ""
    wanted = [named, "refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master"]
    for name in [*wanted, *(branches if len(branches) == 1 else [])]:
        oid = _resolve(folder, name, references)
        if oid is not None:
            return name.removeprefix("refs/heads/"), oid
    if not branches and not references:
        raise UnreadableContainer("empty_repository", "it has no branch")
    raise UnreadableContainer("no_default_branch", f"HEAD says {head[:100]!r}; there are {len(branches)} branches")


def _resolve(folder: Path, name: str, packed: dict[str, str]) -> str | None:
    """Follow a reference to an id, None where it ends at nothing."""
    for _ in range(_MAX_LINKS):
        if not name.startswith("refs/") or relative_path(name) != name:
            return None
        value = _text(folder / name, MAX_PATH).strip() or packed.get(name, "")
        if _SHA256.fullmatch(value):
            raise UnreadableContainer("unsupported_repository", "its objects have SHA-256 ids")
        if not value.startswith("ref:"):
            return value if _OID.fullmatch(value) else None
        name = value.removeprefix("ref:").strip()
    raise UnreadableContainer("ref_loop", f"{name} leads to no commit in {_MAX_LINKS} steps")


def _packed(folder: Path) -> dict[str, str]:
    lines = _text(folder / "packed-refs", _MAX_REFS).splitlines()
    pairs = (line.split(" ", 1) for line in lines if line[:1] not in ("#", "^"))
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2 and _OID.fullmatch(pair[0])}


def _loose_heads(folder: Path) -> list[str]:
    heads = folder / "refs" / "heads"
    return [(Path(where) / name).relative_to(folder).as_posix() for where, _, files in os.walk(heads) for name in files]


def _text(path: Path, limit: int) -> str:
    """Return a small file of a repository, nothing when there is none, it is a link, or it is not small."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        # It may have become something else since.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(limit + 1)
    except OSError:
        return ""
    return raw.decode("utf-8", "replace") if len(raw) <= limit else ""


def _remote_url(folder: Path) -> str | None:
    urls: dict[str, str] = {}
    remote = None
    for line in _text(folder / "config", _MAX_COMMIT).splitlines():
        if section := _SECTION.match(line.strip()):
            remote = section[2] if section[1].lower() == "remote" else None
        elif remote is not None and (setting := _SETTING.fullmatch(line)) and setting[1].lower() == "url":
            urls.setdefault(remote, setting[2].strip().strip('"'))
    found = urls.get("origin") or next(iter(urls.values()), None)
    return _CREDENTIALS.sub("//", found) if found else None


def _facts(folder: Path, objects: _Objects, branch: str | None, tip: str) -> RepositoryFacts:
    """Walk all commits that the tip stands on, once, in no particular order."""
    shallow = frozenset(_text(folder / "shallow", _MAX_REFS).split())
    seen = {bytes.fromhex(tip)}
    pending = [tip]
    authors: set[bytes] = set()
    roots: list[str] = []
    first, last = _TO, _FROM
    while pending:
        oid = pending.pop()
        raw = objects.read(oid, ObjectType.COMMIT, _MAX_COMMIT)
        if raw is None:
            seen.discard(bytes.fromhex(oid))
            continue
        parents, author, when = _commit(raw)
        authors.add(author)
        first, last = min(first, when or first), max(last, when or last)
        if not parents:
            roots.append(oid)
        new = [parent for parent in dict.fromkeys(parents) if oid not in shallow and bytes.fromhex(parent) not in seen]
        seen.update(map(bytes.fromhex, new))
        pending += new
    return RepositoryFacts(
        tip=tip,
        branch=branch,
        commits=len(seen),
        authors=len(authors),
        first_commit=_date(first) if first <= last else None,
        last_commit=_date(last) if first <= last else None,
        roots=tuple(sorted(roots)[:MAX_ROOTS]),
        history=_sketch(seen),
        shallow=bool(shallow),
        remote_url=_remote_url(folder),
    )


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _commit(raw: bytes) -> tuple[list[str], bytes, int | None]:
    """Return parents, the author's address and the committer's time of a raw commit."""
    parents: list[str] = []
    author, when = b"", None
    for line in raw.partition(b"\n\n")[0].split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word == b"parent" and _OID.fullmatch(text := rest.decode("latin-1")):
            parents.append(text)
        elif word == b"author":
            author = rest.rpartition(b"<")[2].partition(b">")[0].strip().lower()
        elif word == b"committer":
            seconds = rest.rpartition(b">")[2].split()[:1]
            when = int(seconds[0]) if seconds and seconds[0].isdigit() and len(seconds[0]) < 12 else None
    return parents, author, when if when is not None and _FROM < when < _TO else None


def _sketch(ids: set[bytes]) -> bytes:
    values = np.fromiter((int.from_bytes(one[:8], "big") for one in ids), dtype=np.uint64, count=len(ids))
    smallest = np.partition(values, SKETCH)[:SKETCH] if len(values) > SKETCH else values
    return np.sort(smallest).astype("<u8").tobytes()


def _files(objects: _Objects, tip: str, intake: Intake) -> Iterator[FoundFile | RefusedFile]:
    raw = objects.read(tip, ObjectType.COMMIT, _MAX_COMMIT) or b""
    root = raw.partition(b"\n")[0].removeprefix(b"tree ").decode("latin-1")
    # Entries that are still to be read, the next one last.
    pending = _entries(objects, root, b"")
    folders = 0
    while pending:
        mode, below, oid = pending.pop()
        if mode != b"40000":
            intake.take_file()
            yield _take(objects, mode, below, oid, intake)
            continue
        folders += 1
        if folders > intake.limits.max_files:
            raise UnreadableContainer("too_large", f"more than {intake.limits.max_files} folders")
        if len(below) > MAX_PATH:
            intake.take_file()
            yield RefusedFile(path_text(below[:MAX_PATH]), 0, "unsafe_path")
        else:
            pending += _entries(objects, oid, below + b"/")


def _entries(objects: _Objects, oid: str, prefix: bytes) -> list[tuple[bytes, bytes, str]]:
    """Return (mode, path, id) of a tree's entries, last first: git keeps them in the byte order of their paths."""
    raw = objects.read(oid, ObjectType.TREE, _MAX_TREE) or b""
    entries = []
    start = 0
    while (end := raw.find(b"\0", start)) >= 0:
        mode, _, name = raw[start:end].partition(b" ")
        entries.append((mode, prefix + name, raw[end + 1 : end + 21].hex()))
        start = end + 21
    return entries[::-1]


def _take(objects: _Objects, mode: bytes, below: bytes, oid: str, intake: Intake) -> FoundFile | RefusedFile:
    path = path_text(below)
    if mode == b"160000":
        return RefusedFile(path, 0, "submodule", {"commit": oid})
    if mode == b"120000":
        return RefusedFile(path, 0, "link")
    if not mode.startswith(b"100"):
        return RefusedFile(path, 0, "special_file", {"mode": mode[:8].decode("latin-1")})
    if relative_path(path) != path or ".git" in path.lower().split("/"):
        return RefusedFile(path[:MAX_PATH], 0, "unsafe_path")
    if not intake.take_path(path):
        return RefusedFile(path, 0, "duplicate_path")
    size = objects.size(oid)
    if size is None:
        return RefusedFile(path, 0, "unreadable_file", {"detail": "its object cannot be read"})
    if size > intake.limits.max_file_bytes:
        return RefusedFile(path, size, "oversized", {"limit": intake.limits.max_file_bytes})
    raw = objects.read(oid, ObjectType.BLOB, size)
    if raw is None:
        return RefusedFile(path, size, "unreadable_file", {"detail": "its object cannot be read"})
    intake.take_bytes(size)
    return FoundFile(path, raw)
