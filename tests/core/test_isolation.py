"""Work in a process that may die: every item has an answer, and nothing that one item does is felt by another."""

import ctypes
import sys
from typing import Any

import pytest

from codemill.core import inspection, isolation
from codemill.core.isolation import Failed, Limits, each, error_word
from codemill.core.languages import Language

LIMITS = Limits(seconds=0.5, megabytes=4096)


def misbehave(item: str) -> dict[str, Any]:
    match item:
        case "crash":
            ctypes.string_at(0)
        case "spin":
            while True:
                pass
        case "fill":
            return {"size": len(bytearray(8 << 30))}
        case "exit":
            sys.exit(3)
        case "raise":
            raise UnicodeDecodeError("utf-8", b"secret", 0, 1, "secret")
        case "refuse":
            raise Failed("no_thanks")
        case "print":
            print("{}")  # noqa: T201 - what libraries do
    return {"item": item}


def answers(*items: str) -> list[Any]:
    return [answer.word if isinstance(answer, Failed) else answer["item"] for answer in each(misbehave, items, LIMITS)]


def test_answers_come_in_order() -> None:
    assert answers("a", "b", "é", "", "line\nbreak") == ["a", "b", "é", "", "line\nbreak"]
    assert answers() == []


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ("crash", "parser_crashed"),
        ("spin", "parse_timeout"),
        ("exit", "parser_crashed"),
        ("fill", "parser_crashed"),
        ("raise", "unicode_decode_error"),
        ("refuse", "no_thanks"),
        ("print", "print"),
    ],
)
def test_one_item_harms_no_other(item: str, word: str) -> None:
    assert answers("a", item, "b", item) == ["a", word, "b", word]


def test_answers_that_a_dying_child_had_not_sent_yet_are_not_lost() -> None:
    items = [str(number) for number in range(120)]
    items[70] = items[119] = "crash"
    assert answers(*items) == ["parser_crashed" if item == "crash" else item for item in items]


def test_what_nobody_waited_for_is_not_taken_for_an_answer() -> None:
    first = each(misbehave, ["a", "b", "c"], LIMITS)
    assert next(first) == {"item": "a"}
    first.close()
    assert answers("d") == ["d"]


def test_the_child_stays_and_a_dead_one_is_replaced() -> None:
    assert answers("a") == ["a"]
    child = isolation._child(LIMITS)
    process = child._process
    assert process is not None
    assert answers("b") == ["b"]
    assert child._process is process
    process.kill()
    process.wait()
    assert answers("c", "d") == ["c", "d"]


def test_large_items_and_answers() -> None:
    large = "é" * 3_000_000
    assert answers(large, large, "a") == [large, large, "a"]


def test_a_text_that_takes_too_long_to_parse() -> None:
    language = Language("c", grammar="c")
    junk = "def a(b): return 'c' if d else [e for f in g]\n" * 150_000
    slow, long_line, good = each(
        inspection.inspect,
        [(junk, language), ('char *a = "' + "x" * 50_000_000 + '";\n', language), ("int a;\n", language)],
        Limits(seconds=1, megabytes=4096),
    )
    assert isinstance(slow, Failed) and slow.word == "parse_timeout"
    assert isinstance(long_line, Failed) and long_line.word == "too_large"
    assert isinstance(good, dict) and good["error_nodes"] == 0


def test_errors_are_named_without_their_messages() -> None:
    assert error_word(UnicodeDecodeError("utf-8", b"secret", 0, 1, "secret")) == "unicode_decode_error"
    assert error_word(Failed("scan_timeout")) == "scan_timeout"
