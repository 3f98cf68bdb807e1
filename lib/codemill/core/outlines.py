"""What one text says of its place in a project: what it declares and imports, and what it is about. One annotation."""

from typing import Any

from codemill.core import imports, similarity, trees
from codemill.core.languages import Language


def answer(item: tuple[str, Language]) -> dict[str, Any]:
    """Return the outline and the terms of a text (see `imports` and `similarity`), as plain values.

    A text that its grammar cannot be let loose on declares and imports nothing.
    """
    text, language = item
    try:
        outline = imports.outline(text, language)._asdict()
    except trees.Unparsable:
        outline = {"declares": (), "imports": ()}
    return {**outline, "terms": similarity.terms(text)}
