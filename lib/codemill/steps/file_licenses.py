"""Step 1a: licences of single files.

In: files of projects that may stay. Out: files with the licence that rules them; those whose class is not allowed go
alone. Why: a file with a GPL header in a permissive project, and a vendored library with a licence of its own, are what
authors complain of most in public data sets. A licence text rules the folder it lies in, down to the next one; what a
file says in its own header comes on top. Either is enough for a file to go.
"""

from functools import partial
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import languages, licenses, minhash
from codemill.core.languages import LanguageTable
from codemill.core.licenses import Evidence, LicenseTable
from codemill.steps.licenses import PACKAGES, check_classes, license_table, read_evidence
from codemill.steps.step import DROP, Context, Flow, verdict, verdicts
from codemill.tables import FILES
from codemill.vectorized import Series, vectorized

_HEADER = T.StructType(
    [
        T.StructField("kind", T.StringType()),
        T.StructField("expression", T.StringType()),
        T.StructField("license_class", T.StringType()),
        T.StructField("matched", T.DoubleType()),
    ]
)
_RULE = T.StructType([T.StructField("license", T.StringType()), T.StructField("license_class", T.StringType())])


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by their headers and by the licences of their folders."""
    allowed = context.settings.steps.licenses.allowed
    check_classes(allowed)
    table = license_table(context.settings)
    files = _with_headers(context, flow.files, table)
    files = _with_folders(files, _folders(context, flow, table))
    header, folder = F.col("license_header"), F.col("folder")
    of_header, of_folder = header["license_class"], folder["license_class"]
    by_header = verdict(
        DROP,
        F.concat(F.lit("license_"), of_header),
        license=header["expression"],
        by=header["kind"],
        matched=F.round(header["matched"], 4),
    )
    by_folder = verdict(DROP, F.concat(F.lit("license_"), of_folder), license=folder["license"], by=folder["paths"])
    judged = files.withColumn(
        "verdicts", verdicts((~of_header.isin(*allowed), by_header), (~of_folder.isin(*allowed), by_folder))
    )
    return judged.withColumn("license", F.coalesce(header["expression"], folder["license"])).select(
        *flow.files.columns, "license", "verdicts"
    )


def _with_headers(context: Context, files: DataFrame, table: str) -> DataFrame:
    known = table_text("languages", context.settings.catalogues.languages, LanguageTable.from_mapping)
    annotator = Annotator(
        name="license_header",
        payload=_HEADER,
        version=version_of([licenses, languages, minhash], PACKAGES, [table, known]),
        annotate=partial(each, partial(_read_header, table=table, known=known)),
    )
    return context.store.annotate(files, annotator, F.col("language")).drop("key", "error")


def _read_header(text: Text, table: str, known: str) -> dict[str, Any]:
    parsed = catalogue(LicenseTable.from_mapping, table)
    language = catalogue(LanguageTable.from_mapping, known)[text.variant]
    found = licenses.file_license(text.content, language, parsed)
    if found is None:
        return {}
    klass = "unknown" if found.expression is None else parsed.class_of(found.expression)
    return {"kind": found.kind, "expression": found.expression, "matched": found.matched_share, "license_class": klass}


def _folders(context: Context, flow: Flow, table: str) -> DataFrame:
    """Return what rules the folders of projects: (project_id, folder, license, license_class, paths)."""
    files = context.store.warehouse.read(FILES).drop("content", "language").withColumn("folder", _folder("path"))
    files = files.where("folder is not null").join(flow.projects.select("project_id"), "project_id", "left_semi")
    said = read_evidence(context, files, table).where("license.kind is not null or error is not null")
    said = said.select("project_id", "folder", "path", "license.expression", "license.similarity")
    # A licence that ingest could not read (too large, no text) may be any licence.
    unread = flow.projects.select("project_id", F.explode("unread_evidence").alias("path"))
    unread = unread.withColumn("folder", _folder("path")).where("folder is not null")
    one = F.struct(
        "path",
        F.lit("license_text").alias("kind"),
        "expression",
        F.coalesce("similarity", F.lit(0.0)).alias("similarity"),
    )
    grouped = (
        said.unionByName(unread, allowMissingColumns=True)
        .groupBy("project_id", "folder")
        .agg(F.sort_array(F.collect_list(one)).alias("evidence"))
    )
    ruled = grouped.withColumn("rule", _ruler(table)("evidence"))
    return ruled.select("project_id", "folder", "rule.*", F.col("evidence.path").alias("paths"))


@vectorized(T.StringType())
def _folder(paths: Series) -> Series:
    return paths.map(licenses.license_folder)


def _ruler(table: str) -> Any:
    @vectorized(_RULE)
    def rule(evidence: Series) -> pd.DataFrame:
        parsed = catalogue(LicenseTable.from_mapping, table)
        found = [licenses.combine([Evidence(**entry) for entry in entries], parsed) for entries in evidence]
        return pd.DataFrame([(one.expression, one.license_class) for one in found], columns=_RULE.names)

    return rule


def _with_folders(files: DataFrame, ruled: DataFrame) -> DataFrame:
    """Add the column `folder`: what rules the deepest of a file's folders that has a licence of its own."""
    ruled = ruled.localCheckpoint()
    rule = F.struct(F.length("folder").alias("n"), "license", "license_class", "paths")
    if ruled.isEmpty():
        return files.withColumn("folder", F.lit(None).cast(ruled.select(rule).schema[0].dataType))
    inside = files.join(ruled.select("project_id").distinct(), "project_id", "left_semi")
    parts = F.split("path", "/")
    above = F.transform(F.sequence(F.lit(1), F.size(parts) - 1), lambda n: F.array_join(F.slice(parts, 1, n), "/"))
    folders = inside.where(F.size(parts) > 1).select("file_id", "project_id", F.explode(above).alias("folder"))
    deepest = folders.join(ruled, ["project_id", "folder"]).groupBy("file_id").agg(F.max(rule).alias("folder"))
    return files.join(deepest, "file_id", "left")
