import numpy as np
import pytest

from codemill.core import compiled


def doubled(values: np.ndarray) -> np.ndarray:
    return values * 2


def test_where_nothing_can_be_kept_the_loop_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = compiled.numba.njit

    def njit(*, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return fast()

    monkeypatch.setattr(compiled.numba, "njit", njit)
    assert compiled.compiled(doubled)(np.array([1, 2])).tolist() == [2, 4]
