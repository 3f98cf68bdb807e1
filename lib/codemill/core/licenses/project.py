"""The licence of a whole project: which files speak about it, and what they say together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from codemill.core.licenses import expressions
from codemill.core.licenses.manifests import declared
from codemill.core.licenses.readme import readme_license
from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import identify_text
from codemill.core.manifests import is_manifest, read_manifest

Kind = Literal["license_text", "manifest", "readme", "platform"]

# LICENSE, LICENCE.txt, LICENSE-MIT, COPYING.LESSER, MIT-LICENSE, UNLICENSE; not license.py, LICENSE-3RD-PARTY, NOTICE.
_TEXT_NAME = re.compile(
    r"(?:[a-z0-9.]{1,20}[-_.])?(?:un)?(?:licen[sc]es?|copying)\d?(?:[-_.][a-z0-9_.+-]{1,60})?", re.I
)
_NOT_TEXT = re.compile(
    r"third|3rd|vendor|notice|template|header"
    r"|\.(?:py|pyi|js|ts|jsx|tsx|json|ya?ml|toml|go|rs|java|c|h|cc|cpp|cs|rb|php|sh|xml|csv|png|svg|spdx|in|m|el|map)$",
    re.I,
)
_README_NAME = re.compile(r"readme(?:\.(?:md|markdown|rst|txt|adoc|asciidoc|org|html?))?", re.I)
# These folders hold the licence of the project, not of one of its parts.
_TOP_FOLDERS = re.compile(r"[^/]+\.(?:dist-info|egg-info)(?:/licenses|/license_files)?", re.I)
_SHARED_FOLDERS = frozenset({"LICENSES", "META-INF"})
# Folders that hold nothing but licence texts rule no code.
_TEXTS_ONLY = re.compile(
    r"(?:.*[-_])?(?:licen[sc]es?|legal|copying|copyright|notices?)(?:[-_].*)?|META-INF|debian", re.I
)


@dataclass(frozen=True)
class Evidence:
    """What one file says: ``expression`` (SPDX) is None when it speaks of a licence that could not be identified.

    ``similarity``: the share of the licence's reference text that was found (0..1), 1.0 for what is no text. The path
    of evidence from a platform is empty.
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

    Licence texts count at the root, one folder down and in ``LICENSES/``; manifests and READMEs at the root; Python
    metadata also in ``*.dist-info`` and ``*.egg-info``.
    """
    folder, _, name = path.rpartition("/")
    if is_manifest(path):
        return "manifest"
    if not folder and _README_NAME.fullmatch(name):
        return "readme"
    near = folder.count("/") == 0 or _TOP_FOLDERS.fullmatch(folder) is not None
    if near and _is_text_name(name):
        return "license_text"
    return "license_text" if folder == "LICENSES" and name.endswith(".txt") else None


def license_folder(path: str) -> str | None:
    """Return the folder that the licence text at ``path`` rules, None for what is no such text or rules no folder.

    At the root it rules the project; in a folder of licence texts it rules nothing by itself.
    """
    folder, _, name = path.rpartition("/")
    if not folder or not _is_text_name(name) or _TOP_FOLDERS.fullmatch(folder):
        return None
    return None if _TEXTS_ONLY.fullmatch(folder.rpartition("/")[2]) else folder


def _is_text_name(name: str) -> bool:
    return _TEXT_NAME.fullmatch(name) is not None and _NOT_TEXT.search(name) is None


def read_evidence(path: str, text: str, table: LicenseTable) -> Evidence | None:
    """Return what the file says about a licence; None when it is no evidence or says nothing.

    Raises UnreadableManifest.
    """
    kind = evidence_kind(path)
    if kind == "manifest":
        declaration = declared(read_manifest(path, text), table)
        return None if declaration is None else Evidence(path, kind, declaration.expression, 1.0)
    if kind == "readme":
        found = readme_license(text, table)
        return None if found is None else Evidence(path, kind, found.spdx, found.similarity)
    if (kind == "license_text" or license_folder(path) is not None) and text.strip():
        match = identify_text(text, table)
        return None if match.pointer else Evidence(path, "license_text", match.spdx, match.similarity)
    return None


def platform_evidence(value: str, table: LicenseTable) -> Evidence | None:
    """Return what a platform says, as it says it: an SPDX expression or a name; None for words that say nothing."""
    if value.strip().lower() in ("", "none", "null", "unknown", "noassertion", "no_license"):
        return None
    return Evidence("", "platform", table.expression_of_name(value), 1.0)


def combine(evidence: Iterable[Evidence], table: LicenseTable) -> ProjectLicense:
    """Judge a project by everything that is said of it.

    The licence texts nearest to the root are the strongest evidence and hold together (AND). A declaration in a
    manifest that covers all of them says how they hold (OR, "or later"); one that is stricter is added, so that a
    contradiction is judged by the strictest; one that is freer counts for nothing. READMEs and platforms are asked
    where neither text nor manifest speaks; besides, they can only make things stricter. A text that could not be
    identified makes the project ``unknown``, and so does a declared name where nothing else is known. No evidence at
    all is class ``none``.
    """
    ordered = tuple(sorted(set(evidence), key=lambda one: (one.path, one.kind, one.expression or "")))
    texts = _nearest([one for one in ordered if one.kind == "license_text"])
    known = [one.expression for one in texts if one.expression is not None]
    written = _without_included(known, table) if known else None
    expression = _reconcile(written, _said(ordered, "manifest"), table)
    for weaker in (_said(ordered, "readme"), _said(ordered, "platform")):
        if expression is None:
            expression = weaker
        elif weaker is not None and table.is_stricter(weaker, than=expression):
            expression = expressions.join([expression, weaker], "AND")
    if len(known) < len(texts) or (expression is None and ordered):
        return ProjectLicense(expression, "unknown", ordered)
    return ProjectLicense(expression, "none" if expression is None else table.class_of(expression), ordered)


def _said(evidence: tuple[Evidence, ...], kind: Kind) -> str | None:
    known = [one.expression for one in evidence if one.kind == kind and one.expression is not None]
    return expressions.join(known, "AND") if known else None


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
