import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.sources import archives
from codemill.sources.containers import FoundFile, ReadLimits, RefusedFile, UnreadableContainer

LIMITS = ReadLimits(max_file_bytes=10_000, max_files=100, max_total_bytes=1_000_000)
PLAIN = {"foo-1.0/a.py": b"a = 1\n", "foo-1.0/src/b.c": b"int b;\n"}
STRIPPED = [FoundFile("a.py", b"a = 1\n"), FoundFile("src/b.c", b"int b;\n")]

Items = list[FoundFile | RefusedFile]


def tar(files: Mapping[str, bytes] | list[tarfile.TarInfo | tuple[str, bytes]], fmt: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for item in files.items() if isinstance(files, Mapping) else files:
            if isinstance(item, tarfile.TarInfo):
                archive.addfile(item)
            else:
                info = tarfile.TarInfo(item[0])
                info.size = len(item[1])
                archive.addfile(info, io.BytesIO(item[1]))
    return out.getvalue()


def special(name: str, kind: bytes, linkname: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info


def zipped(files: Mapping[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], method: int = 8) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, data)
    return out.getvalue()


def zstandard(raw: bytes) -> bytes:
    return pa.compress(raw, codec="zstd", asbytes=True)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Items]:
    def read_bytes(name: str, raw: bytes, limits: ReadLimits = LIMITS) -> Items:
        path = tmp_path / name
        path.write_bytes(raw)
        return list(archives.read(path, limits))

    return read_bytes


def read_until_broken(path: Path, limits: ReadLimits = LIMITS) -> tuple[Items, UnreadableContainer | None]:
    items: Items = []
    try:
        for item in archives.read(path, limits):
            items.append(item)
    except UnreadableContainer as error:
        return items, error
    return items, None


# ---- names


@pytest.mark.parametrize(
    "name",
    ["a.tar", "a.tar.gz", "a.TGZ", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.crate", "a.zip", "a.whl", "a.egg",
     "a-1.0-sources.jar"],
)  # fmt: skip
def test_is_archive(name: str):
    assert archives.is_archive(name)


@pytest.mark.parametrize("name", ["a.py", "a.gz", "a-1.0.jar", "zip", "a.tar.gz.asc"])
def test_is_no_archive(name: str):
    assert not archives.is_archive(name)


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("foo_bar-1.2.3.tar.gz", "foo_bar", "1.2.3"),
        ("foo-bar-1.2.3.tar.bz2", "foo-bar", "1.2.3"),
        ("foo-2to3-1.0.zip", "foo-2to3", "1.0"),
        ("py-3-1.0.tar.gz", "py-3", "1.0"),
        ("foo-1.0-1.tar.gz", "foo", "1.0-1"),
        ("foo-2024a.tar.gz", "foo", "2024a"),
        ("foo-1.0rc1.dev2.tar.gz", "foo", "1.0rc1.dev2"),
        ("foo-v1.2.zip", "foo", "v1.2"),
        ("foo_bar-1.2.3-py3-none-any.whl", "foo_bar", "1.2.3"),
        ("foo-1.0-2-cp311-cp311-manylinux_2_17_x86_64.whl", "foo", "1.0"),
        ("Foo-1.0-py3.8.egg", "Foo", "1.0"),
        ("Foo-1.0-py2.7-linux-x86_64.egg", "Foo", "1.0"),
        ("serde-json-1.0.0-beta.1.crate", "serde-json", "1.0.0-beta.1"),
        ("capacitor-camera-6.0.0.tgz", "capacitor-camera", "6.0.0"),
        ("d3-3.5.17.tgz", "d3", "3.5.17"),
        ("guava-31.1-jre-sources.jar", "guava", "31.1-jre"),
        ("log4j-1.2-api-2.17.1-sources.jar", "log4j-1.2-api", "2.17.1"),
        ("openssl-1.1.1w.tar.gz", "openssl", "1.1.1w"),
        ("repository-main.zip", "repository-main", None),
        ("plain.tar", "plain", None),
    ],
)
def test_name_and_version(filename: str, name: str, version: str | None):
    assert archives.name_and_version(filename) == (name, version)


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_every_file_name_has_a_name(filename: str):
    name, version = archives.name_and_version(filename + ".tar.gz")
    assert name + (f"-{version}" if version else "") == filename


