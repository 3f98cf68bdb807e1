"""Near-duplicates as a star cover: who goes is similar enough to one that stays.

Used for files and for projects alike. The transitive closure of connected components, which other tools take, chains
unlike things together (A ~ B ~ C, though A and C share nothing) and can remove a file that resembles none of those
kept; a star cover can not.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

# A graph of so many edges takes one task a second and some hundred megabytes.
SMALL = 500_000


def star_cover(edges: DataFrame, small: int = SMALL) -> DataFrame:
    """Choose who goes: edges (left, right, similarity, ...), left better -> rows (id, kept, ...) for those that go.

    The greedy cover in the order of priority: the best of all stays, what is similar to it goes, then the best of the
    rest. In distributed rounds: in each, whoever has no better neighbour left stays, its neighbours go, and the edges
    of decided nodes are dropped. The best undecided node is decided in every round, so the rounds end: when no more
    than ``small`` edges are left, which one task then walks through. Who goes names its most similar neighbour that
    stays, with the columns of that edge.
    """
    edges = edges.localCheckpoint()
    kept_edges = edges.join(gone(edges, small).withColumnRenamed("id", "left"), "left", "left_anti")
    others = [column for column in edges.columns if column not in ("left", "right", "similarity")]
    best = F.max(F.struct("similarity", F.col("left").alias("kept"), *others))
    return kept_edges.groupBy(F.col("right").alias("id")).agg(best.alias("best")).select("id", "best.*")


def gone(edges: DataFrame, small: int = SMALL) -> DataFrame:
    """Return who goes (id) in the star cover of edges (left, right, ...), which are looked at more than once."""
    open_edges = edges.select("left", "right")
    decided = []
    while open_edges.count() > small:
        waiting = open_edges.select(F.col("right").alias("left"))
        stay = open_edges.select("left").distinct().join(waiting, "left", "left_anti")
        go = open_edges.join(stay, "left", "left_semi").select("right").distinct().localCheckpoint()
        decided.append(go.withColumnRenamed("right", "id"))
        open_edges = open_edges.join(go, "right", "left_anti")
        open_edges = open_edges.join(go.withColumnRenamed("right", "left"), "left", "left_anti").localCheckpoint()
    schema = T.StructType([T.StructField("id", edges.schema["right"].dataType)])
    decided.append(open_edges.coalesce(1).mapInPandas(_walk, schema))
    return reduce(DataFrame.unionByName, decided).localCheckpoint()


def _walk(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Decide a small graph: take nodes whose better neighbours are all decided, until there are none."""
    parts = list(frames)
    if not parts:
        return
    frame = pd.concat(parts)
    better = frame.groupby("right").size().to_dict()
    worse = frame.groupby("left")["right"].apply(list).to_dict()
    ready = [node for node in worse if node not in better]
    gone: dict[Any, None] = {}
    while ready:
        node = ready.pop()
        for neighbour in worse.get(node, ()):
            if node not in gone:
                gone[neighbour] = None
            better[neighbour] -= 1
            if not better[neighbour]:
                ready.append(neighbour)
    yield pd.DataFrame({"id": list(gone)})
