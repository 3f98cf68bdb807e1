"""Containers: archives, project folders and repositories, each of which is one project.

The driver lists them; each is read by one task, as a stream, so that neither their number nor their size matters to
memory. What comes out depends on their bytes and names alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from codemill.catalogues import catalogue, table_text
from codemill.config import Settings, Source
from codemill.core.languages import LanguageTable
from codemill.errors import UsageError
from codemill.ingest.rows import FOUND_PROJECTS, SCANNED, id_of, scanned_facts, scanned_file, unreadable
from codemill.runs import Run
from codemill.sources import archives, directory, git
from codemill.sources.containers import FoundFile, ReadLimits, RefusedFile, UnreadableContainer
from codemill.sources.git import RepositoryFacts

_BATCH_ROWS = 500
_BATCH_BYTES = 8 << 20

_READERS: dict[str, Callable[[Path, ReadLimits], Iterator[RepositoryFacts | FoundFile | RefusedFile]]] = {
    "archives": archives.read,
    "directory": directory.read,
    "git": git.read,
}
_NOUNS = {"archives": "archive", "directory": "project folder", "git": "repository"}


@dataclass(frozen=True)
class Container:
    """One archive, folder or repository. ``container`` is its path below the source, ``where`` the path to read."""

    project_id: str
    platform: str
    name: str
    version: str | None
    container: str
    url: str | None
    source: int
    kind: str
    where: str


def check_sources(settings: Settings) -> None:
    """Raise UsageError when there is no source, and for one that is missing; their contents are not looked at."""
    if not settings.sources:
        raise UsageError("sources is empty; name at least one")
    for position, source in enumerate(settings.sources):
        if source.kind != "table" and not source.optional and not _is_there(source):
            raise UsageError(f"sources.{position}.path: {source.path} is not a folder")


def list_containers(settings: Settings) -> tuple[list[Container], list[str]]:
    """List the containers of every source but tables, and the paths that are neither archive nor folder.

    Raises UsageError for a source that is missing or empty, and for two containers that would get the same id.
    """
    check_sources(settings)
    found: dict[str, Container] = {}
    strangers = []
    for position, source in enumerate(settings.sources):
        if source.kind == "table":
            continue
        root = Path(source.path)
        paths, others = _paths(root, source, position)
        strangers += [f"{source.platform}/{path.relative_to(root).as_posix()}" for path in others]
        for path in paths:
            container = _container(source, position, root, path)
            if container.project_id in found:
                raise UsageError(
                    f"sources.{position}: {container.container} occurs twice on platform {source.platform}; "
                    "give one of the sources another platform"
                )
            found[container.project_id] = container
    return list(found.values()), strangers


def _paths(root: Path, source: Source, position: int) -> tuple[list[Path], list[Path]]:
    if not _is_there(source):  # an optional one; check_sources has seen to the others
        return [], []
    try:
        paths, others = _listed(root, source)
    except ValueError as error:
        raise UsageError(f"sources.{position}.path: {error}") from None
    if not paths and not source.optional:
        raise UsageError(f"sources.{position}.path: {source.path} holds no {_NOUNS[source.kind]}")
    return paths, others


def _is_there(source: Source) -> bool:
    path = Path(source.path)
    return path.exists() if source.kind == "git" else path.is_dir()


def _listed(root: Path, source: Source) -> tuple[list[Path], list[Path]]:
    if source.kind == "git":
        return git.repositories(root), []
    if source.kind == "directory":
        return directory.projects(root), []
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [p for p in files if archives.is_archive(p.name)], [p for p in files if not archives.is_archive(p.name)]


def _container(source: Source, position: int, root: Path, path: Path) -> Container:
    below = git.name_of(root, path) if source.kind == "git" else path.relative_to(root).as_posix()
    name, version = (below if source.kind == "git" else path.name), None
    if source.kind == "archives":
        name, version = archives.name_and_version(path.name)
    return Container(
        id_of(source.platform, below),
        source.platform,
        name,
        version,
        below,
        f"https://{source.host}/{name}" if source.host else None,
        position,
        source.kind,
        str(path.resolve()),
    )


def found_projects(run: Run, containers: list[Container]) -> DataFrame:
    """Return the containers as rows of FOUND_PROJECTS."""
    nothing = dict.fromkeys(FOUND_PROJECTS.names)
    return run.spark.createDataFrame([{**nothing, **asdict(one)} for one in containers], FOUND_PROJECTS)


def scan(run: Run, containers: list[Container]) -> DataFrame:
    """Read the containers: rows of SCANNED."""
    read = partial(
        _read_containers,
        limits=read_limits(run.settings),
        languages=table_text("languages", run.settings.catalogues.languages, LanguageTable.from_mapping),
        schema=to_arrow_schema(SCANNED, timezone="UTC"),
    )
    repositories = [container for container in containers if container.kind == "git"]
    others = [container for container in containers if container.kind != "git"]
    # Walking a history may take minutes: a task for each repository.
    groups = [(repositories, len(repositories)), (others, _tasks(run, len(others)))]
    parts = [found_projects(run, group).coalesce(1).repartition(tasks) for group, tasks in groups if group]
    rows = reduce(DataFrame.unionByName, parts).select("project_id", "kind", "where", "container")
    return rows.mapInArrow(read, SCANNED)


def read_limits(settings: Settings) -> ReadLimits:
    """Return the limits that the settings name, as readers take them."""
    limits = settings.ingest
    return ReadLimits(
        max_file_bytes=limits.max_file_bytes,
        max_files=limits.max_project_files,
        max_total_bytes=limits.max_project_bytes,
    )


def _tasks(run: Run, found: int) -> int:
    """Choose how many tasks read: enough to even out containers of unequal size, not one for every small one."""
    cores = run.spark.sparkContext.defaultParallelism
    return min(found, max(8 * cores, found // 8), 100_000)


def _read_containers(
    batches: Iterator[pa.RecordBatch], limits: ReadLimits, languages: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    table = catalogue(LanguageTable.from_mapping, languages)
    containers = (container for batch in batches for container in batch.to_pylist())
    return batched((row for container in containers for row in _read(container, limits, table)), schema)


def batched(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Put scanned rows into batches, bounded by rows and by the length of their texts."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.get("content") or "")
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield pa.RecordBatch.from_pylist(batch, schema=schema)
            batch, size = [], 0
    yield pa.RecordBatch.from_pylist(batch, schema=schema)


def _read(container: dict[str, Any], limits: ReadLimits, languages: LanguageTable) -> Iterator[dict[str, Any]]:
    project_id = container["project_id"]
    try:
        for number, item in enumerate(_READERS[container["kind"]](Path(container["where"]), limits)):
            if isinstance(item, RepositoryFacts):
                yield scanned_facts(project_id, item)
            else:
                yield scanned_file(project_id, item, str(number), languages)
    except UnreadableContainer as error:
        yield unreadable(project_id, container["container"], error)