# ---- formats


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("foo-1.0.tar", bytes),
        ("foo-1.0.tar.gz", gzip.compress),
        ("foo-1.0.tgz", gzip.compress),
        ("foo-1.0.crate", gzip.compress),
        ("foo-1.0.tar.bz2", bz2.compress),
        ("foo-1.0.tar.xz", lzma.compress),
        ("foo-1.0.tar.zst", zstandard),
        # What counts is what a file is, not what it is called.
        ("foo-1.0.zip", gzip.compress),
    ],
)
def test_tar(name: str, pack: Callable[[bytes], bytes], read: Callable[..., Items]):
    assert read(name, pack(tar(PLAIN))) == STRIPPED


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip(method: int, read: Callable[..., Items]):
    assert read("foo-1.0.zip", zipped(PLAIN, method)) == STRIPPED


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names(fmt: int, read: Callable[..., Items]):
    folder = "d" * 90
    name = f"top/{folder}/{'n' * 90}.py"
    items = read("a.tar", tar({"top/x": b"", name: b"1"}, fmt))
    assert items == [FoundFile("x", b""), FoundFile(f"{folder}/{'n' * 90}.py", b"1")]


def test_names_that_are_not_utf_8_are_read_as_latin_1(read: Callable[..., Items]):
    raw = tar({"t/\udce9": b"latin", "t/é\u0301": b"utf-8, not normalised"}, tarfile.GNU_FORMAT)
    assert [item.path for item in read("a.tar", raw)] == ["é", "é\u0301"]


def test_zip_names_without_the_utf_8_flag_are_utf_8_all_the_same(read: Callable[..., Items]):
    raw = zipped({"t/café": b"", "t/b": b""}).replace(struct.pack("<H", 0x800), b"\0\0")
    assert [item.path for item in read("a.zip", raw)] == ["café", "b"]


def test_archives_of_nothing(read: Callable[..., Items]):
    assert read("a.tar", tar({})) == []
    assert read("a.zip", zipped({})) == []


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0/\\:"), min_size=1, max_size=60).filter(
            lambda name: name.strip(".") and not name.startswith("._")
        ),
        st.binary(max_size=1200),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
@settings(max_examples=50, deadline=None)
def test_what_tarfile_writes_is_what_is_read(files: dict[str, bytes], fmt: int):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tar")
        path.write_bytes(tar({f"top/{name}": data for name, data in files.items()}, fmt))
        assert list(archives.read(path, LIMITS)) == [FoundFile(name, data) for name, data in files.items()]


# ---- paths


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["foo-1/a", "foo-1/b/c"], ["a", "b/c"]),
        (["./foo-1/a", "foo-1//b"], ["a", "b"]),
        (["package/a.js", "package/b.js"], ["a.js", "b.js"]),
        # The last file lies outside: nothing is left out.
        (["src/a", "src/b", "README"], ["src/a", "src/b", "README"]),
        (["src/a", "doc/b"], ["src/a", "doc/b"]),
        (["._foo-1", "foo-1/a", "__MACOSX/foo-1/x"], ["._foo-1", "a", "__MACOSX/foo-1/x"]),
    ],
)
def test_the_common_top_folder_is_left_out(names: list[str], paths: list[str], read: Callable[..., Items]):
    files = dict.fromkeys(names, b"")
    assert [item.path for item in read("foo-1.tar", tar(files))] == paths
    assert [item.path for item in read("foo-1.zip", zipped(files))] == paths


@pytest.mark.parametrize("name", ["a-1-sources.jar", "a-1-py3-none-any.whl", "a-1-py3.8.egg"])
def test_import_roots_stay(name: str, read: Callable[..., Items]):
    assert read(name, zipped({"org/a/B.java": b"class B {}"})) == [FoundFile("org/a/B.java", b"class B {}")]


@pytest.mark.parametrize(
    "name", ["../evil", "t/../../evil", "/etc/passwd", "C:/x", "c:x", "t\\x", "..", "t/x" + "y" * 5000]
)
def test_unsafe_paths_are_refused(name: str, read: Callable[..., Items]):
    files = {"t/a": b"a", name: b"evil", "t/b": b"b"}
    refused = RefusedFile(name[:4096], 4, "unsafe_path")
    assert read("a.tar", tar(files)) == [FoundFile("a", b"a"), refused, FoundFile("b", b"b")]
    assert read("a.zip", zipped(files)) == [FoundFile("a", b"a"), refused, FoundFile("b", b"b")]


