"""Settings: one YAML file, overridden by ``--set dotted.key=value``, checked before anything runs.

``conf/pipeline.yaml`` lists every setting with its default. A mistake is one line that names the key, what was found
and what is allowed (exit 2).
"""

import hashlib
import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from codemill.core.fim.options import SampleSettings, Weight
from codemill.errors import UsageError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]

MetadataColumn = Literal[
    "name", "platform", "url", "license", "stars", "forks", "watchers", "commits", "archived", "fork_of"
]
TableColumn = Literal["name", "path", "content", "url", "license", "stars", "forks"]
ExportColumn = Literal[
    "sample_id",
    "file_id",
    "project_id",
    "path",
    "language",
    "kind",
    "situation",
    "node_type",
    "size_class",
    "construct",
    "order",
    "window_start",
    "window_end",
    "start",
    "end",
    "tokens",
    "position",
    "prefix",
    "middle",
    "suffix",
    "text",
]


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(Section):
    """A file that tells more of a source's projects, one row each: joined by their names.

    ``format`` follows from the file's name when left out. ``columns`` says what a column is called in the file.
    """

    path: str
    format: Literal["csv", "jsonl", "parquet"] | None = None
    columns: dict[MetadataColumn, str] = {}


class Source(Section):
    """Where projects come from.

    ``archives``: a folder of archives. ``directory``: a folder whose sub-folders are projects. ``git``: a folder of
    repositories, or a file that lists them. ``table``: a Delta or Parquet table with one row per file, whose columns
    are those of ``mapping``, a row of conf/mappings.yaml, or are named in ``columns``.

    ``host``: where the projects' names are those of repositories there (github.com). An ``optional`` source may be
    missing or empty, as long as another is not.
    """

    kind: Literal["archives", "directory", "git", "table"]
    path: str
    platform: str = "local"
    host: str | None = None
    optional: bool = False
    mapping: str | None = None
    columns: dict[TableColumn, str] = {}
    metadata: Metadata | None = None

    @field_validator("mapping", "columns")
    @classmethod
    def _of_a_table(cls, value: Any, info: ValidationInfo) -> Any:
        if value and info.data.get("kind", "table") != "table":
            raise ValueError("only a source of kind table has it")
        return value


class Ingest(Section):
    """Limits for reading sources; sizes in bytes, as stored in the project (unpacked)."""

    max_file_bytes: Count = 1_048_576
    max_project_files: Count = 200_000
    max_project_bytes: Count = 4_294_967_296


class Switch(Section):
    """What every step has."""

    enabled: bool = True


class Licenses(Switch):
    """Step 1a: licence classes that may stay; ``no_license`` decides on projects without any licence."""

    allowed: tuple[str, ...] = ("permissive", "public_domain")
    no_license: Literal["drop", "keep"] = "drop"


class ProjectDedup(Switch):
    """Step 1b: of several copies of a project one stays, the first by ``priority`` (and then by id).

    A project goes when ``min_containment`` of its files, at least ``min_shared_files``, lie in one that stays; half of
    that is enough where both have one name. Files that more than ``max_file_projects`` projects have do not count. Or
    when ``min_commit_share`` of its commits, at least ``min_shared_commits``, are in one that stays; ``many_commits``
    are enough, whatever their share.
    """

    priority: tuple[Literal["score", "newest"], ...] = ("score", "newest")
    min_containment: Share = 0.7
    min_shared_files: Count = 3
    max_file_projects: Count = 100
    min_commit_share: Share = 0.5
    min_shared_commits: Count = 10
    many_commits: Count = 1_000


class Ranking(Switch):
    """Step 2: the score is the weighted mean of a project's ranks on its platform; the lowest share of projects goes.

    Of fewer than ``min_projects`` projects none goes.
    """

    drop_share: Share = 0.10
    min_projects: Count = 10
    stars: Weight = 0.5
    commits: Weight = 0.25
    test_files: Weight = 0.25


