"""Run the near-duplicate step over a part of the corpus, in a process of its own: WAREHOUSE CORPUS RESULT PART.

PART is all, or quarter or half of the families of paths. With nothing, the warehouse is made, and the step not run: the
files that it holds are then no part of what the step's own process does. A second run over the same warehouse is a
second night. The clock does not count Spark's start; it stops when the judged rows are written.
"""

import json
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
from planted import SourceFile, family, read, read_paths
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from codemill.annotations import FOUND, Store
from codemill.config import Settings
from codemill.core.choice import unit
from codemill.core.fingerprints import fingerprint
from codemill.core.languages import Language
from codemill.session import working_session
from codemill.steps import dedup
from codemill.steps.step import Context, Flow, leaves
from codemill.tables import FILES, FOUND_BY_STEPS, PROJECTS, Warehouse

CORES = 2
PARTS = {"nothing": 0.0, "all": 1.0, "half": 0.5, "quarter": 0.25}

# Peers look at texts alone: across languages, with the comments in them, and not at code as such.
_AS_PEERS = {"across_languages": True, "license_headers": True, "same_code": False}


def settings(warehouse: Path) -> Settings:
    """Return the settings under which the step sees what its peers see."""
    spark = {"master": f"local[{CORES}]"}
    return Settings.model_validate({"warehouse": str(warehouse), "spark": spark, "steps": {"dedup": _AS_PEERS}})


def numbers_of(paths: list[str], part: str) -> list[int]:
    """Return the numbers of the files of a part: a file, its edited copy and its other versions stay together."""
    return [number for number, path in enumerate(paths) if unit(1, family(path), "part") < PARTS[part]]


def main() -> None:
    """Make the warehouse, or do one run and write what came of it."""
    folder, corpus, result = (Path(argument).resolve() for argument in sys.argv[1:4])
    numbers = numbers_of(read_paths(corpus), sys.argv[4])
    with working_session(settings(folder), "codemill benchmark") as spark:
        warehouse = Warehouse(spark, str(folder))
        if not numbers:
            _write(warehouse, read(corpus))
            return
        flow = _flow(warehouse, numbers)
        _warm_up(spark, folder)
        before = _stages(spark)
        begin = time.time()
        judged = dedup.judge(Context(settings(folder), Store(warehouse)), flow)
        judged.write.mode("overwrite").parquet(warehouse.path("judged"))
        end = time.time()
        after = _stages(spark)
        kept = spark.read.parquet(warehouse.path("judged")).where(~leaves())
        data = {
            "begin": begin,
            "end": end,
            "kept": sorted(int(row["file_id"]) for row in kept.select("file_id").collect()),
            "shuffled": after["shuffleWriteBytes"] - before["shuffleWriteBytes"],
            "collected": after["resultSize"] - before["resultSize"],
            "heap": _heap(spark),
        }
    result.write_text(json.dumps(data), encoding="utf-8")


def _write(warehouse: Warehouse, files: list[SourceFile]) -> None:
    spark = warehouse.spark
    columns: dict[str, list[Any]] = {name: [None] * len(files) for name in FILES.schema.names}
    columns["file_id"] = [f"{number:06d}" for number in range(len(files))]
    columns["path"] = [file.path for file in files]
    columns["project_id"] = [_project(file) for file in files]
    columns["language"] = [file.language for file in files]
    columns["content"] = [file.text for file in files]
    columns["size"] = [len(file.text.encode()) for file in files]
    columns["text_sha256"] = [sha256(file.text.encode()).hexdigest() for file in files]
    typed = {name: pa.array(values, pa.null() if set(values) == {None} else None) for name, values in columns.items()}
    warehouse.write(FILES, spark.createDataFrame(pa.table(typed)), "overwrite")
    projects = sorted(set(columns["project_id"]))
    rows = [{**dict.fromkeys(PROJECTS.schema.names), "project_id": name, "name": name} for name in projects]
    warehouse.write(PROJECTS, spark.createDataFrame(rows, PROJECTS.schema), "overwrite")


def _project(file: SourceFile) -> str:
    return file.path.removesuffix(family(file.path)).rstrip("/")


def _flow(warehouse: Warehouse, numbers: list[int]) -> Flow:
    spark = warehouse.spark
    chosen = spark.createDataFrame([(f"{number:06d}",) for number in numbers], "file_id string")
    files = (
        warehouse.read(FILES)
        .select("file_id", "project_id", "path", "language", "size", "text_sha256")
        .withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")})
        .join(chosen, "file_id", "left_semi")
    )
    projects = warehouse.read(PROJECTS).drop(*FOUND_BY_STEPS)
    return Flow(_kept(warehouse, "projects", projects), _kept(warehouse, "files", files))


def _kept(warehouse: Warehouse, name: str, rows: DataFrame) -> DataFrame:
    """Write rows and read them back, as the pipeline does before its first step."""
    path = warehouse.path(f"flow-{name}")
    rows.write.mode("overwrite").parquet(path)
    return warehouse.spark.read.schema(rows.schema).parquet(path)


def _stages(spark: SparkSession) -> dict[str, int]:
    """Sum up what the stages so far have written for others to read, and what they sent to the driver, in bytes."""
    context: Any = spark.sparkContext._jsc.sc()
    gateway: Any = spark.sparkContext._gateway
    context.listenerBus().waitUntilEmpty()
    no_quantiles = gateway.new_array(gateway.jvm.double, 0)
    stages = context.statusStore().stageList(None, False, False, no_quantiles, None)  # noqa: FBT003 - Java's method
    of_each = [stages.apply(number) for number in range(stages.size())]
    return {name: sum(getattr(stage, name)() for stage in of_each) for name in ("shuffleWriteBytes", "resultSize")}


def _heap(spark: SparkSession) -> int:
    """Return what the JVM still holds after a full collection, in bytes."""
    jvm: Any = spark._jvm
    jvm.java.lang.System.gc()
    memory = jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
    return int(memory.getHeapMemoryUsage().getUsed())


def _warm_up(spark: SparkSession, folder: Path) -> None:
    """Finish Spark's start: workers that have imported what they need, as peers have, and Delta's first write.

    Loops that are compiled on their first call count as imported: from the second process on they are only loaded.
    """
    rows = spark.range(CORES, numPartitions=CORES).mapInArrow(_readied, "id long")
    rows.write.format("delta").mode("overwrite").save(str(folder / "warm-up"))


def _readied(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import codemill.steps.dedup  # noqa: F401, PLC0415 - in the worker, where it counts

    fingerprint("a = 1  # 2", Language("python", line_comments=("#",)), 5)
    yield from batches


if __name__ == "__main__":
    main()
