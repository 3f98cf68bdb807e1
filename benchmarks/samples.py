"""Measure how fast samples are made, and which: in one process, on the texts of the demo corpus.

    python benchmarks/samples.py --conf-file conf/demo.yaml [--megabytes 20]

Speeds are megabytes of text per second of processor time, the tree included where one is needed; compare rows of one
run. Then the distribution of kinds and size classes by language, beside what was asked for.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from annotators import File, asked_for, named_table
from rich.console import Console
from rich.table import Table

from codemill import distribution
from codemill.core import trees
from codemill.core.constructs import ConstructTable
from codemill.core.fim import KINDS, SITUATIONS, Document, FimCatalogue, FimOptions, FimSample, sample
from codemill.core.languages import LanguageTable

SEED = 1


class Maker:
    """Makes the samples of files by options."""

    def __init__(self) -> None:
        """Read the tables of conf/."""
        self.languages: LanguageTable = named_table("languages", LanguageTable.from_mapping)
        self.constructs: ConstructTable = named_table("constructs", ConstructTable.from_mapping)
        self.formats: FimCatalogue = named_table("fim", FimCatalogue.from_mapping)

    def make(self, files: Sequence[File], options: FimOptions) -> list[tuple[str, FimSample]]:
        """Return (language, sample); a file that breaks a grammar or holds a sentinel has none."""
        made = []
        for path, language, text in files:
            with contextlib.suppress(Exception):
                document = Document(text, path, self.languages[language], path, "demo")
                made += [(language, each) for each in sample(document, self.constructs, options, SEED)]
        return made

    def parse(self, files: Sequence[File]) -> None:
        """Parse the files, and do no more."""
        for _, language, text in files:
            grammar = self.languages[language].grammar
            if grammar:
                with contextlib.suppress(trees.Unparsable):
                    trees.parse(text, grammar)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time that something takes."""
    before = time.process_time()
    work()
    return time.process_time() - before


def speeds(maker: Maker, files: Sequence[File]) -> Table:
    """Measure parsing alone, the default mix, and each kind and situation by itself."""
    size = sum(len(text.encode()) for _, _, text in files) / 1e6
    table = Table("what", "MB/s of processor time", title=f"{len(files):,} files, {size:.1f} MB")
    ways: dict[str, Callable[[], object]] = {"parsing alone": partial(maker.parse, files)}
    named = {
        "default": maker.formats.options("starcoder"),
        "every document FIM": maker.formats.options("starcoder", fim_rate=1.0),
        "up to 8 samples each": maker.formats.options("starcoder", fim_rate=1.0, samples_per_kilobyte=0.5),
        **{kind: maker.formats.options("starcoder", fim_rate=1.0, kinds={kind: 1.0}) for kind in (*KINDS, *SITUATIONS)},
    }
    for name, options in named.items():
        ways[name] = partial(maker.make, files, options)
    for name, work in ways.items():
        table.add_row(name, f"{size / seconds(work):.1f}")
    return table


def main() -> None:
    """Print the speeds, then the distribution."""
    files = asked_for(__doc__)
    maker, console = Maker(), Console()
    console.print(speeds(maker, files))
    options = maker.formats.options("starcoder")
    for title, weights in (("kinds", options.kinds), ("size classes", options.size_classes)):
        total = sum(weights.values())
        console.print(f"{title} asked for, %:", {name: round(100 * each / total, 1) for name, each in weights.items()})
    made = maker.make(files, options)
    distribution.show(console, Counter((language, each.kind, each.size_class) for language, each in made))


if __name__ == "__main__":
    main()
