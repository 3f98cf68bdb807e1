"""The command line: `python -m codemill ...`, and what the scripts under jobs/ call."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from pyspark.sql import SparkSession
from rich.console import Console

from codemill import demo, distribution, funnel
from codemill.catalogues import read_table
from codemill.config import Settings, load
from codemill.errors import CodemillError, RunError, UsageError
from codemill.explain import explain as explain_subject
from codemill.export import export_samples
from codemill.ingest import check_sources, ingest
from codemill.pipeline import curate
from codemill.progress import Progress
from codemill.runs import Run, running
from codemill.samples import make_samples, plan_of
from codemill.session import working_session
from codemill.show import drawn, save
from codemill.show import show as show_samples
from codemill.tables import Warehouse

ConfFile = Annotated[str, typer.Option("--conf-file", help="The settings (YAML).")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one setting; may be repeated.")
]

JOBS: dict[str, Callable[[Run], None]] = {
    "ingest": ingest,
    "curate": curate,
    "fim": make_samples,
    "export": export_samples,
}

# What is wrong with the settings is said before Spark starts, and before the jobs that come first have run for hours.
CHECKS: dict[str, Callable[[Settings], object]] = {"ingest": check_sources, "fim": plan_of}

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__, rich_markup_mode=None
)


@app.command()
def run(conf_file: ConfFile, overrides: Overrides = None) -> None:
    """Run ingest, curate, fim and, where export.path says so, export, one after the other, in one Spark session."""
    _run_jobs((), conf_file, overrides or [])


@app.command()
def fetch_demo(conf_file: ConfFile, overrides: Overrides = None) -> None:
    """Download the demo corpus that the settings name, unless it is there already."""
    settings = load(conf_file, overrides or [])
    if settings.demo is None:
        raise UsageError(f"--conf-file {conf_file}: demo is missing; it names the list of packages and their folder")
    packages = demo.parse_packages(read_table("demo-packages", settings.demo.packages))
    demo.fetch(packages, Path(settings.demo.folder), Console())


@app.command()
def explain(conf_file: ConfFile, subject: Annotated[str, typer.Argument(metavar="PATH_OR_ID")]) -> None:
    """Print what happened to one file or project, step by step."""
    settings = load(conf_file)
    with working_session(settings, "codemill explain") as spark:
        explain_subject(Warehouse(spark, settings.warehouse), subject, Console())


@app.command()
def show(
    conf_file: ConfFile = "conf/demo.yaml",
    language: Annotated[str | None, typer.Option(help="Of this language; of any, if left out.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind or situation; of any, if left out.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 5,
    seed: Annotated[int, typer.Option(help="Another seed, other samples.")] = 0,
    svg: Annotated[str | None, typer.Option(metavar="FILE", help="Write a picture instead of printing.")] = None,
) -> None:
    """Print some samples in colour."""
    settings = load(conf_file)
    with working_session(settings, "codemill show") as spark:
        samples = drawn(Warehouse(spark, settings.warehouse), language, kind, count, seed)
    if svg is None:
        show_samples(Console(), samples)
    else:
        save(samples, svg)


def job(*names: str) -> None:
    """Run jobs (all, if none is named) as a script that takes --conf-file and --set, and exits with 0, 1 or 2."""

    def command(conf_file: ConfFile, overrides: Overrides = None) -> None:
        _run_jobs(names, conf_file, overrides or [])

    script = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    script.command(help=f"Run {', '.join(names or JOBS)}.")(command)
    _exit_well(script)


def wanted_jobs(settings: Settings) -> list[str]:
    """Return the jobs of a whole run: all, but the export only where there is a place for it."""
    return [name for name in JOBS if name != "export" or settings.export.path is not None]


def main() -> None:
    """Run the command line."""
    _exit_well(app)


def _run_jobs(names: Sequence[str], conf_file: str, overrides: Sequence[str]) -> None:
    settings = load(conf_file, overrides)
    names = names or wanted_jobs(settings)
    for name, check in CHECKS.items():
        if name in names:
            check(settings)
    console = Console()
    with Progress(console) as progress, working_session(settings, f"codemill {' '.join(names)}") as spark:
        runs = [_run_job(name, settings, spark, progress) for name in names]
        samples = distribution.counted(Warehouse(spark, settings.warehouse)) if "fim" in names else None
    for finished in runs:
        funnel.show(console, finished.job, finished.counts)
    if samples:
        distribution.show(console, samples)
    console.print(f"Tables: {settings.warehouse}", highlight=False, soft_wrap=True)


def _run_job(name: str, settings: Settings, spark: SparkSession, progress: Progress) -> Run:
    with running(name, settings, spark, progress) as current:
        JOBS[name](current)
    return current


def _exit_well(command: Callable[[], None]) -> None:
    """End with one line on standard error and the documented exit code, whatever went wrong."""
    try:
        command()
    except CodemillError as error:
        print(f"codemill: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("CODEMILL_TRACE"):
            raise
        words = " ".join(str(error).split())[:300]
        print(  # noqa: T201
            f"codemill: unexpected {type(error).__name__}: {words} (CODEMILL_TRACE=1 shows all of it)", file=sys.stderr
        )
        sys.exit(RunError.exit_code)
