"""The Spark script of text-dedup 0.3.1 as it comes, but for its source: Parquet instead of a BigQuery table.

Its clock starts behind Spark's start. It keeps the rows of the corpus as JSON.
"""

import json
import os
import runpy
import sys

import pyspark.sql.readwriter
from outcome import Run
from pyspark.sql import SparkSession

if __name__ == "__main__":
    run = Run()
    plain_option, plain_format = pyspark.sql.DataFrameReader.option, pyspark.sql.DataFrameReader.format
    pyspark.sql.DataFrameReader.format = lambda self, _: plain_format(self, "parquet")
    pyspark.sql.DataFrameReader.option = lambda self, _, value: plain_option(self, "path", value)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g")
    builder = builder.config("spark.local.dir", str(run.work)).config("spark.ui.enabled", "false")
    builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "localhost").getOrCreate()
    sys.argv[1:] = ["--table", str(run.corpus), "--column", "text", "--output", f"{run.work}/output"]
    with run:
        runpy.run_module("text_dedup.minhash_spark", run_name="__main__")
    lines = (line for part in (run.work / "output").glob("part-*") for line in part.open(encoding="utf-8"))
    run.report(json.loads(line)["number"] for line in lines)
