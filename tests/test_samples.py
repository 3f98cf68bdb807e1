"""The job that makes samples: rows, decisions, splits, places in projects, and what is shown of other files."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from codemill import distribution, show
from codemill.config import Settings
from codemill.errors import UsageError
from codemill.progress import Progress
from codemill.runs import Run
from codemill.samples import make_samples
from codemill.tables import CURATED_FILES, DECISIONS, FIM_SAMPLES, PROJECTS, Warehouse

MAIN = "from pkg import shapes\n\n\ndef main():\n    box = shapes.Box(1, 2)\n    print(box.area())\n"
SHAPES_PY = "from pkg.units import metre\n\n\nclass Box:\n    def area(self):\n        return metre(self.w) * self.h\n"
UNITS = "def metre(value):\n    return value / 100\n"
FILES = [
    ("p1", "pkg/main.py", "python", MAIN),
    ("p1", "pkg/shapes.py", "python", SHAPES_PY),
    ("p1", "pkg/units.py", "python", UNITS),
    ("p1", "pkg/__init__.py", "python", "VERSION = 1\n"),
    ("p1", "pkg/control.py", "python", "TOKEN = '<fim_middle>'\n"),
    *((f"q{n}", "a.c", "c", f"int f{n}(int a)\n{{\n    return a + {n};\n}}\n") for n in range(40)),
]


def curated(spark: SparkSession, root: str) -> Warehouse:
    warehouse = Warehouse(spark, root)
    rows = [
        {
            **dict.fromkeys(CURATED_FILES.schema.names),
            "file_id": f"{project}:{path}",
            "project_id": project,
            "path": path,
            "language": language,
            "size": len(content),
            "text_sha256": f"{abs(hash(content)):x}",
            "content": content,
        }
        for project, path, language, content in FILES
    ]
    warehouse.write(CURATED_FILES, spark.createDataFrame(rows, CURATED_FILES.schema), "overwrite")
    known = [
        {**dict.fromkeys(PROJECTS.schema.names), "project_id": project, "name": project, "url": "github.com/acme/tool"}
        for project in sorted({row[0] for row in FILES})
    ]
    warehouse.write(PROJECTS, spark.createDataFrame(known, PROJECTS.schema), "overwrite")
    return warehouse


def made(spark: SparkSession, root: str, **fim: Any) -> tuple[Run, dict[str, list[dict[str, Any]]]]:
    """Make the samples; return the run, and the samples by file."""
    settings = Settings.model_validate({"warehouse": root, "seed": 5, "fim": {"fim_rate": 1.0, **fim}})
    with Progress(Console(file=io.StringIO())) as progress:
        run = Run("fim", settings, spark, progress)
        make_samples(run)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in run.warehouse.read(FIM_SAMPLES).collect():
        found.setdefault(row["file_id"], []).append(row.asDict(recursive=True))
    return run, found


def decisions(run: Run) -> list[tuple[str, str, str, Any]]:
    rows = run.warehouse.read_if_any(DECISIONS).where(f"run_id = '{run.run_id}'").collect()
    return [(row["subject_id"], row["action"], row["reason"], json.loads(row["evidence"])) for row in rows]


@pytest.fixture(scope="module")
def root(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("samples"))
    curated(spark, path)
    return path


@pytest.fixture(scope="module")
def default(spark: SparkSession, root: str) -> tuple[Run, dict[str, list[dict[str, Any]]]]:
    repository = {"rate": 1, "random_share": 0}
    return made(spark, root, format="starcoder2", validation_share=0.3, path_rate=1, repository=repository)


Default = tuple[Run, dict[str, list[dict[str, Any]]]]


def test_samples_can_be_traced_to_their_files(default: Default) -> None:
    contents = {f"{project}:{path}": content for project, path, _, content in FILES}
    run, samples = default
    for file_id, rows in samples.items():
        for row in rows:
            content = contents[file_id]
            assert row["middle"] == content[row["start"] : row["end"]]
            assert row["prefix"] + row["middle"] + row["suffix"] == content[row["window_start"] : row["window_end"]]
            assert (row["path"], row["project_id"]) == tuple(file_id.split(":")[::-1])
            assert row["text"].startswith("<repo_name>acme/tool<file_sep>")
            assert f"{row['path']}\n" in row["text"]
            assert row["tokens"] == len(row["text"].encode())
    assert run.counts[0].files_out == len(samples) == len(FILES) - 1


def test_a_sentinel_in_a_text_is_a_decision(default: Default) -> None:
    assert decisions(default[0]) == [("p1:pkg/control.py", "drop", "sentinel_in_text", {"sentinel": "<fim_middle>"})]


def test_a_project_is_in_one_split(default: Default) -> None:
    splits: dict[str, set[str]] = {}
    for row in (row for rows in default[1].values() for row in rows):
        splits.setdefault(row["project_id"], set()).add(row["split"])
    assert all(len(each) == 1 for each in splits.values())
    assert 5 < sum(each == {"validation"} for each in splits.values()) < 20


def test_what_is_used_stands_before_its_user(default: Default) -> None:
    places = {file_id.partition(":")[2]: rows[0]["position"] for file_id, rows in default[1].items()}
    assert places["pkg/units.py"] < places["pkg/shapes.py"] < places["pkg/main.py"]


def test_other_files_are_shown(default: Default) -> None:
    (row,) = default[1]["p1:pkg/main.py"]
    assert row["context"][-1] == "p1:pkg/shapes.py"
    assert f"<file_sep>pkg/shapes.py\n{SHAPES_PY}<file_sep><fim_prefix>" in row["text"]
    assert default[1]["q1:a.c"][0]["context"] == []


def test_sentinels_are_escaped_and_texts_of_benchmarks_go(
    spark: SparkSession, root: str, default: Default, tmp_path: Path
) -> None:
    (tmp_path / "units.txt").write_text(UNITS.replace("    ", "\t"))
    run, samples = made(spark, root, sentinels="escape", benchmarks={"path": str(tmp_path)})
    assert sorted(decisions(run)) == [
        ("p1:pkg/control.py", "edit", "sentinel_escaped", {"sentinels": 1}),
        ("p1:pkg/units.py", "drop", "benchmark_overlap", {"benchmark": "units.txt", "share": 1.0}),
    ]
    assert samples["p1:pkg/control.py"][0]["text"].count("<fim_middle>") == 1
    assert "p1:pkg/units.py" not in samples
    assert (run.counts[0].edited, run.counts[0].dropped) == ({"sentinel_escaped": 1}, {"benchmark_overlap": 1})
    # Outlines of the same texts were there already.
    assert default[0].counts[0].annotations_computed == len(FILES)
    assert (run.counts[0].annotations_computed, run.counts[0].annotations_reused) == (0, len(FILES))


@pytest.mark.parametrize(
    ("fim", "line"),
    [
        ({"format": "qwen2_5_coder", "spm_rate": 0.5}, "spm_rate: found 0.5, allowed is 0 to 0"),
        ({"benchmarks": {"path": "/nowhere"}}, "fim.benchmarks.path: "),
        ({"counter": "tokenizers", "tokenizer": "/nowhere"}, "cannot be loaded as a tokenizers file"),
        ({"kinds": {"word": 1}}, "unknown name 'word'; allowed: ast_node"),
    ],
)
def test_what_makes_no_sense_is_one_line(spark: SparkSession, root: str, fim: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(spark, root, **fim)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_samples_are_shown_in_colour_and_nothing_of_them_steers_the_terminal(default: Default, tmp_path: Path) -> None:
    warehouse = default[0].warehouse
    rows = show.drawn(warehouse, "python", None, 3, 0)
    assert [row["sample_id"] for row in rows] == [
        row["sample_id"] for row in show.drawn(warehouse, "python", None, 3, 0)
    ]
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=120)
    evil = type(rows[0])(**{**rows[0].asDict(), "kind": "line", "prefix": "a\x1b[2J", "middle": "b\x07", "suffix": ""})
    show.show(console, [*rows, evil])
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert rows[0]["path"] in text
    assert "\x1b[48;2;" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "␛" in text
    plain = Console(file=io.StringIO(), width=120)
    show.show(plain, [evil])
    assert "⟦b␇⟧" in plain.file.getvalue()  # type: ignore[attr-defined]
    show.save(rows, str(tmp_path / "a.svg"))
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert "font-face" not in (tmp_path / "a.svg").read_text()
    with pytest.raises(
        UsageError, match=r"no sample of language cobol and kind .*; there are languages c, python; kinds"
    ):
        show.drawn(warehouse, "cobol", None, 1, 0)


def test_the_distribution_counts_every_sample(default: Default) -> None:
    warehouse = default[0].warehouse
    counts = distribution.counted(warehouse)
    assert sum(counts.values()) == warehouse.read(FIM_SAMPLES).count()
    console = Console(file=io.StringIO(), width=100)
    distribution.show(console, counts)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert any(line.startswith("all ") and line.endswith(f" {sum(counts.values())}") for line in lines)
    assert {line.split()[0] for line in lines if line.strip()} >= {"python", "c", "all"}
