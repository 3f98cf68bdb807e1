"""Step 1b: one project, found several times.

In: projects and their files. Out: of several versions, mirrors, forks and copies of a project the best by a set
priority stays. Why: the same project five times is wasted tokens.

Two projects are one for the first of these reasons that holds:

    other_version     one name on one platform
    same_repository   one address, and both are the repository; or one is, and the other is a package of its name
    other_version     packages of one name that declare one address, on one platform (folders ``foo-1.2``, ``foo-1.3``)
    other_platform    the same, on two platforms, written in one language
    fork              one says that it is a fork of the other, or both of a third
    shared_history    a share of the commits of the one that goes, or many commits, are in the other's history
    same_contents     a share of the files of the one that goes lie in the other

Contents count where most of the shared files lie at the same paths in both, or the other is hardly larger: a library
that another project carries in a folder is a part of it, not a copy of it. Files that everybody has (templates) say
nothing. Packages of one monorepo declare one address and are different projects, and so are those of one name and
address that are written for their platforms in different languages (bindings, ports).

Who goes names one that stays (a star cover, see there): nobody goes for being like someone who goes.
"""

from functools import partial, reduce

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.config import ProjectDedup
from codemill.core import bands, histories, minhash, projects
from codemill.steps.candidates import both_sides, buckets, candidates, shared_members
from codemill.steps.ranking import with_score
from codemill.steps.star_cover import star_cover
from codemill.steps.step import DROP, Context, Flow, verdict, verdicts
from codemill.vectorized import Series, vectorized

_NUM_PERM = 128
_RECALL = 0.95
_LEADERS = 64

# Every fourth file hash is a bucket, chosen by the hash itself: of 10 shared files one is chosen with probability 0.94,
# of 40 with 0.99999, however much larger one of the projects is. Files and names that so many have say nothing.
_SAMPLED = -(2**62)
_CROWD = 1_000
_LANDMARKS = 8

# Empty and near-empty files (`__init__.py`) are shared by everybody and say nothing.
_MIN_FILE_BYTES = 64

# A smaller part of a project's programs (a build script, generated headers) is not what it is written in.
_MIN_LANGUAGE_SHARE = 0.1

