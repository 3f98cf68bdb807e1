from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygit2.enums import FileMode

from codemill.sources import git
from codemill.sources.containers import FoundFile, ReadLimits, RefusedFile, UnreadableContainer, lfs_size
from codemill.sources.git import RepositoryFacts, name_of, repositories
from tests.sources.repositories import START, commit, make, pack

LIMITS = ReadLimits(max_file_bytes=1_000, max_files=100, max_total_bytes=100_000)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


def facts(path: Path) -> RepositoryFacts:
    first = next(iter(git.read(path, LIMITS)))
    assert isinstance(first, RepositoryFacts)
    return first


def files(path: Path, limits: ReadLimits = LIMITS) -> dict[str, bytes | str]:
    """Path -> bytes of what was found, reason of what was refused."""
    _, *items = git.read(path, limits)
    return {item.path: item.raw if isinstance(item, FoundFile) else item.reason for item in items}


def failure(path: Path) -> str:
    with pytest.raises(UnreadableContainer) as caught:
        list(git.read(path, LIMITS))
    return caught.value.reason


def test_the_tip_of_the_default_branch_is_read(tmp_path: Path) -> None:
    make(tmp_path / "r", {"old.py": b"1"}, {"a.py": b"a = 1\n", "lib/b.py": b"b", "lib.py": b"c"})
    assert files(tmp_path / "r") == {"a.py": b"a = 1\n", "lib.py": b"c", "lib/b.py": b"b"}
    assert list(files(tmp_path / "r")) == ["a.py", "lib.py", "lib/b.py"]


def test_the_history_is_counted(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"a": b"1"}, {"a": b"2"})
    tip = repository.references["refs/heads/main"].target
    side = commit(repository, {"s": b"1"}, author="BOB@example.org ", when=START + 50, branch=None)
    merge = commit(repository, {"a": b"3"}, [tip, side], author="bob@example.org", when=START + 99)
    told = facts(tmp_path / "r")
    assert (told.tip, told.branch, told.commits, told.authors) == (str(merge), "main", 4, 2)
    assert told.first_commit == datetime.fromtimestamp(START, timezone.utc)
    assert told.last_commit == datetime.fromtimestamp(START + 99, timezone.utc)
    assert len(told.roots) == 2
    assert str(side) in told.roots
    ids = [commit.id for commit in repository.walk(merge)]
    expected = sorted(int(str(oid)[:16], 16) for oid in ids)
    assert np.frombuffer(told.history, dtype="<u8").tolist() == expected
    assert not told.shallow


def test_bare_or_with_a_work_tree_loose_or_packed_is_the_same(tmp_path: Path) -> None:
    versions = ({"a.py": b"1"}, {"a.py": b"2", "d/b.py": b"3"})
    make(tmp_path / "bare.git", *versions)
    make(tmp_path / "work", *versions, bare=False)
    pack(make(tmp_path / "packed.git", *versions))
    told = {(facts(tmp_path / name), str(files(tmp_path / name))) for name in ("bare.git", "work", "packed.git")}
    assert len(told) == 1


def test_absurd_dates_are_left_out(tmp_path: Path) -> None:
    repository = make(tmp_path / "r")
    first = commit(repository, {"a": b"1"}, when=2**40)
    assert facts(tmp_path / "r").first_commit is None
    commit(repository, {"a": b"2"}, [first], when=START)
    told = facts(tmp_path / "r")
    assert told.first_commit == told.last_commit == datetime.fromtimestamp(START, timezone.utc)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    repository = make(tmp_path / "r")
    entries = {
        "big.py": b"x" * 1_001,
        "link": (b"/etc/passwd", FileMode.LINK),
        "run.sh": (b"echo", FileMode.BLOB_EXECUTABLE),
        "sub": (b"\1" * 20, FileMode.COMMIT),
    }
    commit(repository, entries)
    expected = {"big.py": "oversized", "link": "link", "run.sh": b"echo", "sub": "submodule"}
    assert files(tmp_path / "r") == expected


