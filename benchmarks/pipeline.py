"""Measure the whole pipeline on the demo corpus: seconds, megabytes per second and core, memory of all its processes.

    python benchmarks/pipeline.py --conf-file conf/demo.yaml

Two runs into a fresh warehouse, each a command of its own, Spark's start included: the first computes everything, the
second finds every annotation there.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time

from corpus import texts
from memory import watch
from rich.console import Console
from rich.table import Table


def corpus_size(conf_file: str) -> int:
    """Return the bytes of all texts in the corpus, as UTF-8."""
    return sum(len(text.encode()) for _, text in texts(conf_file))


def measure(conf_file: str, warehouse: str) -> tuple[float, float]:
    """Run the pipeline once; return its seconds and the peak of the memory of all its processes, in GB."""
    command = [sys.executable, "-m", "codemill", "run", "--conf-file", conf_file, "--set", f"warehouse={warehouse}"]
    begin = time.monotonic()
    watched = watch(command)
    if watched.status:
        sys.exit(watched.status)
    return time.monotonic() - begin, watched.peak() / 1e9


def main() -> None:
    """Print one row per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conf-file", required=True)
    arguments = parser.parse_args()
    size = corpus_size(arguments.conf_file) / 1e6
    cores = os.cpu_count() or 1
    warehouse = tempfile.mkdtemp(prefix="codemill-benchmark-")
    table = Table("run", "seconds", "MB/s", "MB/s per core", "peak GB", title=f"{size:.1f} MB of text, {cores} cores")
    try:
        for name in ("first", "second"):
            seconds, peak = measure(arguments.conf_file, warehouse)
            rate = size / seconds
            table.add_row(name, f"{seconds:.0f}", f"{rate:.2f}", f"{rate / cores:.2f}", f"{peak:.1f}")
    finally:
        shutil.rmtree(warehouse)
    Console().print(table)


if __name__ == "__main__":
    main()
