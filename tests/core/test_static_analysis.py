"""Semgrep for real in few runs; halving and limits with a stand-in for it."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from codemill.core import static_analysis
from codemill.core.static_analysis import AnalysisCatalogue, FileScan, ScanFailure, ScanLimits, SourceText, scan

CONF = Path("conf")
SNIPPETS: dict[str, list[dict[str, str]]] = yaml.safe_load(Path("tests/rules/snippets.yaml").read_text())
LIMITS = ScanLimits()


@pytest.fixture(scope="module")
def catalogue() -> AnalysisCatalogue:
    rules = {path.name: path.read_text() for path in (CONF / "rules").glob("*.yaml")}
    return AnalysisCatalogue.from_mapping(yaml.safe_load((CONF / "static_analysis.yaml").read_text()), rules)


@pytest.fixture(scope="module")
def results(catalogue: AnalysisCatalogue) -> Mapping[str, FileScan]:
    """All snippets in one run."""
    batch = [
        SourceText(f"{rule}/{i}/{kind}", snippet["language"], snippet[kind])
        for rule, snippets in SNIPPETS.items()
        for i, snippet in enumerate(snippets)
        for kind in ("bad", "good")
    ]
    return {result.key: result for result in scan(batch, catalogue, LIMITS)}


def test_every_rule_has_snippets(catalogue: AnalysisCatalogue) -> None:
    assert set(SNIPPETS) == set(catalogue.rules)
    assert len(catalogue.rules) >= 20


@pytest.mark.parametrize("rule", SNIPPETS)
def test_a_rule_finds_what_it_is_for_and_nothing_else(rule: str, results: Mapping[str, FileScan]) -> None:
    for i, snippet in enumerate(SNIPPETS[rule]):
        bad, good = results[f"{rule}/{i}/bad"], results[f"{rule}/{i}/good"]
        marked = [n for n, line in enumerate(snippet["bad"].split("\n"), 1) if "FIND" in line]
        assert (bad.error, good.error) == (None, None)
        assert [one.line for one in bad.findings if one.rule_id == rule] == marked
        assert [one for one in good.findings if one.rule_id == rule] == []


def test_hard_files_harm_no_other_and_nothing_in_them_steers_the_analyser(catalogue: AnalysisCatalogue) -> None:
    bad = "eval(request.args['x'])"
    batch = [
        SourceText("plain", "python", bad),
        SourceText("told off", "python", f"{bad}  # nosemgrep\n"),
        SourceText("deep", "python", f"{bad}\nx = {'[' * 50_000}{']' * 50_000}\n"),
        SourceText("wide", "javascript", f"var a = [{'1,' * 50_000}1 != NaN];\n"),
        SourceText("zero", "python", f"a = '\0'\n{bad}\n"),
        SourceText("lone surrogate", "python", f"a = '\ud800'\n{bad}\n"),
        SourceText("empty", "python", ""),
        SourceText("broken", "python", f"def f(:\n  {bad}\n"),
        SourceText("no rules", "haskell", "main = pure ()\n"),
    ]
    found = {result.key: result for result in scan(batch, catalogue, LIMITS)}
    assert list(found) == [text.key for text in batch]
    for key in ("plain", "told off", "lone surrogate"):
        assert [one.type_id for one in found[key].findings] == ["VULN-001"], key
    for key in ("empty", "no rules"):
        assert found[key] == FileScan(key), key
    assert [one.type_id for one in found["wide"].findings] == ["BUG-006"]


# A text that semgrep has to see.
SEEN = "eval(request.x)\n"


def test_semgrep_is_given_only_texts_that_a_rule_may_match(catalogue: AnalysisCatalogue) -> None:
    given: list[str] = []

    def run(folder: Path, rules: Sequence[str], seconds: float, limits: ScanLimits) -> str:
        names = sorted(file.name for file in (folder / "files").iterdir())
        given.extend(names)
        return answer([f"files/{name}" for name in names])

    texts = [SEEN, "evaluate(request.x)\n", "def __init__(self):\n    return\n", "raise NotImplementedError\n"]
    found = scan([SourceText(str(i), "python", text) for i, text in enumerate(texts)], catalogue, LIMITS, run)
    assert given == ["0.py"]
    assert found == [FileScan(str(i)) for i in range(4)]
    scan([SourceText("clean", "python", "x = 1\n")], catalogue, LIMITS, run)
    assert given == ["0.py"]


def test_a_rule_without_needs_is_tried_on_every_text() -> None:
    rules = AnalysisCatalogue.from_mapping(TYPES, RULES)
    assert rules.may_match(SourceText("a", "python", "x = 1\n"))
    assert not rules.may_match(SourceText("a", "c", "int x;\n"))
    assert not rules.may_match(SourceText("a", "python", ""))


class Breaks:
    """A stand-in for the analyser that breaks on files with certain contents, and counts its runs."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.runs = 0

    def __call__(self, folder: Path, rules: Sequence[str], seconds: float, limits: ScanLimits) -> str:
        self.runs += 1
        files = sorted((folder / "files").iterdir())
        if any(b"breaks" in file.read_bytes() for file in files):
            raise ScanFailure(self.word)
        return answer([f"files/{file.name}" for file in files])


