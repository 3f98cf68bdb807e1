"""What a step is: a function from the flow to judged rows.

A *judged* frame has exactly one row for every row that came in, with the column ``verdicts``: what the step decided
about it. Rows with a ``drop`` or an ``error`` leave the flow, all others stay, with whatever columns the step changed
or added. That is all a step can do, so every row is either let through or explained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from codemill.annotations import Store
from codemill.catalogues import catalogue, table_text
from codemill.config import Settings
from codemill.core.languages import LanguageTable
from codemill.tables import VERDICT

Subject = Literal["project", "file"]

DROP = "drop"
EDIT = "edit"
ERROR = "error"


@dataclass(frozen=True)
class Flow:
    """What is still in: one row per project, one row per file (without its text; see Store.texts)."""

    projects: DataFrame
    files: DataFrame


@dataclass(frozen=True)
class Context:
    """What a step may use besides the flow."""

    settings: Settings
    store: Store

    def programming_languages(self) -> list[str]:
        """Return the names of the languages that programs are written in: not markup, data or prose."""
        text = table_text("languages", self.settings.catalogues.languages, LanguageTable.from_mapping)
        languages = catalogue(LanguageTable.from_mapping, text).languages
        return [language.name for language in languages if language.kind == "programming"]


@dataclass(frozen=True)
class Step:
    """A step: its name in the settings and ledgers, its number in the recipe, what it judges, and how.

    ``ledger`` names the array column of the judged frame whose elements go to the table of the same name.
    """

    number: int
    name: str
    subject: Subject
    judge: Callable[[Context, Flow], DataFrame]
    ledger: Literal["redactions", "findings"] | None = None


def verdict(action: str, reason: str | Column, **evidence: Column) -> Column:
    """Make one verdict; evidence becomes a JSON object."""
    named = [value.alias(name) for name, value in evidence.items()]
    return F.struct(
        F.lit(action).alias("action"),
        (F.lit(reason) if isinstance(reason, str) else reason).alias("reason"),
        (F.to_json(F.struct(*named)) if named else F.lit("{}")).alias("evidence"),
    ).cast(VERDICT)


def verdicts(*choices: tuple[Column, Column]) -> Column:
    """Return an array with the verdict of the first condition that holds, an empty one when none does."""
    result = F.array().cast(f"array<{VERDICT.simpleString()}>")
    for condition, value in reversed(choices):
        result = F.when(condition, F.array(value)).otherwise(result)
    return result.alias("verdicts")


def unit(seed: int, id_: Column, purpose: str | Column) -> Column:
    """Return a number in [0, 1) that depends on nothing but (seed, id, purpose): 53 bits of xxHash64."""
    what = F.lit(purpose) if isinstance(purpose, str) else purpose
    return F.shiftrightunsigned(F.xxhash64(F.lit(seed), id_, what), 11) * F.lit(2.0**-53)


def leaves() -> Column:
    """Tell whether a judged row leaves the flow."""
    return F.exists("verdicts", lambda verdict: verdict["action"].isin(DROP, ERROR))
