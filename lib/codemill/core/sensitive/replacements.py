"""The tables that replacements are drawn from, and how to know them again.

What is known again is not found again: a redacted text stays as it is. Names are pairs of Faker's English lists; that
a real person has one of these thousand is rare, and no one can tell. Addresses lead nowhere (RFC 1918, 2606, 4193).
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

from faker.providers.person.en_US import Provider

from codemill.core import choice

PASSWORD = "REDACTED_PASSWORD"  # noqa: S105
KEY = "REDACTED_KEY"
CREDENTIALS = f"user:{PASSWORD}"
MAIL_DOMAIN = "example.com"

_COUNT = 1_000
_WORD = re.compile(r"\w+")


@cache
def persons() -> tuple[str, ...]:
    """Return the names of a thousand persons whom nobody knows: `Mary Smith`."""
    first = sorted({name for name in Provider.first_names if name.isascii() and name.isalpha()})
    last = sorted({name for name in Provider.last_names if name.isascii() and name.isalpha()})
    pairs = (
        f"{first[choice.index(0, str(at), 'first name', len(first))]} "
        f"{last[choice.index(0, str(at), 'last name', len(last))]}"
        for at in range(_COUNT)
    )
    return tuple(dict.fromkeys(pairs))


@cache
def usernames() -> tuple[str, ...]:
    """Return a user name for each of these persons: `marysmith`."""
    return tuple(dict.fromkeys(name.replace(" ", "").lower() for name in persons()))


def is_replacement(entity: str, value: str) -> bool:
    """Say whether a value is, or is made with, one that ``redact`` puts in place of others."""
    return _IS_ONE[entity](value)


def _is_person(value: str) -> bool:
    # A name in front of which another word stands is still the one from the table.
    return any(f"{one} {other}" in _person_set() for one, other in pairwise(_WORD.findall(value)))


def _is_username(value: str) -> bool:
    return value in _username_set()


def _is_email(value: str) -> bool:
    return value.endswith(f"@{MAIL_DOMAIN}") or PASSWORD in value or KEY in value


def _is_secret(value: str) -> bool:
    return PASSWORD in value or KEY in value


def _is_address(_value: str) -> bool:
    # Addresses in place of others are private ones, which no check takes for sensitive.
    return False


@cache
def _person_set() -> frozenset[str]:
    return frozenset(persons())


@cache
def _username_set() -> frozenset[str]:
    return frozenset(usernames())


_IS_ONE: Mapping[str, Callable[[str], bool]] = {
    "PERSON": _is_person,
    "EMAIL": _is_email,
    "IP": _is_address,
    "PASSWORD": _is_secret,
    "KEY": _is_secret,
    "USERNAME": _is_username,
    "URL": _is_secret,
}
