"""Finding: presidio's AnalyzerEngine over the recognisers that the catalogue describes.

Presidio's own NLP engine tokenises every text with spaCy, at 0.02 MB/s, and its stock recognisers take UUIDs for driver
licences and attributes for URLs. Here the engine gets an NLP engine that does nothing, no context enhancer and our
recognisers alone.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from codemill.core.sensitive.catalogue import SensitiveCatalogue
from codemill.core.sensitive.recognizers import LANGUAGE, recognizers
from codemill.core.sensitive.spans import SensitiveSpan, apart

# Presidio logs what it does at every call, and a handler of the host program would print it.
logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)


def find(text: str, catalogue: SensitiveCatalogue) -> list[SensitiveSpan]:
    """Return the sensitive spans of a text, in order; of overlapping ones the best by score, then the longest.

    Whatever the score, and whether or not the entity is enabled: see ``select``. Raises RuntimeError that names the
    kind of what went wrong inside, and quotes nothing.
    """
    if not text:
        return []
    try:
        results = _engine(catalogue).analyze(text, LANGUAGE, nlp_artifacts=_NOTHING)
    except Exception as error:
        # A library's message may quote the text.
        raise RuntimeError(f"looking for sensitive information failed: {type(error).__name__}") from None
    return apart(
        SensitiveSpan(one.entity_type, one.start, one.end, one.score, one.recognition_metadata["recognizer_name"])
        for one in results
    )


class _NoNlp(NlpEngine):
    """An NLP engine without tokens: the recognisers look at the text itself."""

    def load(self) -> None:
        """Load nothing."""

    def is_loaded(self) -> bool:
        """Say yes: there is nothing to load."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Return no tokens."""
        return _NOTHING

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Return no tokens for each text."""
        return ((text, _NOTHING) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        """Know no stop words."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Know no punctuation."""
        return False

    def get_supported_entities(self) -> list[str]:
        """Recognise nothing by itself."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Name the one language that the recognisers are registered under."""
        return [LANGUAGE]


class _NoContext(ContextAwareEnhancer):
    """Leaves scores as they are: the patterns hold their context themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_args: Any, **_kwargs: Any
    ) -> list[RecognizerResult]:
        """Return the results unchanged."""
        return raw_results


@lru_cache(maxsize=4)
def _engine(catalogue: SensitiveCatalogue) -> AnalyzerEngine:
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers(catalogue), supported_languages=[LANGUAGE]),
        nlp_engine=_NoNlp(),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=_NoContext(),
        log_decision_process=False,
    )


_NOTHING = NlpArtifacts([], spacy.blank(LANGUAGE)(""), [], [], _NoNlp(), LANGUAGE)
