import numpy as np
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import minhash


def hashes(*values: int) -> minhash.Hashes:
    return np.unique(np.array(values, dtype=np.uint64))


def shingle_set(text: str, length: int = 3) -> minhash.Hashes:
    return minhash.shingles(minhash.hashes_of(text.split()), length)


def test_shingles_are_runs_of_tokens_in_order() -> None:
    assert shingle_set("a b c d").size == 2
    assert shingle_set("a b c").tolist() != shingle_set("c b a").tolist()
    assert shingle_set("a b").size == 1  # shorter than a shingle: the whole run
    assert shingle_set("").size == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5) | st.integers(2**64 - 5, 2**64 - 1), min_size=1))
def test_hashes_are_sorted_and_each_is_there_once(values: list[int]) -> None:
    assert minhash.distinct(np.array(values, dtype=np.uint64)).tolist() == sorted(set(values))


def test_hashes_made_to_fall_unevenly_are_sorted_too() -> None:
    values = np.arange(5_000, dtype=np.uint64)[::-1].copy()  # the same first bits, in the worst order
    assert minhash.distinct(values).tolist() == list(range(5_000))


def test_jaccard_of_known_sets() -> None:
    assert minhash.jaccard(hashes(1, 2, 3), hashes(2, 3, 4)) == 0.5
    assert minhash.jaccard(hashes(), hashes()) == 1.0
    assert minhash.jaccard(hashes(1), hashes()) == 0.0


def test_the_signature_is_datasketchs_own() -> None:
    members = np.arange(20_000, dtype=np.uint64)
    sketch = MinHash(num_perm=64, seed=1, hashfunc=lambda value: value, scheme="affine32")
    sketch.update_batch(members.tolist())
    assert minhash.signature(members, 64).tolist() == sketch.hashvalues.tolist()


def test_signatures_estimate_jaccard() -> None:
    left = np.unique(np.random.default_rng(0).integers(0, 2**63, 3000).astype(np.uint64))
    right = np.unique(
        np.concatenate([left[:2000], np.random.default_rng(1).integers(0, 2**63, 1000).astype(np.uint64)])
    )
    agree = np.mean(minhash.signature(left, 1024) == minhash.signature(right, 1024))
    assert abs(agree - minhash.jaccard(left, right)) < 0.06


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abc")).map(" ".join), st.integers(min_value=1, max_value=9))
def test_sets_survive_packing_and_are_sorted(text: str, length: int) -> None:
    members = shingle_set(text, length)
    assert minhash.unpack(minhash.pack(members)).tolist() == members.tolist() == sorted(set(members.tolist()))
    values = minhash.signature(members, 32)
    assert minhash.unpack_signature(minhash.pack(values)).tolist() == values.tolist()


def test_signed_hashes_become_one_sorted_set() -> None:
    assert minhash.members_of(np.array([-1, 3, 3], dtype=np.int64)).tolist() == [3, 2**64 - 1]


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_intersections_are_those_of_sets(left: set[int], right: set[int]) -> None:
    assert minhash.intersection(hashes(*left), hashes(*right)) == len(left & right)
