import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import minhash


def hashes(*values: int) -> minhash.Hashes:
    return np.unique(np.array(values, dtype=np.uint64))


def shingle_set(text: str, length: int = 3) -> minhash.Hashes:
    return minhash.shingles(minhash.token_hashes(text), length)


def test_tokens_are_words_and_single_signs_without_white_space() -> None:
    assert minhash.token_hashes("if (a1 >=\n b)").tolist() == minhash.token_hashes("if(a1> =b)").tolist()
    assert minhash.token_hashes("a 1").tolist() != minhash.token_hashes("a 2").tolist()  # digits count
    assert minhash.token_hashes("A").tolist() != minhash.token_hashes("a").tolist()  # case counts
    assert minhash.token_hashes(" \n").size == 0


def test_shingles_are_runs_of_tokens_in_order() -> None:
    assert shingle_set("a b c d").size == 2
    assert shingle_set("a b c").tolist() != shingle_set("c b a").tolist()
    assert shingle_set("a b").size == 1  # shorter than a shingle: the whole run
    assert shingle_set("").size == 0


def test_jaccard_of_known_sets() -> None:
    assert minhash.jaccard(hashes(1, 2, 3), hashes(2, 3, 4)) == 0.5
    assert minhash.jaccard(hashes(), hashes()) == 1.0
    assert minhash.jaccard(hashes(1), hashes()) == 0.0


def test_the_signature_is_datasketchs_own() -> None:
    members = np.arange(20_000, dtype=np.uint64)  # more than one chunk
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


@pytest.mark.parametrize(("threshold", "num_perm"), [(0.7, 256), (0.85, 256), (0.5, 128), (0.95, 64)])
def test_banding_is_the_most_selective_that_reaches_the_recall(threshold: float, num_perm: int) -> None:
    bands, rows = minhash.banding(threshold, num_perm, 0.99)
    assert bands * rows <= num_perm
    assert 1 - (1 - threshold**rows) ** bands >= 0.99
    assert 1 - (1 - threshold ** (rows + 1)) ** (num_perm // (rows + 1)) < 0.99


def test_bands_of_equal_signatures_are_equal_and_differ_from_each_other() -> None:
    values = np.zeros(12, dtype=np.uint32)  # even where all values are the same, band 0 is not band 1
    assert minhash.band_hashes(values, 4, 3) == minhash.band_hashes(values.copy(), 4, 3)
    assert len(set(minhash.band_hashes(values, 4, 3))) == 4


@settings(max_examples=50, deadline=None)
@given(st.text(), st.integers(min_value=1, max_value=9))
def test_sets_survive_packing_and_are_sorted(text: str, length: int) -> None:
    members = shingle_set(text, length)
    assert minhash.unpack(minhash.pack(members)).tolist() == members.tolist() == sorted(set(members.tolist()))
    values = minhash.signature(members, 32)
    assert minhash.unpack_signature(minhash.pack_signature(values)).tolist() == values.tolist()


def test_signed_hashes_become_one_sorted_set() -> None:
    assert minhash.members_of(np.array([-1, 3, 3], dtype=np.int64)).tolist() == [3, 2**64 - 1]
