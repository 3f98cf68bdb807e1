"""Measure the whole pipeline on the demo corpus: seconds, megabytes per second and core, memory of all its processes.

    python benchmarks/pipeline.py --conf-file conf/demo.yaml

Two runs into a fresh warehouse, each a command of its own, Spark's start included: the first computes everything, the
second finds every annotation there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import psutil
from corpus import texts
from rich.console import Console
from rich.table import Table


def corpus_size(conf_file: str) -> int:
    """Return the bytes of all texts in the corpus, as UTF-8."""
    return sum(len(text.encode()) for _, text in texts(conf_file))


def measure(conf_file: str, warehouse: str) -> tuple[float, float]:
    """Run the pipeline once; return its seconds and the peak of the memory of all its processes, in GB.

    Memory is the sum of proportional set sizes, where the system has them: pages that forked workers share count once.
    """
    command = [sys.executable, "-m", "codemill", "run", "--conf-file", conf_file, "--set", f"warehouse={warehouse}"]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(psutil.Process(process.pid)))
        time.sleep(0.5)
    if process.returncode:
        sys.exit(process.returncode)
    return time.monotonic() - begin, peak / 1e9


def _memory(root: psutil.Process) -> int:
    total = 0
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in family:
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(memory, "pss", memory.rss)
    return total


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
