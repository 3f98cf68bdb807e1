"""Verdicts on small texts: each snippet in tests/syntax/<language>.yaml is there for the reason that names it.

`valid` code must stay and `broken` code must go. `missed` is broken code that nothing notices yet, and `misjudged`
valid code that is taken for broken: known limits, held here so that a change that mends one of them is seen.
"""

from pathlib import Path

import pytest
import yaml

from codemill.core import syntax
from codemill.core.languages import LanguageTable

HERE = Path(__file__).parents[1]
TABLE = LanguageTable.from_mapping(
    yaml.safe_load((HERE.parent / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)
SNIPPETS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((HERE / "syntax").glob("*.yaml"))
}
EXPECTED = {"valid": False, "broken": True, "missed": False, "misjudged": True}


@pytest.mark.parametrize(
    ("language", "kind", "reason"),
    [
        (language, kind, reason)
        for language, kinds in SNIPPETS.items()
        for kind, reasons in kinds.items()
        for reason in reasons
    ],
)
def test_verdict(language: str, kind: str, reason: str) -> None:
    report = syntax.inspect(SNIPPETS[language][kind][reason], TABLE[language])
    assert syntax.is_broken(report, TABLE[language]) == EXPECTED[kind], report


@pytest.mark.parametrize("language", SNIPPETS)
def test_there_are_enough(language: str) -> None:
    kinds = {kind: SNIPPETS[language].get(kind, {}) for kind in EXPECTED}
    assert set(SNIPPETS[language]) <= set(EXPECTED)
    assert len(kinds["valid"]) + len(kinds["misjudged"]) >= 20
    assert len(kinds["broken"]) + len(kinds["missed"]) >= 10
    texts = [text for reasons in kinds.values() for text in reasons.values()]
    assert len(set(texts)) == len(texts)


def test_fifty_languages_are_judged_well() -> None:
    well = [
        language
        for language, kinds in SNIPPETS.items()
        if len(kinds.get("valid", {})) >= 20 and len(kinds.get("broken", {})) >= 10
    ]
    assert len(well) >= 50, sorted(set(SNIPPETS) - set(well))
