"""Commands and the memory of all their processes.

Memory is the sum of proportional set sizes, where the system has them: pages that forked workers share count once.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY_S = 0.5


@dataclass(frozen=True)
class Watched:
    """What a command did: its exit status, and (unix time, bytes of all its processes, bytes of the first one)."""

    status: int
    samples: list[tuple[float, int, int]]

    def peak(self, begin: float = 0, end: float = float("inf")) -> int:
        """Return the most that all processes had between two times, in bytes."""
        return max((family for at, family, _ in self.samples if begin <= at <= end), default=0)

    def peak_of_first(self, begin: float, end: float) -> int:
        """Return the most that the first process alone had between two times, in bytes."""
        return max((first for at, _, first in self.samples if begin <= at <= end), default=0)


def watch(command: Sequence[str], log: Path | None = None, limit_s: float = float("inf")) -> Watched:
    """Run a command to its end, or end it behind a limit. What it says goes to the log; else its errors are shown."""
    with (log or Path(os.devnull)).open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink if log else None)
        root = psutil.Process(process.pid)
        samples = []
        while process.poll() is None:
            samples.append((time.time(), *_memory(root)))
            if samples[-1][0] - samples[0][0] > limit_s:
                _end(root)
            time.sleep(_EVERY_S)
    return Watched(process.returncode, samples)


def _end(root: psutil.Process) -> None:
    for process in [*root.children(recursive=True), root]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _memory(root: psutil.Process) -> tuple[int, int]:
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0, 0
    sizes = [_size(process) for process in family]
    return sum(sizes), sizes[0]


def _size(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.rss))
