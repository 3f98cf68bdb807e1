"""Measure the near-duplicate step beside its peers: one run of each over the same 150 MB of real source, on two cores.

    python benchmarks/near_duplicates.py [--only NAME ...] [--again]

Everything lies below .cache/bench: the packages, the corpus made of them (planted.py), an environment for each peer
(peers/NAME.txt), the results. ``--again`` prints the tables of the last results; ``--only`` runs some and prints all.

The first table holds all tools against one truth: Jaccard of 5-grams of code tokens. Peers take texts apart into words,
without punctuation, some without case and with every number as 0, so that by their own measure other files resemble
each other; the second table holds every tool against the truth of its own 5-grams, and the planted pairs of that truth.
Every truth is exact and covers the whole corpus. Recall is the share of like pairs of which not both files are kept,
wrong the share of removed files that no kept file resembles.

Seconds are those of reading, judging and writing. Not counted, for any tool: imports, Spark's start, and changes of the
input's form. Memory is that of all processes in that time. Threshold 0.7 for all, two processes where a tool can (see
the runners); what else there is to set is as it comes, but for our step, which is told to see what its peers see:
across languages, licence headers included, texts and not code alone. The Spark script shuffles through 512 partitions,
however little there is, takes a quarter of an hour, and runs only when it is named.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import planted
import yaml
from memory import Watched, watch
from near_duplicates_here import CORES, numbers_of
from planted import SourceFile
from rich.console import Console
from rich.table import Table
from truth import TOKENS, Pairs, brute_force, shingles, similar_pairs

_HERE = Path(__file__).parent
_FOLDER = Path(".cache/bench")
_CHECKED = 3_000
_LIMIT_S = 900
_WIDTH = 150
_RANGES = ((0.70, 0.75), (0.75, 0.85))


@dataclass(frozen=True)
class Peer:
    """A tool: its runner peers/NAME.py, its packages peers/NAME.txt, the Pythons they support, how it tokenises."""

    title: str
    runner: str
    pythons: tuple[str, ...]
    tokens: str
    option: str = ""


_OLD, _NEW = ("3.11", "3.12", "3.10"), ("3.12", "3.13")
PEERS = {
    "fdedup": Peer("data-prep-toolkit fdedup 1.1.8", "fdedup", _OLD, "words, digits as 0"),
    "textdedup": Peer("text-dedup 0.4.1", "textdedup", _NEW, "words"),
    "textdedup-verified": Peer("text-dedup 0.4.1, verified", "textdedup", _NEW, "words", "verified"),
    "datatrove": Peer("datatrove 0.10.1", "datatrove_minhash", _OLD, "words, digits as 0"),
    "spark": Peer("text-dedup 0.3.1, Spark script", "spark_script", ("3.11", "3.10"), "words and gaps"),
}

# Runs of our step: over which part, after which other run over the same warehouse.
HERE = {"codemill": ("all", ""), "quarter": ("quarter", ""), "half": ("half", ""), "night": ("all", "half")}


@dataclass(frozen=True)
class Outcome:
    """What a run came to; ``error`` says in a line why there is none. Sizes are bytes."""

    error: str = ""
    seconds: float = 0
    peak: int = 0
    driver: int = 0
    kept: tuple[int, ...] = ()
    shuffled: int | None = None
    collected: int | None = None
    heap: int | None = None


def outcome_of(watched: Watched, result: Path, log: Path) -> Outcome:
    """Read what a runner has left."""
    if watched.status == -signal.SIGKILL:
        return Outcome(error=f"ended after {watched.samples[-1][0] - watched.samples[0][0]:.0f} s")
    if watched.status or not result.exists():
        said = log.read_text(errors="replace").strip().splitlines() or ["no word"]
        return Outcome(error=f"ended with {watched.status}: {said[-1][:200]}")
    data: dict[str, Any] = json.loads(result.read_text())
    begin, end = data.pop("begin"), data.pop("end")
    kept = tuple(data.pop("kept"))
    peak, driver = watched.peak(begin, end), watched.peak_of_first(begin, end)
    return Outcome(seconds=end - begin, peak=peak, driver=driver, kept=kept, **data)


def run_peer(name: str, corpus: Path) -> Outcome:
    """Run a peer in its own environment, which is made first where it is missing."""
    peer = PEERS[name]
    try:
        python = _environment(peer)
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines() or ["no word"]
        return Outcome(error=f"cannot be installed: {said[-1][:200]}")
    if python is None:
        return Outcome(error=f"cannot be installed: needs Python {' or '.join(peer.pythons)}, none was found")
    work, result, log = _fresh(name)
    work.mkdir()
    script = _HERE / "peers" / f"{peer.runner}.py"
    watched = watch([str(python), str(script), str(corpus), str(work), str(result), peer.option], log, _LIMIT_S)
    shutil.rmtree(work)
    return outcome_of(watched, result, log)


def run_here(name: str, corpus: Path) -> Outcome:
    """Run our step in a process of its own; its warehouse stays for a run that comes after it."""
    part, before = HERE[name]
    work, result, log = _fresh(name)
    base, warehouse = _FOLDER / "warehouse", _FOLDER / "work" / (before or name)
    command = [sys.executable, str(_HERE / "near_duplicates_here.py")]
    if not base.exists() and watch([*command, str(base), str(corpus), str(result), "nothing"], log).status:
        shutil.rmtree(base, ignore_errors=True)
        return Outcome(error=f"the warehouse cannot be made; see {log}")
    if not before:
        shutil.copytree(base, work)
    elif not warehouse.exists():
        return Outcome(error=f"comes after {before}")
    watched = watch([*command, str(warehouse), str(corpus), str(result), part], log, _LIMIT_S)
    if name not in {other for _, other in HERE.values()}:
        shutil.rmtree(warehouse, ignore_errors=True)
    return outcome_of(watched, result, log)


def _fresh(name: str) -> tuple[Path, Path, Path]:
    work, result, log = (_FOLDER / folder / name for folder in ("work", "left", "logs"))
    shutil.rmtree(work, ignore_errors=True)
    result.unlink(missing_ok=True)
    for path in (work, result, log):
        path.parent.mkdir(parents=True, exist_ok=True)
    return work, result, log


def _environment(peer: Peer) -> Path | None:
    """Return the Python of the peer's environment. Raises CalledProcessError with pip's words."""
    folder = _FOLDER / "peers" / peer.runner
    requirements = _HERE / "peers" / f"{peer.runner}.txt"
    ready = folder / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    python = folder / "bin" / "python"
    if ready.exists():
        return python
    base = _python(peer.pythons)
    if base is None:
        return None
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(requirements)]
    for command in ([base, "-m", "venv", "--clear", str(folder)], install):
        subprocess.run(command, check=True, capture_output=True, text=True)
    ready.touch()
    return python


def _python(versions: Iterable[str]) -> str | None:
    """Find a Python of one of these versions: this one, on PATH, or among pyenv's."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in versions:
        found = [sys.executable, f"python{version}", *sorted(map(str, kept.glob(f"{version}.*/bin/python")))]
        for python in found:
            if _answers(python, version):
                return python
    return None


