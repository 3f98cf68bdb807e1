"""Small ways to write what the tests put into tables."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from codemill.annotations import FOUND, Store
from codemill.config import Settings
from codemill.steps.step import Context, Flow
from codemill.tables import FILES, FOUND_BY_STEPS, PROJECTS, Warehouse

File = tuple[str, str, str]  # path, language, content


def context(spark: SparkSession, root: str, **steps: Mapping[str, Any]) -> Context:
    """A step's context over an empty warehouse."""
    settings = Settings.model_validate({"warehouse": root, "seed": 1, "steps": steps})
    return Context(settings, Store(Warehouse(spark, root)))


def flow(context: Context, files: Sequence[File], projects: Sequence[Mapping[str, Any]] = ()) -> Flow:
    """Write files (of project "p" unless the path says "project:path") and return them as a flow."""
    spark = context.store.warehouse.spark
    rows = [_file(*file) for file in files]
    context.store.warehouse.write(FILES, spark.createDataFrame(rows, FILES.schema), "overwrite")
    ids = dict.fromkeys(row["project_id"] for row in rows)
    given = {project["project_id"]: project for project in projects}
    known = [{"project_id": id_, **given.get(id_, {})} for id_ in {**ids, **given}]
    frame = spark.createDataFrame([_project(row) for row in known], PROJECTS.schema)
    narrow = context.store.warehouse.read(FILES).drop(
        "content", "content_sha256", "encoding", "bom", "guessed_encoding"
    )
    state = narrow.selectExpr("*", f"'{FOUND}' as text_in", "file_id as text_key")
    return Flow(frame.drop(*FOUND_BY_STEPS), state)


def verdicts(judged: DataFrame, id_: str = "path") -> dict[str, list[tuple[str, str]]]:
    """Return (action, reason) of every row that has a verdict."""
    return {
        row[id_]: [(verdict["action"], verdict["reason"]) for verdict in row["verdicts"]]
        for row in judged.collect()
        if row["verdicts"]
    }


def _file(path: str, language: str, content: str) -> dict[str, Any]:
    project, _, path = path.rpartition(":")
    data = content.encode()
    digest = hashlib.sha256(data).hexdigest()
    return {
        "file_id": f"{project or 'p'}:{path}",
        "project_id": project or "p",
        "path": path,
        "language": language,
        "size": len(data),
        "content_sha256": digest,
        "text_sha256": digest,
        "encoding": "utf-8",
        "bom": False,
        "guessed_encoding": False,
        "content": content,
    }


def _project(row: Mapping[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(PROJECTS.schema.names)
    return {**empty, "platform": "local", "name": row["project_id"], "container": row["project_id"], "files": 1, **row}
