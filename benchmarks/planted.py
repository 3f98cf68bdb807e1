"""The corpus of near_duplicates.py: real source files, and edited copies of some at known distances.

Files are those of the packages in near-duplicates-packages.yaml, as ingest reads them, whose language the table knows;
without exact copies, and without files of fewer than MIN_TOKENS code tokens: what becomes of those is a matter of
policy, which tools answer differently. For PLANTED files there is a copy in which words at random places are others,
as many as it takes to reach a Jaccard similarity drawn from 0.6 to 0.95. All choices are hashes: the same packages give
the same corpus.
"""

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from corpus import texts
from rich.console import Console
from truth import TOKENS, jaccard, shingles

from codemill.catalogues import catalogue, table_text
from codemill.config import load
from codemill.core.choice import unit
from codemill.core.languages import LanguageTable
from codemill.demo import fetch, parse_packages
from codemill.errors import UsageError

MEGABYTES = 130
MIN_TOKENS = 30
PLANTED = 1_500
PARTS = 4

_SEED = 5
_WORD = re.compile(r"\w+")
_SCHEMA = pa.schema([("number", pa.int64()), ("path", pa.string()), ("language", pa.string()), ("text", pa.string())])


@dataclass(frozen=True)
class SourceFile:
    """A file of the corpus; ``path`` is archive/path, below planted/ for an edited copy."""

    path: str
    language: str
    text: str


def family(path: str) -> str:
    """Return a path without its archive: what a file, its edited copy and its other versions have in common."""
    return path.removeprefix("planted/").partition("/")[2]


def make(conf_file: Path, folder: Path, packages: object, console: Console) -> None:
    """Fetch the packages and write the corpus below ``folder`` as PARTS Parquet files, in random order."""
    demo = load(str(conf_file)).demo
    if demo is None:
        raise UsageError(f"--conf-file {conf_file}: demo is missing")
    fetch(parse_packages(packages), Path(demo.folder), console)
    # By family, so that the versions of a file are in or out together.
    files = sorted(_real(str(conf_file)), key=lambda file: (unit(_SEED, family(file.path), "chosen"), file.path))
    files = list(_up_to(files, MEGABYTES * 1_000_000))
    files += _edited_copies(files)
    files.sort(key=lambda file: unit(_SEED, file.path, "order"))
    folder.mkdir(parents=True)
    for part in range(PARTS):
        numbers = range(part, len(files), PARTS)
        rows = [{"number": number, **vars(files[number])} for number in numbers]
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), folder / f"part-{part}.parquet", row_group_size=500)


def read(folder: Path) -> list[SourceFile]:
    """Return the files of a corpus in the order of their numbers."""
    rows = pq.read_table(folder).to_pylist()
    rows.sort(key=lambda row: row["number"])
    return [SourceFile(row["path"], row["language"], row["text"]) for row in rows]


def read_paths(folder: Path) -> list[str]:
    """Return the paths of the files of a corpus in the order of their numbers."""
    rows = pq.read_table(folder, columns=["number", "path"]).to_pylist()
    return [row["path"] for row in sorted(rows, key=lambda row: row["number"])]


def _real(conf_file: str) -> Iterator[SourceFile]:
    table = catalogue(LanguageTable.from_mapping, table_text("languages", None, LanguageTable.from_mapping))
    seen = set()
    for path, text in texts(conf_file):
        language = table.detect(path)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if language and digest not in seen and len(TOKENS["code"](text)) >= MIN_TOKENS:
            seen.add(digest)
            yield SourceFile(path, language, text)


def _up_to(files: list[SourceFile], size: int) -> Iterator[SourceFile]:
    for file in files:
        size -= len(file.text.encode())
        if size < 0:
            return
        yield file


def _edited_copies(files: list[SourceFile]) -> list[SourceFile]:
    chosen = sorted(files, key=lambda file: unit(_SEED, file.path, "planted"))
    copies: list[SourceFile] = []
    for file in chosen:
        if len(copies) == PLANTED:
            break
        if 2_000 <= len(file.text) <= 60_000:
            target = 0.6 + 0.35 * unit(_SEED, file.path, "similarity")
            copies.append(SourceFile(f"planted/{file.path}", file.language, edited(file.text, target, file.path)))
    return copies


def edited(text: str, target: float, seed: str) -> str:
    """Return the text with so many words replaced that its Jaccard similarity comes closest to ``target``."""
    whole = shingles(TOKENS["code"](text))
    words = list(_WORD.finditer(text))
    random.Random(seed).shuffle(words)
    low, high = 0, len(words)
    while low < high:
        middle = (low + high) // 2
        if jaccard(whole, shingles(TOKENS["code"](_replaced(text, words[:middle])))) > target:
            low = middle + 1
        else:
            high = middle
    return _replaced(text, words[:low])


def _replaced(text: str, words: list[re.Match[str]]) -> str:
    parts, at = [], 0
    for number, word in enumerate(sorted(words, key=re.Match.start)):
        parts += [text[at : word.start()], f"edited_{number}"]
        at = word.end()
    return "".join([*parts, text[at:]])


def sample(count: int, size: int) -> list[int]:
    """Return the numbers of ``size`` of ``count`` files, chosen at random."""
    return sorted(np.random.default_rng(_SEED).permutation(count)[:size].tolist())