def raw_commit(repository: pygit2.Repository, entries: list[tuple[bytes, bytes, pygit2.Oid]]) -> None:
    """Commit a tree that no library would write."""
    raw = b"".join(mode + b" " + name + b"\0" + oid.raw for mode, name, oid in entries)
    root = repository.odb.write(pygit2.enums.ObjectType.TREE, raw)
    body = f"tree {root}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> {START} +0000\n\nx".encode()
    oid = repository.odb.write(pygit2.enums.ObjectType.COMMIT, body)
    (Path(repository.path) / "refs/heads/main").write_text(f"{oid}\n")


def test_paths_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    repository = make(tmp_path / "r")
    blob = repository.create_blob(b"x")
    names = [b"..", b".GIT", b"/etc/passwd", b"C:\\x", b"a\\b", b"fine"]
    raw_commit(repository, [(b"100644", name, blob) for name in names])
    assert list(files(tmp_path / "r").values()) == ["unsafe_path"] * 5 + [b"x"]


def test_a_tree_that_unfolds_without_end_is_too_large(tmp_path: Path) -> None:
    repository = make(tmp_path / "r")
    inner = repository.TreeBuilder().write()
    for _ in range(40):
        raw = b"".join(b"40000 " + name + b"\0" + inner.raw for name in (b"a", b"b"))
        inner = repository.odb.write(pygit2.enums.ObjectType.TREE, raw)
    raw_commit(repository, [(b"40000", b"bomb", inner)])
    assert failure(tmp_path / "r") == "too_large"


def test_limits_hold(tmp_path: Path) -> None:
    make(tmp_path / "r", {f"{i:03}": bytes(990) for i in range(102)})
    assert failure(tmp_path / "r") == "too_large"
    with pytest.raises(UnreadableContainer, match="more than 500 bytes"):
        files(tmp_path / "r", ReadLimits(max_file_bytes=1_000, max_files=1_000, max_total_bytes=500))


def test_the_remote_is_read_as_data_and_without_credentials(tmp_path: Path) -> None:
    make(tmp_path / "r", {"a": b"1"})
    config = tmp_path / "r" / "config"
    other = tmp_path / "other"
    other.write_text('[remote "origin"]\n\turl = https://evil.example/x\n')
    config.write_text(
        f'[include]\n\tpath = {other}\n[core]\n\tworktree = /etc\n\tfsmonitor = "touch /tmp/owned"\n'
        '[remote "upstream"]\n\turl = https://up.example/u\n[remote "origin"]\n\turl = https://joe:pass@host.example/o/r.git\n'
    )
    assert facts(tmp_path / "r").remote_url == "https://host.example/o/r.git"


@pytest.mark.parametrize(
    ("head", "branches", "expected"),
    [
        ("ref: refs/heads/trunk", ["trunk", "main"], "trunk"),
        ("ref: refs/heads/gone", ["other", "main"], "main"),
        ("ref: refs/heads/gone", ["other", "master"], "master"),
        ("ref: refs/heads/gone", ["feature/x"], "feature/x"),
        ("rubbish", ["main"], "main"),
        ("ref: ../../etc/passwd", ["main"], "main"),
        ("", ["main"], "main"),
    ],
)
def test_the_default_branch(tmp_path: Path, head: str, branches: list[str], expected: str) -> None:
    repository = make(tmp_path / "r")
    for name in branches:
        commit(repository, {"name": name.encode()}, branch=f"refs/heads/{name}")
    (tmp_path / "r" / "HEAD").write_text(head)
    assert facts(tmp_path / "r").branch == expected
    assert files(tmp_path / "r") == {"name": expected.encode()}


def test_the_remotes_head_comes_before_main(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"name": b"main"})
    commit(repository, {"name": b"dev"}, branch="refs/remotes/origin/dev")
    (tmp_path / "r/refs/remotes/origin/HEAD").write_text("ref: refs/remotes/origin/dev\n")
    (tmp_path / "r/HEAD").write_text("ref: refs/heads/gone\n")
    assert files(tmp_path / "r") == {"name": b"dev"}


