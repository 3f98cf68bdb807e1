"""What a runner is started with and what it leaves: RUNNER CORPUS WORK RESULT [OPTION].

CORPUS is a folder of Parquet files with the columns number and text, WORK an empty folder, RESULT a JSON file with the
unix times of begin and end and the numbers of the files that were kept. Between begin and end the tool reads its input
and writes its output; imports and changes of the input's form come before. Runs in the peers' own environments.
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path


class Run:
    """The arguments of this process, and the clock."""

    def __init__(self) -> None:
        self.corpus, self.work, self._result = (Path(argument).resolve() for argument in sys.argv[1:4])
        self.option = sys.argv[4] if len(sys.argv) > 4 else ""
        self._begin = self._end = 0.0
        sys.argv[1:] = []  # some tools read it

    def __enter__(self) -> "Run":
        """Start the clock."""
        self._begin = time.time()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        self._end = time.time()

    def report(self, kept: Iterable[int]) -> None:
        """Write the result."""
        data = {"begin": self._begin, "end": self._end, "kept": sorted(map(int, kept))}
        self._result.write_text(json.dumps(data), encoding="utf-8")
