"""Column functions written in Python: pandas UDFs, in a form that a type checker can follow."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas import functions

# PySpark reads these hints when a function is made, and at that time a series takes no parameter.
if TYPE_CHECKING:
    Series: TypeAlias = pd.Series[Any]
else:
    Series = pd.Series

Vectorized = Callable[..., Series | pd.DataFrame]


def vectorized(returns: T.DataType) -> Callable[[Vectorized], Callable[..., Column]]:
    """Make a column function of a function from pandas series to a series (or, for a struct, a frame)."""
    make = cast("Callable[..., Any]", functions.pandas_udf)

    def wrap(function: Vectorized) -> Callable[..., Column]:
        return cast("Callable[..., Column]", make(function, returns))

    return wrap
