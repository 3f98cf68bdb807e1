"""The annotation that steps 5 and 6 share: one parse of a text, in a process that may die of it.

Both steps ask for it. A text that step 5 leaves alone has been looked at when step 6 comes; only edited ones are new.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import (
    comments,
    faults,
    inspection,
    isolation,
    landmarks,
    languages,
    lexing,
    python_doubts,
    second_opinion,
    switched_off,
    syntax,
    trees,
    wording,
    words,
)
from codemill.core.isolation import Failed
from codemill.core.languages import LanguageTable
from codemill.steps.step import Context

_SECTION = T.StructType(
    [
        T.StructField("start", T.IntegerType()),
        T.StructField("end", T.IntegerType()),
        T.StructField("lines", T.IntegerType()),
        T.StructField("characters", T.IntegerType()),
        T.StructField("score", T.DoubleType()),
    ]
)
_PAYLOAD = T.StructType(
    [
        T.StructField("parsed", T.BooleanType()),
        T.StructField("bytes", T.IntegerType()),
        T.StructField("nodes", T.IntegerType()),
        T.StructField("error_nodes", T.IntegerType()),
        T.StructField("missing_nodes", T.IntegerType()),
        T.StructField("error_bytes", T.IntegerType()),
        T.StructField("first_error", T.IntegerType()),
        T.StructField("faults", T.ArrayType(T.StringType())),
        T.StructField("comment_bytes", T.IntegerType()),
        T.StructField("functions", T.IntegerType()),
        T.StructField("longest_function", T.IntegerType()),
        T.StructField("max_depth", T.IntegerType()),
        T.StructField("identifiers", T.IntegerType()),
        T.StructField("sections", T.ArrayType(_SECTION)),
    ]
)
_WORK = [
    comments,
    faults,
    inspection,
    isolation,
    landmarks,
    languages,
    lexing,
    python_doubts,
    second_opinion,
    switched_off,
    syntax,
    trees,
    wording,
    words,
]
# What finds the files of a language, and what says how many errors they may have.
_NOT_LOOKED_AT = {
    "kind",
    "extensions",
    "filenames",
    "interpreters",
    "modes",
    "test_files",
    "test_folders",
    "fixture_folders",
    "max_error_share",
    "max_errors",
}
_PACKAGES = ["tree-sitter", "tree-sitter-language-pack"]


def language_table(context: Context) -> LanguageTable:
    """Return the language table that the settings name."""
    table: LanguageTable = catalogue(LanguageTable.from_mapping, _table_text(context))
    return table


def inspected(context: Context, files: DataFrame) -> DataFrame:
    """Add ``trees`` (what core.inspection found; null without a grammar, or when it failed) and ``error`` to files."""
    table = language_table(context)
    annotator = Annotator(
        name="trees",
        payload=_PAYLOAD,
        # The interpreter is itself a parser of Python, another one in every version.
        version=version_of(_WORK, _PACKAGES, [_looked_at(table), sys.version_info[:2]]),
        annotate=partial(_inspect, table=_table_text(context)),
    )
    with_grammar = [language.name for language in table.languages if language.grammar]
    return context.store.annotate(files, annotator, F.col("language"), where=F.col("language").isin(with_grammar))


def _table_text(context: Context) -> str:
    return table_text("languages", context.settings.catalogues.languages, LanguageTable.from_mapping)


def _looked_at(table: LanguageTable) -> list[dict[str, object]]:
    """Return what the annotation depends on; tolerances are policy, and changing one computes nothing again."""
    return [{name: value for name, value in vars(row).items() if name not in _NOT_LOOKED_AT} for row in table.languages]


def _inspect(texts: Sequence[Text], table: str) -> "Iterator[dict[str, Any] | Failed]":
    known = catalogue(LanguageTable.from_mapping, table)
    return isolation.each(inspection.inspect, [(text.content, known[text.variant]) for text in texts], trees.LIMITS)
