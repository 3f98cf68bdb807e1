"""Step 2: projects by quality.

In: projects, with whatever metrics are known of them. Out: projects with a score in [0, 1]; the lowest share goes.
Why: a hard popularity threshold makes training worse, a mild composite cut does not (SantaCoder; ../docs/decisions.md).
The score is the weighted mean of the metrics that a project *has*, each on a logarithmic scale against the largest, so
that a project without a metric is not punished for it.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from codemill.steps.step import DROP, Context, Flow, unit, verdict, verdicts

_METRICS = ("stars", "commits", "test_files")
_DIGITS = 4


def judge(context: Context, flow: Flow) -> DataFrame:
    """Judge projects by score."""
    conf = context.settings.steps.ranking
    largest = flow.projects.agg(*[F.max(metric).alias(metric) for metric in _METRICS]).collect()[0]
    weights = {"stars": conf.stars, "commits": conf.commits, "test_files": conf.test_files}
    known = [metric for metric in _METRICS if weights[metric] > 0 and largest[metric]]
    scored = flow.projects.withColumn("score", _score(known, weights, largest.asDict()))
    cutoff, tie_share = _cutoff(scored, conf.drop_share)
    luck = unit(context.settings.seed, F.col("project_id"), "ranking")
    low = (F.col("score") < cutoff) | ((F.col("score") == cutoff) & (luck < tie_share))
    drop = verdict(DROP, "low_rank", score=F.col("score"), cutoff=F.lit(cutoff))
    return scored.withColumn("verdicts", verdicts((low, drop)))


def _score(known: list[str], weights: dict[str, float], largest: dict[str, int]) -> Column:
    total, weight = F.lit(0.0), F.lit(0.0)
    for metric in known:
        has = F.col(metric).isNotNull()
        value = F.log1p(metric) / F.log1p(F.lit(float(largest[metric])))
        total = total + F.when(has, value * weights[metric]).otherwise(0.0)
        weight = weight + F.when(has, weights[metric]).otherwise(0.0)
    return F.round(F.when(weight > 0, total / weight).otherwise(0.0), _DIGITS)


def _cutoff(scored: DataFrame, share: float) -> tuple[float, float]:
    """Find the score at which the lowest share ends, and what share of those with just that score goes too.

    Scores have four digits, so the histogram has at most 10,001 rows, however many projects there are.
    """
    histogram = sorted((row["score"], row["count"]) for row in scored.groupBy("score").count().collect())
    left = share * sum(count for _, count in histogram)
    for score, count in histogram:
        if left < count:
            return score, left / count
        left -= count
    return 1.0, 1.0
