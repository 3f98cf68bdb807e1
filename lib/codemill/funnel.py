"""The funnel: what each step of a run took in, dropped, edited and let out, as a table on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from codemill.runs import StepCounts

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def show(console: Console, job: str, counts: Sequence[StepCounts]) -> None:
    """Print the funnel of one job, and whether its annotations had to be computed."""
    table = Table(title=job, title_justify="left", title_style="bold", expand=False)
    for name in ("step", "projects", "files", "bytes"):
        table.add_column(name, justify="left" if name == "step" else "right", no_wrap=True)
    table.add_column("dropped, edited (+), errors (!), made (:)")
    for name in ("annotated", "reused", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in counts:
        table.add_row(
            step.step,
            f"{step.projects_in:,}",
            f"{step.files_in:,}",
            size(step.bytes_in),
            _reasons(step),
            f"{step.annotations_computed:,}",
            f"{step.annotations_reused:,}",
            f"{step.seconds:.1f}",
        )
    if counts:
        last = counts[-1]
        table.add_section()
        seconds = f"{sum(step.seconds for step in counts):.1f}"
        table.add_row("out", f"{last.projects_out:,}", f"{last.files_out:,}", size(last.bytes_out), "", "", "", seconds)
    console.print(table)
    reused = sum(step.annotations_reused for step in counts)
    computed = sum(step.annotations_computed for step in counts)
    if reused and not computed:
        console.print(f"All {reused:,} annotations were there already; none was computed again.", highlight=False)


def size(n: int) -> str:
    """Write a number of bytes with a decimal unit."""
    value = float(n)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def _reasons(step: StepCounts) -> str:
    parts = [f"{reason} {n:,}" for reason, n in _most_first(step.dropped)]
    parts += [f"+{reason} {n:,}" for reason, n in _most_first(step.edited)]
    parts += [f"!{reason} {n:,}" for reason, n in _most_first(step.errors)]
    parts += [f"{kind}: {n:,}" for kind, n in _most_first(step.made)]
    if step.files_of_dropped_projects:
        parts.append(f"({step.files_of_dropped_projects:,} files with their projects)")
    return ", ".join(parts)


def _most_first(reasons: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