class Generated(Switch):
    """Step 3a: thresholds beside the marker table; lengths in characters. Those of lines and runs are StarCoder2's.

    Minified is what has few blanks, in languages that are minified and from ``minified_chars`` on; a table is what has
    many lines of literals, from ``table_lines`` on; repetitive what has many lines of one shape, from
    ``repetitive_lines`` on.
    """

    max_lines: Count = 100_000
    max_mean_line: Count = 100
    max_line: Count = 1_000
    min_alpha_share: Share = 0.25
    max_encoded_run: Count = 1_024
    max_encoded_share: Share = 0.5
    minified_languages: tuple[str, ...] = ("javascript", "css")
    minified_chars: Count = 200
    min_space_share: Share = 0.05
    table_lines: Count = 200
    max_literal_share: Share = 0.8
    repetitive_lines: Count = 500
    max_repeated_share: Share = 0.95


class Dedup(Switch):
    """Step 3b: near-duplicates over shingles of code tokens; files under ``min_tokens`` are compared exactly."""

    same_code: bool = True
    license_headers: bool = False
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    recall: Annotated[float, Field(gt=0, lt=1)] = 0.99
    num_perm: Annotated[int, Field(ge=16, le=1024)] = 256
    shingle: Annotated[int, Field(ge=1, le=32)] = 5
    min_tokens: Count = 30
    across_languages: bool = False
    bucket_size: Annotated[int, Field(ge=2, le=4096)] = 128


class Sensitive(Switch):
    """Step 4: entities and thresholds stand in conf/sensitive.yaml."""


class Comments(Switch):
    """Step 5: sections of commented-out code this large, by lines or characters, go with probability ``rate``."""

    min_lines: Count = 3
    min_characters: Count | None = None
    rate: Share = 0.9


class Syntax(Switch):
    """Step 6: tolerances by language stand in conf/languages.yaml."""


class StaticAnalysis(Switch):
    """Step 7: files with a finding of one of these severities go; limits are for one batch of files."""

    drop_severities: tuple[Literal["low", "medium", "high"], ...] = ("high",)
    batch_files: Count = 500
    batch_bytes: Count = 8_388_608
    file_timeout_s: Count = 10
    memory_mb: Count = 1_500


class Steps(Section):
    """One entry per step name."""

    licenses: Licenses = Licenses()
    project_dedup: ProjectDedup = ProjectDedup()
    ranking: Ranking = Ranking()
    generated: Generated = Generated()
    dedup: Dedup = Dedup()
    sensitive: Sensitive = Sensitive()
    comments: Comments = Comments()
    syntax: Syntax = Syntax()
    static_analysis: StaticAnalysis = StaticAnalysis()


class Benchmarks(Section):
    """Texts that no training data may hold: files below ``path``, by the share of their n-grams that a file has."""

    path: str | None = None
    ngram: Annotated[int, Field(ge=3, le=64)] = 10
    min_share: Annotated[float, Field(gt=0, le=1)] = 0.5


class Repository(Section):
    """Files of a project in order, what is used before its user, but for ``random_share`` of them.

    A sample shows up to ``max_files`` other files with probability ``rate``, as far as the format knows how to.
    """

    rate: Share = 0.0
    random_share: Share = 0.1
    max_files: Count = 16


class Fim(Section, SampleSettings):
    """FIM samples: ``format`` is a row of conf/fim.yaml, or ``custom`` with a row of its own."""

    format: str = "starcoder"
    custom: dict[str, Any] | None = None
    validation_share: Share = 0.01
    repository: Repository = Repository()
    benchmarks: Benchmarks = Benchmarks()


class Export(Section):
    """The samples as files to train on: shards of about ``shard_bytes`` bytes, before compression, below ``path``."""

    path: str | None = None
    format: Literal["jsonl", "parquet"] = "jsonl"
    shard_bytes: Annotated[int, Field(ge=1_024)] = 268_435_456
    columns: Annotated[tuple[ExportColumn, ...], Field(min_length=1)] = (
        "sample_id",
        "language",
        "kind",
        "order",
        "tokens",
        "text",
    )


