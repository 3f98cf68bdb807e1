"""Step 4: sensitive information.

In: files. Out: files in which names, e-mail addresses, IP addresses, passwords, keys, user names and URLs with
credentials are replaced. Why: what a model has seen, it can say. Every replaced span is a row in `redactions` with its
offsets in this step's input; what stood there is in no table, log or error.
"""

import hashlib
import json
import operator
from dataclasses import asdict
from functools import partial, reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import sensitive
from codemill.core.sensitive import SensitiveCatalogue, SensitiveSpan
from codemill.steps.edit import edit, edited_text
from codemill.steps.step import EDIT, ERROR, Context, Flow, verdict, verdicts

_SPAN = T.StructType(
    [
        T.StructField("entity", T.StringType()),
        T.StructField("start", T.IntegerType()),
        T.StructField("end", T.IntegerType()),
        T.StructField("score", T.DoubleType()),
        T.StructField("detector", T.StringType()),
    ]
)
_PAYLOAD = T.StructType([T.StructField("spans", T.ArrayType(_SPAN))])


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by the sensitive spans in them, replacing those that the policy selects."""
    parse = SensitiveCatalogue.from_mapping
    table = table_text("sensitive", context.settings.catalogues.sensitive, parse)
    annotator = Annotator(
        name="sensitive",
        payload=_PAYLOAD,
        version=version_of([sensitive], ["presidio-analyzer", "spacy", "faker"], table),
        annotate=partial(each, partial(_find, table=table)),
    )
    found = context.store.annotate(flow.files, annotator, F.lit("")).withColumnRenamed("error", "find_error")
    found = found.withColumn("chosen", F.filter("sensitive.spans", partial(_selected, catalogue(parse, table))))
    redact = partial(each, partial(_redact, seed=context.settings.seed))
    version = version_of([sensitive], ["faker"], context.settings.seed)
    edited = edit(context.store, found, redact, version, F.when(F.size("chosen") > 0, F.to_json("chosen")))
    error = F.coalesce("find_error", "error")
    entities = F.sort_array(F.array_distinct(F.transform("redactions", lambda r: r["entity"])))
    redacted = verdict(EDIT, "redacted", spans=F.size("redactions"), entities=entities)
    failed = verdict(ERROR, error, annotator=F.lit("sensitive"))
    judged = edited.withColumn("verdicts", verdicts((error.isNotNull(), failed), (F.size("redactions") > 0, redacted)))
    return judged.select(*flow.files.columns, "redactions", "verdicts")


def _selected(rules: SensitiveCatalogue, span: Column) -> Column:
    """Apply the thresholds of the catalogue to one span."""
    choices = [(span["entity"] == name) & (span["score"] >= least) for name, least in rules.thresholds.items()]
    return reduce(operator.or_, choices, F.expr("false"))


def _find(text: Text, table: str) -> dict[str, Any]:
    spans = sensitive.find(text.content, catalogue(SensitiveCatalogue.from_mapping, table))
    return {"spans": [asdict(span) for span in spans]}


def _redact(text: Text, seed: int) -> dict[str, Any]:
    spans = [SensitiveSpan(**span) for span in json.loads(text.argument or "[]")]
    key = hashlib.sha256(text.content.encode()).hexdigest()
    content, redactions = sensitive.redact(text.content, spans, seed, key)
    return {**edited_text(content), "redactions": [asdict(redaction) for redaction in redactions]}
