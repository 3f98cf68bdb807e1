"""The table of sensitive information: entities and thresholds (policy), patterns and what is left alone (detection)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codemill.core.sensitive.checks import CHECKS

ENTITIES = ("PERSON", "EMAIL", "IP", "PASSWORD", "KEY", "USERNAME", "URL")

Score = Annotated[float, Field(ge=0, le=1)]

# Two to four words in upper case, with particles and initials between them.
_WORD = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{1,20}(?:['’-][A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]{1,20})?"
_NAME = rf"{_WORD}(?:[ ](?:[A-Z]\.|van|von|de|der|den|la|le|di|del|da|dos|bin|al)){{0,2}}(?:[ ]{_WORD}){{1,2}}(?!\w)"


class _Entity(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool
    threshold: Score


class _Pattern(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    entity: str
    score: Score
    anchors: tuple[str, ...]
    regex: str
    check: str


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    entities: dict[str, _Entity]
    ner_model: str | None
    patterns: tuple[_Pattern, ...]
    allow: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Pattern:
    """A way to recognise one entity; its anchors (lower case) say on which lines it is tried, none for all."""

    id: str
    entity: str
    score: float
    anchors: tuple[str, ...]
    regex: re.Pattern[str]
    check: str


@dataclass(frozen=True, eq=False)
class SensitiveCatalogue:
    """What conf/sensitive.yaml says, checked. ``thresholds`` has the enabled entities only."""

    thresholds: Mapping[str, float]
    patterns: tuple[Pattern, ...]
    allow: Mapping[str, re.Pattern[str]]
    ner_model: str | None

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "SensitiveCatalogue":
        """Check the parsed table. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"sensitive: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        named = [*parsed.entities, *parsed.allow, *(pattern.entity for pattern in parsed.patterns)]
        for entity in named:
            if entity not in ENTITIES:
                raise ValueError(f"sensitive: found entity {entity}, allowed: {', '.join(ENTITIES)}")
        return cls(
            thresholds={name: entity.threshold for name, entity in parsed.entities.items() if entity.enabled},
            patterns=tuple(_pattern(pattern) for pattern in parsed.patterns),
            allow={
                entity: _compiled(f"allow.{entity}", "|".join(rules), re.I) for entity, rules in parsed.allow.items()
            },
            ner_model=parsed.ner_model,
        )


def _pattern(row: _Pattern) -> Pattern:
    if row.check not in CHECKS:
        raise ValueError(f"sensitive: patterns.{row.id}.check: found {row.check}, allowed: {', '.join(CHECKS)}")
    for anchor in row.anchors:
        if not anchor or anchor != anchor.lower():
            raise ValueError(f"sensitive: patterns.{row.id}.anchors: found {anchor!r}, allowed: lower case, not empty")
    regex = _compiled(f"patterns.{row.id}.regex", row.regex.replace("{name}", _NAME))
    if "value" not in regex.groupindex:
        raise ValueError(f"sensitive: patterns.{row.id}.regex: found no group `value`")
    return Pattern(row.id, row.entity, row.score, row.anchors, regex, row.check)


def _compiled(key: str, source: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    if re.search(r"(?<!\\)[)\]\w][*+](?![?+])", re.sub(r"\[(?:\\.|[^\]])*\]", "x", source)) and key.startswith(
        "patterns"
    ):
        raise ValueError(f"sensitive: {key}: unbounded repetition; allowed: {{m,n}}")
    try:
        return re.compile(source, flags)
    except re.error as error:
        raise ValueError(f"sensitive: {key}: not a regular expression ({error})") from None
