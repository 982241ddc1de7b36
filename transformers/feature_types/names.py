"""A column's name as numbers: hashed pieces of it, and what its words look like."""

import re
from collections.abc import Iterator
from zlib import crc32

LONGEST = 60  # characters read: a name that is a whole sentence says no more


def words_of(name: str) -> list[str]:
    """customerId, customer_id and CUSTOMER ID are all [customer, id]; digits stand alone."""
    spaced = re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])|([A-Za-z])(\d)|(\d)([A-Za-z])", _parted, name[:LONGEST])
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def _parted(match: re.Match[str]) -> str:
    letters = [letter for letter in match.groups() if letter]
    return " ".join(letters)


def pieces_of(name: str) -> Iterator[str]:
    """Words, the last word, and three letters at a time, each digit read as 0."""
    words = words_of(name)
    for word in words:
        yield f"w:{_plain(word)}"
    if words:
        yield f"last:{_plain(words[-1])}"
        yield f"first:{_plain(words[0])}"
    spaced = f"^{' '.join(map(_plain, words))}$"
    for size in (2, 3, 4):
        for start in range(len(spaced) - size + 1):
            yield spaced[start : start + size]


def _plain(word: str) -> str:
    return re.sub(r"\d+", lambda digits: "0" * min(len(digits[0]), 4), word)


def places_of(pieces: Iterator[str], places: int) -> list[int]:
    """Where the pieces lie among hashed `places`; crc32 is the same on every machine."""
    return sorted({crc32(piece.encode()) % places for piece in pieces})
