"""The rows that readers of sources make: of the projects they found, and of the files in them.

A *found* row is a project as its source names it. A *scanned* row is a file that was found or refused, what a
repository's history says (`facts`), or why nothing more came from a container (`unreadable`).
"""

import hashlib
import json
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from codemill.core.decoding import Undecodable, decode
from codemill.core.detection import detect
from codemill.core.languages import LanguageTable
from codemill.core.licenses import evidence_kind, license_folder
from codemill.core.projects import declared_home
from codemill.sources.containers import FoundFile, RefusedFile, UnreadableContainer, lfs_size
from codemill.sources.git import RepositoryFacts
from codemill.tables import FILES, PROJECTS

# The language of a text that no row of the language table claims: kept as evidence (licence texts), not as code.
OTHER = "other"

# Refused files that are elsewhere, or nothing: what they would say of a licence is not lost with them.
_NOT_HERE = frozenset({"link", "special_file", "submodule", "duplicate_path", "unsafe_path"})
_LICENSING = ("license_text", "manifest")

_TEXT, _WHOLE = T.StringType(), T.LongType()


def _fields(*names: str, of: T.StructType = PROJECTS.schema) -> list[T.StructField]:
    return [of[name] for name in names]


# `source` is the position of the source in the settings; `where` what a task reads, null for the rows of a table.
FOUND_PROJECTS = T.StructType(
    [
        *_fields("project_id", "platform", "name", "version", "container", "url", "platform_license", "stars", "forks"),
        T.StructField("source", T.IntegerType()),
        T.StructField("kind", _TEXT),
        T.StructField("where", _TEXT),
    ]
)

FACTS = T.StructType(
    [
        *_fields("commits", "authors", "first_commit", "last_commit", "roots", "history"),
        T.StructField("remote", _TEXT),
    ]
)

# Where a manifest says that the project lives. Of several manifests the one nearest to the root counts, then the first.
HOME = T.StructType(
    [
        T.StructField("depth", T.IntegerType()),
        T.StructField("path", _TEXT),
        T.StructField("url", _TEXT),
        T.StructField("folder", _TEXT),
    ]
)

SCANNED = T.StructType(
    [
        T.StructField("row", _TEXT),
        *FILES.schema.fields,
        T.StructField("reason", _TEXT),
        T.StructField("evidence", _TEXT),
        T.StructField("home", HOME),
        T.StructField("is_test", T.BooleanType()),
        # Refused, though it speaks about the licence.
        T.StructField("unread", T.BooleanType()),
        T.StructField("facts", FACTS),
    ]
)


def id_of(*parts: str) -> str:
    """Return 128 bits of SHA-256 as hex: enough for no collision among 10**12 files."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def id_column(*parts: Column) -> Column:
    """Return what ``id_of`` returns, for columns."""
    return F.substring(F.sha2(F.concat_ws("\0", *parts), 256), 1, 32)


def scanned_file(project_id: str, item: FoundFile | RefusedFile, own: str, languages: LanguageTable) -> dict[str, Any]:
    """Return the row of one file. ``own`` tells a refused file from others of its path, one of which may stay."""
    if isinstance(item, FoundFile) and (size := lfs_size(item.raw)) is not None:
        item = RefusedFile(item.path, size, "lfs_pointer")
    row = _found(item, languages) if isinstance(item, FoundFile) else _refusal(item)
    extra = () if isinstance(item, FoundFile) else (item.reason, own)
    return {**row, "project_id": project_id, "file_id": id_of(project_id, item.path, *extra), "path": item.path}


def scanned_facts(project_id: str, facts: RepositoryFacts) -> dict[str, Any]:
    """Return the row of what a repository's history says."""
    values = {name: getattr(facts, name) for name in FACTS.names if name != "remote"}
    return {"row": "facts", "project_id": project_id, "facts": {**values, "remote": facts.remote_url}}


def unreadable(project_id: str, container: str, error: UnreadableContainer) -> dict[str, Any]:
    """Return the row of a container that could not be read, or not to its end."""
    evidence = {"container": container, "detail": error.detail}
    return {"row": "unreadable", "project_id": project_id, "reason": error.reason, "evidence": json.dumps(evidence)}


def _found(item: FoundFile, languages: LanguageTable) -> dict[str, Any]:
    decoded = decode(item.raw)
    if isinstance(decoded, Undecodable):
        return _refused(item.path, len(item.raw), decoded.reason)
    raw_hash = hashlib.sha256(item.raw).hexdigest()
    text = decoded.text.encode()
    home = declared_home(item.path, decoded.text)
    detected = detect(item.path, decoded.text, languages)
    return {
        "row": "file",
        "language": detected.language or OTHER,
        "language_by": detected.by,
        "size": len(text),
        "content_sha256": raw_hash,
        "text_sha256": raw_hash if text == item.raw else hashlib.sha256(text).hexdigest(),
        "encoding": decoded.encoding,
        "bom": decoded.bom,
        "guessed_encoding": decoded.lossy_guess,
        "content": decoded.text,
        "home": home and {"depth": item.path.count("/"), "path": item.path, "url": home.url, "folder": home.folder},
        "is_test": languages.is_test(item.path, detected.language),
    }


def _refusal(item: RefusedFile) -> dict[str, Any]:
    return _refused(item.path, item.size, item.reason, **item.evidence)


def _refused(path: str, size: int, reason: str, **evidence: str | int) -> dict[str, Any]:
    return {
        "row": "refused",
        "size": size,
        "reason": reason,
        "evidence": json.dumps({"path": path, "size": size, **evidence}),
        "unread": reason not in _NOT_HERE and _is_about_licences(path),
    }


def _is_about_licences(path: str) -> bool:
    return evidence_kind(path) in _LICENSING or license_folder(path) is not None
