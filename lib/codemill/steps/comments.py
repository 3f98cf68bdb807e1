"""Step 5: commented-out code.

In: files. Out: files in which large sections of commented-out code are deleted at random, by a rate. Why: a model that
sees much of it learns to write it; one that sees none cannot read it. Every deletion is an `edit` with its offsets.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import comments, languages, trees
from codemill.core.languages import LanguageTable
from codemill.steps.edit import edit, edited_text
from codemill.steps.step import EDIT, ERROR, Context, Flow, unit, verdict
from codemill.tables import VERDICT

_SECTION = T.StructType(
    [
        T.StructField("start", T.IntegerType()),
        T.StructField("end", T.IntegerType()),
        T.StructField("lines", T.IntegerType()),
        T.StructField("score", T.DoubleType()),
    ]
)
_PAYLOAD = T.StructType([T.StructField("sections", T.ArrayType(_SECTION))])

# Shorter sections are never looked for, whatever the policy asks: one commented-out line is part of normal code.
_LEAST_LINES = 2


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by their commented-out sections, deleting some."""
    conf = context.settings.steps.comments
    text = table_text("languages", context.settings.catalogues.languages, LanguageTable.from_mapping)
    annotator = Annotator(
        name="comments",
        payload=_PAYLOAD,
        version=version_of([comments, trees, languages], ["tree-sitter", "tree-sitter-language-pack"], text),
        annotate=partial(each, partial(_find, table=text)),
    )
    found = context.store.annotate(flow.files, annotator, F.col("language"))
    chosen = F.filter(
        F.coalesce("comments.sections", F.array()),
        lambda s: (
            (s["lines"] >= conf.min_lines)
            & (unit(context.settings.seed, F.col("file_id"), F.concat(F.lit("comments:"), s["start"])) < conf.rate)
        ),
    )
    found = found.withColumn("chosen", chosen).withColumnRenamed("error", "find_error")
    spans = F.to_json(F.transform("chosen", lambda s: F.struct(s["start"], s["end"])))
    version = version_of([comments])
    edited = edit(context.store, found, partial(each, _delete), version, F.when(F.size("chosen") > 0, spans))
    deleted = F.transform(
        "chosen", lambda s: verdict(EDIT, "commented_out_code", start=s["start"], end=s["end"], lines=s["lines"])
    )
    error = F.coalesce("find_error", "error")
    failed = F.array(verdict(ERROR, error, annotator=F.lit("comments")))
    result = F.when(error.isNotNull(), failed).otherwise(deleted).cast(T.ArrayType(VERDICT))
    return edited.withColumn("verdicts", result).select(*flow.files.columns, "verdicts")


def _find(text: Text, table: str) -> dict[str, Any]:
    language = catalogue(LanguageTable.from_mapping, table)[text.variant]
    return {"sections": [asdict(found) for found in comments.find(text.content, language, min_lines=_LEAST_LINES)]}


def _delete(text: Text) -> dict[str, Any]:
    spans: Sequence[dict[str, int]] = json.loads(text.argument or "[]")
    content = comments.delete(text.content, [(span["start"], span["end"]) for span in spans])
    return edited_text(content)
