"""Sensitive information in source code: finding it (presidio's analyzer with recognisers of our own), replacing it.

Detection and policy are apart: ``find`` reports every span with a score, ``select`` applies the thresholds of the
catalogue, ``redact`` replaces. No result, message or log ever holds what was found.
"""

from codemill.core.sensitive.catalogue import SensitiveCatalogue
from codemill.core.sensitive.detection import find
from codemill.core.sensitive.redaction import Redaction, redact
from codemill.core.sensitive.spans import SensitiveSpan, select

__all__ = ["Redaction", "SensitiveCatalogue", "SensitiveSpan", "find", "redact", "select"]