def _answers(python: str, version: str) -> bool:
    question = [python, "-c", "import sys, venv; print(*sys.version_info[:2], sep='.')"]
    try:
        return subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip() == version
    except (OSError, subprocess.CalledProcessError):
        return False


def truths(files: list[SourceFile], console: Console) -> dict[str, Pairs]:
    """Return all like pairs of the corpus by way of tokenising; found once, and then kept."""
    found = {}
    for number, (name, tokenise) in enumerate(TOKENS.items()):
        path = _FOLDER / f"truth-{number}.npz"
        if not path.exists():
            _find(files, tokenise, path)
            console.print(f"Truth in {name}: {Pairs.load(path).left.size:,} pairs", highlight=False)
        found[name] = Pairs.load(path)
    return found


def _find(files: list[SourceFile], tokenise: Callable[[str], list[str]], path: Path) -> None:
    sets = [shingles(tokenise(file.text)) for file in files]
    pairs = similar_pairs(sets)
    sample = planted.sample(len(files), _CHECKED)
    checked, known = brute_force([sets[number] for number in sample]), pairs.among(sample)
    counted = {(sample[i], sample[j]) for i, j in zip(checked.left, checked.right, strict=True)}
    if counted != set(zip(known.left.tolist(), known.right.tolist(), strict=True)):
        sys.exit("the pairs of the truth are not those that brute force finds in a sample")
    pairs.save(path)


def planted_only(pairs: Pairs, files: list[SourceFile]) -> Pairs:
    """Return the pairs of a file and its edited copy."""
    copied = "planted/"
    number_of = {file.path: number for number, file in enumerate(files)}
    known = {
        tuple(sorted((number, number_of[path.removeprefix(copied)])))
        for path, number in number_of.items()
        if path.startswith(copied)
    }
    of = [pair in known for pair in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)]
    return pairs.where(of)


def _titled() -> Iterator[tuple[str, str, str]]:
    yield "codemill", "codemill", "code"
    for name, peer in PEERS.items():
        yield name, peer.title, peer.tokens


