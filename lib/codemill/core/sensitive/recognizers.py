"""Presidio recognisers of our own: one for each pattern of the catalogue, one for names by a spaCy pipeline."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import spacy
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from codemill.core.sensitive.catalogue import Pattern, SensitiveCatalogue
from codemill.core.sensitive.checks import CHECKS
from codemill.core.sensitive.replacements import is_replacement
from codemill.core.sensitive.windows import cut_off, windows

# The code under which presidio files recognisers; ours look at code, not at a language.
LANGUAGE = "en"

# So many characters before a match are asked whether it is what it seems.
_CONTEXT = 60

# Lines on which a named-entity model is asked for names, and at most so many characters of them at once.
_NAME_ANCHORS = ("copyright", "(c)", "©", "author", "maintainer", "written by", "signed-off-by")
_NAME_SNIPPET = 2_000
_NAME_SCORE = 0.6
_NAME_DETECTOR = "named_entities"


def recognizers(catalogue: SensitiveCatalogue) -> list[EntityRecognizer]:
    """Return the recognisers that a catalogue asks for."""
    ours: list[EntityRecognizer] = [PatternRecognizer(pattern, catalogue) for pattern in catalogue.patterns]
    if catalogue.ner_model:
        ours.append(NameRecognizer(catalogue, catalogue.ner_model))
    return ours


class PatternRecognizer(EntityRecognizer):
    """One pattern of the catalogue."""

    def __init__(self, pattern: Pattern, catalogue: SensitiveCatalogue) -> None:
        self.pattern = pattern
        self.name_regex = catalogue.name
        self.allow = catalogue.allow.get(pattern.entity)
        super().__init__([pattern.entity], pattern.id, LANGUAGE)

    def load(self) -> None:
        """Load nothing: the pattern is compiled."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Try the pattern on the surroundings of its anchors."""
        results: list[RecognizerResult] = []
        for start, end in windows(text, self.pattern.anchors, self.pattern.near, self.pattern.reach):
            # What touches the end of a stretch that ends within a line may go on behind it.
            last = end - 1 if cut_off(text, end) else end
            results += [
                _result(self, self.pattern.id, self.pattern.entity, value, self.pattern.score)
                for value in self._values(text, start, end)
                if value[1] <= last and self._holds(text[slice(*value)])
            ]
        return results

    def _values(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        unless = self.pattern.unless_after
        for match in self.pattern.regex.finditer(text, start, end):
            at = match.start()
            if unless and unless.search(text, max(0, at - _CONTEXT), at):
                continue
            if "value" in match.re.groupindex:
                yield match.span("value")
            else:
                yield from (name.span() for name in self.name_regex.finditer(text, *match.span("names")))

    def _holds(self, value: str) -> bool:
        return (
            CHECKS[self.pattern.check](value)
            and not (self.allow and self.allow.fullmatch(value))
            and not is_replacement(self.pattern.entity, value)
        )


class NameRecognizer(EntityRecognizer):
    """Names of persons by a spaCy pipeline, on lines where names are likely."""

    def __init__(self, catalogue: SensitiveCatalogue, model: str) -> None:
        self.model = model
        self.allow = catalogue.allow.get("PERSON")
        super().__init__(["PERSON"], _NAME_DETECTOR, LANGUAGE)

    def load(self) -> None:
        """Load the pipeline, once per process."""
        pipeline(self.model)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Ask the pipeline about the lines around the anchors."""
        results = []
        for start, end in windows(text, _NAME_ANCHORS):
            snippet = text[start : min(end, start + _NAME_SNIPPET)]
            for entity in pipeline(self.model)(snippet).ents:
                if entity.label_ in ("PERSON", "PER") and self._holds(entity.text):
                    span = (start + entity.start_char, start + entity.end_char)
                    results.append(_result(self, _NAME_DETECTOR, "PERSON", span, _NAME_SCORE))
        return results

    def _holds(self, value: str) -> bool:
        return not (self.allow and self.allow.fullmatch(value)) and not is_replacement("PERSON", value)


@cache
def pipeline(model: str) -> Any:
    """Return a spaCy pipeline by the name of its package or its folder, loaded once per process."""
    return spacy.load(model)


def _result(
    recognizer: EntityRecognizer, detector: str, entity: str, span: tuple[int, int], score: float
) -> RecognizerResult:
    metadata = {"recognizer_name": detector, "recognizer_identifier": recognizer.id}
    return RecognizerResult(entity, *span, score, recognition_metadata=metadata)
