"""The rows of files: their language, by what it was recognised, and what follows from it."""

from pathlib import Path

import pytest
import yaml

from codemill.core.languages import LanguageTable
from codemill.ingest.rows import scanned_file
from codemill.sources.containers import FoundFile

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize(
    ("path", "raw", "language", "by", "is_test"),
    [
        ("a.py", b"", "python", "extension", False),
        ("src/a.h", b"namespace a {}\n", "cpp", "content", False),
        ("test_a.m", b"function test_a\nend\n", "matlab", "content", True),
        ("test_a.m", b"@implementation A\n@end\n", "objective_c", "content", False),
        ("tests/run", b"#!/usr/bin/perl\n", "perl", "shebang", False),
        ("t/run", b"#!/usr/bin/perl\n", "perl", "shebang", True),
        ("b/a.h", "namespace a {}\r\n".encode("utf-16"), "cpp", "content", False),
        ("LICENSE", b"Permission is hereby granted\n", "other", None, False),
    ],
)
def test_a_file_says_how_its_language_was_found(
    path: str, raw: bytes, language: str, by: str | None, is_test: bool
) -> None:
    row = scanned_file("p", FoundFile(path, raw), "", TABLE)
    assert (row["language"], row["language_by"], row["is_test"]) == (language, by, is_test)
