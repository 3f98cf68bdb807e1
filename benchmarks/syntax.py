"""Measure syntax: agreement with real compilers, and the speed of both steps that look at trees, through Spark.

    python benchmarks/syntax.py [--languages python,c] [--files 200] [--folder FOLDER] [--megabytes 1000] [--show]

Agreement: of the files that a compiler accepts, which share codemill drops; of their mutants that it rejects, which
share codemill drops (mutations.py). Files are those that the machine has installed, or those below FOLDER/<language>.
MB/s are of one process: the grammar alone, and all that steps 5 and 6 look at.

Speed: steps 5 and 6 through Spark beside a bare loop over the same files, the grammar alone in one process per core,
both in one run: compare the two, since machines differ. Not counted: what happens once in a process (Spark's start,
classes and grammars loaded, seen to by a run over few files), and putting the files into a table.
"""

import argparse
import hashlib
import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from agreement import Agreement, measure
from compilers import ORACLES
from installed import files
from mutations import KINDS
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.table import Table
from tree_sitter import Parser

from codemill.annotations import FOUND, Store
from codemill.catalogues import catalogue, table_text
from codemill.config import Settings
from codemill.core import inspection, trees
from codemill.core.languages import Language, LanguageTable
from codemill.session import working_session
from codemill.steps import comments, syntax
from codemill.steps.step import Context, Flow
from codemill.tables import FILES, PROJECTS, Warehouse

CORES = 2
MUTATED = 60
_SEED = 1


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", default=",".join(ORACLES))
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--show", action="store_true", help="name the files about which the two do not agree")
    arguments = parser.parse_args()
    languages: LanguageTable = catalogue(
        LanguageTable.from_mapping, table_text("languages", None, LanguageTable.from_mapping)
    )
    console = Console()
    table = Table("language", "files", "dropped", "caught", *KINDS, "grammar MB/s", "steps MB/s", title="Agreement")
    for name in arguments.languages.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            paths = _files(name, arguments, Path(scratch))
            if not paths or not ORACLES[name].is_there():
                console.print(f"{name}: no {'files' if not paths else ORACLES[name].program} here")
                continue
            found = measure(languages[name], paths, seed=_SEED, mutated=MUTATED)
            table.add_row(name, *_row(found), *(f"{speed:.1f}" for speed in _speeds(paths, languages[name])))
            if arguments.show:
                console.print("dropped:", *map(str, found.dropped), "kept:", *map(str, found.kept), sep="\n  ")
    console.print(table)
    _through_spark(console, arguments.megabytes, languages["python"])


def _files(language: str, arguments: argparse.Namespace, scratch: Path) -> list[Path]:
    if arguments.folder is None:
        return files(language, arguments.files, scratch)
    return sorted(path for path in (arguments.folder / language).rglob("*") if path.is_file())[: arguments.files]


def _row(found: Agreement) -> list[str]:
    kinds = [f"{found.broken[kind] - found.missed[kind]}/{found.broken[kind]}" for kind in KINDS]
    return [f"{found.accepted:,}", f"{found.false_drop:.2%}", f"{found.caught:.1%}", *kinds]


def _speeds(paths: Sequence[Path], language: Language) -> tuple[float, float]:
    """Return megabytes per second of processor time: of the grammar alone, and of all that the steps look at."""
    texts = [path.read_text(encoding="utf-8") for path in paths]
    inspection.inspect((texts[0], language))  # loops are compiled on the first call
    size = sum(len(text.encode()) for text in texts) / 1e6
    parser = Parser(trees.language(language.grammar or ""))
    begin = time.process_time()
    for text in texts:
        parser.parse(text.encode())
    bare = time.process_time() - begin
    begin = time.process_time()
    for text in texts:
        inspection.inspect((text, language))
    return size / bare, size / (time.process_time() - begin)


