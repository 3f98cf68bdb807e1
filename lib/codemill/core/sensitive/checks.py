"""What a value must pass, besides its pattern, to be taken for what it looks like."""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_TEMPLATE = re.compile(r"[{}<>]|\$[\w({]|%[sdr(]|^[.%/]|\.\.\.|\*{3}|x{4}|X{4}|\\u")
_FILLER = re.compile(
    r"(?i)pass(?:word|wd|phrase|code)?|pwd|secret|token|key|example|sample|dummy|fake|mock|placeholder|change|your|my"
    r"|redacted|test(?:ing)?|qwerty|letmein|insert|here|some|foo|bar|baz|value|string|default|user(?:name)?|abc(?:def)?"
    r"|none|null|undefined|wrong|invalid|bad|new|old|api|me"
)
_SEQUENCE = re.compile(r"(?i)0123456|1234567|abcdefg|example")
_WORDS = re.compile(r"[A-Za-z_.:/?#\[\]=;,-]+!?")
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_MIN_ENTROPY = 3.3


def entropy(value: str) -> float:
    """Return the Shannon entropy of a string in bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


def is_email(value: str) -> bool:
    """Refuse what is an address by its form only: doubled dots, a last label in two cases (`user@Class.Method`)."""
    local, _, host = value.rpartition("@")
    last = host.rsplit(".", 1)[-1]
    return ".." not in value and not local.endswith(".") and last in (last.lower(), last.upper())


def is_public_ip(value: str) -> bool:
    """Take addresses of the public internet only: private, loopback, documentation ranges, netmasks stay."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        # `::` between short words is a scope or a time, not an address.
        return value.count(":") >= 3 and len(value) >= 9
    # Four small numbers are a version (1.2.3.4), an object identifier or a section far more often than a host.
    parts = address.packed
    return max(parts) > 31 and parts[0] > 3


def is_password(value: str) -> bool:
    """Refuse placeholders, templates, words, look-ups: a secret has letters and something else."""
    if _is_filler(value) or "(" in value or _EMAIL.fullmatch(value):
        return False
    letters = sum(map(str.isalpha, value))
    return 0 < letters < len(value) and not _are_words(value)


def is_bare_password(value: str) -> bool:
    """Refuse, in place of a literal, what may as well be code: names, calls, attributes."""
    return is_password(value) and any(map(str.isdigit, value)) and not re.fullmatch(r"[A-Za-z_]\w*\.[\w.]+", value)


def is_key(value: str) -> bool:
    """Take strings with the entropy of chance, in which letters and digits are mixed; no UUIDs, no words."""
    if _UUID.fullmatch(value) or _is_filler(value) or _SEQUENCE.search(value) or _is_identifier(value):
        return False
    digits = sum(map(str.isdigit, value))
    if digits < 2 or digits == len(value):
        return False
    return bool(_HEX.fullmatch(value)) or entropy(value) >= _MIN_ENTROPY


def is_token(value: str) -> bool:
    """Refuse examples out of manuals: their tokens say so, or repeat one character."""
    return entropy(value) >= 2.5 and not re.search(r"(?i)example|x{4}|your|\.\.\.", value)


def is_credentials(value: str) -> bool:
    """Refuse `user:password` and its like in examples, and what is filled in when the program runs."""
    user, _, secret = value.partition(":")
    if _TEMPLATE.search(value) or len(secret) < 3 or secret == user or _is_filler(secret):
        return False
    return not re.fullmatch(r"(?i)(?:pw|tiger|guest|admin|root)\d?|\d{1,5}", secret)


def anything(value: str) -> bool:
    """Take whatever the pattern took."""
    return bool(value)


def _is_filler(value: str) -> bool:
    if _TEMPLATE.search(value):
        return True
    return sum(map(str.isalpha, _FILLER.sub("", value))) < 2


def _are_words(value: str) -> bool:
    """Say whether there is nothing but letters and what parts words, as in `user.password_reset:` or `Required!`."""
    return bool(_WORDS.fullmatch(value))


def _is_identifier(value: str) -> bool:
    """Say whether letters come in words of at least three, digits in numbers: `MyAccessKey2`, `a-name-2024`."""
    runs = _RUNS.findall(value)
    short = sum(len(run) for run in runs if len(run) < 3 and run.isalpha())
    numbers = sum(run.isdigit() for run in runs)
    return short * 4 < len(value) and numbers * 8 <= len(value)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "anything": anything,
    "bare_password": is_bare_password,
    "credentials": is_credentials,
    "email": is_email,
    "ip": is_public_ip,
    "key": is_key,
    "password": is_password,
    "token": is_token,
}
