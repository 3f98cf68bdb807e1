"""The table of sensitive information: entities and thresholds (policy), patterns and what is left alone (detection)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codemill.core.sensitive.checks import CHECKS
from codemill.core.sensitive.names import name_regex, names_regex

ENTITIES = ("PERSON", "EMAIL", "IP", "PASSWORD", "KEY", "USERNAME", "URL")

_Score = Annotated[float, Field(ge=0, le=1)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entity(_Row):
    enabled: bool
    threshold: _Score


class _NameWords(_Row):
    stop: tuple[str, ...]
    legal_forms: tuple[str, ...]
    organizations: tuple[str, ...]


class _Pattern(_Row):
    id: str
    entity: str
    score: _Score
    anchors: tuple[str, ...] = ()
    near: str | None = None
    reach: Annotated[int, Field(ge=1, le=20_000)] | None = None
    regex: str
    unless_after: str | None = None
    check: str


class _Data(_Row):
    entities: dict[str, _Entity]
    ner_model: str | None
    names: _NameWords
    patterns: tuple[_Pattern, ...]
    allow: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Pattern:
    """A way to recognise one entity.

    It is tried around its anchors (lower case) and around matches of ``near``: to the end of the line or, where
    ``reach`` is given, so many characters on, over lines. ``regex`` has the group `value`, or `names` for a list of
    names; ``unless_after`` is what must not stand right before the match.
    """

    id: str
    entity: str
    score: float
    anchors: tuple[str, ...]
    near: re.Pattern[str] | None
    reach: int | None
    regex: re.Pattern[str]
    unless_after: re.Pattern[str] | None
    check: str


@dataclass(frozen=True)
class SensitiveCatalogue:
    """What conf/sensitive.yaml says, checked. ``thresholds`` has the enabled entities only.

    Two catalogues of the same data are equal and hash alike, also after pickling: ``fingerprint`` stands for them.
    """

    fingerprint: str
    thresholds: Mapping[str, float] = field(compare=False)
    patterns: tuple[Pattern, ...] = field(compare=False)
    name: re.Pattern[str] = field(compare=False)
    allow: Mapping[str, re.Pattern[str]] = field(compare=False)
    ner_model: str | None = field(compare=False)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "SensitiveCatalogue":
        """Check the parsed table. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"sensitive: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        for entity in (*parsed.entities, *parsed.allow, *(row.entity for row in parsed.patterns)):
            if entity not in ENTITIES:
                raise ValueError(f"sensitive: found entity {entity}, allowed: {', '.join(ENTITIES)}")
        name = name_regex(parsed.names.stop, parsed.names.organizations, parsed.names.legal_forms)
        return cls(
            fingerprint=hashlib.sha256(json.dumps(parsed.model_dump(), sort_keys=True).encode()).hexdigest(),
            thresholds={entity: row.threshold for entity, row in parsed.entities.items() if row.enabled},
            patterns=tuple(_pattern(row, name) for row in parsed.patterns),
            name=_compiled("names", name),
            allow={
                entity: _compiled(f"allow.{entity}", "|".join(rules), re.I) for entity, rules in parsed.allow.items()
            },
            ner_model=parsed.ner_model,
        )


def _pattern(row: _Pattern, name: str) -> Pattern:
    key = f"patterns.{row.id}"
    if row.check not in CHECKS:
        raise ValueError(f"sensitive: {key}.check: found {row.check}, allowed: {', '.join(CHECKS)}")
    if not (row.anchors or row.near):
        raise ValueError(f"sensitive: {key}: found neither anchors nor near, allowed: at least one of them")
    for anchor in row.anchors:
        if not anchor or anchor != anchor.lower():
            raise ValueError(f"sensitive: {key}.anchors: found {anchor!r}, allowed: lower case, not empty")
    source = _bounded(f"{key}.regex", row.regex).replace("{names}", names_regex(name)).replace("{name}", name)
    regex = _compiled(f"{key}.regex", source)
    if not regex.groupindex.keys() & {"value", "names"}:
        raise ValueError(f"sensitive: {key}.regex: found no group `value` and no group `names`, allowed: one of them")
    near = _compiled(f"{key}.near", _bounded(f"{key}.near", row.near)) if row.near else None
    unless_after = _compiled_behind(f"{key}.unless_after", row.unless_after) if row.unless_after else None
    return Pattern(row.id, row.entity, row.score, row.anchors, near, row.reach, regex, unless_after, row.check)


def _compiled_behind(key: str, source: str) -> re.Pattern[str]:
    # `\Z` ties what stands before to the start of the match.
    return _compiled(key, rf"(?:{_bounded(key, source)})\Z")


def _bounded(key: str, source: str) -> str:
    # On a line of a megabyte, repetition without a bound takes for ever.
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", re.sub(r"\\.", "x", source))
    if re.search(r"[*+]|\{\d*,\}", bare):
        raise ValueError(f"sensitive: {key}: unbounded repetition; allowed: {{m,n}} and ?")
    return source


def _compiled(key: str, source: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(source, flags)
    except re.error as error:
        raise ValueError(f"sensitive: {key}: not a regular expression ({error})") from None
