"""Random choices that depend on nothing but (seed, id, purpose).

The same choice comes out on one core or a thousand, in any order and after any retry: no generator holds a state.
"""

import hashlib


def unit(seed: int, id_: str, purpose: str) -> float:
    """Return a number in [0, 1), uniform over ids, with 53 random bits."""
    return (_hash64(seed, id_, purpose) >> 11) * 2.0**-53


def index(seed: int, id_: str, purpose: str, n: int) -> int:
    """Return a whole number from 0 to n - 1, uniform over ids. Raises ValueError when n < 1."""
    if n < 1:
        raise ValueError(f"a choice needs at least one option, found n={n}")
    # Multiplying a 64-bit hash by n and keeping the high part is biased by less than n / 2**64.
    return (_hash64(seed, id_, purpose) * n) >> 64


def _hash64(seed: int, id_: str, purpose: str) -> int:
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    message = f"{seed}:{len(id_)}:{id_}:{purpose}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(message, digest_size=8).digest(), "big")
