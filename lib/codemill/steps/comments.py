"""Step 5: commented-out code.

In: files. Out: files in which large sections of commented-out code are deleted at random, by a rate. Why: a model that
sees much of it learns to write it; one that sees none cannot read it. Every deletion is an `edit` with its offsets.
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Text, each, version_of
from codemill.config import Comments
from codemill.core import comments
from codemill.steps.edit import edit, edited_text
from codemill.steps.inspection import inspected
from codemill.steps.step import EDIT, ERROR, Context, Flow, unit, verdict
from codemill.tables import VERDICT


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by their commented-out sections, deleting some."""
    conf = context.settings.steps.comments
    found = inspected(context, flow.files)
    chosen = F.filter(
        F.coalesce("trees.sections", F.array()),
        lambda s: (
            _is_large(s, conf)
            & (unit(context.settings.seed, F.col("file_id"), F.concat(F.lit("comments:"), s["start"])) < conf.rate)
        ),
    )
    found = found.withColumn("chosen", chosen).withColumnRenamed("error", "find_error")
    spans = F.to_json(F.transform("chosen", lambda s: F.struct(s["start"], s["end"])))
    version = version_of([comments])
    edited = edit(context.store, found, partial(each, _delete), version, F.when(F.size("chosen") > 0, spans))
    deleted = F.transform(
        "chosen",
        lambda s: verdict(
            EDIT,
            "commented_out_code",
            start=s["start"],
            end=s["end"],
            lines=s["lines"],
            characters=s["characters"],
            score=s["score"],
        ),
    )
    error = F.coalesce("find_error", "error")
    failed = F.array(verdict(ERROR, error, annotator=F.lit("trees")))
    result = F.when(error.isNotNull(), failed).otherwise(deleted).cast(T.ArrayType(VERDICT))
    return edited.withColumn("verdicts", result).select(*flow.files.columns, "verdicts")


def _is_large(section: Column, conf: Comments) -> Column:
    large = section["lines"] >= conf.min_lines
    return large if conf.min_characters is None else large | (section["characters"] >= conf.min_characters)


def _delete(text: Text) -> dict[str, Any]:
    spans: Sequence[dict[str, int]] = json.loads(text.argument or "[]")
    content = comments.delete(text.content, [(span["start"], span["end"]) for span in spans])
    return edited_text(content)