def test_a_detached_head_and_an_annotated_tag_are_followed(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"a": b"1"}, {"a": b"2"})
    first = next(iter(repository.walk(repository.references["refs/heads/main"].target))).parent_ids[0]
    (tmp_path / "r/HEAD").write_text(f"{first}\n")
    assert (facts(tmp_path / "r").branch, files(tmp_path / "r")) == (None, {"a": b"1"})
    who = pygit2.Signature("A", "a@b", START, 0)
    tag = repository.create_tag("v1", first, pygit2.enums.ObjectType.COMMIT, who, "one")
    (tmp_path / "r/HEAD").write_text(f"{tag}\n")
    assert facts(tmp_path / "r").tip == str(first)


def test_repositories_without_a_tip(tmp_path: Path) -> None:
    make(tmp_path / "empty")
    assert failure(tmp_path / "empty") == "empty_repository"
    repository = make(tmp_path / "none")
    for name in ("a", "b"):
        commit(repository, {"x": b"1"}, branch=f"refs/heads/{name}")
    assert failure(tmp_path / "none") == "no_default_branch"
    make(tmp_path / "loop", {"x": b"1"})
    (tmp_path / "loop/refs/heads/main").write_text("ref: refs/heads/b\n")
    (tmp_path / "loop/refs/heads/b").write_text("ref: refs/heads/main\n")
    assert failure(tmp_path / "loop") == "ref_loop"


def test_folders_where_files_should_be_are_no_files(tmp_path: Path) -> None:
    make(tmp_path / "r", {"x": b"1"})
    for name in ("HEAD", "refs/heads/main"):
        (tmp_path / "r" / name).unlink()
        (tmp_path / "r" / name).mkdir()
    assert failure(tmp_path / "r") == "empty_repository"


def test_what_is_not_supported_says_so(tmp_path: Path) -> None:
    make(tmp_path / "sha256", {"x": b"1"})
    (tmp_path / "sha256/refs/heads/main").write_text("a" * 64)
    assert failure(tmp_path / "sha256") == "unsupported_repository"
    make(tmp_path / "table", {"x": b"1"})
    (tmp_path / "table/reftable").mkdir()
    assert failure(tmp_path / "table") == "unsupported_repository"
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.git").write_text(f"gitdir: {tmp_path / 'sha256'}\n")
    assert failure(tmp_path / "tree") == "unsupported_repository"


def test_links_out_of_a_repository_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "real", {"secret": b"1"})
    make(tmp_path / "fake", {"a": b"1"})
    (tmp_path / "fake/objects").rename(tmp_path / "gone")
    (tmp_path / "fake/objects").symlink_to(tmp_path / "real/objects")
    assert failure(tmp_path / "fake") == "unsupported_repository"
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/.git").symlink_to(tmp_path / "real")
    assert failure(tmp_path / "whole") == "unsupported_repository"
    make(tmp_path / "part", {"a": b"1"})
    (tmp_path / "part/objects/extra").symlink_to(tmp_path / "real/objects/info")
    assert failure(tmp_path / "part") == "unsupported_repository"


def test_alternates_are_not_followed(tmp_path: Path) -> None:
    pack(make(tmp_path / "lender", {"a": b"1"}))
    tip = facts(tmp_path / "lender").tip
    make(tmp_path / "borrower")
    (tmp_path / "borrower/refs/heads/main").write_text(f"{tip}\n")
    (tmp_path / "borrower/objects/info").mkdir(exist_ok=True)
    (tmp_path / "borrower/objects/info/alternates").write_text(f"{tmp_path / 'lender/objects'}\n")
    assert failure(tmp_path / "borrower") == "damaged_repository"


def test_replacements_and_grafts_are_not_followed(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"a": b"1"}, {"a": b"2"})
    tip = repository.references["refs/heads/main"].target
    other = commit(repository, {"evil": b"1"}, branch=None)
    repository.references.create(f"refs/replace/{tip}", other)
    (tmp_path / "r/info").mkdir(exist_ok=True)
    (tmp_path / "r/info/grafts").write_text(f"{tip}\n")
    assert files(tmp_path / "r") == {"a": b"2"}
    assert facts(tmp_path / "r").commits == 2