def answer(scanned: Sequence[str], errors: Sequence[Mapping[str, Any]] = (), results: Sequence[Any] = ()) -> str:
    return json.dumps({"results": list(results), "errors": list(errors), "paths": {"scanned": list(scanned)}})


def test_a_batch_is_halved_until_the_file_that_breaks_it_is_alone(catalogue: AnalysisCatalogue) -> None:
    batch = [SourceText(str(i), "python", f"{SEEN}breaks" if i in (7, 90) else SEEN) for i in range(100)]
    run = Breaks("scan_memory")
    found = scan(batch, catalogue, LIMITS, run)
    assert {result.key: result.error for result in found if result.error} == {"7": "scan_memory", "90": "scan_memory"}
    assert run.runs < 30


def test_the_number_of_runs_is_bounded(catalogue: AnalysisCatalogue) -> None:
    run = Breaks("scan_crash")
    found = scan([SourceText(str(i), "python", f"{SEEN}breaks") for i in range(1000)], catalogue, LIMITS, run)
    assert {result.error for result in found} == {"scan_crash"}
    assert run.runs <= 110


def test_semgreps_own_errors_count_for_their_file_and_parse_errors_do_not(catalogue: AnalysisCatalogue) -> None:
    errors = [
        {"path": "files/0.py", "level": "error", "type": "Timeout"},
        {"path": "files/1.py", "level": "warn", "type": ["PartialParsing", []]},
        {"level": "warn", "type": "Other"},
    ]

    def run(folder: Path, rules: Sequence[str], seconds: float, limits: ScanLimits) -> str:
        return answer(["files/0.py", "files/1.py"], errors)

    batch = [SourceText(str(i), "python", SEEN) for i in range(3)]
    assert [one.error for one in scan(batch, catalogue, LIMITS, run)] == ["scan_timeout", None, "scan_skipped"]


def test_findings_are_ordered(catalogue: AnalysisCatalogue) -> None:
    code = "pickle.loads(b)\neval(request.x)\nyaml.load(b)\n"
    found = scan([SourceText("a", "python", code)], catalogue, LIMITS)[0].findings
    assert [(one.line, one.type_id) for one in found] == [(1, "VULN-005"), (2, "VULN-001"), (3, "VULN-004")]


def test_a_run_that_takes_too_long_or_too_much_is_ended(
    catalogue: AnalysisCatalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(static_analysis, "_analyser", lambda: str(sleeper))
    begin = time.monotonic()
    with pytest.raises(ScanFailure, match="scan_timeout"):
        static_analysis.run_analyser(tmp_path, [], 0.2, LIMITS)
    with pytest.raises(ScanFailure, match="scan_memory"):
        static_analysis.run_analyser(tmp_path, [], 30, ScanLimits(memory_mb=0))
    assert time.monotonic() - begin < 30


def test_a_rule_that_cannot_be_read_is_no_clean_bill(catalogue: AnalysisCatalogue) -> None:
    broken = {"x.yaml": "rules: [{id: r, languages: [python], severity: ERROR, message: m, pattern: 'def ('}]"}
    types = {"BUG-001": {"name": "a", "title": "A", "cwe": None, "severity": "low", "rules": ["r"]}}
    rules = AnalysisCatalogue.from_mapping(types, broken)
    assert scan([SourceText("a", "python", "x = 1\n")], rules, LIMITS)[0].error == "scan_rules"


TYPES: dict[str, Any] = {"BUG-001": {"name": "a", "title": "A", "cwe": None, "severity": "low", "rules": ["r"]}}
RULES = {"x.yaml": "rules: [{id: r, languages: [python]}]"}


@pytest.mark.parametrize(
    ("types", "rules", "words"),
    [
        ({"BUG-1": TYPES["BUG-001"]}, RULES, "BUG-1"),
        ({"BUG-001": {**TYPES["BUG-001"], "severity": "bad"}}, RULES, "severity"),
        ({"BUG-001": {**TYPES["BUG-001"], "rules": []}}, RULES, "rules"),
        ({**TYPES, "BUG-002": TYPES["BUG-001"]}, RULES, "r belongs to BUG-001 and BUG-002"),
        (TYPES, {}, "r is in the catalogue, but in no file"),
        (TYPES, {"x.yaml": "rules: [{id: r, languages: [python]}, {id: s, languages: [c]}]"}, "s is in conf/rules"),
        (TYPES, {"x.yaml": "rules: [{id: r, languages: [cobol]}]"}, "found language cobol, allowed: c, cpp"),
        (TYPES, {"x.yaml": "nothing"}, "x.yaml is no file of semgrep rules"),
        (TYPES, {"x.yaml": "rules: [{id: r, languages: [c], metadata: {needs: ['(']}}]"}, "x.yaml: r: needs: .* found"),
    ],
)
def test_a_catalogue_that_does_not_fit_its_rules_is_refused(
    types: Mapping[str, Any], rules: Mapping[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        AnalysisCatalogue.from_mapping(types, rules)


def test_typescript_rules_are_for_tsx_too(catalogue: AnalysisCatalogue) -> None:
    assert {"tsx", "typescript", "python", "java", "go", "c", "cpp", "php", "ruby"} <= catalogue.languages
