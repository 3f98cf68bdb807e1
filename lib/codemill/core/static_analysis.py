"""Static analysis of a batch of texts with semgrep, started once per batch and limited from outside.

Semgrep's own limits overrun (hours and gigabytes have been seen), a crash names no file, and its Python front end takes
2 seconds to start, so: the analyser inside the package (osemgrep, 0.1 s) is called directly, with a wall clock and a
memory limit on its process group, and a batch that fails is halved until the file that breaks it is alone. Nothing of
the input can steer it: files get generated names, `nosemgrep` comments and ignore files have no effect, the
environment is empty and no server is asked.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Severity = Literal["low", "medium", "high"]

# Extension that makes semgrep read a file as the language; keys are codemill's language names.
_EXTENSIONS = {
    "c": ".c",
    "cpp": ".cpp",
    "csharp": ".cs",
    "go": ".go",
    "java": ".java",
    "javascript": ".js",
    "php": ".php",
    "python": ".py",
    "ruby": ".rb",
    "tsx": ".tsx",
    "typescript": ".ts",
}

# Semgrep has one name where codemill has two.
_ALSO = {"typescript": ("typescript", "tsx")}

# Semgrep's names of what stops the analysis of one file; parse errors are no such thing, it goes on behind them.
_FILE_ERRORS = {
    "Timeout": "scan_timeout",
    "Timeout during interfile analysis": "scan_timeout",
    "FixpointTimeout": "scan_timeout",
    "OutOfMemory": "scan_memory",
    "Out of memory": "scan_memory",
    "StackOverflow": "scan_crash",
    "Stack overflow": "scan_crash",
    "FatalError": "scan_crash",
    "Fatal error": "scan_crash",
}

# A batch of 500 files with one bad file takes 2 * log2(500) = 18 runs.
_MAX_RUNS = 100
_POLL_S = 0.05


@dataclass(frozen=True)
class SourceText:
    """One file to analyse; ``key`` is the caller's, ``language`` a name of the language table."""

    key: str
    language: str
    text: str


@dataclass(frozen=True)
class Finding:
    """One finding; lines count from 1."""

    type_id: str
    rule_id: str
    cwe: str | None
    severity: Severity
    line: int
    end_line: int


