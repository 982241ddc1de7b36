"""Conditional and partial GETs of a file, after RFC 9110: one range at most, for more than one the whole is sent."""

import re
from dataclasses import dataclass

from backend.errors import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from `start` up to `end`, which is not part of it."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def piece_asked(header: str | None, size: int) -> Piece | None:
    """What a Range header asks of so many bytes; None where it asks for all, or in a way that may be ignored.

    Raises:
        RangeNotSatisfiable
    """
    match = _ONE_RANGE.fullmatch((header or "").replace(" ", "").lower())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        piece = Piece(max(0, size - int(last)), size)
    else:
        piece = Piece(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if piece.length <= 0:
        raise RangeNotSatisfiable(size=size)
    return piece


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """A list, weak or strong alike, or `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
