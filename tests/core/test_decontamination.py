import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core.decontamination import Benchmarks, Overlap, read_references

ROLLING_MAX = """def rolling_max(numbers):
    running = None
    result = []
    for n in numbers:
        if running is None:
            running = n
        else:
            running = max(running, n)
        result.append(running)
    return result
"""
INTERSPERSE = """def intersperse(numbers, delimiter):
    if not numbers:
        return []
    result = []
    for n in numbers[:-1]:
        result.append(n)
        result.append(delimiter)
    result.append(numbers[-1])
    return result
"""
ADD_ODD = """int add(int lst[], int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        if (i % 2 == 1 && lst[i] % 2 == 0) {
            sum += lst[i];
        }
    }
    return sum;
}
"""
REFERENCES = {"max": ROLLING_MAX, "between": INTERSPERSE, "odd": ADD_ODD}
BENCHMARKS = Benchmarks.from_texts(REFERENCES)

UNRELATED = """class Mean:
    def __init__(self, numbers):
        self.numbers = numbers

    def value(self):
        result = 0
        for n in self.numbers:
            result += n
        return result / len(self.numbers)
"""
SAME_IDIOM = """void fill(double *cells, int n) {
    for (int i = 0; i < n; i++) {
        cells[i] = 1.0;
    }
}
"""


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_found_with_other_code_and_comments_around_it(name: str) -> None:
    text = f"{UNRELATED}\n# copied\n{REFERENCES[name]}\n# the end\n{SAME_IDIOM}"
    assert BENCHMARKS.find(text) == Overlap(name, 1.0)


def test_white_space_is_no_difference() -> None:
    text = ADD_ODD.replace("    ", "\t").replace(" {", "\r\n{").replace("(int i", "( int  i").replace(" % ", "%")
    assert BENCHMARKS.find(text) == Overlap("odd", 1.0)


def test_other_code_is_not_found() -> None:
    assert BENCHMARKS.find(UNRELATED) is None
    assert BENCHMARKS.find("") is None


def test_an_idiom_is_a_small_share_and_no_copy() -> None:
    assert BENCHMARKS.find(SAME_IDIOM) is None
    found = Benchmarks.from_texts(REFERENCES, min_share=0.0).find(SAME_IDIOM)
    assert found is not None
    assert found.benchmark == "odd"
    assert 0 < found.share < 0.2


def test_a_copy_under_another_name_is_found() -> None:
    found = BENCHMARKS.find(ROLLING_MAX.replace("rolling_max", "highest_so_far"))
    assert found is not None
    assert found.benchmark == "max"
    assert found.share > 0.9


def test_case_and_names_count() -> None:
    assert BENCHMARKS.find(ROLLING_MAX.upper()) is None
    assert BENCHMARKS.find(ROLLING_MAX.replace("running", "top")) is None


def test_the_share_is_that_of_the_references_distinct_ngrams() -> None:
    benchmarks = Benchmarks.from_texts({"x": "a b c d e f"}, ngram=3, min_share=0.0)
    assert benchmarks.find("a b c - d e f") == Overlap("x", 0.5)
    assert benchmarks.find("a b c a b c") == Overlap("x", 0.25)


def test_the_share_from_which_on_it_is_a_copy() -> None:
    half = "a b c - d e f"
    assert Benchmarks.from_texts({"x": "a b c d e f"}, ngram=3, min_share=0.5).find(half) == Overlap("x", 0.5)
    assert Benchmarks.from_texts({"x": "a b c d e f"}, ngram=3, min_share=0.51).find(half) is None


def test_the_largest_share_wins_and_then_the_first_name() -> None:
    texts = {"whole": "a b c d", "b-part": "a b c", "a-part": "b c d"}
    benchmarks = Benchmarks.from_texts(texts, ngram=3, min_share=0.0)
    assert benchmarks.find("a b c - b c d") == Overlap("a-part", 1.0)
    assert benchmarks.find("a b c") == Overlap("b-part", 1.0)


def test_a_reference_shorter_than_an_ngram_must_be_there_whole() -> None:
    benchmarks = Benchmarks.from_texts({"fraction": "return number % 1.0", **REFERENCES})
    assert benchmarks.find("def f(number):\n    return number%1.0\n") == Overlap("fraction", 1.0)
    assert benchmarks.find("def f(number):\n    return number % 1\n") is None


