"""What a source file says about its own licence, in the comments at its head.

`SPDX-License-Identifier` lines decide (SPDX 2.3, annex E; REUSE 3.3, which also says what is to be ignored). Without
one, licence texts and standard notices are matched as everywhere, and fields (`@license MIT`) and sentences that put
the file under a named licence are read. Only comments (and docstrings) that begin a line count: texts in string
literals, and code that deals with licences, are no headers. Neither is prose that mentions a licence and puts nothing
under it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from codemill.core.languages import Language
from codemill.core.licenses import expressions
from codemill.core.licenses.table import LicenseTable
from codemill.core.licenses.texts import (
    by_phrases,
    joined,
    offers_choice,
    references_in,
    restriction_in,
    spaced,
    words_of,
)

# Characters.
HEAD = 8_000

_MAYBE = re.compile(
    r"licen[sc]|spdx|\bl?gpl|public domain|permission is|redistribut|confidential|proprietary|same terms", re.I
)
_TAG = re.compile(r"^\W*SPDX-License-Identifier:[ \t]*([^\n]{1,300})", re.M)
_FIELD = re.compile(r"^[\W_]*(?:@licen[cs]e:?|licen[cs]e:)[ \t]+([^\n]{2,100})", re.M | re.I)
_IGNORED = re.compile(r"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)", re.S)
_CLOSERS = re.compile(r"(?:\*[/)]|-->|[\"'#*;}.,]|\s)+$")
_DOCSTRINGS = (('"""', '"""'), ("'''", "'''"))

# In words in lower case, one space around each.
_UNDER = (
    r" (?:licen[cs]ed|released|distributed|redistributed?|available|provided|published|covered|governed|subject|used?"
    r"|modify|modified|free software|shared)(?: \w+){0,8}? (?:under|by|to|in accordance with|within)"
    r" (?:(?:the|a|an|terms|conditions|and|of|either|version \d(?: \d)?) )*"
)
_GNU = re.compile(
    _UNDER
    + r"(?:gnu )?(?P<family>(?:affero|lesser|library)?(?: ?general public licen[cs]es?| ?g(?:nu )?pl)|[al]gpl|gpl)"
    r"(?P<version>v?\d?)(?P<rest>(?: \w+){0,40})"
)
_NAMED = re.compile(_UNDER + r"(?P<name>(?:\w+ ){1,6}?)(?:style )?(?:public )?licen[cs]es?(?P<rest>(?: \w+){0,3})")
_DUAL = re.compile(r" dual(?:ly)? licen[cs]ed?(?: \w+){0,3}? (?:under|with|as)(?P<rest>(?: \w+){1,14})")
_VERSION = re.compile(r"\b(?:version|v)? ?(\d)(?: (\d))?\b")
_LATER = re.compile(r" (?:or (?:at your option )?(?:any )?(?:later|newer)|any later version|or above)")
_SECRET = re.compile(
    r" (?:proprietary and confidential|confidential and proprietary|unauthorized copying of this file"
    r"|contains? (?:unpublished )?(?:proprietary|confidential) (?:information|source code)) "
)
_LOWEST = {"GPL": "1.0", "LGPL": "2.0", "AGPL": "1.0"}


@dataclass(frozen=True)
class FileLicense:
    """What a file says of its licence: an SPDX expression, None for one that it names and that is not known.

    ``matched_share``: of the reference text that was found (0..1), 1.0 for an identifier or a named licence.
    """

    expression: str | None
    matched_share: float
    kind: Literal["spdx_tag", "notice"]


def file_license(text: str, language: Language, table: LicenseTable) -> FileLicense | None:
    """Return what the comments in the first 8,000 characters of a file say of its licence, None when nothing."""
    head = text[:HEAD]
    if _MAYBE.search(head) is None:
        return None
    comments = _IGNORED.sub(" ", "\n".join(_comments(head, language)))
    if tags := _TAG.findall(comments):
        known = [expressions.normalize(_CLOSERS.sub("", tag)) for tag in tags]
        valid = [one for one in known if one is not None]
        return FileLicense(expressions.join(valid, "AND") if len(valid) == len(known) else None, 1.0, "spdx_tag")
    return _notice(comments, table) if _MAYBE.search(comments) else None


def _comments(head: str, language: Language) -> Iterator[str]:
    """Yield the lines of comments that begin a line, without the marker that begins them."""
    blocks = (*language.block_comments, *(_DOCSTRINGS if "#" in language.line_comments else ()))
    closer: str | None = None
    for line in head.splitlines():
        stripped = line.lstrip(" \t\ufeff")
        if closer is not None:
            yield line
            closer = None if closer in line else closer
        elif block := next((pair for pair in blocks if stripped.startswith(pair[0])), None):
            rest = stripped[len(block[0]) :]
            yield rest
            closer = None if block[1] in rest else block[1]
        elif marker := next((one for one in language.line_comments if stripped.startswith(one)), None):
            yield stripped[len(marker) :]


def _notice(comments: str, table: LicenseTable) -> FileLicense | None:
    words = words_of(comments)
    contained = references_in(words, table)
    names = {*contained.names, *by_phrases(contained.unexplained, table.phrases)}
    share = min(contained.shares, default=1.0)
    if names:
        choice = offers_choice(contained.unexplained)
        expression = joined(names, table, choice=choice)
        if contained.not_granted or restriction_in(contained.unexplained, table.header_restrictions):
            expression = None
        elif not choice and expression is not None and table.is_free(expression):
            expression = None if contained.trace else _stricter(contained.unexplained, expression)
        return FileLicense(expression, share, "notice")
    whole = spaced(words)
    expression = _dual(whole, table) or _field(comments, table) or _gnu(whole) or _named(whole, table)
    if expression is None and _SECRET.search(whole):
        expression = "LicenseRef-proprietary"
    return None if expression is None else FileLicense(expression, 1.0, "notice")


def _stricter(unexplained: str, expression: str) -> str:
    """Add a GNU licence that the words around a free one put the file under as well."""
    gnu = _gnu(unexplained)
    return expression if gnu is None else expressions.join([expression, gnu], "AND")


def _dual(words: str, table: LicenseTable) -> str | None:
    found = _DUAL.search(words)
    known = [table.expression_of_name(word) for word in found["rest"].split()] if found else []
    choices = [one for one in known if one is not None]
    return expressions.join(choices, "OR") if len(choices) > 1 else None


def _field(comments: str, table: LicenseTable) -> str | None:
    for value in _FIELD.findall(comments):
        if (expression := table.expression_of_name(_CLOSERS.sub("", value))) is not None:
            return expression
    return None


def _gnu(words: str) -> str | None:
    """Return the GNU licence that a sentence puts the file under; without a version any is meant."""
    found = _GNU.search(words)
    if found is None:
        return None
    family = found["family"]
    affero, lesser = family.startswith(("affero", "a")), family.startswith(("lesser", "library", "l"))
    name = "AGPL" if affero else "LGPL" if lesser else "GPL"
    before, after = found[0][: found.start("family") - found.start()], f"{found['version']}{found['rest']}"
    version = _VERSION.search(f" {after}") or _VERSION.search(before)
    number = f"{version[1]}.{version[2] if version[2] in ('0', '1') else 0}" if version else _LOWEST[name]
    later = version is None or _LATER.search(f" {after}") is not None
    return expressions.normalize(f"{name}-{number}-{'or-later' if later else 'only'}")


def _named(words: str, table: LicenseTable) -> str | None:
    for found in _NAMED.finditer(words):
        name = found["name"].strip()
        for candidate in (f"{name} license{found['rest']}", f"{name} license", name):
            if (expression := table.expression_of_name(candidate)) is not None:
                return expression
    return None
