import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.decoding import Decoded, Undecodable, decode

# Text as files have it: no surrogates, no NULs, no control characters but tab, line ends and form feed.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r\f"), max_size=200)
ASCII = st.text(
    st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\t\n\r"), min_size=1, max_size=200
)
MARKS = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\x00\x00",
    "utf-32-be": b"\x00\x00\xfe\xff",
}


def test_empty_file():
    assert decode(b"") == Decoded("", "utf-8", bom=False, lossy_guess=False)


def test_line_ends_stay():
    assert decode(b"a\r\nb\rc\n") == Decoded("a\r\nb\rc\n", "utf-8", bom=False, lossy_guess=False)


@pytest.mark.parametrize("encoding", MARKS)
def test_byte_order_mark_is_recorded_and_stripped(encoding: str):
    raw = MARKS[encoding] + "x = 'é漢😀'\r\n".encode(encoding)
    assert decode(raw) == Decoded("x = 'é漢😀'\r\n", encoding, bom=True, lossy_guess=False)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_without_a_mark(encoding: str):
    text = "// 一 means one\nint main() { return 0; }\n"
    assert decode(text.encode(encoding)) == Decoded(text, encoding, bom=False, lossy_guess=False)


def test_latin_1_is_a_flagged_guess():
    assert decode(b"caf\xe9 = 1\n") == Decoded("café = 1\n", "latin-1", bom=False, lossy_guess=True)


def test_one_bad_byte_after_a_mark_makes_it_latin_1_without_the_mark():
    assert decode(b"\xef\xbb\xbfcaf\xe9\n") == Decoded("café\n", "latin-1", bom=True, lossy_guess=True)


@pytest.mark.parametrize(
    "raw",
    [
        b"int x;\0int y;\n",
        b"\x7fELF" + b"text" * 9,
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.4\n% all of it is ASCII\n",
        b"PK\x03\x04 no NUL here",
        b"\x01\x02\x03 three in forty characters are too many",
        bytes(range(1, 256)),
        # An array of small 16-bit numbers is not UTF-16.
        b"".join(n.to_bytes(2, "little") for n in range(1, 200)),
        # Nor is an array of 32-bit numbers UTF-32.
        b"".join(n.to_bytes(4, "little") for n in range(20_000, 20_200)),
        # Half of the NULs stand where UTF-16 has few.
        ("一" * 50 + "a" * 60).encode("utf-16-le"),
        # A lone surrogate after the mark.
        b"\xff\xfe\x00\xd8x\x00",
    ],
)
def test_binary(raw: bytes):
    assert decode(raw) == Undecodable("binary")


def test_a_few_control_characters_are_text():
    text = "\x1b[1m bold \x1b[0m page\f" + "x" * 60 + "\x1a"
    assert decode(text.encode()) == Decoded(text, "utf-8", bom=False, lossy_guess=False)


@given(TEXTS)
@settings(max_examples=50, deadline=None)
def test_utf_8_round_trip(text: str):
    without_mark = text.removeprefix("\ufeff")
    if not without_mark.startswith("\ufeff"):
        assert decode(without_mark.encode()) == Decoded(without_mark, "utf-8", bom=False, lossy_guess=False)


@given(TEXTS, st.sampled_from(list(MARKS)))
@settings(max_examples=100, deadline=None)
def test_round_trip_with_a_mark(text: str, encoding: str):
    decoded = decode(MARKS[encoding] + text.encode(encoding))
    assert decoded == Decoded(text, encoding, bom=True, lossy_guess=False)


@given(ASCII, st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]))
@settings(max_examples=50, deadline=None)
def test_round_trip_of_wide_ascii_without_a_mark(text: str, encoding: str):
    assert decode(text.encode(encoding)) == Decoded(text, encoding, bom=False, lossy_guess=False)


@given(st.binary(max_size=300) | TEXTS.map(lambda text: text.encode("utf-16")))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_a_text_is_clean_and_says_how_to_get_the_bytes_back(raw: bytes):
    decoded = decode(raw)
    if isinstance(decoded, Decoded):
        decoded.text.encode()
        assert "\0" not in decoded.text
        mark = MARKS.get(decoded.encoding, MARKS["utf-8"]) if decoded.bom else b""
        assert mark + decoded.text.encode(decoded.encoding) == raw
        assert decoded.lossy_guess == (decoded.encoding == "latin-1")
