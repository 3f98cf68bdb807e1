"""Sensitive information in source code: finding it (presidio's analyzer with recognisers of our own), replacing it.

No result, message or log ever holds what was found.
"""

from codemill.core.sensitive.catalogue import SensitiveCatalogue
from codemill.core.sensitive.detection import SensitiveSpan, find
from codemill.core.sensitive.redaction import Redaction, redact

__all__ = ["Redaction", "SensitiveCatalogue", "SensitiveSpan", "find", "redact"]
