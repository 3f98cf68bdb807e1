"""How far codemill's verdicts on syntax agree with those of real compilers, on real files and on broken ones."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compilers import ORACLES
from mutations import Original, mutants

from codemill.core import syntax, trees
from codemill.core.languages import Language


@dataclass
class Agreement:
    """Counts of one language, with the files about which the two do not agree."""

    language: str
    accepted: int = 0
    """Real files that the compiler accepts."""
    dropped: list[Path] = field(default_factory=list)
    """Those of them that codemill drops."""
    broken: Counter[str] = field(default_factory=Counter)
    """Mutants that the compiler rejects, by kind."""
    missed: Counter[str] = field(default_factory=Counter)
    """Those of them that codemill keeps."""
    kept: list[tuple[str, Path]] = field(default_factory=list)
    """Kind and original of each mutant that codemill keeps."""

    @property
    def false_drop(self) -> float:
        """The share of good files that are dropped."""
        return len(self.dropped) / max(self.accepted, 1)

    @property
    def caught(self) -> float:
        """The share of broken files that are dropped."""
        return 1 - self.missed.total() / max(self.broken.total(), 1)


def measure(language: Language, files: Sequence[Path], *, seed: int, mutated: int) -> Agreement:
    """Compare verdicts on files, and on the mutants of so many of those that the compiler accepts."""
    oracle = ORACLES[language.name]
    agreement = Agreement(language.name)
    good = [path for path, accepted in zip(files, oracle.accepts(files), strict=True) if accepted]
    agreement.accepted = len(good)
    agreement.dropped = [path for path in good if drops(path.read_bytes(), language)]
    with tempfile.TemporaryDirectory() as folder:
        made = [mutant for path in good[:mutated] for mutant in _written(path, language, seed, Path(folder))]
        answers = oracle.accepts([path for _, _, path in made])
        for (kind, original, path), accepted in zip(made, answers, strict=True):
            if accepted:
                continue
            agreement.broken[kind] += 1
            if not drops(path.read_bytes(), language):
                agreement.missed[kind] += 1
                agreement.kept.append((kind, original))
    return agreement


def drops(source: bytes, language: Language) -> bool:
    """Say whether a source would leave, broken or unparsable."""
    try:
        return syntax.is_broken(syntax.inspect(source.decode("utf-8", "replace"), language), language)
    except trees.Unparsable:
        return True


def _written(path: Path, language: Language, seed: int, folder: Path) -> list[tuple[str, Path, Path]]:
    """Write the mutants of a file below a folder of its own, under its name."""
    assert language.grammar is not None  # noqa: S101 - all languages with an oracle have one
    original = Original(str(path), path.read_text(encoding="utf-8"), language.grammar, language.name)
    written = []
    for kind, source in mutants(original, seed):
        place = folder / str(len(list(folder.iterdir())))
        place.mkdir()
        (place / path.name).write_bytes(source)
        written.append((kind, path, place / path.name))
    return written
