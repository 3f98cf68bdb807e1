"""SPDX licence expressions: parse, join and take apart (SPDX 2.3, annex D), by the license-expression library."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from license_expression import ExpressionError, Licensing, get_spdx_licensing

# Real expressions have up to about twenty names; what is longer is no licence and would cost time to parse.
MAX_CHARS = 2_000


@lru_cache(maxsize=1)
def licensing() -> Licensing:
    """Return the parser that knows all SPDX ids (loaded once per process)."""
    return get_spdx_licensing()


@lru_cache(maxsize=4_096)
def parse(expression: str) -> Any:
    """Return the parsed expression, or None when it is no expression of known SPDX ids and LicenseRef- names.

    Deprecated ids come out as what they mean: ``GPL-3.0`` as ``GPL-3.0-only``, ``GPL-2.0+`` as ``GPL-2.0-or-later``.
    """
    if not 0 < len(expression) <= MAX_CHARS:
        return None
    try:
        parsed = licensing().parse(expression)
        unknown = licensing().unknown_license_keys(parsed) if parsed is not None else []
    except (ExpressionError, ValueError, RecursionError):
        return None
    return None if any(not key.startswith("LicenseRef-") for key in unknown) else parsed


def normalize(expression: str) -> str | None:
    """Return the expression with canonical ids and spacing, or None when it is not valid."""
    parsed = parse(expression)
    return None if parsed is None else str(parsed)


def ids(expression: str) -> frozenset[str]:
    """Return the licence ids of a valid expression, exceptions left out."""
    return frozenset(key for key in licensing().license_keys(parse(expression)) if not _is_exception(key))


def join(expressions: Iterable[str], operator: str) -> str:
    """Join one or more valid expressions by ``AND`` or ``OR``, without repeating one, in sorted order."""
    distinct = sorted(set(expressions))
    if len(distinct) == 1:
        return distinct[0]
    node = licensing().AND if operator == "AND" else licensing().OR
    return str(node(*(parse(expression) for expression in distinct)).simplify())


def _is_exception(key: str) -> bool:
    symbol = licensing().known_symbols.get(key)
    return symbol is not None and bool(symbol.is_exception)
