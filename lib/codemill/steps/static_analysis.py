"""Step 7: static analysis.

In: files. Out: files without a finding of a severity that the policy drops; every finding is a row in `findings`. Why:
a model repeats the bugs and vulnerabilities that it was shown. Semgrep runs inside the tasks, once per batch of
hundreds of files, on the rules for the languages in the batch.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, version_of
from codemill.catalogues import catalogue, conf_folder, read_table
from codemill.core import static_analysis
from codemill.core.isolation import Failed
from codemill.core.static_analysis import AnalysisCatalogue, ScanLimits, SourceText, scan
from codemill.errors import UsageError
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts
from codemill.tables import FINDING_FIELDS

_FINDING = T.StructType(FINDING_FIELDS)
_PAYLOAD = T.StructType([T.StructField("found", T.ArrayType(_FINDING))])


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by the findings in them."""
    conf = context.settings.steps.static_analysis
    bundle = _bundle(context.settings.catalogues.static_analysis)
    rules = catalogue(_parse, bundle)
    limits = ScanLimits(file_timeout_s=conf.file_timeout_s, memory_mb=conf.memory_mb)
    annotator = Annotator(
        name="findings",
        payload=_PAYLOAD,
        version=version_of([static_analysis], ["semgrep"], [rules.fingerprint, asdict(limits)]),
        annotate=partial(_scan, bundle=bundle, limits=limits),
        batch_rows=conf.batch_files,
        batch_bytes=conf.batch_bytes,
    )
    covered = F.col("language").isin(sorted(rules.languages))
    scanned = context.store.annotate(flow.files, annotator, F.col("language"), where=covered)
    found = F.coalesce("findings.found", F.array())
    scanned = scanned.withColumn("found", found)
    worst = F.filter("found", lambda one: one["severity"].isin(*conf.drop_severities))
    types = F.sort_array(F.array_distinct(F.transform(worst, lambda one: one["type_id"])))
    drop = verdict(DROP, "finding", types=types, lines=F.transform(worst, lambda one: one["line"]))
    failed = verdict(ERROR, F.col("error"), annotator=F.lit("findings"))
    choices = verdicts((F.col("error").isNotNull(), failed), (F.size(worst) > 0, drop))
    judged = scanned.withColumn("verdicts", choices)
    return judged.select(
        *flow.files.columns, F.size("found").alias("n_findings"), F.col("found").alias("findings"), "verdicts"
    )


def _bundle(replacement: str | None) -> str:
    """Read the catalogue and the rules beside it, and see that they fit together. Raises UsageError."""
    folder = (Path(replacement).parent if replacement else conf_folder()) / "rules"
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    text = json.dumps({"types": read_table("static_analysis", replacement), "rules": files})
    try:
        catalogue(_parse, text)
    except ValueError as error:
        raise UsageError(f"catalogues.static_analysis: {' '.join(str(error).split())[:400]}") from None
    return text


def _parse(bundle: dict[str, Any]) -> AnalysisCatalogue:
    return AnalysisCatalogue.from_mapping(bundle["types"], bundle["rules"])


def _scan(texts: Sequence[Text], bundle: str, limits: ScanLimits) -> Iterator["dict[str, Any] | Exception"]:
    batch = [SourceText(str(i), text.variant, text.content) for i, text in enumerate(texts)]
    for result in scan(batch, catalogue(_parse, bundle), limits):
        if result.error:
            yield Failed(result.error)
        else:
            yield {"found": [asdict(finding) for finding in result.findings]}
