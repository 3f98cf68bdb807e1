"""The band index: derived bands, buckets, what is compared before a pair is measured, and the recall of it all."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import bands, minhash
from codemill.core.bands import Entries, Glance, Shelf, Texts

NUM_PERM = 256
ALIKE = Glance(threshold=0.7, num_perm=64)


def texts(numbers: Iterable[int], sizes: int = 10, words: int = 1) -> Texts:
    ids = np.array([number.to_bytes(16, "big") for number in numbers], dtype="V16")
    return Texts(ids, np.full(len(ids), sizes), np.zeros((len(ids), words), dtype=np.uint64))


def numbers_of(pairs: Iterable[bands.Pairs]) -> list[tuple[int, int]]:
    both = [
        (left.tobytes(), right.tobytes()) for lefts, rights in pairs for left, right in zip(lefts, rights, strict=True)
    ]
    return sorted((int.from_bytes(left, "big"), int.from_bytes(right, "big")) for left, right in both)


def shelved(
    batches: Iterable[Iterable[tuple[int, tuple[int, ...], bool]]], bucket_size: int = 4
) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
    """Put texts (number, buckets, is new) on a shelf; return its pairs, and its crowds as (bucket, number)."""
    shelf, crowds = Shelf(ALIKE, bucket_size), []
    for rows in map(list, batches):
        lengths = [len(row[1]) for row in rows]
        entries = Entries(
            np.array([bucket for row in rows for bucket in row[1]], dtype=np.uint64),
            np.repeat(np.arange(len(rows)), lengths),
        )
        crowds += shelf.add(texts(row[0] for row in rows), np.array([row[2] for row in rows], dtype=bool), entries)
    crowds += shelf.crowds()
    members = {
        (int(bucket), int.from_bytes(id_.tobytes(), "big"))
        for crowd in crowds
        for bucket, id_ in zip(crowd.buckets, crowd.ids, strict=True)
    }
    return sorted(set(numbers_of(shelf.pairs()))), members


@pytest.mark.parametrize(("threshold", "num_perm"), [(0.7, 256), (0.85, 256), (0.5, 128), (0.95, 64)])
def test_banding_is_the_most_selective_that_reaches_the_recall(threshold: float, num_perm: int) -> None:
    count, rows = bands.banding(threshold, num_perm, 0.99)
    assert count * rows <= num_perm
    assert 1 - (1 - threshold**rows) ** count >= 0.99
    assert 1 - (1 - threshold ** (rows + 1)) ** (num_perm // (rows + 1)) < 0.99


def test_banding_at_the_defaults() -> None:
    assert bands.banding(0.7, 256, 0.99) == (42, 6)


def test_buckets_of_equal_bands_are_equal_and_differ_from_all_others() -> None:
    values = np.zeros((2, 12), dtype=np.uint32)  # even where all values are the same, band 0 is not band 1
    values[1, 11] = 1
    first, second = bands.band_buckets(values, 4, 3)
    assert len({*first.tolist(), *second.tolist()}) == 5
    assert first[:3].tolist() == second[:3].tolist()
    salted = bands.band_buckets(values[:1], 4, 3, np.array([7], dtype=np.uint64))
    assert not set(salted[0].tolist()) & set(first.tolist())
    assert not bands.is_code_bucket(salted).any()


def test_code_has_buckets_of_its_own() -> None:
    code = bands.code_buckets(np.array([2, 4], dtype=np.uint64), np.array([8, 8], dtype=np.uint64))
    assert code.tolist() == [11, 13]
    assert bands.is_code_bucket(code).all()


def test_bits_are_the_lowest_of_every_value() -> None:
    assert bands.bits(np.array([[1, 2, 3] + [0] * 61 + [5], [0] * 65], dtype=np.uint32)).tolist() == [
        [0b101, 1],
        [0, 0],
    ]


def test_who_shares_a_bucket_is_a_pair_when_one_of_them_is_new() -> None:
    rows = [(1, (10, 20), True), (2, (20,), False), (3, (20, 30), False), (4, (40,), True)]
    assert shelved([rows]) == ([(1, 2), (1, 3)], set())
    assert shelved([[row] for row in reversed(rows)]) == ([(1, 2), (1, 3)], set())


def test_a_crowd_comes_out_as_it_is_and_makes_no_pair() -> None:
    rows = [(number, (10,) if number < 5 else (10, 20), True) for number in range(7)]
    assert shelved([rows]) == ([(5, 6)], {(10, number) for number in range(7)})


def test_a_crowd_is_let_go_of_before_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "_HELD", 6)
    rows = [(number, (10, 20 + 2 * (number // 2)), True) for number in range(42)]
    pairs, crowds = shelved(rows[start : start + 4] for start in range(0, 42, 4))
    assert pairs == [(number, number + 1) for number in range(0, 42, 2)]
    assert crowds == {(10, number) for number in range(42)}


ROWS = st.lists(st.tuples(st.frozensets(st.integers(0, 6), max_size=4), st.booleans()), max_size=25)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 5), st.randoms())
def test_a_shelf_gives_what_brute_force_gives_in_any_order(rows: list, batch: int, random: object) -> None:
    named = [(number, tuple(2 * bucket for bucket in buckets), new) for number, (buckets, new) in enumerate(rows)]
    members = {bucket: [row for row in named if bucket in row[1]] for bucket in range(0, 14, 2)}
    pairs = {
        (one[0], other[0])
        for some in members.values()
        for one in some
        for other in some
        if len(some) <= 4 and one[0] < other[0] and (one[2] or other[2])
    }
    crowds = {(bucket, row[0]) for bucket, some in members.items() if len(some) > 4 for row in some}
    random.shuffle(named)  # type: ignore[attr-defined]
    assert shelved(named[start : start + batch] for start in range(0, len(named), batch)) == (sorted(pairs), crowds)


def test_sizes_and_bits_rule_pairs_out_but_not_those_of_the_same_code() -> None:
    def look(size: int, differing: int, bucket: int) -> int:
        bits = np.array([[0], [(1 << differing) - 1]], dtype=np.uint64)
        both = Texts(texts([1, 2]).ids, np.array([100, size]), bits)
        shelf = Shelf(ALIKE, 4)
        entries = Entries(np.array([bucket, bucket], dtype=np.uint64), np.arange(2))
        assert not list(shelf.add(both, np.array([True, True]), entries))
        assert [len(crowd.ids) for crowd in shelf.crowds()] == [0]
        return len(numbers_of(shelf.pairs()))

    most = bands.most_differing(0.7, 64)
    assert (look(70, most, 2), look(69, most, 2), look(70, most + 1, 2)) == (1, 0, 0)
    assert (look(10, 64, 3), look(143, 0, 2), look(142, 0, 2)) == (1, 0, 1)


@pytest.mark.parametrize("glances", [1, 4, 500_000])
def test_leaders_are_paired_with_all_who_follow(glances: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "_GLANCES", glances)
    # 6, 5, 1 and 2 are together, and 6 and 5 lead; so are 3, 4 and 7, and 3 leads; so is 8 alone.
    some = texts([6, 5, 1, 2, 3, 4, 7, 8])
    found = ALIKE.led(some, np.array([0, 1, 4, 7]), np.array([4, 4, 7, 8]))
    assert numbers_of(found) == [(1, 5), (1, 6), (2, 5), (2, 6), (3, 4), (3, 7), (5, 6)]
    sized = Texts(some.ids, np.array([10, 90, 10, 90, 10, 10, 90, 90]), some.bits)
    assert numbers_of(ALIKE.led(sized, np.array([0, 1, 4]), np.array([4, 4, 7]))) == [(1, 6), (2, 5), (3, 4)]
    assert not numbers_of(ALIKE.led(some, np.array([], dtype=int), np.array([], dtype=int)))


def test_a_crowd_is_thinned_by_those_who_are_not_near_one_that_leads() -> None:
    # By size, 3 and 4 are near each other and not near 1 and 2; 5 is near nobody.
    some = texts([1, 2, 3, 4, 5])
    sized = Texts(some.ids, np.array([10, 11, 40, 41, 90]), some.bits)
    assert numbers_of(ALIKE.thinned(sized, 9)) == [(1, 2), (3, 4)]
    assert numbers_of(ALIKE.thinned(sized, 1)) == [(1, 2)]


def sets_of(random: np.random.Generator, jaccard: float, size: int) -> tuple[minhash.Hashes, minhash.Hashes]:
    """Make two sets of which both together have ``size`` members and share jaccard * size."""
    members = random.integers(0, 2**63, size, dtype=np.uint64)
    shared = round(jaccard * size)
    cut = (size + shared) // 2
    return np.unique(members[:cut]), np.unique(np.concatenate((members[:shared], members[cut:])))


@pytest.mark.parametrize("jaccard", [0.70, 0.72, 0.8])
def test_recall_at_and_above_the_threshold_is_what_was_asked_for(jaccard: float) -> None:
    random, glance = np.random.default_rng(1), Glance(0.7, NUM_PERM)
    count, rows = bands.banding(0.7, NUM_PERM, 0.99)
    found = 0
    for _ in range(3_000):
        both = sets_of(random, jaccard, 200)
        assert minhash.jaccard(*both) >= 0.7
        signatures = np.stack([minhash.signature(members, NUM_PERM) for members in both])
        one, other = bands.band_buckets(signatures, count, rows)
        pair = Texts(
            texts([1, 2]).ids,
            np.array([members.size for members in both]),
            bands.bits(signatures),
        )
        found += bool((one == other).any() and glance.near(pair, np.array([0]), np.array([1]))[0])
    assert found >= 0.99 * 3_000