def _sizes(files: list[SourceFile], numbers: Iterable[int]) -> float:
    return sum(len(files[number].text.encode()) for number in numbers) / 1e6


def side_by_side(outcomes: dict[str, Outcome], files: list[SourceFile], truth: dict[str, Pairs]) -> Iterator[Table]:
    """Yield the table of all tools, and the one of each by its own measure."""
    size = _sizes(files, range(len(files)))
    columns = ("seconds", "MB/s per core", "peak GiB", *_recalls(), "wrong", "removed", "shuffled bytes per byte")
    table = Table("tool", *columns, title=f"{len(files):,} files, {size:.1f} MB, {CORES} cores; code tokens")
    own = Table("tool", "tokens", *_recalls(), "wrong", *_recalls("planted, "), title="by their own tokens")
    for name, title, tokens in _titled():
        outcome = outcomes.get(name)
        if outcome is None or outcome.error:
            table.add_row(title, outcome.error if outcome else "not run")
            continue
        removed = sorted(set(range(len(files))) - set(outcome.kept))
        shuffled = "" if outcome.shuffled is None else f"{outcome.shuffled / size / 1e6:.2f}"
        rate = size / outcome.seconds / CORES
        speed = (f"{outcome.seconds:.1f}", f"{rate:.2f}", f"{outcome.peak / 2**30:.2f}")
        table.add_row(title, *speed, *_quality(truth["code"], removed), f"{len(removed):,}", shuffled)
        edited = planted_only(truth[tokens], files)
        own.add_row(title, tokens, *_quality(truth[tokens], removed), *_quality(edited, removed)[:-1])
    yield table
    yield own


def _recalls(of: str = "") -> list[str]:
    return [f"{of}recall {low:.2f}-{high:.2f}" for low, high in _RANGES]


def _quality(pairs: Pairs, removed: list[int]) -> list[str]:
    recalls = [f"{pairs.between(low, high).recall(removed):.3f}" for low, high in _RANGES]
    return [*recalls, f"{pairs.unlike_any_kept(removed).size / max(1, len(removed)):.1%}"]


def growth(outcomes: dict[str, Outcome], files: list[SourceFile]) -> Iterator[Table | str]:
    """Yield how our step grows with the corpus, and what a second night costs."""
    titles = {"quarter": "a quarter", "codemill": "all", "half": "first night, half", "night": "second night, all"}
    columns = ("files", "MB", "seconds", "sent to the driver MB", "heap after GC MB", "driver's Python MB")
    table = Table("codemill", *columns, title="growth")
    seen = {}
    for name, title in titles.items():
        outcome = outcomes.get(name)
        if outcome is None or outcome.error:
            table.add_row(title, "", "", outcome.error if outcome else "not run")
            continue
        numbers = numbers_of([file.path for file in files], HERE[name][0])
        size = seen[name] = _sizes(files, numbers)
        memory = [f"{(value or 0) / 1e6:.1f}" for value in (outcome.collected, outcome.heap, outcome.driver)]
        table.add_row(title, f"{len(numbers):,}", f"{size:.1f}", f"{outcome.seconds:.1f}", *memory)
    yield table
    if "quarter" in seen and "codemill" in seen:
        slower = outcomes["codemill"].seconds / outcomes["quarter"].seconds
        yield f"{seen['codemill'] / seen['quarter']:.2f} times the bytes, {slower:.2f} times the seconds"


def main() -> None:
    """Run what is asked for, one after the other, and print the tables."""
    runs = [*HERE, *PEERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=runs, default=[name for name in runs if name != "spark"])
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=max(Console().width, _WIDTH))
    corpus = _FOLDER / "corpus"
    if not corpus.exists():
        packages = yaml.safe_load((_HERE / "near-duplicates-packages.yaml").read_text(encoding="utf-8"))
        planted.make(_HERE / "near-duplicates.yaml", corpus, packages, console)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    results = _FOLDER / "results"
    results.mkdir(exist_ok=True)
    for name in () if arguments.again else arguments.only:
        outcome = run_peer(name, corpus) if name in PEERS else run_here(name, corpus)
        (results / f"{name}.json").write_text(json.dumps(asdict(outcome)), encoding="utf-8")
        console.print(f"{name}: {outcome.error or f'{outcome.seconds:.1f} s'}", highlight=False, markup=False)
    outcomes = {path.stem: Outcome(**json.loads(path.read_text())) for path in results.glob("*.json")}
    files = planted.read(corpus)
    for part in (*side_by_side(outcomes, files, truths(files, console)), *growth(outcomes, files)):
        console.print(part, highlight=False)


if __name__ == "__main__":
    main()