def test_nul_in_a_path(read: Callable[..., Items]):
    raw = zipped({"t/a": b"a", "t/axb": b"evil"}).replace(b"t/axb", b"t/a\0b")
    assert read("a.zip", raw) == [FoundFile("a", b"a"), RefusedFile("t/a\\0b", 4, "unsafe_path")]


def test_links_and_special_files_are_refused_and_never_followed(read: Callable[..., Items]):
    raw = tar(
        [
            ("t/a", b"a"),
            special("t/soft", tarfile.SYMTYPE, "/etc/passwd"),
            special("t/hard", tarfile.LNKTYPE, "t/a"),
            special("t/pipe", tarfile.FIFOTYPE),
            special("t/disk", tarfile.BLKTYPE),
            special("t/tty", tarfile.CHRTYPE),
            special("t/folder", tarfile.DIRTYPE),
            ("t/z", b"z"),
        ]
    )
    assert read("a.tar", raw) == [
        FoundFile("a", b"a"),
        RefusedFile("soft", 0, "link", {"target": "/etc/passwd"}),
        RefusedFile("hard", 0, "link", {"target": "t/a"}),
        RefusedFile("pipe", 0, "special_file", {"type": "fifo"}),
        RefusedFile("disk", 0, "special_file", {"type": "block device"}),
        RefusedFile("tty", 0, "special_file", {"type": "character device"}),
        FoundFile("z", b"z"),
    ]


def test_links_have_no_data_whatever_their_size(read: Callable[..., Items]):
    link = special("t/hard", tarfile.LNKTYPE, "t/a")
    link.size = 5000
    raw = link.tobuf(tarfile.USTAR_FORMAT) + tar({"t/a": b"a"})
    assert read("a.tar", raw) == [RefusedFile("hard", 5000, "link", {"target": "t/a"}), FoundFile("a", b"a")]


def test_links_and_special_files_in_zip(read: Callable[..., Items]):
    def info(name: str, mode: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        return entry

    raw = zipped(
        [(info("t/soft", 0o120777), b"/etc/passwd"), (info("t/pipe", 0o010644), b""), ("t/a", b"a"), ("t/d/", b"")]
    )
    assert read("a.zip", raw) == [
        RefusedFile("soft", 11, "link"),
        RefusedFile("pipe", 0, "special_file"),
        FoundFile("a", b"a"),
    ]


def test_sparse_files_are_refused_and_what_follows_is_read(read: Callable[..., Items]):
    old = tarfile.TarInfo("t/old")
    old.type, old.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(old.tobuf(tarfile.GNU_FORMAT))
    header[482] = 1  # one more block of the map follows
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    new = tarfile.TarInfo("t/GNUSparseFile.0/new")
    new.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "t/new"}
    raw = bytes(header) + bytes(512) + b"x" * 512 + tar([new, ("t/a", b"a")])
    assert read("a.tar", raw) == [
        RefusedFile("old", 512, "special_file", {"type": "sparse file"}),
        RefusedFile("new", 0, "special_file", {"type": "sparse file"}),
        FoundFile("a", b"a"),
    ]


def test_of_several_files_with_one_path_the_first_stands(read: Callable[..., Items]):
    files: list[tarfile.TarInfo | tuple[str, bytes]] = [("t/a", b"first"), ("t/b", b"b"), ("t/./a", b"second")]
    expected = [FoundFile("a", b"first"), FoundFile("b", b"b"), RefusedFile("a", 6, "duplicate_path")]
    assert read("a.tar", tar(files)) == expected
    assert read("a.zip", zipped([("t/a", b"first"), ("t/b", b"b"), ("t/./a", b"second")])) == expected


# ---- sizes


def test_oversized_files_are_refused(read: Callable[..., Items]):
    files = {"t/one_line.js": b"x" * 10_001, "t/just.js": b"x" * 10_000}
    expected = [
        RefusedFile("one_line.js", 10_001, "oversized", {"limit": 10_000}),
        FoundFile("just.js", b"x" * 10_000),
    ]
    assert read("a.tar.gz", gzip.compress(tar(files))) == expected
    assert read("a.zip", zipped(files)) == expected


