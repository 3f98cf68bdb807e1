"""A small way to ingest sources and look at what became of them."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession
from rich.console import Console

from codemill.config import Settings
from codemill.ingest import ingest
from codemill.progress import Progress
from codemill.runs import Run, running
from codemill.tables import DECISIONS, FILES, PROJECTS


@dataclass
class Ingested:
    run: Run

    def projects(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row.asDict() for row in self.run.warehouse.read(PROJECTS).collect()}

    def files(self) -> dict[str, dict[str, Any]]:
        """By "project/path"."""
        names = {row["project_id"]: name for name, row in self.projects().items()}
        rows = self.run.warehouse.read(FILES).collect()
        return {f"{names[row['project_id']]}/{row['path']}": row.asDict() for row in rows}

    def decisions(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """(subject, action, reason, evidence), sorted; files of no known language aside."""
        rows = self.run.warehouse.read(DECISIONS).where("reason <> 'unknown_language'").collect()
        told = [(row["subject"], row["action"], row["reason"], json.loads(row["evidence"])) for row in rows]
        return sorted(told, key=str)


def take_in(spark: SparkSession, root: str, sources: Sequence[Mapping[str, Any]], **more: Any) -> Ingested:
    settings = Settings.model_validate({"warehouse": root, "sources": list(sources), **more})
    with Progress(Console(file=io.StringIO())) as progress, running("ingest", settings, spark, progress) as run:
        ingest(run)
    return Ingested(run)