class Catalogues(Section):
    """Other files to use instead of the tables that come with codemill (conf/)."""

    languages: str | None = None
    licenses: str | None = None
    mappings: str | None = None
    generated: str | None = None
    sensitive: str | None = None
    static_analysis: str | None = None
    constructs: str | None = None
    fim: str | None = None


class Demo(Section):
    """The demo corpus: a list of packages and the folder that holds the downloads."""

    packages: str
    folder: str


class Spark(Section):
    """Spark in local mode. Under spark-submit the command line rules and this section is not used, but for ``conf``."""

    master: str = "local[*]"
    driver_memory: str = "2g"
    arrow_rows: Count = 1_000
    arrow_bytes: Count = 16_777_216
    conf: dict[str, str] = {}


class Settings(Section):
    """Everything a run can be told."""

    warehouse: str
    seed: int = 20240913
    sources: tuple[Source, ...] = ()
    ingest: Ingest = Ingest()
    steps: Steps = Steps()
    fim: Fim = Fim()
    export: Export = Export()
    catalogues: Catalogues = Catalogues()
    demo: Demo | None = None
    spark: Spark = Spark()

    def fingerprint(self) -> str:
        """Return 16 hex digits that change whenever a setting changes."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(conf_file: str, overrides: Sequence[str] = ()) -> Settings:
    """Read settings from a YAML file and apply ``dotted.key=value`` overrides (values are YAML).

    Raises UsageError when the file cannot be read, is no mapping, or holds a key or value that is not allowed.
    """
    path = Path(conf_file)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--conf-file {conf_file}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        raise UsageError(f"--conf-file {conf_file}: not YAML ({_first_line(error)})") from None
    if not isinstance(data, dict):
        raise UsageError(f"--conf-file {conf_file}: expected a mapping of settings, found {type(data).__name__}")
    for override in overrides:
        _apply(data, override)
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"--conf-file {conf_file}: {_explain(error.errors()[0])}") from None


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _apply(data: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise UsageError(f"--set {override}: expected dotted.key=value")
    *parents, last = key.split(".")
    node: Any = data
    for parent in parents:
        node = _child(node, parent, key)
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {key}: the value is not YAML ({_first_line(error)})") from None
    if isinstance(node, list):
        node[_position(node, last, key)] = parsed
    else:
        node[last] = parsed


def _child(node: Any, name: str, key: str) -> Any:
    if isinstance(node, list):
        child = node[_position(node, name, key)]
    else:
        child = node.setdefault(name, {})
    if child is None:
        child = node[name] = {}
    if not isinstance(child, dict | list):
        raise UsageError(f"--set {key}: {name} is a {type(child).__name__} and has no keys under it")
    return child


def _position(node: list[Any], name: str, key: str) -> int:
    if not name.isdigit() or int(name) >= len(node):
        raise UsageError(f"--set {key}: expected a position from 0 to {len(node) - 1}, found {name}")
    return int(name)


def _explain(error: ErrorDetails) -> str:
    """Turn the first validation error into one line: the key, what was found, what is allowed."""
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        allowed = _keys_beside(path)
        near = get_close_matches(path[-1], allowed, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"unknown key {key}; allowed here: {', '.join(allowed)}{hint}"
    if error["type"] == "missing":
        return f"{key} is missing"
    found = json.dumps(error["input"], default=str)
    return f"{key}: found {found[:80]}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _keys_beside(path: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in path[:-1]:
        field = model.model_fields.get(part)
        if field is None:
            continue  # a position in a list
        inner = _section_of(field.annotation)
        if inner is not None:
            model = inner
    return sorted(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Find the section inside ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _section_of(argument)) is not None:
            return found
    return None
