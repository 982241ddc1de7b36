"""Packing units (pieces of words, sentences) into windows of at most so many tokens, overlapping by whole units."""

from collections.abc import Iterator, Sequence

from transformers.chunking.tokens import tokens_in

Unit = tuple[int, int, int]  # start, end, tokens; between one and the next stand at most blanks
Window = tuple[int, int, int]  # start, end, tokens, without the blanks at its borders


def windows(text: str, units: Sequence[Unit], size: int, overlap: int) -> Iterator[Window]:
    """Each as full as it can be, and beginning with those last units of the one before that fit into `overlap`."""
    first, last, covered = 0, len(units), 0
    while first < last:
        end = _filled(units, first, size)
        window = _trimmed(text, units, first, end)
        while window[2] > size and end - first > 1:  # without its blank, a word may take a token more
            end -= 1
            window = _trimmed(text, units, first, end)
        if window[1] > covered and window[2]:  # else it is the one before once more, and blanks
            covered = window[1]
            yield window
        if end == last:
            return
        first = _overlapping(units, first, end, size, overlap)


def _filled(units: Sequence[Unit], first: int, size: int) -> int:
    """The end of the longest run from `first` on that fits; one unit at least."""
    end, tokens = first + 1, units[first][2]
    while end < len(units) and tokens + units[end][2] <= size:
        tokens += units[end][2]
        end += 1
    return end


def _overlapping(units: Sequence[Unit], first: int, end: int, size: int, overlap: int) -> int:
    """Where the next window begins: so that it holds the unit at `end` too, else nothing would be won."""
    start, room = end, min(overlap, size - units[end][2])
    while start > first + 1 and units[start - 1][2] <= room:
        start -= 1
        room -= units[start][2]
    return start


def _trimmed(text: str, units: Sequence[Unit], first: int, end: int) -> Window:
    start, until = units[first][0], units[end - 1][1]
    content = text[start:until]
    start += len(content) - len(content.lstrip())
    content = content.strip()
    return start, start + len(content), tokens_in(content)
