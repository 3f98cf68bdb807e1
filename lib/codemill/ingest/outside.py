"""Opening what is not ours: tables and metadata files whose being there and being sound nothing vouches for."""

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from codemill.errors import UsageError


class MissingError(UsageError):
    """There is nothing at the path."""


@contextmanager
def opening(key: str, path: str, kind: str) -> Iterator[None]:
    """Turn what Spark says about a bad file into one line. Raises UsageError, MissingError where there is nothing."""
    try:
        yield
    except PySparkException as error:
        wrong = MissingError if error.getCondition() == "PATH_NOT_FOUND" else UsageError
        raise wrong(f"{key}.path: {path} cannot be read as {kind} ({error.getCondition()})") from None
    except Py4JJavaError as error:
        name = error.java_exception.getClass().getSimpleName()
        raise UsageError(f"{key}.path: {path} cannot be read as {kind} ({name})") from None
