import numpy as np
import pytest

from codemill.core import minhash
from codemill.core.histories import SKETCH, landmarks, shared_commits


def sketch(*ranges: range) -> tuple[bytes, int]:
    numbers = np.concatenate([np.arange(r.start, r.stop, dtype=np.uint64) for r in ranges])
    values = np.sort(minhash.runs(numbers, 1) * np.uint64(0x9E3779B97F4A7C15))
    return minhash.pack(values[:SKETCH]), len(numbers)


@pytest.mark.parametrize(
    ("left", "right", "shared"),
    [
        (sketch(range(100)), sketch(range(40, 200)), 60),
        (sketch(range(100)), sketch(range(100)), 100),
        (sketch(range(100)), sketch(range(100, 200)), 0),
        ((b"", 0), sketch(range(5)), 0),
    ],
)
def test_small_histories_are_compared_exactly(left: tuple[bytes, int], right: tuple[bytes, int], shared: int) -> None:
    assert shared_commits(*left, *right) == shared_commits(*right, *left) == shared


@pytest.mark.parametrize(
    ("left", "right", "shared"),
    [
        (sketch(range(100_000)), sketch(range(100_000)), 100_000),
        (sketch(range(100_000)), sketch(range(50_000, 150_000)), 50_000),
        (sketch(range(20_000)), sketch(range(3_000), range(90_000, 97_000)), 3_000),
        (sketch(range(100_000)), sketch(range(100_000, 200_000)), 0),
    ],
)
def test_large_histories_are_estimated(left: tuple[bytes, int], right: tuple[bytes, int], shared: int) -> None:
    found = shared_commits(*left, *right)
    assert found == shared_commits(*right, *left)
    assert abs(found - shared) <= 0.05 * (left[1] + right[1])


def test_landmarks_are_the_smallest_values() -> None:
    values = np.array([1, 5, 2**63 + 1], dtype=np.uint64)
    assert landmarks(minhash.pack(values), 2) == [1, 5]
    assert landmarks(minhash.pack(values), 9) == [1, 5, -(2**63) + 1]
