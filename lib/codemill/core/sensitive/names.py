"""How names of persons are written in Latin, Cyrillic and Chinese letters, as a regular expression.

Source code says who made it in a few places only; the catalogue's patterns know these, what is here knows the name.
"""

from collections.abc import Sequence

_UPPER = "A-ZÀ-ÖØ-ÞĀ-ɏЀ-Я"
_LOWER = "a-zß-öø-ÿĀ-ɏа-ӿ"
_INITIAL = r"[A-Z]\.(?:[ -]?[A-Z]\.){0,2}"
_PARTICLE = "(?:van|von|de|der|den|la|le|di|del|della|da|dos|bin|ibn|al|el|ter|ten|zu|zur|y|e)"
_CHINESE = "[一-鿿]{2,4}(?:[•·][一-鿿]{1,4})?(?![一-鿿])"


def name_regex(stop: Sequence[str], organizations: Sequence[str], legal_forms: Sequence[str]) -> str:
    """Return the source of an expression for one name: two to four words, or initials and a word.

    Stop words end a name. A word of an organization in it or behind it makes it none, a legal form even behind a comma.
    """
    ends = _any_of((*stop, *organizations, *legal_forms))
    word = (
        rf"(?!(?i:{ends})\b)(?:Mc|Mac|De|Di|Du|Le|La|O['’]|D['’]|L['’])?"
        rf"[{_UPPER}][{_LOWER}]{{1,20}}(?:['’-][{_UPPER}]?[{_LOWER}]{{2,20}})?(?!\w)"
    )
    after = rf"(?![ ]{word}|[ ](?i:{_any_of(organizations)})\b|,?[ ](?i:{_any_of(legal_forms)})\b)"
    between = rf"(?:[ ](?:{_INITIAL}|[A-Z]\b|{_PARTICLE})){{0,3}}"
    latin = (
        rf"(?:{_INITIAL}[ ]?(?:{_PARTICLE}[ ]){{0,2}}{word}(?:[ ]{word}){{0,2}}|{word}{between}(?:[ ]{word}){{1,3}})"
    )
    return rf"(?:(?<!\w){latin}{after}|{_CHINESE})"


def names_regex(name: str) -> str:
    """Return the source of an expression for names in a row: `A B, C D <c@d.e> and E F`."""
    aside = r"(?:[ ]{0,2}[<(][^<>()\nA-Z]{0,80}[>)])?"
    comma = r"[\"']?(?:,?[ ]{1,2}(?:and|und|et|&)[ ]{1,2}|[ ]?[,;&/][ ]{0,2}(?:and[ ])?)[\"']?"
    return rf"{name}(?:{aside}{comma}{name}){{0,20}}"


def _any_of(words: Sequence[str]) -> str:
    return "|".join(words)
