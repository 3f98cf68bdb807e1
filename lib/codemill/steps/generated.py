"""Step 3a: files that no person wrote.

In: files. Out: files with statistics of their lines; those that a generator wrote (by the marker in their header, by
their path, or by what their lines look like), and those that are data in the clothes of code, go. Why: there is more of
them than of anything else, and nothing to learn from them. Thresholds of lines and encoded runs are StarCoder2's
(2402.19173), the others were measured (docs/generated.md); what lines look like counts for programming languages only.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import generated
from codemill.core.generated import GeneratedCatalogue
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts

_PAYLOAD = T.StructType(
    [
        T.StructField("marker", T.StringType()),
        T.StructField("path_rule", T.StringType()),
        T.StructField("lines", T.IntegerType()),
        T.StructField("mean_line", T.DoubleType()),
        T.StructField("max_line", T.IntegerType()),
        T.StructField("alpha_share", T.DoubleType()),
        T.StructField("digit_share", T.DoubleType()),
        T.StructField("space_share", T.DoubleType()),
        T.StructField("literal_share", T.DoubleType()),
        T.StructField("repeated_share", T.DoubleType()),
        T.StructField("longest_encoded_run", T.IntegerType()),
        T.StructField("encoded_share", T.DoubleType()),
    ]
)
_SIGNALS = ("lines", "mean_line", "max_line", "alpha_share")


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by markers, paths and line statistics."""
    table = table_text("generated", context.settings.catalogues.generated, GeneratedCatalogue.from_mapping)
    annotator = Annotator(
        name="generated",
        payload=_PAYLOAD,
        version=version_of([generated], (), table),
        annotate=partial(each, partial(_inspect, table=table)),
    )
    # Paths are part of it: some markers count in some kinds of files only.
    seen = context.store.annotate(flow.files, annotator, F.col("path"))
    conf = context.settings.steps.generated
    shape = F.col("generated")
    lengths = {"mean_line": F.round(shape["mean_line"], 1), "max_line": shape["max_line"]}
    is_code = F.col("language").isin(context.programming_languages())
    long_lines = is_code & ((shape["mean_line"] > conf.max_mean_line) | (shape["max_line"] > conf.max_line))
    encoded = (shape["longest_encoded_run"] > conf.max_encoded_run) | (shape["encoded_share"] > conf.max_encoded_share)
    runs = {"longest_run": shape["longest_encoded_run"], "share": F.round(shape["encoded_share"], 4)}
    blanks = {"space_share": F.round(shape["space_share"], 4), **lengths}
    literals = {"literal_share": F.round(shape["literal_share"], 4), "digit_share": F.round(shape["digit_share"], 4)}
    repeats = {"repeated_share": F.round(shape["repeated_share"], 4), "lines": shape["lines"]}
    alpha = F.round(shape["alpha_share"], 4)
    is_table = is_code & (shape["lines"] >= conf.table_lines) & (shape["literal_share"] > conf.max_literal_share)
    is_repetitive = (
        is_code & (shape["lines"] >= conf.repetitive_lines) & (shape["repeated_share"] > conf.max_repeated_share)
    )
    is_minified = (
        F.col("language").isin(*conf.minified_languages)
        & (shape["lines"] * shape["mean_line"] >= conf.minified_chars)
        & (shape["space_share"] < conf.min_space_share)
    )
    choices = (
        (F.col("error").isNotNull(), verdict(ERROR, F.col("error"), annotator=F.lit("generated"))),
        ((shape["lines"] == 0) | (shape["space_share"] == 1), verdict(DROP, "empty")),
        (shape["marker"].isNotNull(), verdict(DROP, "generated_marker", marker=shape["marker"])),
        (shape["path_rule"].isNotNull(), verdict(DROP, "generated_path", rule=shape["path_rule"])),
        (shape["lines"] > conf.max_lines, verdict(DROP, "too_many_lines", lines=shape["lines"])),
        (encoded, verdict(DROP, "encoded_data", **runs)),
        (is_table, verdict(DROP, "data_table", **literals)),
        (is_minified, verdict(DROP, "minified", **blanks)),
        (is_repetitive, verdict(DROP, "repetitive", **repeats)),
        (long_lines, verdict(DROP, "long_lines", **lengths)),
        (shape["alpha_share"] < conf.min_alpha_share, verdict(DROP, "few_letters", alpha_share=alpha)),
    )
    signals = [shape[name].alias(name) for name in _SIGNALS]
    return seen.withColumn("verdicts", verdicts(*choices)).select(*flow.files.columns, *signals, "verdicts")


def _inspect(text: Text, table: str) -> dict[str, Any]:
    rules = catalogue(GeneratedCatalogue.from_mapping, table)
    return asdict(generated.inspect(text.content, text.variant, rules))
