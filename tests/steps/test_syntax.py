import json
from pathlib import Path

import yaml
from pyspark.sql import SparkSession

from codemill.steps import comments, syntax
from codemill.steps.step import Context, Flow
from tests.spark_rows import context, flow, verdicts


def test_broken_files_go_and_good_ones_carry_signals(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path)
    files = [
        ("good.py", "python", "# a comment\ndef f(x):\n    return x\n"),
        ("broken.py", "python", "def f(x:\n    return x\nclass (\n"),
        ("old.py", "python", "def f(x):\n    print 'x'\n"),
        ("Broken.java", "java", "class A { void f( { }\n"),
        ("no-grammar.xyz", "csv", "[section\nkey = \n"),
        ("deep.json", "json", "[" * 100_000 + "]" * 100_000),
        ("long.js", "javascript", "a = '" + "x" * 9_000_000 + "'\n"),
    ]
    judged = syntax.judge(work, flow(work, files))
    rows = {row["path"]: row for row in judged.collect()}
    assert verdicts(judged) == {
        "broken.py": [("drop", "syntax_error")],
        "old.py": [("drop", "syntax_error")],
        "Broken.java": [("drop", "syntax_error")],
        "deep.json": [("error", "too_deep")],
        "long.js": [("error", "too_large")],
    }
    good = rows["good.py"]
    signals = ("comment_bytes", "functions", "longest_function", "max_depth", "identifiers", "error_bytes")
    assert [good[name] for name in signals] == [11, 1, 2, 1, 4, 0]
    assert rows["no-grammar.xyz"]["max_depth"] is None
    evidence = json.loads(rows["old.py"]["verdicts"][0]["evidence"])
    assert evidence == {"faults": ["rejected"], "line": 2, "error_nodes": 0, "missing_nodes": 0, "error_share": 0.0}


SECTION = "# a = 1\n# b = f(a)\n# if b:\n#     g(a, b)\n"


def test_sections_are_deleted_by_size_and_rate(spark: SparkSession, warehouse_path: str) -> None:
    short = "# a = 1\n# b = f(a)\n"
    files = [("a.py", "python", f"x = 1\n{SECTION}y = 2\n{short}z = 3\n")]
    for steps, deleted in (
        ({"rate": 1.0}, [SECTION]),
        ({"rate": 1.0, "min_lines": 2}, [SECTION, short]),
        ({"rate": 1.0, "min_lines": 5}, []),
        ({"rate": 1.0, "min_lines": 5, "min_characters": 25}, [SECTION]),
        ({"rate": 0.0}, []),
    ):
        work = context(spark, warehouse_path, comments=steps)
        text = files[0][2]
        row = comments.judge(work, flow(work, files)).collect()[0]
        found = [json.loads(verdict["evidence"]) for verdict in row["verdicts"]]
        assert [text[each["start"] : each["end"]] for each in found] == deleted
        assert [each["lines"] for each in found] == [section.count("\n") for section in deleted]
        if deleted:
            kept = text
            for section in deleted:
                kept = kept.replace(section, "")
            content = work.store.texts(comments.judge(work, flow(work, files))).collect()[0]["content"]
            assert content == kept


def test_a_text_is_parsed_once_for_both_steps(spark: SparkSession, warehouse_path: str) -> None:
    work = context(spark, warehouse_path, comments={"rate": 1.0})
    files = [(f"{i}.py", "python", f"x = {i}\n") for i in range(5)] + [("edited.py", "python", f"y = 1\n{SECTION}")]
    flow_in = flow(work, files)
    judged = comments.judge(work, flow_in)
    computed = work.store.tally.computed
    assert computed == 7  # six texts looked at, one edited
    syntax.judge(work, Flow(flow_in.projects, judged.drop("verdicts"))).collect()
    assert work.store.tally.computed == computed + 1
    assert work.store.tally.reused == 5


def test_a_changed_tolerance_parses_nothing_again(spark: SparkSession, warehouse_path: str, tmp_path: Path) -> None:
    work = context(spark, warehouse_path)
    files = flow(work, [("a.c", "c", "int a;\nfoo bar baz;\n")])
    found = []
    for limit in (1, 0):
        table = tmp_path / f"languages-{limit}.yaml"
        table.write_text(yaml.safe_dump({"c": {"grammar": "c", "max_errors": limit}}), encoding="utf-8")
        catalogues = work.settings.catalogues.model_copy(update={"languages": str(table)})
        settings = work.settings.model_copy(update={"catalogues": catalogues})
        found.append(verdicts(syntax.judge(Context(settings, work.store), files)))
    assert found == [{}, {"a.c": [("drop", "syntax_error")]}]
    assert (work.store.tally.computed, work.store.tally.reused) == (1, 1)
