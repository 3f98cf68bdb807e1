"""What the tests share: one Spark session, and small ways to write rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from codemill.config import Settings
from codemill.session import working_session


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One local session for all tests: starting Spark takes seconds, Delta's first write some more."""
    settings = Settings(
        warehouse=str(tmp_path_factory.mktemp("warehouse")),
        spark={
            "master": "local[2]",
            "driver_memory": "1g",
            "conf": {
                "spark.sql.shuffle.partitions": "2",
                # This JVM lives for minutes: compiling well pays here, which it does not in a run.
                "spark.driver.extraJavaOptions": "-XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC",
            },
        },
    )
    with working_session(settings, "codemill tests") as session:
        yield session
        session.stop()


@pytest.fixture(autouse=True)
def forgotten_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let Delta forget a test's tables: it keeps 10,000 logs with their query plans, 3 MB each, for an hour."""
    yield
    if "spark" in request.fixturenames:
        jvm: Any = request.getfixturevalue("spark").sparkContext._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.fixture
def warehouse_path(tmp_path: Path) -> str:
    return str(tmp_path / "warehouse")
