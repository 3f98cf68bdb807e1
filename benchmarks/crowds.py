"""Near-duplicates where one band value is shared by 100,000 files: seconds, pairs measured, recall.

    python benchmarks/crowds.py [--files 100000]

Two made-up corpora, each a crowd in most of its bands. `template`: files of which half of the shingles come from one
template, so that they are alike in most buckets and yet unlike; two in a hundred have a twin of Jaccard 0.70 to 0.95.
`variants`: variants of one file, all of them alike. All pairs of such a crowd would be 5,000,000,000.

Recall is the share of planted pairs of which not both stay. Every removal is checked on the texts: `wrong` is the share
that is not like the file that it names.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from random import Random

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.table import Table
from truth import THRESHOLD, jaccard, shingles

from codemill.annotations import FOUND, Store
from codemill.config import Settings
from codemill.session import working_session
from codemill.steps import dedup
from codemill.steps.near_duplicates import CROWDS, PAIRS
from codemill.steps.step import Context, Flow
from codemill.tables import FILES, Warehouse

_TOKENS = 120
_TWINS = 50  # every so many-th file has one


def template(number: int) -> str:
    """Make a file that shares half of its shingles with all others; the last digit tells twins apart."""
    twin, original = number % _TWINS == 1, number - (number % _TWINS == 1)
    random = Random(original)
    own = [f"own{random.randrange(10**12)}" for _ in range(_TOKENS)]
    if twin:
        changed = random.randrange(2, 2 + _TOKENS // 3)
        own = own[:-changed]
    return " ".join([f"t{i}" for i in range(_TOKENS)] + own)


def variants(number: int) -> str:
    """Make a variant of one file: a few of its words are others."""
    random = Random(number)
    words = [f"t{i}" for i in range(2 * _TOKENS)]
    for _ in range(random.randrange(1, 5)):
        words[random.randrange(len(words))] = f"own{random.randrange(10**12)}"
    return " ".join(words)


MAKERS = {"template": template, "variants": variants}


def alike(one: str, other: str) -> bool:
    """Tell whether two texts of words are as like as the threshold asks."""
    return jaccard(shingles(one.split()), shingles(other.split())) >= THRESHOLD


def write(warehouse: Warehouse, kind: str, count: int) -> None:
    """Write the made-up files."""

    def make(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            yield pd.DataFrame({"number": frame["id"], "content": frame["id"].map(MAKERS[kind])})

    made = warehouse.spark.range(count, numPartitions=8).mapInPandas(make, "number long, content string")
    number = F.format_string("%08d", "number")
    digest = F.sha2("content", 256)
    columns = {"file_id": number, "path": number, "size": F.length("content"), "content_sha256": digest}
    columns |= {"text_sha256": digest, "project_id": F.lit("p"), "language": F.lit("python")}
    columns |= {name: F.lit(None) for name in FILES.schema.names if name not in {*columns, "content"}}
    warehouse.write(FILES, made.withColumns(columns), "overwrite")


def measure(spark: SparkSession, settings: Settings, kind: str, count: int) -> list[str]:
    """Run the step over one corpus; return the row of the table."""
    warehouse = Warehouse(spark, settings.warehouse)
    write(warehouse, kind, count)
    files = warehouse.read(FILES).select("file_id", "project_id", "path", "language", "size", "text_sha256")
    files = files.withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")})
    projects = spark.createDataFrame([("p",)], "project_id string")
    begin = time.monotonic()
    judged = dedup.judge(Context(settings, Store(warehouse)), Flow(projects, files)).localCheckpoint()
    seconds = time.monotonic() - begin
    dropped = judged.where(F.size("verdicts") > 0).select("path", F.col("verdicts")[0]["evidence"].alias("evidence"))
    kept_by = {int(row["path"]): int(json.loads(row["evidence"])["kept"]) for row in dropped.collect()}
    text = MAKERS[kind]
    wrong = sum(kept in kept_by or not alike(text(gone), text(kept)) for gone, kept in kept_by.items())
    twins = [n for n in range(1, count, _TWINS) if alike(text(n), text(n - 1))] if kind == "template" else []
    found = sum(n in kept_by or n - 1 in kept_by for n in twins) / len(twins) if twins else len(kept_by) / (count - 1)
    crowd = warehouse.read(CROWDS).groupBy("bucket").count().agg(F.max("count")).first()
    return [
        kind,
        f"{count:,}",
        f"{crowd[0] if crowd else 0:,}",
        f"{seconds:.0f}",
        f"{warehouse.read(PAIRS).count():,}",
        f"{found:.4f}",
        f"{wrong / max(len(kept_by), 1):.4f}",
        f"{count - len(kept_by):,}",
    ]


def main() -> None:
    """Print one row per corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--only", choices=MAKERS)
    arguments = parser.parse_args()
    table = Table("corpus", "files", "largest crowd", "seconds", "pairs measured", "recall", "wrong", "stay")
    for kind in [arguments.only] if arguments.only else MAKERS:
        with tempfile.TemporaryDirectory(prefix="codemill-benchmark-") as folder:
            settings = Settings(warehouse=folder)
            with working_session(settings, "codemill benchmark") as spark:
                table.add_row(*measure(spark, settings, kind, arguments.files))
                spark.stop()
    Console().print(table)


if __name__ == "__main__":
    main()
