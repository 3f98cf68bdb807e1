"""How samples are made: kinds and their weights, size classes, lengths, formats. All checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from codemill.core.fim import counters
from codemill.core.fim.formats import Format
from codemill.core.fim.nodes import SIZE_CLASSES

Kind = Literal["ast_node", "ast_partial", "ast_span", "body", "signature", "line", "lines", "random", "empty", "none"]
"""How a middle was chosen."""
Situation = Literal[
    "method_signature",
    "method_body",
    "single_line",
    "method_with_comment",
    "empty_middle",
    "body_top",
    "body_middle",
    "body_bottom",
    "if_statement",
    "for_statement",
    "while_statement",
    "try_statement",
    "switch_statement",
]
"""What somebody is writing: the thirteen situations of aiXcoder-7B's evaluation. Each is drawn as a kind."""

KINDS: tuple[str, ...] = get_args(Kind)
SITUATIONS: tuple[str, ...] = get_args(Situation)

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_KINDS = {
    "ast_node": 0.40,
    "ast_span": 0.15,
    "ast_partial": 0.05,
    "body": 0.15,
    "signature": 0.03,
    "line": 0.06,
    "lines": 0.04,
    "empty": 0.02,
    "random": 0.10,
}
_SIZE_CLASSES = {
    "token": 0.05,
    "expression": 0.20,
    "line": 0.25,
    "statement": 0.20,
    "block": 0.15,
    "function": 0.12,
    "class": 0.03,
}


class SampleSettings(BaseModel):
    """What can be asked for, whatever the format: `FimOptions` checks it, and it is a part of the user's settings.

    ``kinds`` and ``size_classes`` are weights; they need not add up to one. ``kinds`` may name situations too.
    ``spm_rate`` None is what the family was trained on. Lengths of samples are tokens as ``counter`` counts them, with
    ``tokenizer`` as its file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fim_rate: float = Field(default=0.7, ge=0, le=1)
    spm_rate: float | None = Field(default=None, ge=0, le=1)
    allow_untrained_orders: bool = False
    kinds: dict[str, Weight] = _KINDS
    size_classes: dict[str, Weight] = _SIZE_CLASSES
    max_middle_share: float = Field(default=0.7, gt=0, le=1)
    max_lines: int = Field(default=10, ge=2)
    samples_per_kilobyte: Weight = 0
    max_samples: int = Field(default=8, ge=1)
    path_rate: float = Field(default=0.5, ge=0, le=1)
    sentinels: Literal["drop", "escape"] = "drop"
    max_tokens: int = Field(default=32_768, ge=256)
    counter: counters.Kind = "bytes"
    tokenizer: str | None = None


class FimOptions(SampleSettings):
    """How samples are made in one format, with names for languages as samples may write them."""

    format: Format
    language_names: dict[str, str] = {}

    @field_validator("kinds", "size_classes")
    @classmethod
    def _weights(cls, value: dict[str, float], info: Any) -> dict[str, float]:
        allowed = (*KINDS, *SITUATIONS) if info.field_name == "kinds" else SIZE_CLASSES
        unknown = sorted(set(value) - set(allowed))
        if unknown:
            raise ValueError(f"unknown name {unknown[0]!r}; allowed: {', '.join(allowed)}")
        if min(value.values(), default=0) < 0 or sum(value.values()) <= 0:
            raise ValueError("allowed: weights of at least 0, one of them above 0")
        return value

    @model_validator(mode="after")
    def _trained(self) -> "FimOptions":
        least, most = self.format.trained_spm_rate
        if self.spm_rate is not None and not self.allow_untrained_orders and not least <= self.spm_rate <= most:
            orders = ", ".join(self.format.orders)
            raise ValueError(
                f"spm_rate: found {self.spm_rate:g}, allowed is {least:g} to {most:g}: the family was trained on "
                f"{orders} only; allow_untrained_orders lets it pass"
            )
        if not self.format.middle and self.spm_share < 1:
            raise ValueError("spm_rate: the format has no sentinel before the middle, allowed is 1 or nothing")
        counters.counter(self.counter, self.tokenizer)
        return self

    @property
    def spm_share(self) -> float:
        """Return the share of SPM among FIM samples: half, where the family knows both orders."""
        least, most = self.format.trained_spm_rate
        return (least + most) / 2 if self.spm_rate is None else self.spm_rate

    @property
    def length(self) -> counters.Counter:
        """Return what counts tokens."""
        return counters.counter(self.counter, self.tokenizer)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    formats: dict[str, Format]
    language_names: dict[str, str] = {}


@dataclass(frozen=True)
class FimCatalogue:
    """What conf/fim.yaml says, checked."""

    formats: Mapping[str, Format]
    language_names: Mapping[str, str]

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "FimCatalogue":
        """Check the parsed conf/fim.yaml. Raises ValueError naming the key, what was found, what is allowed."""
        try:
            parsed = _Data.model_validate(data)
        except ValidationError as error:
            raise ValueError(f"fim: {explained(error)}") from None
        return cls(parsed.formats, parsed.language_names)

    def options(self, name: str, custom: Mapping[str, Any] | None = None, **settings: Any) -> FimOptions:
        """Return options for one format; ``custom`` is the row of a format of that name; ``settings`` are other fields.

        Raises ValueError.
        """
        if name != "custom" and name not in self.formats:
            allowed = ", ".join([*sorted(self.formats), "custom"])
            raise ValueError(f"fim: found format {name!r}, allowed: {allowed}")
        if (name == "custom") != (custom is not None):
            raise ValueError("fim: format custom goes with a row of its own under fim.custom, and no other format does")
        try:
            row = self.formats[name] if custom is None else Format.model_validate(custom)
            return FimOptions(format=row, language_names=dict(self.language_names), **settings)
        except ValidationError as error:
            raise ValueError(f"fim: {explained(error)}") from None


def explained(error: ValidationError) -> str:
    """Return the first thing that is wrong, as a key, what is allowed and what was found."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"{key}: {first['msg']}, found {first['input']!r:.80}" if key else str(first["msg"])
