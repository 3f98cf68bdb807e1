"""The funnel on the terminal."""

from io import StringIO

from rich.console import Console

from codemill import funnel
from codemill.runs import StepCounts


def test_two_passes_of_one_step_are_told_apart() -> None:
    console = Console(file=StringIO(), width=100)
    funnel.show(console, "curate", [StepCounts("licenses", "project"), StepCounts("licenses"), StepCounts("syntax")])
    assert isinstance(console.file, StringIO)
    names = [line.split("  ")[0] for line in console.file.getvalue().splitlines()]
    assert names[2:5] == ["licenses of projects", "licenses of files", "syntax"]
