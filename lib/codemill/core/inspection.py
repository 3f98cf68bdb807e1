"""One look at a text: parsed once, for commented-out code, for syntax, and for what else the tree tells.

Steps 5 and 6 share what is found here. The text of a file that step 5 leaves as it is has the same hash in step 6, so
its tree is not made again; only edited texts are looked at twice.
"""

from typing import Any

from codemill.core import comments, landmarks, lexing, syntax, trees
from codemill.core.languages import Language


def inspect(item: tuple[str, Language]) -> dict[str, Any]:
    """Return the syntax report of a text in a language, with its commented-out `sections`. Takes what time it takes.

    Raises trees.Unparsable.
    """
    text, language = item
    if language.grammar is None:
        return vars(syntax.unparsed(text)) | {"sections": []}
    tree = trees.parse(text, language.grammar)
    survey = lexing.survey(tree.source, language)
    found = landmarks.find(tree, survey, language)
    report = syntax.report(tree, survey, found, language)
    sections = comments.find(tree, found.comments, language)
    return vars(report) | {"sections": [vars(section) for section in sections]}
