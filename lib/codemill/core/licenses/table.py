"""The licence table: SPDX id -> class, exceptions, free-text names, reference texts. Data: conf/licenses.yaml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codemill.core.licenses import expressions

# From the freest to the strictest. Strictness decides what an OR or an AND of two classes is; ``unknown`` stands last
# because an unknown condition may be any condition.
CLASSES = (
    "public_domain",
    "permissive",
    "weak_copyleft",
    "strong_copyleft",
    "network_copyleft",
    "source_available",
    "non_commercial",
    "proprietary",
    "unknown",
)

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*\+?")
_NAMED_WORDS = re.compile(r"<[a-z]+>")
_FILLERS = frozenset({"the", "license", "licence", "licensed", "version", "v", "software", "a", "under"})
Share = Annotated[float, Field(gt=0, le=1)]


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    text: str


class _Phrases(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    all: tuple[str, ...] = Field(min_length=1)


class _Restrictions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    words: dict[str, tuple[str, ...]]
    everywhere: tuple[str, ...]
    texts: tuple[str, ...]
    few_words: tuple[str, ...]

    def pattern(self, expressions: tuple[str, ...]) -> re.Pattern[str]:
        """Return the pattern of any of the expressions (none: of nothing), whole words with a space on either side."""
        words = {f"<{name}>": f"(?:{'|'.join(map(re.escape, sorted(of)))})" for name, of in self.words.items()}
        filled = [_NAMED_WORDS.sub(lambda name: words.get(name[0], name[0]), one) for one in expressions]
        for given, one in zip(expressions, filled, strict=True):
            try:
                re.compile(one)
            except re.error as error:
                raise ValueError(f"licenses: restrictions: found {given!r}: {error}") from None
            if name := _NAMED_WORDS.search(one):
                raise ValueError(f"licenses: restrictions: found {name[0]}, allowed: {', '.join(words)}")
        return re.compile(rf"(?<= )(?:{'|'.join(filled)})(?= )" if filled else r"(?!)")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    classes: dict[str, tuple[str, ...]]
    exceptions: dict[str, str]
    names: dict[str, tuple[str, ...]]
    threshold: Share
    texts: tuple[_Text, ...]
    phrases: tuple[_Phrases, ...]
    statements: tuple[_Phrases, ...]
    marks: dict[str, tuple[str, ...]]
    grants: tuple[str, ...]
    hints: tuple[str, ...]
    restrictions: _Restrictions
    includes: dict[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class LicenseTable:
    """What conf/licenses.yaml says, checked. All ids are canonical SPDX ids or ``LicenseRef-`` names.

    ``classes``: id -> class. ``exceptions``: exception id -> class of a licence WITH it (when freer than the licence).
    ``names``: words of a free-text name -> expression. ``threshold``: share of a reference text's shingles that a text
    must have. ``texts``: (id, text) beside those of SPDX. ``phrases``: (id, phrases that must all occur) for licences
    without a reference text. ``statements``: the same for short files that only name a licence. ``marks``: id ->
    phrases without which a text is not that licence. ``grants``: phrases that a copy of a reference which has them must
    have too. ``hints``: phrases that, in what no reference explains, keep a text from being free; ``restrictions``:
    what, in the words that no reference explains, makes a text unknown; ``rider_restrictions``: what does so where
    these words are few; ``header_restrictions``: what does so in the comments of a file too, where other words are
    ordinary. ``includes``: id -> ids whose texts always accompany it.
    """

    classes: Mapping[str, str]
    exceptions: Mapping[str, str]
    names: Mapping[str, str]
    threshold: float
    texts: tuple[tuple[str, str], ...]
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    statements: tuple[tuple[str, tuple[str, ...]], ...]
    marks: Mapping[str, tuple[str, ...]]
    grants: tuple[str, ...]
    hints: tuple[str, ...]
    restrictions: re.Pattern[str]
    rider_restrictions: re.Pattern[str]
    header_restrictions: re.Pattern[str]
    includes: Mapping[str, frozenset[str]]

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "LicenseTable":
        """Check the parsed conf/licenses.yaml. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"licenses: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        return cls(
            classes=_classes(parsed.classes),
            exceptions={_exception(key): _class(f"exceptions.{key}", name) for key, name in parsed.exceptions.items()},
            names=_names(parsed.names),
            threshold=parsed.threshold,
            texts=tuple((_expression("texts", entry.id), entry.text) for entry in parsed.texts),
            phrases=tuple((_expression("phrases", entry.id), entry.all) for entry in parsed.phrases),
            statements=tuple((_expression("statements", entry.id), entry.all) for entry in parsed.statements),
            marks={_expression("marks", key): phrases for key, phrases in parsed.marks.items()},
            grants=parsed.grants,
            hints=parsed.hints,
            restrictions=parsed.restrictions.pattern((*parsed.restrictions.everywhere, *parsed.restrictions.texts)),
            rider_restrictions=parsed.restrictions.pattern(parsed.restrictions.few_words),
            header_restrictions=parsed.restrictions.pattern(parsed.restrictions.everywhere),
            includes={
                _expression("includes", key): frozenset(_expression("includes", id_) for id_ in included)
                for key, included in parsed.includes.items()
            },
        )

    def class_of(self, expression: str) -> str:
        """Return the class of an SPDX expression: OR as free as the freest part, AND as strict as the strictest.

        An id that is not in the table, and a string that is no expression, are ``unknown``.
        """
        parsed = expressions.parse(expression)
        return "unknown" if parsed is None else self._class_of_node(parsed)

    def is_free(self, expression: str) -> bool:
        """Say whether an expression asks for nothing but to be named: permissive or public domain."""
        return self.class_of(expression) in ("permissive", "public_domain")

    def is_stricter(self, expression: str, than: str) -> bool:
        """Say whether the class of one expression is stricter than that of another."""
        return _strictness(self.class_of(expression)) > _strictness(self.class_of(than))

    def expression_of_name(self, name: str) -> str | None:
        """Return the expression that a free-text name such as ``Apache 2`` or ``MIT License`` means, None if unknown.

        A name that is itself a valid SPDX expression stands for itself.
        """
        return expressions.normalize(name.strip()) or self.names.get(name_key(name))

    def _class_of_node(self, root: Any) -> str:
        # Post-order with a stack of our own: a manifest may nest parentheses as deep as it likes.
        order, pending = [], [root]
        while pending:
            node = pending.pop()
            order.append(node)
            pending.extend(_operands(node))
        done: dict[int, str] = {}
        for node in reversed(order):
            parts = [done[id(operand)] for operand in _operands(node)]
            done[id(node)] = self._join_classes(node, parts) if parts else self._class_of_symbol(node)
        return done[id(root)]

    @staticmethod
    def _join_classes(node: Any, parts: list[str]) -> str:
        choose = min if node.operator.strip() == "OR" else max
        return choose(parts, key=_strictness)

    def _class_of_symbol(self, symbol: Any) -> str:
        if not hasattr(symbol, "exception_symbol"):
            return self.classes.get(symbol.key, "unknown")
        licence = self.classes.get(symbol.license_symbol.key, "unknown")
        relaxed = self.exceptions.get(symbol.exception_symbol.key, licence)
        return min(licence, relaxed, key=_strictness)


