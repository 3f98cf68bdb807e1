"""Edits: a new text is a pure function of the old text and of what is to be done to it.

Edited texts are annotations like any other, kept under the hash of (old text, instruction, version): a second run with
the same policy edits nothing again, and later steps find the new text under its own hash.
"""

import hashlib
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import EDITED, Annotate, Annotator, Store
from codemill.tables import REDACTION_FIELDS

_PAYLOAD = T.StructType(
    [
        T.StructField("content", T.StringType()),
        T.StructField("new_sha256", T.StringType()),
        T.StructField("new_size", T.LongType()),
        T.StructField("redactions", T.ArrayType(T.StructType(REDACTION_FIELDS))),
    ]
)


def edit(store: Store, files: DataFrame, annotate: Annotate, version: str, instruction: Column) -> DataFrame:
    """Apply an instruction (JSON, null for none) to each file's text.

    ``annotate`` answers with the new content, its SHA-256 and size and, for redactions, what was replaced. Returns the
    files with text_sha256, text_in, text_key and size of the new text, `redactions`, and `error` as by Store.annotate.
    """
    annotator = Annotator(EDITED, _PAYLOAD, version, annotate)
    edited = store.annotate(
        files.withColumn("instruction", instruction),
        annotator,
        F.lit("edit"),
        F.col("instruction"),
        where=F.col("instruction").isNotNull(),
    )
    changed = F.col(f"{EDITED}.new_sha256").isNotNull()
    return edited.withColumns(
        {
            "text_in": F.when(changed, F.lit(EDITED)).otherwise(F.col("text_in")),
            "text_key": F.when(changed, F.col("key")).otherwise(F.col("text_key")),
            "text_sha256": F.when(changed, F.col(f"{EDITED}.new_sha256")).otherwise(F.col("text_sha256")),
            "size": F.when(changed, F.col(f"{EDITED}.new_size")).otherwise(F.col("size")),
            "redactions": F.coalesce(F.col(f"{EDITED}.redactions"), F.array()),
        }
    ).drop(EDITED, "instruction", "key")


def edited_text(content: str) -> dict[str, Any]:
    """Return what an edit answers with: the text, its SHA-256 and its size in bytes."""
    data = content.encode()
    return {"content": content, "new_sha256": hashlib.sha256(data).hexdigest(), "new_size": len(data)}
