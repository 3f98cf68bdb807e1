"""The funnel: what each step of a run took in, dropped, edited and let out, as a table on the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from codemill.runs import StepCounts

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def show(console: Console, job: str, counts: Sequence[StepCounts]) -> None:
    """Print the funnel of one job, and whether its annotations had to be computed."""
    table = Table(title=job, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("step / what happened", no_wrap=True, min_width=34)
    for name in ("projects", "files", "bytes", "annotated", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    passes = Counter(step.step for step in counts)
    for step in counts:
        table.add_row(
            step.step if passes[step.step] == 1 else f"{step.step} of {step.subject}s",
            f"{step.projects_in:,}",
            f"{step.files_in:,}",
            size(step.bytes_in),
            _annotated(step),
            f"{step.seconds:.1f}",
            style="bold",
        )
        for what, projects, files in _events(step):
            table.add_row(f"  {what}", projects, files, "", "", "", style="dim")
    if counts:
        last = counts[-1]
        seconds = f"{sum(step.seconds for step in counts):.1f}"
        out = (f"{last.projects_out:,}", f"{last.files_out:,}", size(last.bytes_out))
        table.add_row("out", *out, "", seconds, style="bold")
    console.print(table)
    reused = sum(step.annotations_reused for step in counts)
    computed = sum(step.annotations_computed for step in counts)
    if reused and not computed:
        console.print(f"All {reused:,} annotations were there already; none was computed again.", highlight=False)
    console.print()


def size(n: int) -> str:
    """Write a number of bytes with a decimal unit."""
    value = float(n)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def _annotated(step: StepCounts) -> str:
    """Write new annotations, and those that were there already."""
    if not step.annotations_computed and not step.annotations_reused:
        return ""
    return f"{step.annotations_computed:,} + {step.annotations_reused:,}"


def _events(step: StepCounts) -> Iterator[tuple[str, str, str]]:
    """Yield what happened, to how many projects, to how many files."""
    of_projects = step.subject == "project"
    for verb, reasons in (
        ("dropped", step.dropped),
        ("edited", step.edited),
        ("error", step.errors),
        ("made", step.made),
    ):
        for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            yield f"{verb} {reason}", f"{n:,}" if of_projects else "", "" if of_projects else f"{n:,}"
    if step.files_of_dropped_projects:
        yield "with their projects", "", f"{step.files_of_dropped_projects:,}"
