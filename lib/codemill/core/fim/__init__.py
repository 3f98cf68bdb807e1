"""Fill-in-the-middle samples of one document: spans, orders, formats, windows. Knows no Spark and no settings.

``document`` makes samples; ``spans`` draws middles, from ``nodes`` of the tree or from ``lines``; ``formats`` writes
them; ``windows`` and ``counters`` keep them within a context; ``options`` says what can be asked for.
"""

from codemill.core.fim.boundaries import is_boundary
from codemill.core.fim.document import Document, FimSample, SentinelInText, answer, sample
from codemill.core.fim.formats import Format, Heads, render
from codemill.core.fim.nodes import SIZE_CLASSES
from codemill.core.fim.options import KINDS, SITUATIONS, FimCatalogue, FimOptions, SampleSettings

__all__ = [
    "KINDS",
    "SITUATIONS",
    "SIZE_CLASSES",
    "Document",
    "FimCatalogue",
    "FimOptions",
    "FimSample",
    "Format",
    "Heads",
    "SampleSettings",
    "SentinelInText",
    "answer",
    "is_boundary",
    "render",
    "sample",
]
