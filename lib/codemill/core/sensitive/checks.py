"""What a value must pass, besides its pattern, to be taken for what it looks like."""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_TEMPLATE = re.compile(r"[{}<>$]|%[sdr(]|^[.%/]|\.\.\.|\*{3}|x{4}|X{4}")
_WORDS = re.compile(r"[A-Za-z]+(?:[_.:/ -][A-Za-z]*)*[!?:.]?")
_PLACEHOLDER = re.compile(
    r"(?i).*(?:pass(?:word|wd|phrase)|secret|token|example|sample|dummy|fake|placeholder|change.?me|your|redacted"
    r"|test|qwerty|letmein|abc123|1234).*"
)
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
        return value.count(":") >= 3 and len(value) >= 9
    # Four small numbers are a version (1.2.3.4), an object identifier or a section far more often than a host.
    parts = [int(part) for part in value.split(".")]
    return max(parts) > 31 and parts[0] > 3 and str(address) == value


def is_password(value: str) -> bool:
    """Refuse placeholders, templates, words, look-ups: a secret has letters and something else."""
    if _TEMPLATE.search(value) or _PLACEHOLDER.fullmatch(value) or _WORDS.fullmatch(value):
        return False
    return any(map(str.isalpha, value)) and not all(map(str.isalpha, value)) and "(" not in value


def is_key(value: str) -> bool:
    """Take strings with the entropy of chance, in which letters and digits are mixed; no UUIDs, no words."""
    if _UUID.fullmatch(value) or _TEMPLATE.search(value) or _PLACEHOLDER.fullmatch(value) or _WORDS.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    if digits < 2 or digits == len(value):
        return False
    return bool(_HEX.fullmatch(value)) or entropy(value) >= _MIN_ENTROPY


def is_token(value: str) -> bool:
    """Refuse examples out of manuals: their tokens say so, or repeat one character."""
    return entropy(value) >= 2.5 and "EXAMPLE" not in value and "xxxx" not in value.lower()


def is_credentials(value: str) -> bool:
    """Refuse `user:password` and its like in examples."""
    user, _, secret = value.partition(":")
    plain = {"user", "username", "usr", "u", "name", "me", "foo", "login", "root", "scott", "guest", "admin", "test"}
    weak = re.fullmatch(
        r"(?i)(?:p|pw|pass|passwd|password|pwd|secret|bar|tiger|test|guest|admin|root|\*+|x+|\d{2,5})\d?", secret
    )
    return not _TEMPLATE.search(value) and not (weak and (user.lower() in plain or len(secret) < 9))


def is_person(value: str) -> bool:
    """Refuse words that are not written as names are."""
    return not re.search(r"[A-Z]{2,}", value.replace(".", ""))


def anything(value: str) -> bool:
    """Take whatever the pattern took, unless there is nothing in it."""
    return bool(value.strip())


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "anything": anything,
    "credentials": is_credentials,
    "email": is_email,
    "ip": is_public_ip,
    "key": is_key,
    "password": is_password,
    "person": is_person,
    "token": is_token,
    "username": anything,
}
