"""Loops over bytes and numbers, compiled by numba when they are first called.

What was compiled is kept on disk, beside the module or in the user's cache folder, so that it takes a third of a second
from the second process on, and a whole one where neither can be written.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function of numpy arrays. Constants of its own module only: what is kept does not see others change."""
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:  # there is no folder to keep it in
        return numba.njit()(function)
