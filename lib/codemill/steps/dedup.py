"""Step 3b: exact and near-duplicates among files.

In: files, with the score of their projects. Out: of every group of like files, the one with the best priority (score
of the project, then path, then id) stays; each that goes names the file that stays and their Jaccard similarity.
Why: 75 % of public source files are exact copies of others, and models that see them again learn them by heart.
Equal texts are one node; nodes with the same code, and such with like shingles, are joined by edges; a star cover of
these says who goes. Files shorter than ``min_tokens`` are compared exactly only: fifty different three-token files are
fifty files. docs/near-duplicates.md has the whole story.
"""

from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.catalogues import catalogue, table_text
from codemill.core import fingerprints, lexing, minhash
from codemill.core.languages import LanguageTable
from codemill.steps.crowds import edges_of
from codemill.steps.near_duplicates import Likeness, text_id, update
from codemill.steps.star_cover import star_cover
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts

_PAYLOAD = T.StructType(
    [
        T.StructField("tokens", T.IntegerType()),
        T.StructField("size", T.IntegerType()),
        T.StructField("code", T.BinaryType()),
        T.StructField("members", T.BinaryType()),
        T.StructField("signature", T.BinaryType()),
    ]
)


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by exact and by near-equality of their texts."""
    conf = context.settings.steps.dedup
    files = _with_priority(flow)
    group = ["text_sha256"] if conf.across_languages else ["text_sha256", "language"]
    annotator = annotator_of(context)
    where = F.struct("priority", "language", "size", "text_in", "text_key")
    texts = files.groupBy(*group).agg(F.min(where).alias("best"))
    texts = texts.select("text_sha256", "best.priority", "best.language", "best.size", "best.text_in", "best.text_key")
    texts = texts.withColumn("id", text_id(annotator.key(F.col("language")))).localCheckpoint()
    prints = context.store.annotate(texts, annotator, F.col("language"))
    likeness = Likeness(context.store, annotator, conf)
    update(likeness, texts)
    near = star_cover(edges_of(likeness, texts.select("id", "language", "priority")))
    kept = texts.select(F.col("id").alias("kept"), F.col("priority.file_id").alias("kept_file"))
    errors = prints.where("error is not null").select("id", "error")
    texts = texts.join(near.join(kept, "kept"), "id", "left").join(errors, "id", "left")
    texts = texts.withColumnRenamed("priority", "best")
    judged = files.join(texts.select(*group, "best", "error", "kept_file", "similarity", "same_code"), group)
    same = verdict(DROP, "exact_duplicate", kept=F.col("best.file_id"))
    like = verdict(
        DROP,
        F.when(F.col("same_code"), "same_code").otherwise("near_duplicate"),
        kept=F.col("kept_file"),
        jaccard=F.round("similarity", 4),
    )
    failed = verdict(ERROR, F.col("error"), annotator=F.lit("fingerprint"))
    choices = (
        (F.col("error").isNotNull(), failed),
        (F.col("kept_file").isNotNull(), like),
        (F.col("best.file_id") != F.col("file_id"), same),
    )
    return judged.withColumn("verdicts", verdicts(*choices)).select(*flow.files.columns, "verdicts")


def _with_priority(flow: Flow) -> DataFrame:
    files = flow.files
    if "score" in flow.projects.columns:
        files = files.join(flow.projects.select("project_id", "score"), "project_id", "left")
        score: Column = F.coalesce(-F.col("score").cast("double"), F.lit(0.0))
    else:
        score = F.lit(0.0)
    return files.withColumn("priority", F.struct(score.alias("score"), "path", "file_id"))


def annotator_of(context: Context) -> Annotator:
    """Return the annotator that makes the fingerprints."""
    conf = context.settings.steps.dedup
    text = table_text("languages", context.settings.catalogues.languages, LanguageTable.from_mapping)
    languages = catalogue(LanguageTable.from_mapping, text).languages
    syntax = [(one.name, one.line_comments, one.block_comments, one.strings) for one in languages]
    shape = [conf.num_perm, conf.shingle, conf.license_headers]
    return Annotator(
        name="fingerprint",
        payload=_PAYLOAD,
        version=version_of([fingerprints, lexing, minhash], (), [*shape, syntax]),
        annotate=partial(
            each,
            partial(
                _fingerprint,
                num_perm=conf.num_perm,
                length=conf.shingle,
                table=text,
                skip_license=not conf.license_headers,
            ),
        ),
    )


def _fingerprint(text: Text, num_perm: int, length: int, table: str, *, skip_license: bool) -> dict[str, Any]:
    language = catalogue(LanguageTable.from_mapping, table)[text.variant]
    found = fingerprints.fingerprint(text.content, language, length, skip_license=skip_license)
    return {
        "tokens": found.tokens,
        "size": found.members.size,
        "code": found.code,
        "members": minhash.pack(found.members),
        "signature": minhash.pack(minhash.signature(found.members, num_perm)),
    }
