"""Columns and rows by functions written in Python, in a form that a type checker can follow."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas import functions
from pyspark.sql.pandas.types import to_arrow_schema

# PySpark reads these hints when a function is made, and at that time a series takes no parameter.
if TYPE_CHECKING:
    Series: TypeAlias = pd.Series[Any]
else:
    Series = pd.Series

Batches = Iterator[pa.RecordBatch]
Rows = list[dict[str, Any]]
Vectorized = Callable[..., Series | pd.DataFrame]


def rebatched(
    batches: Batches,
    max_rows: int,
    max_bytes: int,
    size: Callable[[dict[str, Any]], int] = lambda row: len(row["content"]),
) -> Iterator[Rows]:
    """Yield rows, of all batches, in parts of at most so many, and of about so many bytes (by default of `content`)."""
    rows: Rows = []
    total = 0
    for batch in batches:
        for row in batch.to_pylist():
            rows.append(row)
            total += size(row)
            if len(rows) >= max_rows or total >= max_bytes:
                yield rows
                rows, total = [], 0
    if rows:
        yield rows


def vectorized(returns: T.DataType) -> Callable[[Vectorized], Callable[..., Column]]:
    """Make a column function of a function from pandas series to a series (or, for a struct, a frame)."""
    make = cast("Callable[..., Any]", functions.pandas_udf)

    def wrap(function: Vectorized) -> Callable[..., Column]:
        return cast("Callable[..., Column]", make(function, returns))

    return wrap


def mapped(rows: DataFrame, schema: T.StructType, function: Callable[..., Batches], **known: Any) -> DataFrame:
    """Map Arrow batches by a function that gets the schema of its answers, and what else is known."""
    return rows.mapInArrow(partial(function, schema=to_arrow_schema(schema), **known), schema)
