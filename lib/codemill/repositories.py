"""Repository level: the order of the files of each project, and the files that are shown before a file in its samples.

In: `curated_files`. Out: one row per file with its place in the order of its project (what is used stands before its
user) and the ids of the files to show, the nearest last. Outlines of texts are annotations; what is grouped by project
is narrow: paths, sizes, names, no texts. Files are shown within a budget of bytes, so what is joined is bounded too.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.annotations import Annotator, Text, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import choice, imports, isolation, languages, ordering, outlines, similarity, trees
from codemill.core.imports import Outline, Source
from codemill.core.languages import LanguageTable
from codemill.runs import Run

_WORDS = T.ArrayType(T.StringType())
_OUTLINE = T.StructType(
    [
        T.StructField("declares", _WORDS),
        T.StructField("imports", _WORDS),
        T.StructField("terms", T.MapType(T.StringType(), T.IntegerType())),
    ]
)
_PLACED = T.StructType(
    [
        T.StructField("file_id", T.StringType()),
        T.StructField("position", T.IntegerType()),
        T.StructField("context", _WORDS),
    ]
)
_SHOWN = "array<struct<file_id:string,path:string,content:string>>"


class _How(NamedTuple):
    seed: int
    random_share: float
    rate: float
    budget: int
    most: int


def placed(run: Run, files: DataFrame, budget: int) -> DataFrame:
    """Return (file_id, position, context) of every curated file; ``budget``: bytes that a file may show of others."""
    conf = run.settings.fim.repository
    subjects = files.select("file_id", "project_id", "path", "language", "size", "text_sha256")
    subjects = subjects.withColumn("text_key", F.col("file_id"))
    contents = files.select(F.col("file_id").alias("text_key"), "content")
    outlined = run.store.annotate(subjects, _annotator(run), F.col("language"), contents=contents)
    narrow = outlined.select("file_id", "project_id", "path", "language", "size", "outline.*")
    how = _How(run.settings.seed, conf.random_share, conf.rate, budget, conf.max_files)

    def order(table: pa.Table) -> pa.Table:  # Spark reads these hints, which a partial function hides
        return _order(table, how)

    return narrow.groupBy("project_id").applyInArrow(order, _PLACED)


def shown(files: DataFrame, places: DataFrame) -> DataFrame:
    """Return (file_id, shown): the other files that each file is shown with, as structs of file_id, path, content."""
    wanted = places.select("file_id", F.posexplode("context").alias("turn", "other"))
    texts = files.select(F.col("file_id").alias("other"), "path", "content")
    each = F.struct("turn", F.col("other").alias("file_id"), "path", "content")
    grouped = wanted.join(texts, "other").groupBy("file_id").agg(F.sort_array(F.collect_list(each)).alias("each"))
    return grouped.select("file_id", _without_turns(F.col("each")).alias("shown"))


def nothing_shown() -> Column:
    """Return what a file shows that shows no others."""
    return F.lit(None).cast(_SHOWN)


def _without_turns(each: Column) -> Column:
    return F.transform(each, lambda one: F.struct(one["file_id"], one["path"], one["content"]))


def _annotator(run: Run) -> Annotator:
    table = table_text("languages", run.settings.catalogues.languages, LanguageTable.from_mapping)
    packages = ("tree-sitter", "tree-sitter-language-pack")
    version = version_of([outlines, imports, similarity, trees, isolation, languages], packages, table)
    return Annotator("outline", _OUTLINE, version, partial(_outlined, table=table))


def _outlined(texts: Sequence[Text], table: str) -> "Iterator[dict[str, Any] | Exception]":
    known = catalogue(LanguageTable.from_mapping, table)
    items = [(text.content, known[text.variant]) for text in texts]
    yield from isolation.each(outlines.answer, items, trees.LIMITS)


def _order(table: pa.Table, how: _How) -> pa.Table:
    """Order the files of one project."""
    rows = sorted(table.to_pylist(), key=lambda row: (row["path"], row["file_id"]))
    files = [ordering.File(row["path"], row["size"], dict(row["terms"] or ())) for row in rows]
    edges = imports.edges([Source(row["path"], row["language"], _outline(row)) for row in rows])
    order = ordering.order(files, edges, seed=how.seed, project_id=rows[0]["project_id"], random_share=how.random_share)
    wanted = [choice.unit(how.seed, row["file_id"], "repository") < how.rate for row in rows]
    contexts: list[list[int]] = [[]] * len(rows)
    if any(wanted):
        contexts = ordering.contexts(order, files, edges, budget=how.budget, most=how.most)
    found = [
        {
            "file_id": rows[index]["file_id"],
            "position": position,
            "context": [rows[other]["file_id"] for other in contexts[index]] if wanted[index] else [],
        }
        for position, index in enumerate(order)
    ]
    return pa.Table.from_pylist(found, schema=to_arrow_schema(_PLACED))


def _outline(row: dict[str, Any]) -> Outline:
    return Outline(tuple(row["declares"] or ()), tuple(row["imports"] or ()))