def test_what_is_too_short_is_said_and_not_looked_for() -> None:
    benchmarks = Benchmarks.from_texts({"sum": "return a + b", "empty": "", **REFERENCES})
    assert benchmarks.too_short == ("empty", "sum")
    assert benchmarks.find("return a + b") is None


def test_without_references_nothing_is_found() -> None:
    assert Benchmarks.from_texts({}).find(ROLLING_MAX) is None


def test_order_of_the_references_is_no_difference() -> None:
    backwards = Benchmarks.from_texts(dict(reversed(REFERENCES.items())))
    assert backwards.fingerprint() == BENCHMARKS.fingerprint()
    assert backwards.find(ADD_ODD) == BENCHMARKS.find(ADD_ODD)


@pytest.mark.parametrize(
    "other",
    [
        Benchmarks.from_texts({**REFERENCES, "more": UNRELATED}),
        Benchmarks.from_texts({**REFERENCES, "max": ROLLING_MAX + "\nx"}),
        Benchmarks.from_texts({"max": INTERSPERSE, "between": ROLLING_MAX, "odd": ADD_ODD}),
        Benchmarks.from_texts({"maximum": ROLLING_MAX, "between": INTERSPERSE, "odd": ADD_ODD}),
        Benchmarks.from_texts(REFERENCES, ngram=9),
        Benchmarks.from_texts(REFERENCES, min_share=0.6),
    ],
)
def test_the_fingerprint_changes_with_all_that_matters(other: Benchmarks) -> None:
    assert other.fingerprint() != BENCHMARKS.fingerprint()


def test_they_travel() -> None:
    there = pickle.loads(pickle.dumps(BENCHMARKS))
    assert there.find(UNRELATED + INTERSPERSE) == Overlap("between", 1.0)


@pytest.mark.parametrize(("ngram", "share"), [(0, 0.5), (10, 1.5), (10, -0.1), (10, float("nan"))])
def test_bad_parameters(ngram: int, share: float) -> None:
    with pytest.raises(ValueError, match="allowed: at least 1; from 0 to 1"):
        Benchmarks.from_texts({}, ngram, share)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "( " * 500_000, "\ud800" * 1000, "\0" * 100_000, "é" * 300_000])
def test_large_and_strange_texts(text: str) -> None:
    assert BENCHMARKS.find(text) is None


words = st.lists(st.sampled_from(["a", "b", "(", ")", "é", "long_name"]), max_size=12).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("xyz"), words, max_size=3), words, st.integers(1, 4))
def test_shares_are_those_of_sets_of_ngrams(texts: dict[str, str], text: str, ngram: int) -> None:
    def ngrams(text: str) -> set[tuple[str, ...]]:
        tokens = text.split()
        return {tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)}

    members = {name: ngrams(texts[name]) for name in sorted(texts) if ngrams(texts[name])}
    expected = [(len(each & ngrams(text)) / len(each), name) for name, each in members.items()]
    best = max((share for share, _ in expected), default=0)
    first = next((name for share, name in expected if share == best), None)
    found = Benchmarks.from_texts(texts, ngram, 0.0).find(text)
    assert found == (Overlap(str(first), best) if best else None)


def test_files_and_lines_of_a_folder_are_references(tmp_path: Path) -> None:
    (tmp_path / "humaneval").mkdir()
    (tmp_path / "humaneval" / "0.py").write_text(ROLLING_MAX)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.py").write_text("x")
    lines = [{"prompt": "p", "solution": "s", "id": 1}, {"code": "c"}]
    (tmp_path / "mbpp.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_references(tmp_path, ["prompt", "solution", "code"]) == {
        "humaneval/0.py": ROLLING_MAX,
        "mbpp.jsonl:1:prompt": "p",
        "mbpp.jsonl:1:solution": "s",
        "mbpp.jsonl:2:code": "c",
    }


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "a.jsonl",
            b'{"text": "x"}\nnot json\n',
            r"a.jsonl:2: found no object with a text in one of these fields: text",
        ),
        ("a.jsonl", b'{"text": 1}\n', r"a.jsonl:1: found no object"),
        ("a.jsonl", b"[" * 100_000, r"a.jsonl:1: found no object"),
        ("a.py", b"\xff\xfe", r"a.py cannot be read as UTF-8 \(UnicodeDecodeError\)"),
        (".a.py", b"x", "holds no text"),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_references(tmp_path, ["text"])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no text"):
        read_references(tmp_path / "missing", ["text"])
