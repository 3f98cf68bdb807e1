"""Step 1a: licences.

In: projects, and those of their files that speak about a licence. Out: projects with an SPDX expression and its class;
those whose class is not allowed go. Why: copyleft code in a training set is a legal problem, and most public metadata
names no licence, so licence texts and manifests are read. What matches no known text is `unknown`, never permissive.
"""

from functools import partial
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import FOUND, Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import licenses
from codemill.core.licenses import Evidence, LicenseTable
from codemill.errors import UsageError
from codemill.steps.step import DROP, Context, Flow, verdict, verdicts
from codemill.tables import FILES
from codemill.vectorized import Series, vectorized

_PAYLOAD = T.StructType(
    [
        T.StructField("kind", T.StringType()),
        T.StructField("expression", T.StringType()),
        T.StructField("similarity", T.DoubleType()),
    ]
)
_LICENSE = T.StructType([T.StructField("license", T.StringType()), T.StructField("license_class", T.StringType())])

# More files than this that speak about the licence of one project say nothing new.
_MAX_EVIDENCE = 50


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by the class of their licence."""
    conf = context.settings.steps.licenses
    _check_classes(conf.allowed)
    table = table_text("licenses", context.settings.catalogues.licenses, LicenseTable.from_mapping)
    said = _evidence(context, flow, table)
    projects = flow.projects.join(said, "project_id", "left").withColumn("found", _combiner(table)("evidence"))
    projects = projects.select(*flow.projects.columns, "evidence", "found.*")
    klass = F.col("license_class")
    none, forbidden = klass == "none", ~klass.isin("none", *conf.allowed)
    paths = F.transform("evidence", lambda one: F.concat_ws(": ", one["path"], one["expression"]))
    drop_none = verdict(DROP, "no_license", evidence=paths)
    drop = verdict(DROP, F.concat(F.lit("license_"), klass), license=F.col("license"), evidence=paths)
    choices = [(forbidden, drop)]
    if conf.no_license == "drop":
        choices.append((none, drop_none))
    return projects.withColumn("verdicts", verdicts(*choices)).drop("evidence")


def _check_classes(allowed: tuple[str, ...]) -> None:
    for name in allowed:
        if name not in licenses.CLASSES:
            raise UsageError(f"steps.licenses.allowed: found {name}; allowed are {', '.join(licenses.CLASSES)}")


def _evidence(context: Context, flow: Flow, table: str) -> DataFrame:
    """Return what the files of each project say: (project_id, evidence), the nearest to the root first."""
    files = context.store.warehouse.read(FILES).drop("content", "language").where(_speaks("path"))
    files = files.join(flow.projects.select("project_id"), "project_id", "left_semi")
    files = files.withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")})
    annotator = Annotator(
        name="license",
        payload=_PAYLOAD,
        version=version_of([licenses], ["identify", "license-expression"], table),
        annotate=partial(each, partial(_read, table=table)),
    )
    # What a manifest says depends on its name; where a licence text lies does not change what it is.
    said = context.store.annotate(files, annotator, F.col("path"))
    said = said.where("license.kind is not null or error is not null")
    depth = F.size(F.split("path", "/"))
    one = F.struct(depth.alias("depth"), "path", "license.kind", "license.expression", "license.similarity")
    grouped = said.groupBy("project_id").agg(F.sort_array(F.collect_list(one)).alias("evidence"))
    return grouped.withColumn("evidence", F.slice("evidence", 1, _MAX_EVIDENCE))


@vectorized(T.BooleanType())
def _speaks(paths: Series) -> Series:
    return paths.map(lambda path: licenses.evidence_kind(path) is not None)


def _read(text: Text, table: str) -> dict[str, Any]:
    found = licenses.read_evidence(text.variant, text.content, catalogue(LicenseTable.from_mapping, table))
    if found is None:
        return {}
    return {"kind": found.kind, "expression": found.expression, "similarity": found.similarity}


def _combiner(table: str) -> Any:
    @vectorized(_LICENSE)
    def combine(evidence: Series) -> pd.DataFrame:
        parsed = catalogue(LicenseTable.from_mapping, table)
        rows = []
        for entries in evidence:
            said = [] if entries is None else [_one(entry) for entry in entries]
            found = licenses.combine(said, parsed)
            rows.append((found.expression, found.license_class))
        return pd.DataFrame(rows, columns=["license", "license_class"])

    return combine


def _one(entry: dict[str, Any]) -> Evidence:
    # A file whose reading failed is a text that could not be identified.
    return Evidence(entry["path"], entry["kind"] or "license_text", entry["expression"], entry["similarity"] or 0.0)
