"""Step 6: syntax.

In: files. Out: files with what their syntax tree tells (comments, functions, depth, errors); those with more errors
than the language table tolerates go. Why: broken code teaches broken code. A parser's error flag alone would drop good
files (macros, dialects, templates), so the table says for every language how many errors its grammar is worth.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import languages, syntax, trees
from codemill.core.languages import LanguageTable
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts

_PAYLOAD = T.StructType(
    [
        T.StructField("parsed", T.BooleanType()),
        T.StructField("bytes", T.IntegerType()),
        T.StructField("nodes", T.IntegerType()),
        T.StructField("error_nodes", T.IntegerType()),
        T.StructField("missing_nodes", T.IntegerType()),
        T.StructField("error_bytes", T.IntegerType()),
        T.StructField("comment_bytes", T.IntegerType()),
        T.StructField("functions", T.IntegerType()),
        T.StructField("max_depth", T.IntegerType()),
    ]
)
_SIGNALS = ("comment_bytes", "functions", "max_depth", "error_bytes")


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by the errors in their syntax trees."""
    text = table_text("languages", context.settings.catalogues.languages, LanguageTable.from_mapping)
    table = catalogue(LanguageTable.from_mapping, text)
    annotator = Annotator(
        name="syntax",
        payload=_PAYLOAD,
        version=version_of([syntax, trees, languages], ["tree-sitter", "tree-sitter-language-pack"], _grammars(table)),
        annotate=partial(each, partial(_inspect, table=text)),
    )
    files = context.store.annotate(flow.files, annotator, F.col("language"))
    errors = F.col("syntax.error_nodes") + F.col("syntax.missing_nodes")
    share = F.col("syntax.error_bytes") / F.greatest(F.col("syntax.bytes"), F.lit(1))
    broken = F.col("syntax.parsed") & ((errors > _max_errors(table)) | (share > _max_share(table)))
    drop = verdict(
        DROP,
        "syntax_error",
        error_nodes=F.col("syntax.error_nodes"),
        missing_nodes=F.col("syntax.missing_nodes"),
        error_share=F.round(share, 4),
    )
    failed = verdict(ERROR, F.col("error"), annotator=F.lit("syntax"))
    files = files.withColumn("verdicts", verdicts((F.col("error").isNotNull(), failed), (broken, drop)))
    return files.select(*flow.files.columns, *[F.col(f"syntax.{name}") for name in _SIGNALS], "verdicts")


def _grammars(table: LanguageTable) -> list[tuple[object, ...]]:
    """Return what the annotation depends on; tolerances are policy, and changing one computes nothing again."""
    return [(row.name, row.grammar, row.comment_nodes, row.function_nodes) for row in table.languages]


def _inspect(text: Text, table: str) -> dict[str, Any]:
    language = catalogue(LanguageTable.from_mapping, table)[text.variant]
    return asdict(syntax.inspect(text.content, language))


def _max_errors(table: LanguageTable) -> Column:
    return _by_language({row.name: row.max_errors for row in table.languages if row.max_errors is not None}, 2**31 - 1)


def _max_share(table: LanguageTable) -> Column:
    return _by_language({row.name: row.max_error_share for row in table.languages}, 1.0)


def _by_language(values: dict[str, Any], default: float) -> Column:
    pairs = [F.lit(part) for pair in values.items() for part in pair]
    return F.coalesce(F.create_map(*pairs)[F.col("language")], F.lit(default)) if pairs else F.lit(default)
