"""Step 3b: exact and near-duplicates among files.

In: files, with the score of their projects. Out: of every group of like files, the one with the best priority (score
of the project, then path, then id) stays; each that goes names the file that stays and their Jaccard similarity.
Why: 75 % of public source files are exact copies of others, and models that see them again learn them by heart.
Files shorter than ``min_tokens`` are compared exactly only: fifty different three-token files are fifty files.
"""

from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.annotations import Annotator, Text, each, version_of
from codemill.config import Dedup
from codemill.core import minhash
from codemill.steps.star_cover import buckets, candidates, jaccard, star_cover, with_shared
from codemill.steps.step import DROP, ERROR, Context, Flow, verdict, verdicts

_PAYLOAD = T.StructType(
    [
        T.StructField("tokens", T.IntegerType()),
        T.StructField("n", T.IntegerType()),
        T.StructField("members", T.BinaryType()),
        T.StructField("signature", T.BinaryType()),
    ]
)


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge files by exact and by near-equality of their texts."""
    conf = context.settings.steps.dedup
    scores = flow.projects.select("project_id", "score") if "score" in flow.projects.columns else None
    files = flow.files.join(scores, "project_id", "left") if scores else flow.files.withColumn("score", F.lit(None))
    prints = context.store.annotate(files, _annotator(conf), F.lit("tokens"))
    group = ["text_sha256"] if conf.across_languages else ["text_sha256", "language"]
    priority = F.struct(
        (-F.coalesce(F.col("score").cast("double"), F.lit(0.0))).alias("score"), F.col("path"), F.col("file_id")
    )
    ranked = prints.withColumn("priority", priority)
    ranked = ranked.withColumn("best", F.min("priority").over(Window.partitionBy(*group)))
    near = _near_duplicates(ranked, conf)
    judged = ranked.join(near.withColumnRenamed("id", "best_id"), F.col("best.file_id") == F.col("best_id"), "left")
    same = verdict(DROP, "exact_duplicate", kept=F.col("best.file_id"))
    like = verdict(DROP, "near_duplicate", kept=F.col("kept"), jaccard=F.round("similarity", 4))
    failed = verdict(ERROR, F.col("error"), annotator=F.lit("fingerprint"))
    choices = (
        (F.col("error").isNotNull(), failed),
        (F.col("kept").isNotNull(), like),
        (F.col("best.file_id") != F.col("file_id"), same),
    )
    return judged.withColumn("verdicts", verdicts(*choices)).select(*flow.files.columns, "verdicts")


def _near_duplicates(ranked: DataFrame, conf: Dedup) -> DataFrame:
    """Return (id, kept, similarity) for the first of each group of equal texts that is like a better one."""
    nodes = ranked.where(
        (F.col("best.file_id") == F.col("file_id")) & (F.col("fingerprint.tokens") >= conf.min_tokens)
    ).select(F.col("file_id").alias("id"), "priority", "language", "fingerprint.*")
    bands, rows = minhash.banding(conf.threshold, conf.num_perm, conf.recall)
    keys = buckets(nodes, bands, rows)
    if not conf.across_languages:
        keys = keys.join(nodes.select("id", "language"), "id").withColumn("bucket", F.xxhash64("bucket", "language"))
    pairs = candidates(keys, conf.bucket_leaders)
    similar = (
        with_shared(pairs, nodes.select("id", "members", "n"))
        .withColumn("similarity", jaccard())
        .where(F.col("similarity") >= conf.threshold)
    )
    return star_cover(similar.select("left", "right", "similarity"))


def _annotator(conf: Dedup) -> Annotator:
    return Annotator(
        name="fingerprint",
        payload=_PAYLOAD,
        version=version_of([minhash], ["datasketch"], [conf.num_perm, conf.shingle]),
        annotate=partial(each, partial(_fingerprint, num_perm=conf.num_perm, length=conf.shingle)),
    )


def _fingerprint(text: Text, num_perm: int, length: int) -> dict[str, Any]:
    tokens = minhash.token_hashes(text.content)
    members = minhash.shingles(tokens, length)
    return {
        "tokens": tokens.size,
        "n": members.size,
        "members": minhash.pack(members),
        "signature": minhash.pack_signature(minhash.signature(members, num_perm)),
    }
