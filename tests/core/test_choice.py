from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import choice


@settings(max_examples=50, deadline=None)
@given(st.integers(), st.text(), st.text(), st.integers(min_value=1, max_value=10**6))
def test_choices_stay_in_bounds_and_repeat(seed: int, id_: str, purpose: str, n: int) -> None:
    assert 0 <= choice.unit(seed, id_, purpose) < 1
    assert 0 <= choice.index(seed, id_, purpose, n) < n
    assert choice.index(seed, id_, purpose, n) == choice.index(seed, id_, purpose, n)


def test_known_values_never_change() -> None:
    assert choice.unit(1, "a", "b") == 0.4520863571120295
    assert choice.index(1, "a", "b", 10) == 4


def test_choices_are_spread_evenly_and_differ_by_purpose() -> None:
    units = [choice.unit(0, str(i), "x") for i in range(4000)]
    assert 0.48 < sum(units) / 4000 < 0.52
    others = [choice.unit(0, str(i), "y") for i in range(4000)]
    agree = sum((a < 0.5) == (b < 0.5) for a, b in zip(units, others, strict=True))
    assert 1800 < agree < 2200


def test_parts_are_kept_apart() -> None:
    assert choice.unit(1, "a", "bc") != choice.unit(1, "ab", "c")
