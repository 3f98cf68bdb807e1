"""Finding: presidio's AnalyzerEngine over the recognisers that the catalogue describes.

Presidio's own NLP engine tokenises every text with spaCy, at 0.02 MB/s, and its stock recognisers take UUIDs for driver
licences and attributes for URLs. Here the engine gets an NLP engine that does nothing, no context enhancer and our
recognisers alone; a spaCy pipeline for names, where the catalogue names one, sees likely lines only.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from codemill.core.sensitive.catalogue import Pattern, SensitiveCatalogue
from codemill.core.sensitive.checks import CHECKS

_LANGUAGE = "en"

# Around an anchor, so many characters of its line are looked at, and for key blocks of the lines behind it.
_BEFORE = 300
_AFTER = 600
_BLOCK = 9_000

# Lines on which a named-entity model is asked for names.
_NAME_ANCHORS = ("copyright", "(c)", "©", "author", "maintainer", "written by", "signed-off-by")
_NER_SCORE = 0.6

# Presidio logs what it does at every call.
logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)


@dataclass(frozen=True)
class SensitiveSpan:
    """What was found where: character offsets, score in 0..1, and the recogniser. Never the text itself."""

    entity: str
    start: int
    end: int
    score: float
    detector: str


def find(text: str, catalogue: SensitiveCatalogue) -> list[SensitiveSpan]:
    """Return the sensitive spans of a text, in order; of overlapping ones the best by score, then the longest."""
    if not text:
        return []
    results = _engine(catalogue).analyze(text, _LANGUAGE, nlp_artifacts=_NOTHING)
    spans = [
        SensitiveSpan(one.entity_type, one.start, one.end, one.score, one.recognition_metadata["recognizer_name"])
        for one in results
    ]
    return _apart(spans)


def _apart(spans: list[SensitiveSpan]) -> list[SensitiveSpan]:
    best = sorted(spans, key=lambda span: (-span.score, span.start - span.end, span.entity, span.start, span.detector))
    taken: list[SensitiveSpan] = []
    for span in best:
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda span: span.start)


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
        return [_LANGUAGE]


class _NoContext(ContextAwareEnhancer):
    """Leaves scores as they are: the patterns hold their context themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_args: Any, **_kwargs: Any
    ) -> list[RecognizerResult]:
        """Return the results unchanged."""
        return raw_results


class _PatternRecognizer(EntityRecognizer):
    """One pattern of the catalogue."""

    def __init__(self, pattern: Pattern, catalogue: SensitiveCatalogue) -> None:
        self.pattern = pattern
        self.allow = catalogue.allow.get(pattern.entity)
        super().__init__([pattern.entity], pattern.id, _LANGUAGE)

    def load(self) -> None:
        """Load nothing: the pattern is compiled."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Try the pattern on the lines around its anchors."""
        results = []
        for start, end in _windows(text, self.pattern.anchors):
            for match in self.pattern.regex.finditer(text, start, end):
                if self._holds(match["value"]):
                    span = match.span("value")
                    results.append(_result(self, self.pattern.entity, span, self.pattern.score))
        return results

    def _holds(self, value: str) -> bool:
        return CHECKS[self.pattern.check](value) and not (self.allow and self.allow.fullmatch(value))


class _NameRecognizer(EntityRecognizer):
    """Names of persons by a spaCy pipeline, on lines where names are likely."""

    def __init__(self, catalogue: SensitiveCatalogue, model: str) -> None:
        self.model = model
        self.allow = catalogue.allow.get("PERSON")
        super().__init__(["PERSON"], "named_entities", _LANGUAGE)

    def load(self) -> None:
        """Load the pipeline, once per process."""
        _pipeline(self.model)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Ask the pipeline about the lines around the anchors."""
        results = []
        for start, end in _windows(text, _NAME_ANCHORS):
            for entity in _pipeline(self.model)(text[start:end]).ents:
                if entity.label_ in ("PERSON", "PER") and not (self.allow and self.allow.fullmatch(entity.text)):
                    span = (start + entity.start_char, start + entity.end_char)
                    results.append(_result(self, "PERSON", span, _NER_SCORE))
        return results


def _result(recognizer: EntityRecognizer, entity: str, span: tuple[int, int], score: float) -> RecognizerResult:
    name: str = recognizer.name  # type: ignore[has-type]
    metadata = {"recognizer_name": name, "recognizer_identifier": recognizer.id}
    return RecognizerResult(entity, *span, score, recognition_metadata=metadata)


def _windows(text: str, anchors: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where to look: the lines (cut off at some length) that hold an anchor, apart and in order; else all."""
    if not anchors:
        return [(0, len(text))]
    lowered = _lowered(text)
    found = sorted(at for anchor in anchors for at in _occurrences(lowered, anchor))
    windows: list[tuple[int, int]] = []
    for at in found:
        start = max(text.rfind("\n", max(0, at - _BEFORE), at) + 1, at - _BEFORE, 0)
        line_end = text.find("\n", at, at + _AFTER)
        end = line_end if line_end >= 0 else at + _AFTER
        if text.startswith("-----", at + len("private key")):
            end = at + _BLOCK
        if windows and start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
        else:
            windows.append((start, min(end, len(text))))
    return windows


def _occurrences(text: str, anchor: str) -> Iterator[int]:
    at = text.find(anchor)
    while at >= 0:
        yield at
        at = text.find(anchor, at + 1)


@lru_cache(maxsize=1)
def _lowered(text: str) -> str:
    lowered = text.lower()
    # A few letters become two when lowered; offsets must stay.
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@lru_cache(maxsize=4)
def _engine(catalogue: SensitiveCatalogue) -> AnalyzerEngine:
    recognizers: list[EntityRecognizer] = [_PatternRecognizer(pattern, catalogue) for pattern in catalogue.patterns]
    if catalogue.ner_model:
        recognizers.append(_NameRecognizer(catalogue, catalogue.ner_model))
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=[_LANGUAGE])
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=_NoNlp(),
        supported_languages=[_LANGUAGE],
        context_aware_enhancer=_NoContext(),
    )


@cache
def _pipeline(model: str) -> Any:
    return spacy.load(model)


_NOTHING = NlpArtifacts([], spacy.blank(_LANGUAGE)(""), [], [], _NoNlp(), _LANGUAGE)
