"""The licence of a whole project: which files speak about it, and what they say together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from codemill.core.licenses import expressions
from codemill.core.licenses.manifests import declared
from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import identify_text

Kind = Literal["license_text", "manifest"]

# LICENSE, LICENCE.txt, LICENSE-MIT, COPYING.LESSER, MIT-LICENSE, UNLICENSE; not license.py, LICENSE-3RD-PARTY, NOTICE.
_TEXT_NAME = re.compile(
    r"(?:[a-z0-9.]{1,20}[-_.])?(?:un)?(?:licen[sc]es?|copying)\d?(?:[-_.][a-z0-9_.+-]{1,60})?", re.I
)
_NOT_TEXT = re.compile(
    r"third|3rd|vendor|notice|template|header"
    r"|\.(?:py|pyi|js|ts|jsx|tsx|json|ya?ml|toml|go|rs|java|c|h|cc|cpp|cs|rb|php|sh|xml|csv|png|svg|spdx|in|m|el|map)$",
    re.I,
)
# These folders hold the licence of the project, not of one of its parts.
_TOP_FOLDERS = re.compile(r"[^/]+\.(?:dist-info|egg-info)(?:/licenses|/license_files)?", re.I)
_SHARED_FOLDERS = frozenset({"LICENSES", "META-INF"})
_METADATA = frozenset({"METADATA", "PKG-INFO"})
_MANIFESTS = frozenset({"PKG-INFO", "pyproject.toml", "setup.cfg", "package.json", "Cargo.toml"})


@dataclass(frozen=True)
class Evidence:
    """What one file says: ``expression`` (SPDX) is None when the file speaks of a licence that could not be identified.

    ``similarity``: of the text to the reference (0..1), 1.0 for a manifest.
    """

    path: str
    kind: Kind
    expression: str | None
    similarity: float


@dataclass(frozen=True)
class ProjectLicense:
    """``expression`` (SPDX) is None when nothing was identified; ``license_class`` is then ``unknown`` or ``none``."""

    expression: str | None
    license_class: str
    evidence: tuple[Evidence, ...]


def evidence_kind(path: str) -> Kind | None:
    """Say whether the file at ``path`` (relative to the project's root) speaks about the project's licence, and how.

    Licence texts count at the root, one folder down and in ``LICENSES/``; manifests at the root; Python metadata also
    in ``*.dist-info`` and ``*.egg-info``.
    """
    folder, _, name = path.rpartition("/")
    top = not folder or _TOP_FOLDERS.fullmatch(folder) is not None
    if (name in _MANIFESTS and not folder) or (name in _METADATA and folder and top):
        return "manifest"
    near = top or folder.count("/") == 0
    if near and _TEXT_NAME.fullmatch(name) and not _NOT_TEXT.search(name):
        return "license_text"
    return "license_text" if folder == "LICENSES" and name.endswith(".txt") else None


def read_evidence(path: str, text: str, table: LicenseTable) -> Evidence | None:
    """Return what the file says about the licence; None when it is no evidence or declares or contains nothing."""
    kind = evidence_kind(path)
    if kind == "manifest":
        expression = declared(path, text, table)
        return None if expression is None else Evidence(path, kind, expression, 1.0)
    if kind == "license_text" and text.strip():
        match = identify_text(text, table)
        return None if match.pointer else Evidence(path, kind, match.spdx, match.similarity)
    return None


def combine(evidence: Iterable[Evidence], table: LicenseTable) -> ProjectLicense:
    """Judge a project by everything its files say.

    The licence texts nearest to the root are the strongest evidence and hold together (AND). A declaration that covers
    all of them says how they hold (OR, "or later"); one that is stricter is added, so a contradiction is judged by the
    strictest; one that is freer counts for nothing. A text that could not be identified makes the project ``unknown``.
    No evidence at all is class ``none``.
    """
    ordered = tuple(sorted(set(evidence), key=lambda one: (one.path, one.kind, one.expression or "")))
    texts = _nearest([one for one in ordered if one.kind == "license_text"])
    said = [one.expression for one in ordered if one.kind == "manifest" and one.expression is not None]
    declaration = expressions.join(said, "AND") if said else None
    known = [one.expression for one in texts if one.expression is not None]
    written = _without_included(known, table) if known else None
    expression = _reconcile(written, declaration, table)
    if len(known) < len(texts):
        return ProjectLicense(expression, "unknown", ordered)
    return ProjectLicense(expression, "none" if expression is None else table.class_of(expression), ordered)


def _nearest(texts: list[Evidence]) -> list[Evidence]:
    """Keep the texts of the nearest level that has any: root, folders shared by the project, any other folder."""
    levels = [_level(one.path) for one in texts]
    return [one for one, level in zip(texts, levels, strict=True) if level == min(levels)]


def _level(path: str) -> int:
    folder = path.rpartition("/")[0]
    if not folder or _TOP_FOLDERS.fullmatch(folder):
        return 0
    return 1 if folder in _SHARED_FOLDERS else 2


def _without_included(known: list[str], table: LicenseTable) -> str:
    implied = {included for one in known for included in table.includes.get(one, ())}
    return expressions.join([one for one in known if one not in implied], "AND")


def _reconcile(written: str | None, declaration: str | None, table: LicenseTable) -> str | None:
    if written is None or declaration is None:
        return written or declaration
    if _families(written) <= _families(declaration):
        return declaration
    if table.is_stricter(declaration, than=written):
        return expressions.join([written, declaration], "AND")
    return written


def _families(expression: str) -> frozenset[str]:
    return frozenset(re.sub(r"-(?:only|or-later)$", "", id_) for id_ in expressions.ids(expression))
