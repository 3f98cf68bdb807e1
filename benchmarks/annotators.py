"""Measure each pure core alone, in one process, on the texts of the demo corpus.

    python benchmarks/annotators.py --conf-file conf/demo.yaml [--megabytes 20]

Machines differ: compare rows of one run with each other. A row is megabytes of text per second of processor time, its
own and that of processes it started.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from corpus import texts
from rich.console import Console
from rich.table import Table

from codemill.catalogues import catalogue, conf_folder, read_table, table_text
from codemill.core import (
    choice,
    detection,
    fim,
    fingerprints,
    generated,
    inspection,
    minhash,
    sensitive,
    static_analysis,
)
from codemill.core.constructs import ConstructTable
from codemill.core.languages import LanguageTable
from codemill.core.static_analysis import ScanLimits, SourceText

File = tuple[str, str, str]  # path, language, text


def read(conf_file: str, megabytes: float) -> list[File]:
    """Read a sample of the corpus: files chosen by the hash of their paths, until there is enough."""
    languages = named_table("languages", LanguageTable.from_mapping)
    named = ((path, detection.detect(path, text, languages).language, text) for path, text in texts(conf_file))
    files = [(path, language, text) for path, language, text in named if language]
    files.sort(key=lambda file: choice.unit(0, file[0], "benchmark"))
    kept, size = [], 0
    for file in files:
        if size < megabytes * 1e6:
            kept.append(file)
            size += len(file[2])
    return kept


def named_table(name: str, parse: Callable[[Any], Any]) -> Any:
    """Read a table of conf/."""
    return catalogue(parse, table_text(name, None, parse))


def cores(files: Sequence[File]) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    languages = named_table("languages", LanguageTable.from_mapping)
    rules = named_table("generated", generated.GeneratedCatalogue.from_mapping)
    secrets = named_table("sensitive", sensitive.SensitiveCatalogue.from_mapping)
    options = named_table("fim", fim.FimCatalogue.from_mapping).options("starcoder")
    constructs = named_table("constructs", ConstructTable.from_mapping)
    rule_files = {path.name: path.read_text() for path in (conf_folder() / "rules").glob("*.yaml")}
    analysis = static_analysis.AnalysisCatalogue.from_mapping(read_table("static_analysis", None), rule_files)
    batch = [SourceText(path, language, text) for path, language, text in files]

    def each(function: Callable[[File], object]) -> Callable[[], object]:
        def run() -> None:
            for file in files:
                with contextlib.suppress(Exception):  # a file that breaks a core takes its time too
                    function(file)

        return run

    def fingerprint(file: File) -> object:
        return minhash.signature(fingerprints.fingerprint(file[2], languages[file[1]], 5).members, 256)

    fingerprint(files[0])  # its loops are compiled on the first call

    def scan() -> None:
        for start in range(0, len(batch), 500):
            static_analysis.scan(batch[start : start + 500], analysis, ScanLimits())

    return {
        "generated": each(lambda file: generated.inspect(file[2], file[0], rules)),
        "fingerprint (dedup)": each(fingerprint),
        "sensitive": each(lambda file: sensitive.find(file[2], secrets)),
        "comments and syntax": each(lambda file: inspection.inspect((file[2], languages[file[1]]))),
        "static_analysis": scan,
        "fim": each(
            lambda file: fim.sample(fim.Document(file[2], file[0], languages[file[1]]), constructs, options, 1)
        ),
    }


def asked_for(description: str | None) -> list[File]:
    """Read the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--conf-file", required=True)
    parser.add_argument("--megabytes", type=float, default=20)
    arguments = parser.parse_args()
    return read(arguments.conf_file, arguments.megabytes)


def main() -> None:
    """Print one row per core."""
    files = asked_for(__doc__)
    size = sum(len(text) for _, _, text in files) / 1e6
    table = Table("core", "MB/s of processor time", title=f"{len(files):,} files, {size:.1f} MB")
    for name, run in cores(files).items():
        before = time.process_time() + sum(os.times()[2:4])
        run()
        seconds = time.process_time() + sum(os.times()[2:4]) - before
        table.add_row(name, f"{size / seconds:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
