"""Decoding: the bytes of a file -> text and how it was encoded, or the word that it is no text.

Byte order marks decide first, then NULs (which text has in UTF-16 and UTF-32 only), then UTF-8; what is left is read as
Latin-1, which never fails and is therefore flagged as a guess. Line ends stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1"]


@dataclass(frozen=True)
class Decoded:
    """A text without its byte order mark, free of lone surrogates, NULs and all but a few control characters."""

    text: str
    encoding: Encoding
    bom: bool
    """The file began with a byte order mark, which ``text`` lacks."""
    lossy_guess: bool
    """Nothing but Latin-1 would do: characters outside ASCII may be wrong."""


@dataclass(frozen=True)
class Undecodable:
    """Bytes that are no text."""

    reason: Literal["binary"]


# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_BOMS: tuple[tuple[bytes, Encoding], ...] = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

# Formats whose files can be free of NULs; the rest give themselves away.
_MAGIC_NUMBERS = (
    b"\x7fELF",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"\xca\xfe\xba\xbe",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b\x08",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
    b"PK\x03\x04",
    b"BZh91AY&SY",
    b"GIF87a",
    b"GIF89a",
    b"%PDF-",
    b"wOFF",
    b"wOF2",
)

# Control characters that text has no use for: not tab, line ends, form feed, bell, backspace, vertical tab and escape.
_CONTROLS = bytes([*range(1, 7), *range(14, 27), *range(28, 32), 127])
_MAX_CONTROL_SHARE = 0.02


def decode(raw: bytes) -> Decoded | Undecodable:
    """Decode a whole file; an empty one gives an empty text.

    A file is binary when it begins with a known magic number, when NULs are left in it after decoding, or when more
    than 2 % of its bytes (as UTF-8) are control characters that text has no use for.
    """
    return next(_readings(raw), None) or Undecodable("binary")


def _readings(raw: bytes) -> Iterator[Decoded]:
    """Yield what the bytes can be read as, the most certain first."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            yield from _reading(raw[len(mark) :], encoding, bom=True)
    if raw.startswith(_MAGIC_NUMBERS):
        return
    if b"\0" in raw:
        wide = _wide_encoding(raw)
        if wide is not None:
            yield from _reading(raw, wide)
        return
    yield from _reading(raw, "utf-8")
    if not raw.isascii():
        yield from _latin_1(raw)


def _reading(raw: bytes, encoding: Encoding, *, bom: bool = False) -> Iterator[Decoded]:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return
    if _is_text(raw if encoding == "utf-8" else text.encode()):
        yield Decoded(text, encoding, bom, lossy_guess=False)


def _latin_1(raw: bytes) -> Iterator[Decoded]:
    bom = raw.startswith(b"\xef\xbb\xbf")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if _is_text(raw):
        yield Decoded(raw.decode("latin-1"), "latin-1", bom, lossy_guess=True)


def _is_text(utf_8: bytes) -> bool:
    """Tell whether bytes in which ASCII stands for itself hold no NUL and few control characters."""
    if b"\0" in utf_8:
        return False
    controls = len(utf_8) - len(utf_8.translate(None, _CONTROLS))
    return controls <= _MAX_CONTROL_SHARE * len(utf_8)


def _wide_encoding(raw: bytes) -> Encoding | None:
    """Name the encoding of text without a mark that is at least half ASCII, by where its NULs stand.

    ASCII in UTF-16 has a NUL in every other byte; the other halves have next to none (a few characters such as U+4E00
    end in one). ASCII in UTF-32 has three NULs in four bytes.
    """
    nuls = [raw[offset::4].count(0) for offset in range(4)]
    quarter = len(raw) / 4
    if len(raw) % 4 == 0 and min(nuls[1:]) > quarter / 2 and nuls[0] <= quarter / 10:
        return "utf-32-le"
    if len(raw) % 4 == 0 and min(nuls[:3]) > quarter / 2 and nuls[3] <= quarter / 10:
        return "utf-32-be"
    even, odd = nuls[0] + nuls[2], nuls[1] + nuls[3]
    if len(raw) % 2 == 0 and odd > quarter and even <= quarter / 10:
        return "utf-16-le"
    if len(raw) % 2 == 0 and even > quarter and odd <= quarter / 10:
        return "utf-16-be"
    return None
