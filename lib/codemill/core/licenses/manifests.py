"""Licences that manifests declare: names, expressions and classifiers, understood as one SPDX expression."""

from collections.abc import Iterable
from dataclasses import dataclass

from codemill.core.licenses import expressions
from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import MAX_CHARS, identify_text
from codemill.core.manifests import Manifest

_NO_LICENSE = frozenset({"", "unknown", "none", "n/a", "license", "see license", "see license file", "license.txt"})
# Longer values are licence texts, not names of licences.
_MAX_NAME_CHARS = 200
_MAX_NAME_LINES = 3


@dataclass(frozen=True)
class Declaration:
    """What a manifest declares; ``expression`` is None for a licence that is named and not known."""

    expression: str | None


def declared(manifest: Manifest, table: LicenseTable) -> Declaration | None:
    """Return what a manifest declares, None when it declares nothing.

    Of several licences that are a choice, unknown ones do not count while one is known; of several that hold together
    every one must be known. Of a name and a Python classifier that differ in class, the stricter counts.
    """
    said = [value for value in manifest.licenses if value.strip().lower() not in _NO_LICENSE]
    named = _joined((_meaning(value, table) for value in said), manifest.operator)
    classified = _joined((_of_classifier(line, table) for line in manifest.classifiers), "AND")
    if named and classified and table.is_stricter(classified, than=named):
        return Declaration(classified)
    if named or classified:
        return Declaration(named or classified)
    return Declaration(None) if said else None


def _joined(meanings: Iterable[str | None], operator: str) -> str | None:
    values = list(meanings)
    known = [value for value in values if value is not None]
    if not known or (operator == "AND" and len(known) < len(values)):
        return None
    return expressions.join(known, operator)


def _of_classifier(line: str, table: LicenseTable) -> str | None:
    return table.expression_of_name(line.rsplit(" :: ", 1)[-1])


def _meaning(value: str, table: LicenseTable) -> str | None:
    """Return what one free-text value means: an expression, a name of the table, or a whole licence text."""
    if len(value) > _MAX_NAME_CHARS or value.count("\n") >= _MAX_NAME_LINES:
        return identify_text(value[:MAX_CHARS], table).spdx
    return table.expression_of_name(value)
