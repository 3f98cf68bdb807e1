"""Sensitive information in source code: finding it (presidio's analyzer with recognisers of our own), replacing it.

Detection and policy are apart: ``find`` reports every span with a score, ``select`` applies the thresholds of the
catalogue, ``redact`` replaces. No result, message or log ever holds what was found.
"""

from codemill.core.sensitive.catalogue import SensitiveCatalogue
from codemill.core.sensitive.redaction import Redaction, redact
from codemill.core.sensitive.spans import SensitiveSpan, select


def find(text: str, catalogue: SensitiveCatalogue) -> list[SensitiveSpan]:
    """Return the sensitive spans of a text, in order: see ``detection.find``."""
    # Presidio and spaCy take a second to import, which only the workers that look for something need.
    from codemill.core.sensitive import detection  # noqa: PLC0415

    return detection.find(text, catalogue)


__all__ = ["Redaction", "SensitiveCatalogue", "SensitiveSpan", "find", "redact", "select"]