def _through_spark(console: Console, megabytes: float, language: Language) -> None:
    texts = _texts(megabytes, language)
    size = sum(map(len, texts)) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"warehouse": folder, "spark": {"master": f"local[{CORES}]"}})
        with working_session(settings, "codemill benchmark") as spark:
            # The JVM loads its classes and the workers what they need: once in a process, however long it runs.
            _both_steps(settings, Warehouse(spark, f"{folder}/warm"), texts[: 20 * CORES], language)
            bare = _bare_loop(texts, language)
            steps = _both_steps(settings, Warehouse(spark, f"{folder}/all"), texts, language)
            again = _bare_loop(texts, language)
    mean = (bare + again) / 2
    table = Table(
        "what",
        "seconds",
        "MB/s per core",
        "share",
        title=f"{len(texts):,} files of Python, {size:.0f} MB, {CORES} cores",
    )
    for what, seconds in (("grammar alone, before", bare), ("grammar alone, after", again), ("steps 5 and 6", steps)):
        table.add_row(what, f"{seconds:.1f}", f"{size / seconds / CORES:.1f}", f"{mean / seconds:.0%}")
    console.print(table)


def _texts(megabytes: float, language: Language) -> list[bytes]:
    """Return so much of what is installed; when that is not enough, the same again, with another comment each time."""
    found = [path.read_bytes() for path in files(language.name, 1_000_000, Path())]
    chosen: list[bytes] = []
    size = 0
    for number, text in zip(itertools.count(), itertools.cycle(found), strict=False):
        if size >= megabytes * 1e6:
            break
        marked = text if number < len(found) else text + f"\n# {number // len(found)}\n".encode()
        chosen.append(marked)
        size += len(marked)
    return chosen


def _bare_loop(texts: list[bytes], language: Language) -> float:
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        parts = [(texts[core::CORES], language.grammar) for core in range(CORES)]
        return max(pool.starmap(_parse_all, parts, chunksize=1))


def _parse_all(texts: list[bytes], grammar: str) -> float:
    parser = Parser(trees.language(grammar))
    begin = time.monotonic()
    for text in texts:
        parser.parse(text)
    return time.monotonic() - begin


def _both_steps(settings: Settings, warehouse: Warehouse, texts: list[bytes], language: Language) -> float:
    """Return the seconds that both steps take."""
    flow = _flow(warehouse, texts, language)
    context = Context(settings, Store(warehouse))
    begin = time.monotonic()
    comments.judge(context, flow).write.parquet(warehouse.path("judged-5"))
    files = warehouse.spark.read.parquet(warehouse.path("judged-5")).drop("verdicts")
    syntax.judge(context, Flow(flow.projects, files)).write.parquet(warehouse.path("judged-6"))
    return time.monotonic() - begin


def _flow(warehouse: Warehouse, texts: list[bytes], language: Language) -> Flow:
    """Write texts as files of one project, and return them as a flow."""
    folder = Path(warehouse.path("found"))
    folder.mkdir(parents=True)
    for first in range(0, len(texts), 1000):
        _write_some(folder / f"{first}.parquet", first, texts[first : first + 1000], language)
    rows = warehouse.spark.read.parquet(str(folder))
    missing = [field for field in FILES.schema.fields if field.name not in rows.columns]
    rows = rows.withColumns({field.name: F.lit(None).cast(field.dataType) for field in missing})
    warehouse.write(FILES, rows.select(*[F.col(f.name).cast(f.dataType) for f in FILES.schema.fields]), "overwrite")
    narrow = warehouse.read(FILES).select("file_id", "project_id", "path", "language", "size", "text_sha256")
    return Flow(
        warehouse.spark.createDataFrame([], PROJECTS.schema),
        narrow.withColumns({"text_in": F.lit(FOUND), "text_key": F.col("file_id")}),
    )


def _write_some(path: Path, first: int, texts: list[bytes], language: Language) -> None:
    names = [str(first + number) for number in range(len(texts))]
    hashes = [hashlib.sha256(text).hexdigest() for text in texts]
    columns = {
        "file_id": names,
        "project_id": ["p"] * len(texts),
        "path": names,
        "language": [language.name] * len(texts),
        "size": [len(text) for text in texts],
        "text_sha256": hashes,
        "content_sha256": hashes,
        "content": [text.decode() for text in texts],
    }
    pq.write_table(pa.table(columns), path)


if __name__ == "__main__":
    main()
