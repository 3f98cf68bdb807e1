from pathlib import Path

import pytest
import yaml

from codemill.config import Settings, load
from codemill.errors import UsageError


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "conf.yaml"
    path.write_text(text)
    return str(path)


def test_settings_have_defaults_and_take_overrides(tmp_path: Path) -> None:
    conf = write(tmp_path, "warehouse: w\nsteps: {dedup: {threshold: 0.8}}\n")
    settings = load(conf, ["steps.syntax.enabled=false", "seed=7", "spark.conf={a.b: c}"])
    assert (settings.seed, settings.steps.dedup.threshold, settings.steps.dedup.num_perm) == (7, 0.8, 256)
    assert not settings.steps.syntax.enabled
    assert settings.spark.conf == {"a.b": "c"}


def test_an_override_reaches_into_a_list(tmp_path: Path) -> None:
    conf = write(tmp_path, "warehouse: w\nsources: [{kind: archives, path: a}]\n")
    assert load(conf, ["sources.0.path=b"]).sources[0].path == "b"


def test_every_step_name_of_the_design_is_a_switch() -> None:
    names = [
        "licenses",
        "project_dedup",
        "ranking",
        "generated",
        "dedup",
        "sensitive",
        "comments",
        "syntax",
        "static_analysis",
    ]
    assert list(Settings(warehouse="w").steps.model_dump()) == names


@pytest.mark.parametrize(
    ("text", "overrides", "line"),
    [
        ("warehouse: w\nsteps: {dedup: {treshold: 0.8}}", [], "unknown key steps.dedup.treshold; allowed here: "),
        ("warehouse: w\nsteps: {dedup: {treshold: 0.8}}", [], "did you mean threshold?"),
        ("warehouse: w", ["wharehouse=x"], "unknown key wharehouse"),
        ("warehouse: w", ["steps.dedup.threshold=1.5"], "steps.dedup.threshold: found 1.5; input should be less"),
        (
            "warehouse: w\nsources: [{kind: zip, path: a}]",
            [],
            "sources.0.kind: found \"zip\"; input should be 'archives'",
        ),
        ("warehouse: w\nsources: [{kind: archives, path: a, stars: 1}]", [], "unknown key sources.0.stars"),
        ("seed: 1", [], "warehouse is missing"),
        ("- a list", [], "expected a mapping of settings, found list"),
        ("a: [", [], "not YAML"),
        ("warehouse: w", ["seed"], "--set seed: expected dotted.key=value"),
        ("warehouse: w", ["seed.x=1", "seed.x.y=2"], "seed.x"),
        ("warehouse: w\nsources: []", ["sources.3.path=b"], "expected a position"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str, overrides: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, text), overrides)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load("/nowhere/conf.yaml")


def test_the_fingerprint_changes_with_every_setting() -> None:
    assert Settings(warehouse="w").fingerprint() == Settings(warehouse="w").fingerprint()
    assert Settings(warehouse="w").fingerprint() != Settings(warehouse="w", seed=1).fingerprint()


def test_the_example_file_shows_every_setting_with_its_default() -> None:
    example = yaml.safe_load(Path("conf/pipeline.yaml").read_text())
    defaults = Settings(warehouse=example["warehouse"], sources=example["sources"]).model_dump(mode="json")
    defaults.pop("demo")
    assert example == defaults
