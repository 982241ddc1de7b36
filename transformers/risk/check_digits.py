"""The check digits of numbers given to people and to what they carry: pure functions of the digits.

Sources: ISO/IEC 7812 (Luhn), ISO/IEC 7064, and the issuing offices' own descriptions.
"""

from collections.abc import Sequence
from hashlib import sha256

_VERHOEFF_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURN = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_VIN_WORTH = {
    **{str(i): i for i in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMNPR", (1, 2, 3, 4, 5, 7, 9), strict=True)),
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def passes_luhn(digits: str) -> bool:
    doubled = [int(d) for d in reversed(digits)]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(doubled)) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def passes_verhoeff(digits: str) -> bool:
    state = 0
    for i, digit in enumerate(reversed(digits)):
        state = int(_VERHOEFF_TIMES[state][int(_VERHOEFF_TURN[i % 8][int(digit)])])
    return state == 0


def passes_iso_7064_11_10(digits: str) -> bool:
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def is_vin(text: str) -> bool:
    """With the check character of North America and China; Europe's need none."""
    if any(c not in _VIN_WORTH for c in text) or not any(c.isalpha() for c in text):
        return False
    rest = sum(_VIN_WORTH[c] * weight for c, weight in zip(text, _VIN_WEIGHTS, strict=True)) % 11
    return text[8] == ("X" if rest == 10 else str(rest))  # noqa: PLR2004  ten is written X


def is_base58_address(text: str) -> bool:
    """A Bitcoin address: a version, 20 bytes, and four of their double SHA-256."""
    value = 0
    for c in text:
        if c not in _BASE58:
            return False
        value = value * 58 + _BASE58.index(c)
    if value >= 1 << 200:
        return False
    raw = value.to_bytes(25, "big")
    return sha256(sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def has_birth_date(digits: str, order: str = "ymd", *, month_add: tuple[int, ...] = (0,)) -> bool:
    """Six digits that can be a day; some offices add to the month to tell a sex or a century."""
    parts = dict(zip(order, (int(digits[0:2]), int(digits[2:4]), int(digits[4:6])), strict=True))
    return any(1 <= parts["m"] - add <= 12 for add in month_add) and 1 <= parts["d"] <= 31  # noqa: PLR2004
