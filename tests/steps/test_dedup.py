import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations

import pytest
from pyspark.sql import DataFrame, SparkSession

from codemill.core import minhash
from codemill.core.fingerprints import fingerprint
from codemill.core.languages import Language
from codemill.steps import dedup, near_duplicates
from codemill.steps.step import Context, Flow
from tests.spark_rows import File, context, flow, verdicts

# Reason and evidence of what goes, by path.
Decided = dict[str, tuple[str, str]]

WORDS = [f"word{i}" for i in range(200)]
TEXT = " ".join(WORDS)
LIKE = " ".join([*WORDS[:190], "other"])  # Jaccard about 0.94
UNLIKE = " ".join(reversed(WORDS))


def evidence(judged: DataFrame, path: str) -> dict[str, object]:
    row = next(row for row in judged.collect() if row["path"] == path)
    return json.loads(row["verdicts"][0]["evidence"])


def test_of_equal_files_the_first_by_path_stays(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(work, flow(work, [("b.py", "python", TEXT), ("a.py", "python", TEXT), ("c.c", "c", TEXT)]))
    assert verdicts(judged) == {"b.py": [("drop", "exact_duplicate")]}  # another language is another file
    assert evidence(judged, "b.py") == {"kept": "p:a.py"}


def test_the_file_of_the_better_project_stays(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("low:a.py", "python", TEXT), ("high:z.py", "python", TEXT)])
    scored = files.projects.selectExpr("*", "if(project_id = 'high', 0.9, 0.1) as score")
    judged = dedup.judge(work, type(files)(scored, files.files))
    assert verdicts(judged) == {"a.py": [("drop", "exact_duplicate")]}


def test_a_near_duplicate_names_the_file_that_stays_and_their_similarity(
    spark: SparkSession, warehouse_path: str
) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(
        work, flow(work, [("a.py", "python", TEXT), ("b.py", "python", LIKE), ("c.py", "python", UNLIKE)])
    )
    assert verdicts(judged) == {"b.py": [("drop", "near_duplicate")]}
    assert evidence(judged, "b.py") == {"kept": "p:a.py", "jaccard": round(186 / 197, 4)}


