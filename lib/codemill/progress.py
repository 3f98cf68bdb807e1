"""The progress line: which step works, on what, how many of Spark's tasks are done.

On a terminal it is one line that moves; elsewhere (a log file, CI) each step and detail is a line of its own.
"""

import time
from types import TracebackType

from pyspark import SparkContext
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text


class Progress:
    """A context manager that owns the line; ``start`` names a step, ``detail`` what it is at."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = "starting Spark"
        self._detail = ""
        self._begin = time.monotonic()
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._line, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Progress":
        """Show the line where there is a terminal."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._live.stop()

    def start(self, step: str) -> None:
        """Name the step that begins."""
        self._step, self._detail, self._begin = step, "", time.monotonic()
        self._say(step)

    def detail(self, text: str) -> None:
        """Say what the step is at."""
        self._detail = text
        self._say(f"  {text}")

    def _say(self, line: str) -> None:
        if not self._console.is_terminal:
            self._console.print(line, highlight=False)

    def _line(self) -> Spinner:
        parts = [self._step, self._detail, _tasks(), f"{time.monotonic() - self._begin:.0f} s"]
        self._spinner.update(text=Text(" · ".join(part for part in parts if part)))
        return self._spinner


def _tasks() -> str:
    """Count the tasks of the stages that run now."""
    context = SparkContext._active_spark_context
    if context is None:
        return ""
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    done = sum(stage.numCompletedTasks for stage in stages if stage)
    total = sum(stage.numTasks for stage in stages if stage)
    return f"{done}/{total} tasks" if total else ""