def test_sizes_that_a_zip_declares_too_small(read: Callable[..., Items]):
    honest = zipped({"t/a": b"a", "t/bomb": b"\0" * 1_000_000})
    raw = honest.replace(struct.pack("<I", 1_000_000), struct.pack("<I", 100))
    with pytest.raises(UnreadableContainer, match="1 unreadable members, the first: bomb"):
        read("a.zip", raw)


@pytest.mark.parametrize("pack", [tar, zipped])
def test_too_many_files(pack: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path):
    path = tmp_path / "a.tar"
    path.write_bytes(pack({f"t/{n}": b"" for n in range(5)}))
    items, error = read_until_broken(path, ReadLimits(max_file_bytes=10, max_files=3, max_total_bytes=10**6))
    assert items == [FoundFile("0", b""), FoundFile("1", b""), FoundFile("2", b"")]
    assert (error.reason, error.detail) == ("too_large", "more than 3 files")


def test_too_many_bytes_in_zip(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"t/{n}": b"\0" * 1000 for n in range(5)}))
    items, error = read_until_broken(path, ReadLimits(max_file_bytes=1000, max_files=10, max_total_bytes=2500))
    assert [item.path for item in items] == ["0", "1"]
    assert (error.reason, error.detail) == ("too_large", "more than 2500 bytes")


def test_too_many_bytes_in_tar_whether_kept_or_skipped(tmp_path: Path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tar({"t/a": b"a", "t/bomb": b"\0" * 50_000_000, "t/b": b"b"})))
    items, error = read_until_broken(path)
    assert items == [FoundFile("a", b"a"), RefusedFile("bomb", 50_000_000, "oversized", {"limit": 10_000})]
    assert error.reason == "too_large"


def test_a_list_of_members_too_long_for_memory(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"t/{'x' * 4000}{n}": b"" for n in range(300)}))
    items, error = read_until_broken(path, ReadLimits(max_file_bytes=1000, max_files=10, max_total_bytes=2500))
    assert items == []
    assert error.reason == "too_large"


# ---- damage


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("a.tar.gz", b"", "unreadable_archive"),
        ("a.zip", b"", "unreadable_archive"),
        ("a.tar.gz", b"<html>404 Not Found</html>", "unreadable_archive"),
        ("a.zip", b"<html>404 Not Found</html>", "unreadable_archive"),
        ("a.tar", b"text\n" * 500, "unreadable_archive"),
        ("a.tar.gz", gzip.compress(b"no tar\n" * 500), "unreadable_archive"),
        ("a.tar.gz", gzip.compress(b""), "unreadable_archive"),
        ("a.tar.gz", gzip.compress(tar(PLAIN))[:30], "truncated_archive"),
        ("a.zip", zipped(PLAIN)[:60], "truncated_archive"),
    ],
)
def test_what_cannot_be_read(name: str, raw: bytes, reason: str, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(raw)
    items, error = read_until_broken(path)
    assert items == []
    assert error.reason == reason


def test_no_such_file(tmp_path: Path):
    assert read_until_broken(tmp_path / "a.tar")[1].reason == "unreadable_archive"


@pytest.mark.parametrize(("name", "pack"), [("a.tar", bytes), ("a.tar.gz", lambda raw: gzip.compress(raw, 0))])
def test_what_came_before_the_cut_stands(name: str, pack: Callable[[bytes], bytes], tmp_path: Path):
    raw = pack(tar({"t/a": b"a" * 300, "t/b": bytes(range(256)) * 30}))
    path = tmp_path / name
    path.write_bytes(raw[:5000])
    items, error = read_until_broken(path)
    assert items == [FoundFile("a", b"a" * 300)]
    assert error.reason == "truncated_archive"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard])
