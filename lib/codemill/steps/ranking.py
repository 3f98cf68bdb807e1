"""Step 2: projects by quality.

In: projects, with whatever metrics are known of them. Out: projects with a score in [0, 1]; the lowest share goes.
Why: a hard popularity threshold makes training worse, a mild composite cut does not (SantaCoder; ../docs/decisions.md).

A project's *rank* in a metric is the share of its platform's projects that have less of it, ties in the middle: stars
on one platform say nothing about stars on another. The score is the weighted mean of the ranks that a project *has*, so
that a project without a metric is not punished for it.

All this is read off histograms, whose size has a bound however many projects there are, and all of them may be on one
platform. Metrics are put into bins on a logarithmic scale. The place of the cut is found as in a radix sort: the score
at which the share ends, among the projects with that score the beginning of the id, then the id.
"""

from decimal import Decimal

from pyspark.sql import Column, DataFrame, GroupedData, Window
from pyspark.sql import functions as F  # noqa: N812

from codemill.config import Ranking
from codemill.steps.step import DROP, Context, Flow, verdict, verdicts
from codemill.tables import row_count

_METRICS = ("stars", "commits", "test_files")
_DIGITS = 5

# Up to _EXACT a bin is one value. Above, there are so many bins to a factor of e: values within 1 % may tie.
_EXACT = 1_000
_BINS_PER_FACTOR = 100
# More than the bins of a metric (a double holds 710 factors of e): bins of different metrics have different numbers.
_BINS = 100_000

# Ids are hash values in hexadecimal digits: where 100 million projects tie, each of 65,536 beginnings has 1,500.
_BEGINNING = 4


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by score, among those that are left."""
    conf = context.settings.steps.ranking
    return drop_lowest(with_score(flow.projects, conf), conf)


def drop_lowest(scored: DataFrame, conf: Ranking) -> DataFrame:
    """Let the lowest share of projects with a score go, as judged rows."""
    judged = scored.crossJoin(F.broadcast(_cut(scored, conf)))
    score, cutoff = F.col("score"), F.col("cutoff")
    low = (score < cutoff) | ((score == cutoff) & (F.col("project_id") <= F.col("last_id")))
    drop = verdict(DROP, "low_rank", score=score, ranks=F.col("ranks"), cutoff=cutoff)
    return judged.withColumn("verdicts", verdicts((low, drop))).drop("cutoff", "last_id")


def with_score(projects: DataFrame, conf: Ranking) -> DataFrame:
    """Add `score` (a double from 0 to 1) and `ranks` (the same by metric) to projects.

    A rank is null where the metric is unknown: null, negative or no finite number. A project that has no rank, or only
    ranks without weight, scores 0.5.
    """
    columns = [column for column in projects.columns if column not in ("score", "ranks")]
    rows = projects.withColumns({f"{metric}_bin": _bin(metric, place) for place, metric in enumerate(_METRICS)})
    ranks = F.broadcast(_ranks(rows))
    for metric in _METRICS:
        named = ranks.withColumnsRenamed({"bin": f"{metric}_bin", "rank": f"{metric}_rank"})
        rows = rows.join(named, ["platform", f"{metric}_bin"], "left")
    rounded = [F.round(f"{metric}_rank", _DIGITS).alias(metric) for metric in _METRICS]
    return rows.select(*columns, _score(conf).alias("score"), F.struct(*rounded).alias("ranks"))


def _bin(metric: str, place: int) -> Column:
    value = F.col(metric).cast("double")
    above = _EXACT + F.ceil(F.log(value / _EXACT) * _BINS_PER_FACTOR)
    within = F.when(value <= _EXACT, F.floor(value)).otherwise(above)
    return F.when((value >= 0) & (value < float("inf")), place * _BINS + within)


def _ranks(rows: DataFrame) -> DataFrame:
    """Return the rank of every bin that occurs: (platform, bin, rank)."""
    # One look at the projects for all metrics, and one frame, so that it is sent out once for all joins.
    bins: list[Column | str] = [f"{metric}_bin" for metric in _METRICS]
    histogram = rows.unpivot("platform", bins, "metric", "bin").where("bin is not null")
    counted = histogram.groupBy("platform", "metric", "bin").agg(row_count().alias("n"))
    everybody = Window.partitionBy("platform", "metric")
    upto = F.sum("n").over(everybody.orderBy("bin").rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return counted.select("platform", "bin", ((upto - F.col("n") / 2) / F.sum("n").over(everybody)).alias("rank"))


def _score(conf: Ranking) -> Column:
    total, weight = F.lit(0.0), F.lit(0.0)
    for metric in _METRICS:
        rank, of_metric = F.col(f"{metric}_rank"), getattr(conf, metric)
        total = total + F.coalesce(rank, F.lit(0.0)) * of_metric
        weight = weight + F.when(rank.isNotNull(), of_metric).otherwise(0.0)
    return F.round(F.when(weight > 0, total / weight).otherwise(0.5), _DIGITS)


def _cut(scored: DataFrame, conf: Ranking) -> DataFrame:
    """Return one row: the score of the last project that goes (cutoff), and its id (last_id; null where none goes)."""
    ids = scored.select("score", "project_id", F.substring("project_id", 1, _BEGINNING).alias("beginning"))
    n = F.sum("n")
    share = F.floor(F.lit(Decimal(str(conf.drop_share))) * n)
    score = _reached(ids.groupBy(F.col("score").alias("key")), F.when(n >= conf.min_projects, share).otherwise(0))
    tied = ids.join(F.broadcast(score), F.col("score") == F.col("key")).drop("key")
    beginning = _reached(tied.groupBy(F.col("beginning").alias("key"), "left"), F.max("left"))
    near = tied.drop("left").join(F.broadcast(beginning), F.col("beginning") == F.col("key"))
    last_id = F.get(F.sort_array(F.collect_list("project_id")), F.max("left") - 1)
    return near.agg(F.max("score").alias("cutoff"), last_id.alias("last_id"))


def _reached(groups: GroupedData, left: Column) -> DataFrame:
    """Return one row: the key of the group with the ``left``-th row, and how many of its rows are among those.

    ``left`` is an aggregate over the groups. The key is null where there are not so many rows.
    """
    counted = groups.agg(row_count().alias("n"))
    nowhere = F.lit(None).cast(counted.schema["key"].dataType)

    def take(reached: Column, group: Column) -> Column:
        past = F.struct(nowhere.alias("key"), (reached["left"] - group["n"]).alias("left"))
        here = F.struct(group["key"].alias("key"), reached["left"].alias("left"))
        return F.when(reached["key"].isNotNull(), reached).when(group["n"] < reached["left"], past).otherwise(here)

    whole = counted.agg(
        F.sort_array(F.collect_list(F.struct("key", "n"))).alias("groups"), left.cast("long").alias("left")
    )
    return whole.select(F.reduce("groups", F.struct(nowhere.alias("key"), "left"), take).alias("at")).select("at.*")