def test_a_copy_of_a_near_duplicate_names_a_file_that_stays_too(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    judged = dedup.judge(
        work, flow(work, [("a.py", "python", TEXT), ("b.py", "python", LIKE), ("c.py", "python", LIKE)])
    )
    assert {evidence(judged, path)["kept"] for path in ("b.py", "c.py")} == {"p:a.py"}


def test_fifty_short_files_all_stay(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [(f"{i}.py", "python", f"x = {i}") for i in range(50)]
    assert verdicts(dedup.judge(work, flow(work, files))) == {}


def test_under_the_threshold_nothing_goes_and_the_policy_computes_nothing_again(
    spark: SparkSession, warehouse_path: str
) -> None:
    files = [("a.py", "python", TEXT), ("b.py", "python", LIKE)]
    work = context(spark, warehouse_path)
    assert verdicts(dedup.judge(work, flow(work, files))) == {"b.py": [("drop", "near_duplicate")]}
    strict = context(spark, warehouse_path, dedup={"threshold": 0.99})
    assert verdicts(dedup.judge(strict, flow(strict, files))) == {}
    assert (strict.store.tally.computed, strict.store.tally.reused) == (0, 2)


def test_across_languages_by_setting(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, dedup={"across_languages": True})
    judged = dedup.judge(work, flow(work, [("a.js", "javascript", TEXT), ("b.ts", "typescript", LIKE)]))
    assert verdicts(judged) == {"b.ts": [("drop", "near_duplicate")]}


def test_the_same_code_under_other_comments_goes_by_setting(spark: SparkSession, warehouse_path: str) -> None:
    code = "def add(first, second):\n    return first + second\n"
    files = [("a.py", "python", code), ("b.py", "python", f"# Adds.\n{code.replace('    ', '  ')}")]
    work = context(spark, warehouse_path)
    judged = dedup.judge(work, flow(work, files))
    assert verdicts(judged) == {"b.py": [("drop", "same_code")]}
    assert evidence(judged, "b.py")["kept"] == "p:a.py"
    exact = context(spark, warehouse_path, dedup={"same_code": False})
    assert verdicts(dedup.judge(exact, flow(exact, files))) == {}


def test_a_common_licence_makes_no_likeness_by_setting(spark: SparkSession, warehouse_path: str) -> None:
    licence = "".join(f"// Permission is hereby granted, free of charge {i} {i + 1}\n" for i in range(40))
    files = [
        ("a.c", "c", licence + "int " + " + ".join(WORDS[:30]) + ";"),
        ("b.c", "c", licence + "char " + " - ".join(WORDS[30:60]) + ";"),
    ]
    work = context(spark, warehouse_path)
    assert verdicts(dedup.judge(work, flow(work, files))) == {}
    plain = context(spark, warehouse_path, dedup={"license_headers": True, "threshold": 0.5})
    assert verdicts(dedup.judge(plain, flow(plain, files))) == {"b.c": [("drop", "near_duplicate")]}


def test_odd_files_are_handled_by_rule(spark: SparkSession, warehouse_path: str) -> None:
    files = [
        ("empty.py", "python", ""),
        ("more/empty.py", "python", ""),
        ("space.py", "python", " \n"),
        ("comment.py", "python", "# nothing here"),
        ("one.py", "python", "x"),
        ("two.py", "python", "y"),
        ("token.py", "python", "a " * 50),
        ("token/other.py", "python", "b " * 50),
        ("token/longer.py", "python", "a " * 5_000),
    ]
    work = context(spark, warehouse_path)
    judged = dedup.judge(work, flow(work, files))
    assert verdicts(judged) == {
        "more/empty.py": [("drop", "exact_duplicate")],
        "token/longer.py": [("drop", "near_duplicate")],
    }
    assert evidence(judged, "token/longer.py") == {"kept": "p:token.py", "jaccard": 1.0}


# Thirty files made of five, each with some of its words changed, so that their likeness goes from next to none to 0.97;
# three of their names come first in the alphabet only when they arrive in the last night.
def made_of_few(seed: int, count: int = 30) -> list[File]:
    choose = random.Random(seed)
    bases = [[f"w{base}_{i}" for i in range(120)] for base in range(4)] + [[f"w0_{i}" for i in range(60)] * 2]
    files = []
    for number in range(count):
        words = list(bases[choose.randrange(5)])
        for _ in range(choose.choice([0, 1, 2, 4, 8, 16])):
            words[choose.randrange(len(words))] = f"new{choose.randrange(10**9)}"
        folder = "a" if number % 9 == 8 else choose.choice("bcd")
        files.append((f"{folder}/{number}.py", "python", " ".join(words)))
    return files


def decided(context: Context, files: Sequence[File], partitions: int = 1) -> Decided:
    found = flow(context, files)
    rows = dedup.judge(context, Flow(found.projects, found.files.repartition(partitions))).collect()
    assert len(rows) == len(files)
    return {row["path"]: (v["reason"], v["evidence"]) for row in rows for v in row["verdicts"]}


def jaccard(one: str, other: str) -> float:
    return minhash.jaccard(*(fingerprint(text, Language("python"), 5).members for text in (one, other)))


@pytest.fixture(scope="module")
def at_once(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Decided]:
    """Judge all files of a seed in one night, with buckets of that size; once for all tests."""

    @cache
    def of(size: int) -> Decided:
        folder = str(tmp_path_factory.mktemp("once"))
        return decided(context(spark, folder, dedup={"bucket_size": size}), made_of_few(seed=size))

    return of


@pytest.mark.parametrize(("bucket_size", "nights"), [(256, [11]), (3, [8, 17])])
def test_what_goes_depends_on_the_files_alone(
    spark: SparkSession, warehouse_path: str, at_once: Callable[[int], Decided], bucket_size: int, nights: list[int]
) -> None:
    files = made_of_few(seed=bucket_size)
    grown = context(spark, warehouse_path, dedup={"bucket_size": bucket_size})
    for count in nights:
        decided(grown, files[:count], partitions=3)
    assert decided(grown, files[::-1], partitions=7) == at_once(bucket_size)
    _check_cover(files, at_once(bucket_size), all_found=bucket_size == 256)


def test_what_was_there_once_changes_nothing(
    spark: SparkSession, warehouse_path: str, at_once: Callable[[int], Decided]
) -> None:
    files = made_of_few(seed=3)
    gone = [(f"gone/{path}", language, text + " the end") for path, language, text in files]
    shrunk = context(spark, warehouse_path, dedup={"bucket_size": 3})
    decided(shrunk, gone + files[:8])
    assert decided(shrunk, files, partitions=2) == at_once(3)


def _check_cover(files: Sequence[File], decisions: Decided, *, all_found: bool) -> None:
    """See that who goes is like one that stays, as said, and that no two that stay are alike."""
    texts = {path: text for path, _, text in files}
    stay = texts.keys() - decisions.keys()
    assert len(stay) < len(files)
    for path, (reason, said) in decisions.items():
        facts = json.loads(said)
        kept = facts["kept"].removeprefix("p:")
        assert kept in stay
        if reason == "near_duplicate":
            assert facts["jaccard"] == round(jaccard(texts[kept], texts[path]), 4) >= 0.7
    alike = [pair for pair in combinations(sorted(stay), 2) if jaccard(*(texts[path] for path in pair)) >= 0.7]
    assert alike == [] or not all_found


def test_a_kept_file_gives_way_to_a_better_one_and_what_it_stood_for_is_elected_anew(
    spark: SparkSession, warehouse_path: str
) -> None:
    # c is like b and like d; b and d are not like each other. While there is no b, c stays and takes d with it.
    b = ("b.py", "python", " ".join(WORDS))
    c = ("c.py", "python", " ".join([*WORDS[:180], *[f"c{i}" for i in range(20)]]))
    d = ("d.py", "python", " ".join([*WORDS[:150], *[f"d{i}" for i in range(30)], *[f"c{i}" for i in range(20)]]))
    assert min(jaccard(b[2], c[2]), jaccard(c[2], d[2])) > 0.7 > jaccard(b[2], d[2])
    work = context(spark, warehouse_path)
    assert list(decided(work, [c, d])) == ["d.py"]
    assert list(decided(work, [b, c, d])) == ["c.py"]


def test_a_second_night_measures_no_pair_again(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [("a.py", "python", TEXT), ("b.py", "python", LIKE)]
    decided(work, files)
    pairs = work.store.warehouse.read(near_duplicates.PAIRS)
    assert pairs.count() == 1
    more = [("c.py", "python", " ".join([*WORDS[:185], "third"])), ("d.py", "python", UNLIKE)]
    assert set(decided(work, files + more)) == {"b.py", "c.py"}
    assert work.store.warehouse.read(near_duplicates.PAIRS).count() == 3
    assert work.store.warehouse.read(near_duplicates.INDEX).count() == 4


def test_a_crowd_of_variants_and_one_of_unlike_files(spark: SparkSession, warehouse_path: str) -> None:
    # Forty files share half of what they say: too many for a bucket. Of them five pairs are alike, and ten are variants
    # of the first.
    choose = random.Random(7)
    template = [f"t{i}" for i in range(100)]
    own = [[f"o{choose.randrange(10**9)}" for _ in range(100)] for _ in range(40)]
    texts = [" ".join(template + words) for words in own]
    twins = [" ".join(template + words[:90]) for words in own[:5]]
    variants = [" ".join([*template, *own[5][: 99 - i]]) for i in range(10)]
    files = [(f"{number:02}.py", "python", text) for number, text in enumerate(texts + twins + variants)]
    work = context(spark, warehouse_path, dedup={"bucket_size": 8})
    dropped = decided(work, files)
    assert work.store.warehouse.exists(near_duplicates.CROWDS)
    assert set(dropped) == {f"{number:02}.py" for number in range(40, 55)}
    _check_cover(files, dropped, all_found=True)
