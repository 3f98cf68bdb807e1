"""Licences that manifests declare: Python metadata, pyproject.toml, setup.cfg, package.json, Cargo.toml.

A manifest is parsed as data, never run. What cannot be parsed, or is no known name, declares nothing.
"""

import configparser
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from codemill.core.licenses import expressions
from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import MAX_CHARS, identify_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_MANIFEST_CHARS = 1_000_000

_CLASSIFIER = "License :: "
_NO_LICENSE = frozenset({"", "unknown", "none", "n/a", "license :: osi approved"})


def declared(path: str, text: str, table: LicenseTable) -> str | None:
    """Return the SPDX expression that the manifest ``text`` at ``path`` declares, None when it declares none we know.

    Python: ``License-Expression`` over ``License`` over trove classifiers (PEP 639, PEP 621); of a ``License`` and a
    classifier that differ in class, the stricter. npm: a string, the old object and array forms, an array being a
    choice. Cargo: ``/`` is OR.
    """
    reader = _READERS.get(path.rsplit("/", 1)[-1])
    if reader is None or len(text) > MAX_MANIFEST_CHARS:
        return None
    try:
        return reader(text, table)
    except (ValueError, RecursionError, configparser.Error):
        return None


def _metadata(text: str, table: LicenseTable) -> str | None:
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    fields: dict[str, list[str]] = {}
    name = ""
    for line in head.splitlines():
        if line[:1] in " \t|" and name:
            fields[name][-1] += "\n" + line.strip(" \t|")
            continue
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.strip())
    return _python(
        "\n".join(fields.get("License-Expression", [])),
        "\n".join(fields.get("License", [])),
        fields.get("Classifier", []),
        table,
    )


def _python(expression: str, license_: str, classifiers: Iterable[str], table: LicenseTable) -> str | None:
    if exact := expressions.normalize(expression):
        return exact
    named = _name(license_, table)
    classified = _from_classifiers(classifiers, table)
    if named and classified and table.is_stricter(classified, than=named):
        return classified
    return named or classified


def _from_classifiers(classifiers: Iterable[str], table: LicenseTable) -> str | None:
    names = [line.removeprefix(_CLASSIFIER) for line in classifiers if line.startswith(_CLASSIFIER)]
    known = [table.expression_of_name(name.rsplit(" :: ", 1)[-1]) for name in names]
    found = [expression for expression in known if expression is not None]
    return expressions.join(found, "AND") if found else None


def _name(value: str, table: LicenseTable) -> str | None:
    """Map one free-text value: an expression, a name of the table, or a whole licence text."""
    if value.strip().lower() in _NO_LICENSE:
        return None
    if len(value) > 200 or value.count("\n") > 2:
        return identify_text(value[:MAX_CHARS], table).spdx
    return table.expression_of_name(value)


def _pyproject(text: str, table: LicenseTable) -> str | None:
    data = tomllib.loads(text)
    project, poetry = _mapping(data, "project"), _mapping(data, "tool", "poetry")
    license_ = project.get("license") or poetry.get("license")
    if isinstance(license_, Mapping):
        license_ = license_.get("text")
    classifiers = _strings(project.get("classifiers")) + _strings(poetry.get("classifiers"))
    return _python("", license_ if isinstance(license_, str) else "", classifiers, table)


def _setup_cfg(text: str, table: LicenseTable) -> str | None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    if not parser.has_section("metadata"):
        return None
    metadata = parser["metadata"]
    classifiers = (metadata.get("classifiers") or metadata.get("classifier") or "").splitlines()
    return _python(
        metadata.get("license_expression") or metadata.get("license-expression") or "",
        metadata.get("license") or "",
        [line.strip() for line in classifiers],
        table,
    )


def _package_json(text: str, table: LicenseTable) -> str | None:
    data = json.loads(text)
    if not isinstance(data, Mapping):
        return None
    value = data.get("license") or data.get("licenses")
    entries = value if isinstance(value, list) else [value]
    names = [entry.get("type") or entry.get("name") if isinstance(entry, Mapping) else entry for entry in entries]
    known = [_name(name, table) if isinstance(name, str) else None for name in names]
    found = [expression for expression in known if expression is not None]
    # One unknown entry leaves the choice between the others open.
    return expressions.join(found, "OR") if found else None


def _cargo(text: str, table: LicenseTable) -> str | None:
    data = tomllib.loads(text)
    license_ = _mapping(data, "package").get("license")
    if not isinstance(license_, str):
        license_ = _mapping(data, "workspace", "package").get("license")
    return _name(license_.replace("/", " OR "), table) if isinstance(license_, str) else None


def _mapping(data: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _strings(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


_READERS: dict[str, Callable[[str, LicenseTable], str | None]] = {
    "PKG-INFO": _metadata,
    "METADATA": _metadata,
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "package.json": _package_json,
    "Cargo.toml": _cargo,
}