def test_compressed_data_that_ends_too_early(pack: Callable[[bytes], bytes], tmp_path: Path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(pack(tar(PLAIN))[:-3])
    assert read_until_broken(path)[1].reason == "truncated_archive"


def test_wrong_checksum_at_the_end_of_gzip(tmp_path: Path):
    raw = bytearray(gzip.compress(tar(PLAIN)))
    raw[-6] ^= 0xFF
    path = tmp_path / "a.tar.gz"
    path.write_bytes(raw)
    items, error = read_until_broken(path)
    assert items == STRIPPED
    assert error.reason == "unreadable_archive"


def test_a_damaged_header_in_the_middle(tmp_path: Path):
    raw = bytearray(tar(PLAIN))
    raw[1024] ^= 0xFF
    path = tmp_path / "a.tar"
    path.write_bytes(raw)
    items, error = read_until_broken(path)
    assert items == STRIPPED[:1]
    assert (error.reason, error.detail) == ("unreadable_archive", "damaged at byte 1024")


def test_a_damaged_member_of_a_zip_is_refused_and_the_others_are_read(tmp_path: Path):
    raw = zipped({"t/a": b"aaaa", "t/b": b"bbbb", "t/c": b"cccc"}, zipfile.ZIP_STORED).replace(b"bbbb", b"bxbb")
    path = tmp_path / "a.zip"
    path.write_bytes(raw)
    items, error = read_until_broken(path)
    assert [type(item).__name__ for item in items] == ["FoundFile", "RefusedFile", "FoundFile"]
    assert items[1].reason == "unreadable_file"
    assert (error.reason, error.detail) == ("unreadable_archive", "1 unreadable members, the first: b")


def test_encrypted_members_of_a_zip(read: Callable[..., Items]):
    raw = bytearray(zipped({"t/a": b"a", "t/b": b"b"}))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert read("a.zip", bytes(raw)) == [RefusedFile("a", 1, "encrypted"), FoundFile("b", b"b")]


@pytest.mark.parametrize("record", [b"x", b"11 path=abc", b"999 path=a\n", b"0 path=a\n", b"-5 path=a\n", b"1" * 5000])
def test_forged_pax_headers(record: bytes, tmp_path: Path):
    path = tmp_path / "a.tar"
    path.write_bytes(pax(record) + tar({"t/a": b"a"}))
    items, error = read_until_broken(path)
    assert items == []
    assert (error.reason, error.detail) == ("unreadable_archive", "a damaged pax header")


@pytest.mark.parametrize("size", [b"-1", b"9" * 30, b"1e9", b""])
def test_forged_sizes(size: bytes, tmp_path: Path):
    path = tmp_path / "a.tar"
    record = b" size=" + size + b"\n"
    path.write_bytes(pax(b"%d" % (len(record) + 2) + record) + tar({"t/a": b"a"}))
    items, error = read_until_broken(path)
    assert items == []
    assert error.reason == "unreadable_archive"


def test_a_header_that_would_fill_the_memory(tmp_path: Path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(pax(b"\0" * 2_000_000) + tar({"t/a": b"a"})))
    items, error = read_until_broken(path, ReadLimits(10, 10, 10**9))
    assert items == []
    assert error.detail.startswith("a header of 2000000 bytes")


def pax(records: bytes) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    return info.tobuf(tarfile.USTAR_FORMAT) + records + b"\0" * (-len(records) % 512)


REAL = [
    ("a.tar", tar(PLAIN)),
    ("a.tar", tar({f"t/{'n' * 120}{n}": b"x" * 40 for n in range(3)})),
    ("a.tar", tar({f"t/{'n' * 120}{n}": b"x" * 40 for n in range(3)}, tarfile.GNU_FORMAT)),
    ("a.tar.gz", gzip.compress(tar(PLAIN))),
    ("a.tar.bz2", bz2.compress(tar(PLAIN))),
    ("a.tar.xz", lzma.compress(tar(PLAIN))),
    ("a.tar.zst", zstandard(tar(PLAIN))),
    *(("a.zip", zipped(PLAIN, method)) for method in (0, 8, 12, 14)),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    name, raw = draw(st.sampled_from(REAL))
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 5))):
        changed[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return name, bytes(changed[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else changed)


@given(mutated() | st.tuples(st.sampled_from(["a.tar", "a.tar.gz", "a.zip"]), st.binary(max_size=2000)))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_only_unreadable_container_comes_out(case: tuple[str, bytes]):
    name, raw = case
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(raw)
        items, error = read_until_broken(path)
    for item in items:
        item.path.encode()
        if isinstance(item, FoundFile):
            parts = item.path.split("/")
            assert not {"", ".", ".."} & set(parts)
            assert not set("\\\0") & set(item.path)
    assert error is None or error.detail.encode()
