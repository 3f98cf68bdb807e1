from pyspark.sql import SparkSession

from codemill.steps import syntax
from tests.spark_rows import context, flow, verdicts


def test_broken_files_go_and_good_ones_carry_signals(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [
        ("good.py", "python", "# a comment\ndef f(x):\n    return x\n"),
        ("broken.py", "python", "def f(x:\n    return x\nclass (\n"),
        ("Broken.java", "java", "class A { void f( { }\n"),
        ("no-grammar.xyz", "ini", "[section\nkey = \n"),
        ("deep.json", "json", "[" * 50_000 + "]" * 50_000),
    ]
    judged = syntax.judge(work, flow(work, files))
    found = verdicts(judged)
    assert found["broken.py"] == [("drop", "syntax_error")]
    assert found["Broken.java"] == [("drop", "syntax_error")]
    assert "good.py" not in found
    good = next(row for row in judged.collect() if row["path"] == "good.py")
    assert (good["comment_bytes"], good["functions"], good["error_bytes"]) == (11, 1, 0)
