"""Show: samples on the terminal, in colour, for people who want to look at what they train on."""

import re
from collections.abc import Sequence
from functools import reduce
from io import StringIO
from operator import or_
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from codemill.errors import UsageError
from codemill.tables import FIM_SAMPLES, Warehouse

MIDDLE = "on #553355"
_BEFORE, _AFTER = 14, 8
_LONGEST = 40
_WIDTH = 110
_THEME = "ansi_dark"
# What a terminal would take for an order, as the sign that stands for it.
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "␡"}
_FONTS = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def drawn(warehouse: Warehouse, language: str | None, kind: str | None, count: int, seed: int) -> list[Row]:
    """Return some samples of a language and a kind (or situation), others for another seed.

    Raises UsageError, with what there is, when there are none.
    """
    samples = warehouse.read(FIM_SAMPLES)
    wanted = samples
    for name, value in (("language", language), ("kind", kind)):
        if value is not None:
            names = ("kind", "situation") if name == "kind" else (name,)
            wanted = wanted.where(reduce(or_, (F.col(column) == F.lit(value) for column in names)))
    narrow = wanted.select("sample_id", F.xxhash64(F.lit(seed), "sample_id").alias("turn"))
    turns = [row["sample_id"] for row in narrow.orderBy("turn", "sample_id").limit(count).collect()]
    if not turns:
        raise UsageError(f"no sample of language {language or '*'} and kind {kind or '*'}; there are {_there(samples)}")
    rows = {row["sample_id"]: row for row in wanted.where(F.col("sample_id").isin(turns)).collect()}
    return [rows[sample_id] for sample_id in turns]


def show(console: Console, samples: Sequence[Row]) -> None:
    """Print samples, what is hidden on a ground of its own; in brackets where there are no colours."""
    for sample in samples:
        console.print(picture(sample, ("", "") if console.color_system else ("⟦", "⟧")))


def save(samples: Sequence[Row], path: str) -> None:
    """Write a picture (SVG) of what `show` prints. Raises UsageError when the file cannot be written."""
    console = Console(record=True, width=_WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    show(console, samples)
    try:
        Path(path).write_text(_FONTS.sub("", console.export_svg(title="codemill show")), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--svg {path}: cannot be written ({type(error).__name__})") from None


def picture(sample: Row, brackets: tuple[str, str] = ("", "")) -> Panel:
    """Draw one sample; ``brackets`` stand around its middle."""
    words = [sample["situation"], sample["size_class"], sample["construct"], sample["node_type"], sample["order"]]
    title = Text.assemble((sample["kind"], "bold"), f" {' '.join(word for word in words if word)}")
    place = f"{sample['path']}, characters {sample['start']:,} to {sample['end']:,}, {sample['split']}"
    if sample["kind"] == "none":
        parts = ("", "", _first(sample["prefix"], _BEFORE))
    else:
        parts = (_last(sample["prefix"], _BEFORE), _around(sample["middle"]), _first(sample["suffix"], _AFTER))
    prefix, middle, suffix = map(_visible, parts)
    middle = middle.join(brackets) if sample["kind"] != "none" else middle
    code = _code(prefix, middle, suffix, sample["path"])
    return Panel(code, title=title, subtitle=Text(_visible(place)), width=_WIDTH)


def _code(prefix: str, middle: str, suffix: str, path: str) -> Text:
    hidden = middle or "▏"
    text = prefix + hidden + suffix
    lexer = Syntax.guess_lexer(path, text)
    code = Syntax(text, lexer, theme=_THEME, background_color="default").highlight(text)
    code.rstrip()
    code.stylize(MIDDLE, len(prefix), len(prefix) + len(hidden))
    return code


def _visible(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def _last(text: str, lines: int) -> str:
    return "".join(text.splitlines(keepends=True)[-lines:])


def _first(text: str, lines: int) -> str:
    return "".join(text.splitlines(keepends=True)[:lines])


def _around(text: str) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return "".join([*lines[:half], f"… {len(lines) - 2 * half:,} lines …\n", *lines[-half:]])


def _there(samples: DataFrame) -> str:
    """Name the languages and kinds of which there are samples."""
    found = samples.select("language", "kind", "situation").distinct().collect()
    languages = sorted({row["language"] for row in found})
    kinds = sorted({row[name] for row in found for name in ("kind", "situation")} - {"", None})
    return f"languages {', '.join(languages) or '(none)'}; kinds {', '.join(kinds) or '(none)'}"
