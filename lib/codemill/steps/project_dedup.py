"""Step 1b: one project, found several times.

In: projects and their files. Out: of several versions or copies of a project, the one with the best priority (stars,
then the newest version, then the most files, then id) stays. Why: the same project five times is wasted tokens.
A project is a copy when it has the same name on the same platform, or the same name and home on another, or when a
set share of its files (by content) lies in one project that stays.
"""

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.core import minhash, projects
from codemill.steps.star_cover import buckets, candidates, star_cover, with_shared
from codemill.steps.step import DROP, Context, Flow, verdict, verdicts
from codemill.vectorized import Series, vectorized

_NUM_PERM = 128
_RECALL = 0.95
_LEADERS = 64

_PRINT = T.StructType([T.StructField("members", T.BinaryType()), T.StructField("signature", T.BinaryType())])

# Empty and near-empty files (`__init__.py`) are shared by everybody and say nothing.
_MIN_FILE_BYTES = 64


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by name, home and shared contents."""
    conf = context.settings.steps.project_dedup
    nodes = flow.projects.select(
        F.col("project_id").alias("id"), "platform", "url", _name("name").alias("name"), _priority().alias("priority")
    )
    copies = star_cover(_alike(nodes, _sets(flow), conf.min_containment, conf.min_shared_files))
    drop = verdict(DROP, F.col("how"), kept=F.col("kept"), contained=F.round("similarity", 4))
    joined = flow.projects.join(copies.withColumnRenamed("id", "project_id"), "project_id", "left")
    return joined.withColumn("verdicts", verdicts((F.col("kept").isNotNull(), drop))).select(
        *flow.projects.columns, "verdicts"
    )


def _priority() -> Column:
    return F.struct(
        (-F.coalesce("stars", F.lit(-1))).alias("stars"),
        _version_rank("version").alias("version"),
        (-F.col("files")).alias("files"),
        F.col("project_id"),
    )


def _alike(nodes: DataFrame, sets: DataFrame, containment: float, min_shared: int) -> DataFrame:
    """Edges (left, right, similarity, how) from a project to a better one that it is a copy of."""
    # Two sets of one size of which each holds the share c of the other have Jaccard c / (2 - c).
    bands, rows = minhash.banding(containment / (2 - containment), _NUM_PERM, _RECALL)
    projects = nodes.join(sets, "id", "left")
    contents = buckets(projects.where("n > 0"), bands, rows)
    names = nodes.select("id", "priority", F.explode(_names()).alias("bucket"))
    pairs = candidates(names.unionByName(contents), _LEADERS)
    both = with_shared(pairs, projects.select("id", "members", "n", "platform", "name", "url"))
    contained = F.col("shared") / F.col("right_n")
    one_name = F.col("left_name") == F.col("right_name")
    how = (
        F.when(one_name & (F.col("left_platform") == F.col("right_platform")), "other_version")
        .when(one_name & (F.col("left_url") == F.col("right_url")), "other_platform")
        .when((contained >= containment) & (F.col("shared") >= min_shared), "same_contents")
    )
    similarity = F.when(how == "same_contents", contained).otherwise(1.0)
    return both.select("left", "right", similarity.alias("similarity"), how.alias("how")).where("how is not null")


def _names() -> Column:
    """Return the buckets of a project: its name and platform; its name and home, where that is known."""
    platform = F.xxhash64(F.lit("platform"), "platform", "name")
    home = F.when(F.col("url").isNotNull(), F.xxhash64(F.lit("home"), "url", "name"))
    return F.array_compact(F.array(platform, home))


def _sets(flow: Flow) -> DataFrame:
    """Return for every project the set of its file contents: (id, members, n, signature)."""
    hashes = (
        flow.files.where(F.col("size") >= _MIN_FILE_BYTES)
        .groupBy(F.col("project_id").alias("id"))
        .agg(F.sort_array(F.collect_set(F.xxhash64("text_sha256"))).alias("hashes"))
    )
    packed = hashes.select("id", F.size("hashes").alias("n"), _fingerprint("hashes").alias("print"))
    return packed.select("id", "n", "print.members", "print.signature")


@vectorized(_PRINT)
def _fingerprint(sets: Series) -> pd.DataFrame:
    rows: list[tuple[bytes, bytes]] = []
    for values in sets:
        members = minhash.members_of(values)
        rows.append((minhash.pack(members), minhash.pack_signature(minhash.signature(members, _NUM_PERM))))
    return pd.DataFrame(rows, columns=["members", "signature"])


@vectorized(T.ArrayType(T.IntegerType()))
def _version_rank(versions: Series) -> Series:
    return pd.Series([projects.version_rank(version) for version in versions])


@vectorized(T.StringType())
def _name(names: Series) -> Series:
    return pd.Series([projects.canonical_name(name) for name in names])
