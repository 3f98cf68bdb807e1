"""The Spark session: made here in local mode, found here under spark-submit.

In local mode this process starts the JVM, fetches Delta's jar by its Maven coordinates (cached by Ivy after the first
time) and sends what the JVM says to a log file, so that the terminal shows the run. Under spark-submit the command
line has decided on master, memory and packages; only what is safe to set on a running context is set.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.java_gateway import JavaGateway
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from codemill.catalogues import conf_folder
from codemill.config import Settings
from codemill.errors import RunError, UsageError

DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
MIN_JAVA = 17

# What Delta asks for and Spark already has, or what only Unity Catalog uses: 80 MB that need not travel.
_EXCLUDED = (
    "com.fasterxml.jackson.core:jackson-annotations",
    "com.fasterxml.jackson.core:jackson-core",
    "com.fasterxml.jackson.core:jackson-databind",
    "com.fasterxml.jackson.datatype:jackson-datatype-jdk8",
    "io.unitycatalog:unitycatalog-client",
    "io.unitycatalog:unitycatalog-hadoop",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.logging.log4j:log4j-api",
    "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j:log4j-slf4j2-impl",
    "org.apache.parquet:parquet-column",
    "org.apache.parquet:parquet-hadoop",
    "org.locationtech.jts:jts-core",
    "org.roaringbitmap:RoaringBitmap",
    "org.slf4j:slf4j-api",
)


@contextmanager
def working_session(settings: Settings, app: str) -> Iterator[SparkSession]:
    """Open the session for the body. What the JVM has said is kept (``_log_file``) only where the work failed."""
    try:
        yield _open(settings, app)
    except UsageError:
        _log_file().unlink(missing_ok=True)
        raise
    _log_file().unlink(missing_ok=True)


def _open(settings: Settings, app: str) -> SparkSession:
    """Return the session for a job.

    Raises UsageError when Java is missing or too old, or when spark-submit was not given Delta's package.
    """
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # set by spark-submit for the Python it starts
        session = _submitted(settings, app)
    else:
        session = _local(settings, app)
    session.sparkContext.setLogLevel("ERROR")
    return session


def _common(settings: Settings) -> dict[str, str]:
    spark = settings.spark
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        # Tables are read whole or by partition; looking for files to skip by their statistics costs a job per read.
        "spark.databricks.delta.stats.skipping": "false",
        # Files are up to megabytes: ten thousand of them in one Arrow batch would be gigabytes.
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(spark.arrow_rows),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(spark.arrow_bytes),
        "spark.sql.execution.arrow.useLargeVarTypes": "true",
        # Else every task sorts its rows by partition before it writes them, also where there is but one partition.
        "spark.sql.maxConcurrentOutputFileWriters": "4",
        # Readers of Parquet batch by rows too, 4,096 by default.
        "spark.sql.parquet.columnarReaderBatchSize": "512",
    }


def _submitted(settings: Settings, app: str) -> SparkSession:
    builder = SparkSession.builder.appName(app)
    for key, value in {**_common(settings), **settings.spark.conf}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    jvm: Any = session.sparkContext._jvm
    try:
        jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass("io.delta.tables.DeltaTable")
    except Exception:
        raise UsageError(f"Delta is not on the class path; give spark-submit --packages {DELTA_PACKAGE}") from None
    return session


def _local(settings: Settings, app: str) -> SparkSession:
    _check_java()
    cores = os.cpu_count() or 1
    conf = SparkConf(loadDefaults=False).setAppName(app).setMaster(settings.spark.master)
    values = {
        **_common(settings),
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.jars.packages": DELTA_PACKAGE,
        "spark.jars.excludes": ",".join(_EXCLUDED),
        "spark.jars.ivySettings": str(conf_folder() / "ivysettings.xml"),
        # Most of the work is done by Python; a JVM that compiles little starts fast and leaves the cores to it. So few
        # tiers come with a code cache of 48 MB, which Spark fills: what was compiled is then thrown away again.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(2 * cores),
        # What is cached goes to the local disk for seconds; trying encodings on whole texts takes longer than that.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # Expressions see few and narrow rows here; compiling them takes longer than interpreting them.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # Delta reads its log with 50 tasks by default, for tables of a few files.
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "codemill-spark-warehouse"),
        **settings.spark.conf,
    }
    conf.setAll(list(values.items()))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    context = SparkContext(conf=conf, gateway=_gateway(conf))
    return SparkSession(context)


def _gateway(conf: SparkConf) -> JavaGateway:
    """Start the JVM with its output in a log file, which stays only when the start or the work fails."""
    log = _log_file()
    with log.open("wb") as sink:
        try:
            return launch_gateway(conf=conf, popen_kwargs={"stdout": sink, "stderr": sink})  # type: ignore[no-untyped-call]
        except Exception as error:
            raise RunError(f"Spark could not be started ({type(error).__name__}); its own words are in {log}") from None


def _log_file() -> Path:
    return Path(tempfile.gettempdir()) / f"codemill-spark-{os.getpid()}.log"


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    need = f"Java {MIN_JAVA} or newer is needed"
    if java is None or not Path(java).exists():
        raise UsageError(f"{need}; none was found on PATH or under JAVA_HOME")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if found is None or int(found.group(1)) < MIN_JAVA:
        raise UsageError(f"{need}; found {found.group(1) if found else 'an unknown version'} at {java}")
