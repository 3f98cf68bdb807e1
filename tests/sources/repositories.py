"""Small git repositories, made without a git program."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

START = 1_500_000_000

Entry = bytes | tuple[bytes, FileMode]


def tree(repository: pygit2.Repository, files: Mapping[str, Entry]) -> pygit2.Oid:
    """Write a tree of files (path -> bytes, or bytes and mode)."""
    builder = repository.TreeBuilder()
    folders: dict[str, dict[str, Entry]] = {}
    for path, entry in files.items():
        name, slash, below = path.partition("/")
        if slash:
            folders.setdefault(name, {})[below] = entry
            continue
        raw, mode = entry if isinstance(entry, tuple) else (entry, FileMode.BLOB)
        target = pygit2.Oid(raw) if mode == FileMode.COMMIT else repository.create_blob(raw)
        builder.insert(name, target, mode)
    for name, inside in folders.items():
        builder.insert(name, tree(repository, inside), FileMode.TREE)
    return builder.write()


def commit(
    repository: pygit2.Repository,
    files: Mapping[str, Entry],
    parents: Sequence[pygit2.Oid] = (),
    *,
    branch: str | None = "refs/heads/main",
    author: str = "ann@example.org",
    when: int = START,
) -> pygit2.Oid:
    """Commit files; ``branch`` is moved to the new commit."""
    who = pygit2.Signature("A. Person", author, when, 0)
    oid = repository.create_commit(None, who, who, f"at {when}", tree(repository, files), list(parents))
    if branch is not None:
        repository.references.create(branch, oid, force=True)
    return oid


def make(path: Path, *versions: Mapping[str, Entry], bare: bool = True) -> pygit2.Repository:
    """Make a repository whose branch main has a commit per version, one on top of the other."""
    repository = pygit2.init_repository(str(path), bare=bare, initial_head="main")
    parents: list[pygit2.Oid] = []
    for number, files in enumerate(versions):
        parents = [commit(repository, files, parents, when=START + number)]
    return repository


def pack(repository: pygit2.Repository) -> None:
    """Put all objects into one pack and all references into packed-refs."""
    repository.pack()
    objects = Path(repository.path) / "objects"
    for loose in objects.glob("??/*"):
        loose.unlink()
    lines = [f"{repository.references[name].target} {name}\n" for name in repository.references]
    (Path(repository.path) / "packed-refs").write_text(
        "# pack-refs with: peeled fully-peeled sorted\n" + "".join(lines)
    )
    for name in list(repository.references):
        (Path(repository.path) / name).unlink()
