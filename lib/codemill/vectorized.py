"""Column functions written in Python: pandas UDFs, in a form that a type checker can follow."""

from collections.abc import Callable
from typing import Any, cast

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas import functions

Vectorized = Callable[..., "pd.Series[Any] | pd.DataFrame"]


def vectorized(returns: T.DataType) -> Callable[[Vectorized], Callable[..., Column]]:
    """Make a column function of a function from pandas series to a series (or, for a struct, a frame)."""
    make = cast("Callable[..., Any]", functions.pandas_udf)

    def wrap(function: Vectorized) -> Callable[..., Column]:
        return cast("Callable[..., Column]", make(function, returns))

    return wrap
