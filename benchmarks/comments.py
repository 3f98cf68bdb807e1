"""Measure how well commented-out code is found in labelled texts, such as the fixtures of linters.

    python benchmarks/comments.py labelled.jsonl [--wrong]

A line of the file is a JSON object: `language` (a name in the language table), `text`, `code` and `other` (lists of
[first, last] lines, from 1: comments that are commented-out code, and comments that are not), and if you like `source`
(where the text is from) and `left_out` (a line to the reason why what stands there is not counted). Recall is the share
of `code` that a found section touches; precision the share of found sections that touch `code`, not counting those that
touch lines left out. With --wrong, each mistake is printed too.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from codemill.catalogues import catalogue, table_text
from codemill.core import comments
from codemill.core.languages import LanguageTable

Lines = tuple[int, int]  # first and last, from 1


@dataclass
class Counts:
    """What became of the comments of one language."""

    hit: int = 0
    missed: int = 0
    wrong: int = 0
    left_alone: int = 0

    def rows(self) -> list[str]:
        """Return the cells of its row: code, other, precision, recall."""
        found, code = self.hit + self.wrong, self.hit + self.missed
        shares = [f"{self.hit / whole:.3f}" if whole else "-" for whole in (found, code)]
        return [str(code), str(self.wrong + self.left_alone), *shares]


def measure(case: dict[str, Any], languages: LanguageTable, counts: Counts) -> list[str]:
    """Count one case; return its mistakes as text."""
    text: str = case["text"]
    found = [_lines(text, each) for each in comments.find_in(text, languages[case["language"]])]
    code: list[Lines] = [(first, last) for first, last in case["code"]]
    left_out = [(int(line), int(line)) for line in case.get("left_out", {})]
    missed = [lines for lines in code if not _touches(lines, found)]
    wrong = [lines for lines in found if not _touches(lines, [*code, *left_out])]
    counts.missed += len(missed)
    counts.hit += len(code) - len(missed)
    counts.wrong += len(wrong)
    counts.left_alone += sum(not _touches((first, last), found) for first, last in case["other"])
    rows = text.split("\n")
    return [
        f"{name} ({case['language']}, {case.get('source', '')}):\n" + "\n".join(rows[first - 1 : last])
        for name, each in (("missed", missed), ("wrong", wrong))
        for first, last in each
    ]


def _lines(text: str, found: comments.CommentedCode) -> Lines:
    first = text.count("\n", 0, found.start) + 1
    return first, first + found.lines - 1


def _touches(lines: Lines, others: Sequence[Lines]) -> bool:
    return any(lines[0] <= last and first <= lines[1] for first, last in others)


def main() -> None:
    """Print precision and recall per language, and of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--wrong", action="store_true", help="print each mistake")
    arguments = parser.parse_args()
    languages = catalogue(LanguageTable.from_mapping, table_text("languages", None, LanguageTable.from_mapping))
    counts: defaultdict[str, Counts] = defaultdict(Counts)
    for line in arguments.labelled.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        mistakes = measure(case, languages, counts[case["language"]])
        if arguments.wrong:
            print(*mistakes, sep="\n", end="\n" if mistakes else "")
    whole = Counts(*(sum(getattr(each, name) for each in counts.values()) for name in Counts.__dataclass_fields__))
    table = Table("language", "code", "other", "precision", "recall")
    for name, each in [*sorted(counts.items()), ("all", whole)]:
        table.add_row(name, *each.rows())
    Console().print(table)


if __name__ == "__main__":
    main()