@dataclass(frozen=True)
class FileScan:
    """What came of one file: findings in order of (line, end_line, rule), or ``error``, a snake_case word."""

    key: str
    findings: tuple[Finding, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class ScanLimits:
    """Seconds for one file, and megabytes for one run of the analyser."""

    file_timeout_s: int = 10
    memory_mb: int = 1_500


class _Type(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    cwe: Annotated[str, Field(pattern=r"^CWE-\d+$")] | None
    severity: Severity
    rules: Annotated[tuple[str, ...], Field(min_length=1)]


_TYPES = TypeAdapter(dict[Annotated[str, Field(pattern=r"^(BUG|VULN)-\d{3}$")], _Type])


@dataclass(frozen=True)
class _Rule:
    type_id: str
    cwe: str | None
    severity: Severity


@dataclass(frozen=True)
class _Written:
    """What a rule file says of one rule: its languages, and what a text must hold for it to match."""

    file: str
    rule_id: str
    languages: tuple[str, ...]
    needs: tuple["re.Pattern[str]", ...]

    def may_match(self, text: str) -> bool:
        return all(need.search(text) for need in self.needs)


@dataclass(frozen=True, eq=False)
class AnalysisCatalogue:
    """Bug and vulnerability types, and the semgrep rules that find them (by file name, as YAML text).

    A rule's ``metadata: {needs: [...]}`` are regular expressions (MULTILINE) that must all be found in a text for the
    rule to match there. They are part of the rule: semgrep sees only texts that some rule may match. Parsing is nearly
    all of its time, and most texts need no look at their tree to be known to be clean.
    """

    rules: Mapping[str, _Rule]
    texts: Mapping[str, str]
    rules_of: Mapping[str, tuple[_Written, ...]]
    fingerprint: str

    @classmethod
    def from_mapping(cls, types: Mapping[str, Any], texts: Mapping[str, str]) -> "AnalysisCatalogue":
        """Check conf/static_analysis.yaml against the rule files.

        Raises ValueError when a type has no rule, or a rule no type or two.
        """
        try:
            parsed = _TYPES.validate_python(types)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"static_analysis: {key}: {first['msg']}, found {first['input']!r:.80}") from None
        rules: dict[str, _Rule] = {}
        for type_id, entry in parsed.items():
            for rule_id in entry.rules:
                if rule_id in rules:
                    raise ValueError(
                        f"static_analysis: rule {rule_id} belongs to {rules[rule_id].type_id} and {type_id}"
                    )
                rules[rule_id] = _Rule(type_id, entry.cwe, entry.severity)
        rules_of: dict[str, tuple[_Written, ...]] = {}
        written = set()
        for name, text in sorted(texts.items()):
            for rule in _rules_in(name, text):
                written.add(rule.rule_id)
                for language in rule.languages:
                    rules_of[language] = (*rules_of.get(language, ()), rule)
        _same(set(rules), written)
        content = json.dumps([types, dict(texts)], sort_keys=True)
        return cls(rules, dict(texts), rules_of, hashlib.sha256(content.encode()).hexdigest()[:16])

    @property
    def languages(self) -> frozenset[str]:
        """Languages that have rules."""
        return frozenset(self.rules_of)

    def may_match(self, text: SourceText) -> bool:
        """Tell whether any rule can match this text; none matches an empty one."""
        return bool(text.text) and any(rule.may_match(text.text) for rule in self.rules_of.get(text.language, ()))


def scan(
    batch: Sequence[SourceText],
    catalogue: AnalysisCatalogue,
    limits: ScanLimits,
    run: "Callable[[Path, Sequence[str], float, ScanLimits], str] | None" = None,
) -> list[FileScan]:
    """Analyse a batch; one result per text, in order. Texts that no rule can match have no findings.

    ``run`` starts the analyser on a folder: (folder, rule files, seconds, limits) -> its JSON; it raises ScanFailure.
    """
    results = [FileScan(text.key) for text in batch]
    known = [i for i, text in enumerate(batch) if catalogue.may_match(text)]
    budget = _Budget(_MAX_RUNS)
    for i, result in _scan_some(batch, known, catalogue, limits, run or run_analyser, budget):
        results[i] = result
    return results


class ScanFailure(Exception):  # noqa: N818 - named for what it says
    """A run that ended without an answer; ``word`` says why."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass
class _Budget:
    runs: int


_Run = Callable[[Path, Sequence[str], float, ScanLimits], str]


def _scan_some(
    batch: Sequence[SourceText],
    some: Sequence[int],
    catalogue: AnalysisCatalogue,
    limits: ScanLimits,
    run: _Run,
    budget: _Budget,
) -> Iterator[tuple[int, FileScan]]:
    if not some:
        return
    budget.runs -= 1
    try:
        answer = _scan_once(batch, some, catalogue, limits, run)
    except ScanFailure as failure:
        if len(some) == 1 or budget.runs <= 0:
            yield from ((i, FileScan(batch[i].key, error=failure.word)) for i in some)
            return
        half = len(some) // 2
        yield from _scan_some(batch, some[:half], catalogue, limits, run, budget)
        yield from _scan_some(batch, some[half:], catalogue, limits, run, budget)
    else:
        yield from answer.items()


def _scan_once(
    batch: Sequence[SourceText], some: Sequence[int], catalogue: AnalysisCatalogue, limits: ScanLimits, run: _Run
) -> dict[int, FileScan]:
    with tempfile.TemporaryDirectory(prefix="codemill-scan-") as name:
        folder = Path(name)
        (folder / "files").mkdir()
        size = 0
        for i in some:
            data = batch[i].text.encode("utf-8", "replace")
            size += len(data)
            (folder / "files" / f"{i}{_EXTENSIONS[batch[i].language]}").write_bytes(data)
        languages = sorted({batch[i].language for i in some})
        rule_files = list(dict.fromkeys(rule.file for language in languages for rule in catalogue.rules_of[language]))
        for file in rule_files:
            (folder / file).write_text(catalogue.texts[file], encoding="utf-8")
        # Twenty seconds a megabyte is a tenth of the usual speed.
        seconds = 30 + 2 * limits.file_timeout_s + 20 * size / 1e6
        return _read(json.loads(run(folder, rule_files, seconds, limits)), batch, some, catalogue)


def _read(
    answer: Mapping[str, Any], batch: Sequence[SourceText], some: Sequence[int], catalogue: AnalysisCatalogue
) -> dict[int, FileScan]:
    if any(error["level"] == "error" and not error.get("path") for error in answer["errors"]):
        raise ScanFailure("scan_rules")  # a rule that cannot be read makes semgrep find nothing at all
    findings: dict[int, set[Finding]] = {i: set() for i in some}
    for result in answer["results"]:
        rule_id = result["check_id"].rsplit(".", 1)[-1]
        rule = catalogue.rules[rule_id]
        found = Finding(rule.type_id, rule_id, rule.cwe, rule.severity, result["start"]["line"], result["end"]["line"])
        findings[_index(result["path"])].add(found)
    errors = {
        _index(error["path"]): word
        for error in answer["errors"]
        if error.get("path") and (word := _word(error["type"]))
    }
    scanned = {_index(path) for path in answer["paths"]["scanned"]}
    results = {}
    for i in some:
        word = errors.get(i) or (None if i in scanned else "scan_skipped")
        ordered = tuple(sorted(findings[i], key=lambda one: (one.line, one.end_line, one.rule_id)))
        results[i] = FileScan(batch[i].key, () if word else ordered, word)
    return results


def _word(kind: Any) -> str | None:
    return _FILE_ERRORS.get(kind[0] if isinstance(kind, list) else kind)


def _index(path: str) -> int:
    return int(Path(path).stem)


def run_analyser(folder: Path, rule_files: Sequence[str], seconds: float, limits: ScanLimits) -> str:
    """Run semgrep over ``folder``/files and return its JSON. Raises ScanFailure (timeout, memory, crash)."""
    command = ["osemgrep", "scan", "--experimental", "--json", "--quiet", "--jobs", "1", "--metrics", "off"]
    command += ["--disable-version-check", "--disable-nosem", "--no-git-ignore", "--max-target-bytes", "0"]
    command += ["--timeout", str(limits.file_timeout_s), "--timeout-threshold", "1"]
    command += ["--max-memory", str(limits.memory_mb)]
    command += [part for file in rule_files for part in ("--config", file)]
    # Nothing of the caller's environment: no settings, no tokens, no proxies.
    environment = {"HOME": str(folder), "PATH": os.defpath, "SEMGREP_SEND_METRICS": "off"}
    with (folder / "answer.json").open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - a fixed command; the input decides on nothing but file contents
            [*command, "files"],
            executable=_analyser(),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _watch(process, seconds, limits.memory_mb)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    answer = (folder / "answer.json").read_text(encoding="utf-8", errors="replace")
    if process.returncode < 0 or not answer.startswith("{"):
        raise ScanFailure("scan_crash")
    return answer


def _watch(process: "subprocess.Popen[bytes]", seconds: float, memory_mb: int) -> None:
    """Wait for the process, and no longer than allowed, in time and in resident memory."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_S)
            return
        if time.monotonic() > deadline:
            raise ScanFailure("scan_timeout")
        with contextlib.suppress(psutil.Error):
            # The analyser has a limit of its own, per file; this one is for when it overruns.
            if psutil.Process(process.pid).memory_info().rss > 1.5e6 * memory_mb:
                raise ScanFailure("scan_memory")


@lru_cache(maxsize=1)
def _analyser() -> str:
    """Find the analyser inside the semgrep package, without importing its Python front end."""
    spec = importlib.util.find_spec("semgrep")
    if spec is None or spec.origin is None:
        raise ScanFailure("scan_missing")
    return str(Path(spec.origin).parent / "bin" / "semgrep-core")


def _rules_in(name: str, text: str) -> Iterator[_Written]:
    try:
        rules = yaml.safe_load(text)["rules"]
        for rule in rules:
            named = [language for given in rule["languages"] for language in _ALSO.get(given, (given,))]
            unknown = sorted(set(named) - set(_EXTENSIONS))
            if unknown:
                allowed = ", ".join(sorted(_EXTENSIONS))
                raise ValueError(
                    f"static_analysis: {name}: {rule['id']}: found language {unknown[0]}, allowed: {allowed}"
                )
            needs = rule.get("metadata", {}).get("needs", [])
            yield _Written(name, rule["id"], tuple(named), tuple(re.compile(need, re.MULTILINE) for need in needs))
    except re.error as error:
        raise ValueError(f"static_analysis: {name}: {rule['id']}: needs: {error}, found {error.pattern!r}") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"static_analysis: {name} is no file of semgrep rules ({type(error).__name__})") from None


def _same(catalogued: set[str], written: set[str]) -> None:
    for rule_id in sorted(catalogued - written):
        raise ValueError(f"static_analysis: rule {rule_id} is in the catalogue, but in no file of conf/rules")
    for rule_id in sorted(written - catalogued):
        raise ValueError(f"static_analysis: rule {rule_id} is in conf/rules, but of no type in the catalogue")
