"""Step 6: syntax.

In: files. Out: files with what their syntax tree tells (comments, functions, depth, errors); those with more errors
than the language table tolerates go, and those with a fault that no good code has. Why: broken code teaches broken
code. A parser's error flag alone would drop good files (macros, dialects, templates), so the table says for every
language how many errors its grammar is worth.
"""

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from codemill.core import syntax
from codemill.core.languages import LanguageTable
from codemill.steps.inspection import inspected, language_table
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts

_SIGNALS = ("comment_bytes", "functions", "longest_function", "max_depth", "identifiers", "error_bytes")


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by the errors in their syntax trees."""
    table = language_table(context)
    files = inspected(context, flow.files)
    errors = F.col("trees.error_nodes") + F.col("trees.missing_nodes")
    share = F.col("trees.error_bytes") / F.greatest(F.col("trees.bytes"), F.lit(1))
    broken = syntax.broken(errors, share, F.size("trees.faults"), _max_errors(table), _max_share(table))
    drop = verdict(
        DROP,
        "syntax_error",
        faults=F.col("trees.faults"),
        line=F.col("trees.first_error"),
        error_nodes=F.col("trees.error_nodes"),
        missing_nodes=F.col("trees.missing_nodes"),
        error_share=F.round(share, 4),
    )
    failed = verdict(ERROR, F.col("error"), annotator=F.lit("trees"))
    choices = verdicts((F.col("error").isNotNull(), failed), (F.col("trees.parsed") & broken, drop))
    files = files.withColumn("verdicts", choices)
    return files.select(*flow.files.columns, *[F.col(f"trees.{name}") for name in _SIGNALS], "verdicts")


def _max_errors(table: LanguageTable) -> Column:
    return _by_language({row.name: row.max_errors for row in table.languages if row.max_errors is not None}, 2**31 - 1)


def _max_share(table: LanguageTable) -> Column:
    return _by_language({row.name: row.max_error_share for row in table.languages}, 1.0)


def _by_language(values: dict[str, Any], default: float) -> Column:
    pairs = [F.lit(part) for pair in values.items() for part in pair]
    return F.coalesce(F.create_map(*pairs)[F.col("language")], F.lit(default)) if pairs else F.lit(default)