_PRINT = T.StructType([T.StructField("members", T.BinaryType()), T.StructField("signature", T.BinaryType())])
_NAMED = T.StructType([T.StructField("name", T.StringType()), T.StructField("version", T.StringType())])
_EVIDENCE = ("url", "shared_files", "contained", "shared_commits")


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by what they have in common with better ones."""
    conf = context.settings.steps.project_dedup
    scored = with_score(flow.projects, context.settings.steps.ranking)
    last = _split_version(F.substring_index("name", "/", -1))
    scored = scored.withColumns({"last": last, "version": F.coalesce("version", last["version"])})
    nodes = scored.select(
        F.col("project_id").alias("id"),
        *("platform", "url", "fork_of", "commits", "history", "roots"),
        _is_true(F.col("url_source") != "manifest").alias("is_repository"),
        _name("name").alias("full_name"),
        _name(F.col("last.name")).alias("name"),
        _priority(conf).alias("priority"),
    )
    sets = _sets(flow, conf).join(_written_in(flow, context.programming_languages()), "id", "full")
    copies = star_cover(_alike(nodes, sets, conf))
    evidence = {name: F.col(name) for name in _EVIDENCE}
    drop = verdict(DROP, F.col("how"), kept=F.col("kept"), kept_name=F.col("kept_name"), **evidence)
    joined = flow.projects.drop(*_EVIDENCE).join(copies.withColumnRenamed("id", "project_id"), "project_id", "left")
    judged = joined.select("project_id", verdicts((F.col("kept").isNotNull(), drop)))
    return flow.projects.join(judged, "project_id")


def _priority(conf: ProjectDedup) -> Column:
    newest = F.coalesce(-F.unix_timestamp("last_commit"), F.lit(0))
    of = {
        "score": [(-F.col("score")).alias("score")],
        "newest": [newest.alias("newest"), _version_rank("version").alias("version")],
    }
    return F.struct(*[column for name in conf.priority for column in of[name]], F.col("project_id"))


def _alike(nodes: DataFrame, sets: DataFrame, conf: ProjectDedup) -> DataFrame:
    """Edges (left, right, similarity, how, kept_name, ...) from a project to a better one that it is a copy of."""
    # Looked at five times from here on.
    known = nodes.join(sets, "id", "left").localCheckpoint()
    both = both_sides(_candidates(known, conf), known.drop("signature", "sample", "roots", "priority"))
    both = both.withColumns(
        {
            "shared_files": shared_members("left_members", "right_members"),
            "in_place": shared_members("left_placed", "right_placed"),
            "shared_commits": _shared_commits("left_history", "left_commits", "right_history", "right_commits"),
        }
    )
    contained = F.round(F.col("shared_files") / F.col("right_n"), 4)
    both = both.withColumns({"contained": contained, "how": _how(conf, contained)}).where("how is not null")
    similarity = F.when(F.col("how") == "same_contents", F.col("contained")).otherwise(1.0)
    url = F.when(F.col("left_url") == F.col("right_url"), F.col("left_url"))
    return both.select(
        *("left", "right", "how", "shared_files", "contained", "shared_commits"),
        similarity.alias("similarity"),
        F.col("left_full_name").alias("kept_name"),
        url.alias("url"),
    )


def _candidates(known: DataFrame, conf: ProjectDedup) -> DataFrame:
    """Pair up what might be one project, by everything that can make it one."""
    # Two sets of one size of which each holds the share c of the other have Jaccard c / (2 - c).
    count, rows = bands.banding(conf.min_containment / (2 - conf.min_containment), _NUM_PERM, _RECALL)
    keys = [
        known.select("id", "priority", F.explode(_said()).alias("bucket")),
        buckets(known.where("n > 0"), count, rows),
        known.select("id", "priority", F.xxhash64(F.lit("name"), "name").alias("bucket"), F.lit(_CROWD).alias("crowd")),
        known.select("id", "priority", F.explode("sample").alias("bucket"), F.lit(_CROWD).alias("crowd")),
    ]
    return candidates(reduce(partial(DataFrame.unionByName, allowMissingColumns=True), keys), _LEADERS)


def _said() -> Column:
    """Return the buckets of what a project says of itself: names, addresses, roots and landmarks of its history."""
    full_name = F.xxhash64(F.lit("full name"), "platform", "full_name")
    parent_name = F.when(F.col("fork_of").isNotNull(), F.xxhash64(F.lit("full name"), "platform", _name("fork_of")))
    home = F.when(F.col("url").isNotNull(), F.xxhash64(F.lit("url"), "url"))
    parent = F.when(F.col("fork_of").isNotNull(), F.xxhash64(F.lit("url"), "fork_of"))
    roots = F.transform(
        F.coalesce("roots", F.array().cast("array<string>")), lambda root: F.xxhash64(F.lit("root"), root)
    )
    landmarks = F.coalesce(_landmarks("history"), F.array().cast("array<bigint>"))
    return F.array_distinct(F.concat(F.array_compact(F.array(full_name, parent_name, home, parent)), roots, landmarks))


def _how(conf: ProjectDedup, contained: Column) -> Column:
    """Return the reason why left and right are one project, null when they are not."""
    one_platform = F.col("left_platform") == F.col("right_platform")
    one_name, one_url = F.col("left_name") == F.col("right_name"), F.col("left_url") == F.col("right_url")
    left_is, right_is = F.col("left_is_repository"), F.col("right_is_repository")
    of_its_name = F.substring_index("left_url", "/", -1) == F.when(left_is, F.col("right_name")).otherwise(
        F.col("left_name")
    )
    one_language = F.coalesce(F.arrays_overlap("left_languages", "right_languages"), F.expr("true"))
    commits = F.col("shared_commits")
    share = commits >= conf.min_commit_share * F.col("right_commits")
    enough = F.col("shared_files") >= conf.min_shared_files
    # Where the two lie apart, one of them carries the other, unless it has hardly anything else.
    together = (2 * F.col("in_place") >= F.col("shared_files")) | (
        F.col("shared_files") >= conf.min_containment * F.col("left_n")
    )
    in_repository = one_url & (left_is != right_is)
    needed = F.when(one_name | in_repository, conf.min_containment / 2).otherwise(conf.min_containment)
    same_contents = enough & (contained >= needed) & (together | in_repository)
    return (
        F.when((F.col("left_full_name") == F.col("right_full_name")) & one_platform, "other_version")
        .when(one_url & left_is & right_is, "same_repository")
        .when(in_repository & of_its_name, "same_repository")
        .when(one_url & one_name & one_platform, "other_version")
        .when(one_url & one_name & one_language, "other_platform")
        .when(_is_fork(), "fork")
        .when((commits >= conf.min_shared_commits) & (share | (commits >= conf.many_commits)), "shared_history")
        .when(same_contents, "same_contents")
    )


def _is_fork() -> Column:
    def of(side: str, parent: str) -> Column:
        said = F.col(f"{side}_fork_of")
        by_name = (_name(said) == F.col(f"{parent}_full_name")) & (F.col("left_platform") == F.col("right_platform"))
        return _is_true(said == F.col(f"{parent}_url")) | _is_true(by_name)

    siblings = _is_true(F.col("left_fork_of") == F.col("right_fork_of"))
    return of("left", "right") | of("right", "left") | siblings


def _is_true(condition: Column) -> Column:
    """Take what is not known for false."""
    return F.coalesce(condition, F.expr("false"))


def _sets(flow: Flow, conf: ProjectDedup) -> DataFrame:
    """Return for every project the set of its files: (id, n, members, signature, placed, sample).

    ``members``: hashes of contents; ``placed``: of contents and paths; ``sample``: every fourth of the former.
    """
    files = flow.files.where(F.col("size") >= _MIN_FILE_BYTES).select(
        F.col("project_id").alias("id"),
        F.xxhash64("text_sha256").alias("hash"),
        F.xxhash64("text_sha256", "path").alias("place"),
    )
    projects_of = files.dropDuplicates(["id", "hash"]).groupBy("hash").agg(F.count("id").alias("n"))
    common = projects_of.where(F.col("n") > conf.max_file_projects).select("hash")
    own = files.join(common, "hash", "left_anti")
    sets = own.groupBy("id").agg(F.collect_set("hash").alias("hashes"), F.collect_set("place").alias("places"))
    packed = sets.select(
        "id",
        F.size("hashes").alias("n"),
        _fingerprint("hashes").alias("print"),
        _packed("places").alias("placed"),
        F.filter("hashes", lambda one: one < _SAMPLED).alias("sample"),
    )
    return packed.select("id", "n", "print.*", "placed", "sample")


def _written_in(flow: Flow, programming: list[str]) -> DataFrame:
    """Return the languages that make up a tenth or more of a project's programs: (id, languages); none, no row."""
    programs = flow.files.where(F.col("language").isin(programming))
    sizes = programs.groupBy(F.col("project_id").alias("id"), "language").agg(F.sum("size").alias("size"))
    by_size = sizes.groupBy("id").agg(
        F.sum("size").alias("all"), F.collect_list(F.struct("language", "size")).alias("of")
    )
    large = F.filter("of", lambda one: one["size"] >= _MIN_LANGUAGE_SHARE * F.col("all"))
    return by_size.select("id", large["language"].alias("languages"))


