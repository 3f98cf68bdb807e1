"""A run of a job: its id, its counts per step, its row in the table `runs`.

The row is written when the run ends, whether it succeeded or failed. Nothing of the input's content is in it.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone

from pyspark.sql import DataFrame, SparkSession

from codemill import __version__
from codemill.annotations import Store, Tally
from codemill.config import Settings
from codemill.core.isolation import error_word
from codemill.errors import CodemillError, UsageError
from codemill.progress import Progress
from codemill.tables import DECISIONS, RUNS, Warehouse

SUCCEEDED = "succeeded"
FAILED = "failed"


@dataclass
class StepCounts:
    """What one step took in, let out and explained. Bytes are those of the texts, as UTF-8 or as found.

    ``subject`` says what ``dropped``, ``edited`` and ``errors`` count: projects or files.
    """

    step: str
    subject: str = "file"
    projects_in: int = 0
    files_in: int = 0
    bytes_in: int = 0
    projects_out: int = 0
    files_out: int = 0
    bytes_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    edited: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    files_of_dropped_projects: int = 0
    annotations_reused: int = 0
    annotations_computed: int = 0
    seconds: float = 0.0


@dataclass
class Run:
    """What a job needs while it works: settings, tables, annotation store, progress line and the counts so far."""

    job: str
    settings: Settings
    spark: SparkSession
    progress: Progress
    run_id: str = field(init=False)
    started: datetime = field(init=False)
    counts: list[StepCounts] = field(default_factory=list)
    warehouse: Warehouse = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        """Take an id and open the warehouse."""
        self.started = datetime.now(timezone.utc)
        self.run_id = f"{self.job}-{self.started:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
        self.warehouse = Warehouse(self.spark, self.settings.warehouse)
        self.store = Store(self.warehouse, report=self.progress.detail)

    @contextmanager
    def step(self, name: str, subject: str = "file") -> Iterator[StepCounts]:
        """Time a step, show it on the progress line and keep its counts."""
        counts = StepCounts(name, subject)
        self.store.tally = Tally()
        self.progress.start(f"{self.job}: {name}")
        begin = time.monotonic()
        yield counts
        counts.seconds = time.monotonic() - begin
        counts.annotations_reused = self.store.tally.reused
        counts.annotations_computed = self.store.tally.computed
        self.counts.append(counts)


@contextmanager
def running(job: str, settings: Settings, spark: SparkSession, progress: Progress) -> Iterator[Run]:
    """Run the body as a job: a row in `runs` says how it went."""
    run = Run(job, settings, spark, progress)
    try:
        yield run
    except UsageError:
        raise  # nothing was done, so there is nothing to record
    except Exception as error:
        _record(run, FAILED, str(error) if isinstance(error, CodemillError) else error_word(error))
        raise
    _record(run, SUCCEEDED, None)


def latest(warehouse: Warehouse, job: str) -> str | None:
    """Return the id of the last run of a job that succeeded, None where there is none."""
    if not warehouse.exists(RUNS):
        return None
    rows = warehouse.read(RUNS).where(f"job = '{job}' and status = '{SUCCEEDED}'")
    row = rows.orderBy("finished", ascending=False).select("run_id").first()
    return str(row["run_id"]) if row else None


def decisions_of(run: Run, step: str, subject: str, rows: DataFrame) -> DataFrame:
    """Shape rows of (subject_id, action, reason, evidence) for the ledger."""
    return rows.selectExpr(
        f"'{run.run_id}' as run_id",
        f"'{step}' as step",
        f"'{subject}' as subject",
        "subject_id",
        "action",
        "reason",
        "evidence",
    ).select(*DECISIONS.schema.names)


def _record(run: Run, status: str, error: str | None) -> None:
    row = {
        "run_id": run.run_id,
        "job": run.job,
        "version": __version__,
        "conf": run.settings.fingerprint(),
        "started": run.started,
        "finished": datetime.now(timezone.utc),
        "status": status,
        "error": error,
        "counts": [asdict(counts) for counts in run.counts],
    }
    run.warehouse.write(RUNS, run.spark.createDataFrame([row], RUNS.schema), "append")
