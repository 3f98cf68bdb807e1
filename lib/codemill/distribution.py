"""The distribution of samples: which share of them is of which kind and size, by language."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.table import Table

from codemill.core.fim import KINDS, SIZE_CLASSES
from codemill.tables import FIM_SAMPLES, Warehouse

_LANGUAGES = 20
_ALL = "all"
# So that the tables fit on a terminal of 80 columns.
_HEADS = {"ast_node": "ast\nnode", "ast_partial": "ast\npartial", "ast_span": "ast\nspan", "signature": "signa-\nture"}

Counts = Mapping[tuple[str, str, str], int]
"""Samples by language, kind and size class."""


def counted(warehouse: Warehouse) -> Counts:
    """Count the samples of a warehouse."""
    rows = warehouse.read(FIM_SAMPLES).groupBy("language", "kind", "size_class").agg(F.count("*").alias("samples"))
    return {(row["language"], row["kind"], row["size_class"]): row["samples"] for row in rows.collect()}


def show(console: Console, counts: Counts) -> None:
    """Print two tables: the kinds of the samples of each language, and the size classes of its nodes."""
    kinds = [(language, kind, samples) for (language, kind, _), samples in counts.items()]
    nodes = [(language, size, samples) for (language, kind, size), samples in counts.items() if kind == "ast_node"]
    console.print(_table("samples by kind, %", kinds, KINDS))
    console.print(_table("ast_node by size class, %", nodes, SIZE_CLASSES))


def _table(title: str, found: Iterable[tuple[str, str, int]], names: Sequence[str]) -> Table:
    by_language: dict[str, Counter[str]] = {_ALL: Counter()}
    for language, name, samples in found:
        by_language.setdefault(language, Counter())[name] += samples
        by_language[_ALL][name] += samples
    largest = sorted(by_language, key=lambda language: (-by_language[language].total(), language != _ALL, language))
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("language", no_wrap=True, max_width=16)
    for name in (*names, "samples"):
        table.add_column(_HEADS.get(name, name), justify="right")
    for language in largest[: _LANGUAGES + 1]:
        counter = by_language[language]
        shares = (f"{100 * counter[name] / max(counter.total(), 1):.1f}" for name in names)
        table.add_row(language, *shares, f"{counter.total():,}", style="bold" if language == _ALL else "")
    return table