@vectorized(_PRINT)
def _fingerprint(sets: Series) -> pd.DataFrame:
    rows: list[tuple[bytes, bytes]] = []
    for values in sets:
        members = minhash.members_of(values)
        rows.append((minhash.pack(members), minhash.pack(minhash.signature(members, _NUM_PERM))))
    return pd.DataFrame(rows, columns=["members", "signature"])


@vectorized(T.BinaryType())
def _packed(sets: Series) -> Series:
    return sets.map(lambda values: minhash.pack(minhash.members_of(values)))


@vectorized(T.LongType())
def _shared_commits(left: Series, left_commits: Series, right: Series, right_commits: Series) -> Series:
    rows = zip(left, left_commits, right, right_commits, strict=True)
    return pd.Series([histories.shared_commits(a, int(m), b, int(n)) if a and b else 0 for a, m, b, n in rows])


@vectorized(T.ArrayType(T.LongType()))
def _landmarks(sketches: Series) -> Series:
    return sketches.map(lambda sketch: histories.landmarks(sketch, _LANDMARKS), na_action="ignore")


@vectorized(T.ArrayType(T.IntegerType()))
def _version_rank(versions: Series) -> Series:
    return pd.Series([projects.version_rank(version) for version in versions])


@vectorized(T.StringType())
def _name(names: Series) -> Series:
    return names.map(projects.canonical_name, na_action="ignore")


@vectorized(_NAMED)
def _split_version(names: Series) -> pd.DataFrame:
    return pd.DataFrame([projects.split_version(name) for name in names], columns=["name", "version"])
