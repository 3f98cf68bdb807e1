"""Measure the ranking on made-up projects: seconds, and the memory of all processes at its peak.

    python benchmarks/ranking.py [--projects 5000000]

The projects are made as they are read, every time: four platforms, one with most of them; most projects with few stars
and commits, some with millions, and some of which neither is known. What is ranked is thrown away.

Code generation is on, as it is under spark-submit. codemill's own local mode has it off, which is faster for what fits
on one machine, but takes ten times as long here.
"""

import argparse
import contextlib
import os
import tempfile
import threading
import time
from types import TracebackType

import psutil
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.table import Table

from codemill.annotations import Store
from codemill.config import Settings
from codemill.session import working_session
from codemill.steps import ranking
from codemill.steps.step import Context, Flow, unit
from codemill.tables import Warehouse

# With what Java and Python need besides the heap, less than 4 GB.
_SPARK = {
    "driver_memory": "3g",
    "conf": {
        "spark.sql.codegen.wholeStage": "true",
        "spark.sql.codegen.factoryMode": "FALLBACK",
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    },
}


class PeakMemory:
    """Watches the memory of this process and all that it starts; ``gigabytes`` is the most that was seen."""

    def __init__(self) -> None:
        self.gigabytes = 0.0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> "PeakMemory":
        """Begin to watch."""
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop watching."""
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        root = psutil.Process()
        while not self._done.wait(0.2):
            with contextlib.suppress(psutil.Error):  # a process that ended between two looks
                family = [root, *root.children(recursive=True)]
                self.gigabytes = max(self.gigabytes, sum(process.memory_info().rss for process in family) / 1e9)


def projects(spark: SparkSession, n: int) -> DataFrame:
    """Make projects with nothing but what the ranking reads."""
    number = F.col("id")

    def chance(purpose: str) -> Column:
        return unit(0, number, purpose)

    def skewed(purpose: str, factors: float) -> Column:
        return F.floor(F.expm1(chance(purpose) * chance(f"{purpose} again") * factors))

    platform = F.when(chance("platform") < 0.8, "github").otherwise(
        F.element_at(F.array(*map(F.lit, ("gitlab", "npm", "pypi"))), (number % 3 + 1).cast("int"))
    )
    return spark.range(n).select(
        F.md5(number.cast("string")).alias("project_id"),
        platform.alias("platform"),
        F.when(chance("has stars") < 0.8, skewed("stars", 13)).alias("stars"),
        F.when(chance("has commits") < 0.5, skewed("commits", 14)).alias("commits"),
        skewed("test files", 9).alias("test_files"),
    )


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=5_000_000)
    arguments = parser.parse_args()
    settings = Settings.model_validate({"warehouse": tempfile.gettempdir(), "spark": _SPARK})
    cores = os.cpu_count() or 1
    with PeakMemory() as memory, working_session(settings, "codemill ranking benchmark") as spark:
        made = projects(spark, arguments.projects)
        context = Context(settings, Store(Warehouse(spark, settings.warehouse)))
        begin = time.monotonic()
        ranking.judge(context, Flow(made, made)).write.format("noop").mode("overwrite").save()
        seconds = time.monotonic() - begin
        spark.stop()
    title = f"ranking, {cores} cores, code generation on"
    table = Table("projects", "seconds", "projects/s", "peak GB", title=title, min_width=len(title))
    rate = arguments.projects / seconds
    table.add_row(f"{arguments.projects:,}", f"{seconds:.1f}", f"{rate:,.0f}", f"{memory.gigabytes:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
