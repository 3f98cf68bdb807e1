"""Measure the detection of licences: the evidence of 10,000 projects, and the headers of their files.

    python benchmarks/licenses.py [--projects 10000]

Every project has a LICENSE, a manifest and a README of its own: the texts of the test suite's real packages, each with
another holder and year, so that no text is known from another project. Spark's start is not counted.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.table import Table

from codemill.annotations import Store
from codemill.config import Settings
from codemill.session import working_session
from codemill.steps import licenses
from codemill.steps.step import Context, Flow
from codemill.tables import FILES, FOUND_BY_STEPS, PROJECTS, Warehouse

_TEXTS = Path(__file__).parents[1] / "tests" / "licenses"
_HOLDERS = ("Jane Roe", "The Example Authors", "Acme Widgets, Inc.", "University of Utopia", "R. Daneel")


def evidence(number: int, texts: list[str]) -> dict[str, str]:
    """Return the files of one project that speak about its licence."""
    holder = f"Copyright (c) {1990 + number % 35} {_HOLDERS[number % len(_HOLDERS)]} no. {number}"
    return {
        "LICENSE": f"{holder}\n\n{texts[number % len(texts)]}",
        "package.json": f'{{"name": "p{number}", "license": "MIT", "repository": "owner/p{number}"}}',
        "README.md": f"# p{number}\n\n{'It does things. ' * 60}\n\n## License\n\nSee LICENSE. {holder}\n",
    }


def rows(projects: int, texts: list[str]) -> list[dict[str, Any]]:
    """Return rows of `files`, with what the step looks at."""
    nothing = dict.fromkeys(FILES.schema.names)
    found = []
    for number in range(projects):
        for path, content in evidence(number, texts).items():
            id_ = f"{number:032x}"
            hash_ = f"{number}:{path}"
            own = {"file_id": f"{id_}{path}", "project_id": id_, "path": path, "text_sha256": hash_, "content": content}
            found.append({**nothing, **own, "language": "other", "size": len(content)})
    return found


def main() -> None:
    """Print the seconds that the step takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000)
    count = parser.parse_args().projects
    index = yaml.safe_load((_TEXTS / "index.yaml").read_text(encoding="utf-8"))
    texts = [(_TEXTS / entry["file"]).read_text(encoding="utf-8") for entry in index]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(warehouse=folder)
        with working_session(settings, "codemill benchmark") as spark:
            warehouse = Warehouse(spark, folder)
            files = rows(count, texts)
            warehouse.write(FILES, spark.createDataFrame(files, FILES.schema), "overwrite")
            known = spark.range(count).select(F.lpad(F.lower(F.hex("id")), 32, "0").alias("project_id"))
            missing = [field for field in PROJECTS.schema if field.name not in ("project_id", *FOUND_BY_STEPS)]
            known = known.withColumns({field.name: F.lit(None).cast(field.dataType) for field in missing})
            context = Context(settings, Store(warehouse))
            begin = time.monotonic()
            judged = licenses.judge(context, Flow(known, warehouse.read(FILES)))
            classes = judged.groupBy("license_class").count().collect()
            seconds = time.monotonic() - begin
    size = sum(len(row["content"]) for row in files) / 1e6
    table = Table("projects", "files", "MB", "seconds", "projects/s", title="licences of projects")
    table.add_row(f"{count:,}", f"{len(files):,}", f"{size:.1f}", f"{seconds:.1f}", f"{count / seconds:,.0f}")
    console = Console()
    console.print(table)
    console.print(", ".join(f"{row['license_class']}: {row['count']:,}" for row in sorted(classes)), highlight=False)


if __name__ == "__main__":
    main()