@lru_cache(maxsize=4_096)
def name_key(name: str) -> str:
    """Return the words that tell one licence name from another: ``The MIT License (MIT)`` -> ``mit``."""
    words = (word for word in _WORD.findall(name.lower()[:200]) if word not in _FILLERS)
    unversioned = (re.sub(r"^v(?=\d)", "", word).removesuffix(".0") for word in words)
    return " ".join(reduce(lambda seen, word: seen if word in seen else [*seen, word], unversioned, list[str]()))


def _operands(node: Any) -> tuple[Any, ...]:
    return () if getattr(node, "operator", None) is None else tuple(node.args)


def _strictness(name: str) -> int:
    return CLASSES.index(name)


def _class(key: str, name: str) -> str:
    if name not in CLASSES:
        raise ValueError(f"licenses: {key}: found class {name!r}, allowed: {', '.join(CLASSES)}")
    return name


def _expression(key: str, id_: str) -> str:
    normal = expressions.normalize(id_)
    if normal is None:
        raise ValueError(f"licenses: {key}: found {id_!r}, allowed: an SPDX id or a LicenseRef- name")
    return normal


def _exception(id_: str) -> str:
    # Only inside WITH does the parser accept an exception.
    return _expression("exceptions", f"GPL-2.0-only WITH {id_}").removeprefix("GPL-2.0-only WITH ")


def _classes(data: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    classes: dict[str, str] = {}
    for name, ids in data.items():
        _class("classes", name)
        for id_ in ids:
            canonical = _expression(f"classes.{name}", id_)
            if classes.setdefault(canonical, name) != name:
                raise ValueError(f"licenses: classes.{name}: {id_} stands under {classes[canonical]} too; allowed: one")
    return classes


def _names(data: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for expression, aliases in data.items():
        canonical = _expression("names", expression)
        for alias in aliases:
            if names.setdefault(name_key(alias), canonical) != canonical:
                raise ValueError(f"licenses: names.{expression}: {alias!r} also means {names[name_key(alias)]}")
    return names
