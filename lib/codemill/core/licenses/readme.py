"""Licences that a README names, in the section that is headed so."""

import re

from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import TextMatch, identify_text, restriction_in, spaced, words_of

# Characters. A README may be a book; what it says of its licence stands near its end or its beginning.
_MAX_README = 200_000
_MAX_SECTION = 20_000

_TITLE = (
    r"[^\w\n]{0,20}(?:\d+[.)]?[ \t]+)?(?:copyright (?:and|&) )?licen[sc](?:e|es|ing)"
    r"(?: (?:and|&) \w{1,20}| information| terms)?[^\w\n]{0,20}"
)
# In a verbose expression a space must be escaped.
_SPACED = _TITLE.replace(" ", r"\ ")
_HEADINGS = re.compile(
    rf"""(?imx)
    ^(?:\#{{1,6}}|={{1,6}}|\*{{1,4}})[ \t]+(?P<marked>{_SPACED})$        # Markdown, AsciiDoc, Org
    | ^(?P<lined>{_SPACED})\n[=\-~^"'`*+\#]{{3,80}}[ \t]*$               # setext, reStructuredText
    | <h[1-6][^>\n]{{0,200}}>(?P<html>{_SPACED})</h[1-6]>
    """
)
_NEXT = re.compile(
    r"""(?mx)
    ^(?:\#{1,6}|={1,6}|\*{1,4})[ \t]+\S
    | ^[^\n]{1,200}\n[=\-~^"'`*+\#]{3,80}[ \t]*$
    | <h[1-6][ >]
    """
)
_UNDER = re.compile(
    r"(?:licen[sc]ed|released|distributed|available|published|provided)\s+under\s+(?:the\s+)?(?:terms\s+of\s+(?:the\s+)?)?"
    r"(?P<name>[\w][\w .+/()-]{1,80}?)\s*(?:licen[sc]e\b|[,;:\n]|\.(?=\s|$)|$)",
    re.I,
)
_LINK = re.compile(
    r"!?\[(?P<markdown>[^\]\n]{0,200})\]\([^)\n]{0,500}\)"
    r"|https?://[^\s\[\]]{1,500}\[(?P<asciidoc>[^\]\n]{1,200})\]"
    r"|`(?P<rst>[^`<\n]{1,200})<[^>\n]{1,500}>`_{1,2}"
)
_HOLDER = re.compile(r"(?:©|\(c\)|&copy;|copyright\b).*", re.I)


def readme_license(text: str, table: LicenseTable) -> TextMatch | None:
    """Return what the licence section of a README (Markdown, reStructuredText, AsciiDoc, HTML) says, None when nothing.

    A whole text, a sentence such as "under the MIT license", or a name on a line of its own; with a restriction beside
    it, ``spdx`` is None. A section that only points to a file says nothing.
    """
    text = text[:_MAX_README]
    heading = _HEADINGS.search(text)
    if heading is None:
        return None
    section = _section(text, heading.end())
    match = identify_text(section, table)
    if match.spdx is not None or match.restriction is not None:
        return match
    plain = _LINK.sub(lambda link: link[link.lastgroup or 0], section)
    names = [found["name"] for found in _UNDER.finditer(plain)]
    lines = [_HOLDER.sub("", line).strip(" \t*_#>-.,") for line in plain.splitlines() if line.strip()]
    for name in [*names, *lines[:1]]:
        if (expression := table.expression_of_name(name)) is not None:
            restriction = restriction_in(spaced(words_of(plain)), table.restrictions)
            return TextMatch(None if restriction else expression, 1.0, restriction)
    return None


def _section(text: str, start: int) -> str:
    end = _NEXT.search(text, start)
    return text[start : end.start() if end else len(text)][:_MAX_SECTION]