def test_a_shallow_history_ends_where_it_was_cut(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"a": b"1"}, {"a": b"2"}, {"a": b"3"})
    tip = repository.references["refs/heads/main"].target
    middle = repository[tip].parent_ids[0]
    first = repository[middle].parent_ids[0]
    (tmp_path / "r/objects" / str(first)[:2] / str(first)[2:]).unlink()
    (tmp_path / "r/shallow").write_text(f"{middle}\n")
    told = facts(tmp_path / "r")
    assert (told.commits, told.shallow, told.roots) == (2, True, ())
    assert files(tmp_path / "r") == {"a": b"3"}


def test_of_a_damaged_repository_what_is_sound_is_read(tmp_path: Path) -> None:
    repository = make(tmp_path / "r", {"a": b"one", "b": b"two"})
    lost = repository.create_blob(b"two")
    (tmp_path / "r/objects" / str(lost)[:2] / str(lost)[2:]).unlink()
    items = []
    with pytest.raises(UnreadableContainer) as caught:
        items.extend(git.read(tmp_path / "r", LIMITS))
        for item in git.read(tmp_path / "r", LIMITS):
            items.append(item)  # noqa: PERF402 - what came before the error counts
    assert caught.value.reason == "damaged_repository"
    reader = git.read(tmp_path / "r", LIMITS)
    _, found, refused = next(reader), next(reader), next(reader)
    assert found == FoundFile("a", b"one")
    assert isinstance(refused, RefusedFile)
    assert refused.reason == "unreadable_file"


def test_a_truncated_pack_is_damage(tmp_path: Path) -> None:
    pack(make(tmp_path / "r", {"a": b"one" * 99}, {"a": b"two" * 99}))
    (found,) = (tmp_path / "r/objects/pack").glob("*.pack")
    found.chmod(0o644)
    found.write_bytes(found.read_bytes()[: found.stat().st_size // 2])
    assert failure(tmp_path / "r") == "damaged_repository"


def test_repositories_are_found_at_any_depth(tmp_path: Path) -> None:
    make(tmp_path / "ann/one.git", {"a": b"1"})
    make(tmp_path / "ann/two", {"a": b"1"}, bare=False)
    make(tmp_path / "bob", {"a": b"1"})
    (tmp_path / "ann/two/vendor").mkdir()
    make(tmp_path / "ann/two/vendor/inner", {"a": b"1"})
    (tmp_path / "copy").symlink_to(tmp_path / "bob")
    found = repositories(tmp_path)
    assert [name_of(tmp_path, path) for path in found] == ["ann/one", "ann/two", "bob"]


def test_a_list_names_repositories(tmp_path: Path) -> None:
    make(tmp_path / "x/ann/one.git", {"a": b"1"})
    make(tmp_path / "bob", {"a": b"1"})
    lines = tmp_path / "list.txt"
    lines.write_text(f"# mine\n\nx/ann/one.git\n{tmp_path / 'bob'}\n")
    found = repositories(lines)
    assert found == [tmp_path / "x/ann/one.git", tmp_path / "bob"]
    assert name_of(lines, found[0]) == "ann/one"
    lines.write_text("x/ann/one.git\nnowhere\n")
    with pytest.raises(ValueError, match=r"line 2 of list.txt: nowhere is no repository"):
        repositories(lines)


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (POINTER, 12345),
        (POINTER.replace(b"\n", b"\r\n"), 12345),
        (POINTER + b"more", None),
        (POINTER.replace(b"size", b"length"), None),
        (b"# version https://git-lfs.github.com/spec/v1\n", None),
        (b"", None),
    ],
)
def test_pointers_to_large_files_are_known(raw: bytes, size: int | None) -> None:
    assert lfs_size(raw) == size


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and name.lower() != ".git" and ":" not in name[:2]
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(NAMES, st.one_of(st.binary(max_size=99), st.dictionaries(NAMES, st.binary(max_size=9))), max_size=6)
)
def test_what_was_committed_is_found(tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]) -> None:
    path = tmp_path_factory.mktemp("r")
    flat: dict[str, bytes] = {}
    for name, value in content.items():
        flat.update(
            {f"{name}/{below}": raw for below, raw in value.items()} if isinstance(value, dict) else {name: value}
        )
    repository = make(path)
    try:
        commit(repository, flat)
    except ValueError:  # a name that the library itself refuses to write
        return
    found = files(path)
    assert found == flat
    assert list(found) == sorted(flat, key=str.encode)
