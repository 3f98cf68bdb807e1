"""Verdicts beside those of real compilers, on files that this machine has anyway and on seeded mutations of them."""

import sys
from pathlib import Path

import pytest
import yaml

from codemill.core.languages import LanguageTable

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from agreement import measure  # noqa: E402 - benchmarks are scripts, found by their folder
from compilers import ORACLES  # noqa: E402
from installed import files  # noqa: E402
from mutations import KINDS  # noqa: E402

TABLE = LanguageTable.from_mapping(yaml.safe_load((ROOT / "conf" / "languages.yaml").read_text(encoding="utf-8")))

# How many files are looked at, and of how many mutants are made: what compilers with a process for each can do in five
# seconds. Then the shares that are allowed to be dropped, and that must be caught.
SAMPLES = {
    "python": (80, 40, 0.0, 0.97),
    "javascript": (80, 40, 0.0, 0.97),
    "java": (80, 40, 0.0, 0.97),
    "go": (80, 40, 0.0, 0.97),
    "rust": (25, 8, 0.04, 0.97),
    "c": (80, 20, 0.05, 0.92),  # headers: a third of them is macros, whose bodies no grammar looks at
    "shell": (80, 25, 0.05, 0.9),
    "perl": (30, 10, 0.05, 0.9),
}


@pytest.mark.parametrize("language", SAMPLES)
def test_verdicts_agree_with_compilers(language: str, tmp_path: Path) -> None:
    wanted, mutated, most_dropped, least_caught = SAMPLES[language]
    if not ORACLES[language].is_there():
        pytest.skip(f"no {ORACLES[language].program} here")
    sample = files(language, wanted, tmp_path)
    if not sample:
        sample = snippets(language, tmp_path)
    found = measure(TABLE[language], sample, seed=1, mutated=mutated)
    assert found.accepted > len(sample) / 2
    assert found.false_drop <= most_dropped, found.dropped
    assert found.broken.total() >= mutated
    assert found.caught >= least_caught, found.kept


def snippets(language: str, folder: Path) -> list[Path]:
    """Write the valid snippets of a language that is installed without any source."""
    kinds = yaml.safe_load((ROOT / "tests" / "syntax" / f"{language}.yaml").read_text(encoding="utf-8"))
    paths = []
    for number, text in enumerate(kinds["valid"].values()):
        paths.append(folder / f"{number}{TABLE[language].extensions[0]}")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def test_every_kind_of_mutant_is_made(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.py" for number in range(10)]
    for path in paths:
        path.write_text("def a(b):\n    if b:\n        return 'c'\n\n\ndef d(e):\n    return [e]\n")
    found = measure(TABLE["python"], paths, seed=1, mutated=10)
    assert all(found.broken[kind] for kind in KINDS)
    # Some keywords, and some ends, are not missed.
    assert sum(found.broken.values()) < 10 * len(KINDS)
    assert found.kept == []
