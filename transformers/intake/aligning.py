"""Where a text differs from its rendering: the patches that turn the second into the first, byte for byte.

Streams both and holds a few MB. Pieces that are equal cost one comparison of memory; after a difference the next
line that both have is looked for nearby. Patches are right wherever it is found, so nothing here parses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from transformers.intake.rendering import Piece

CHUNK = 2**20
NEAR_LINES = 8  # that are looked for one by one after a difference; then every 16th, 32nd …
FAR_LINES = (16, 32, 64, 128, 256, 512, 1024)
NEAR_BYTES = 4 * 2**10
FAR_BYTES = 64 * 2**10
UNMATCHED_BYTES = 4 * 2**20  # of rendering without a like: the source beside it is written down as it is
FIRST_STEP, GROWTH = 16, 8  # lines compared at once after a difference, and how fast that grows


@dataclass(frozen=True)
class Patch:
    """`content` stands before line `line` of the rendering, in the place of that and the next `replaced` lines."""

    line: int
    replaced: int
    content: bytes


def patches_between(pieces: Iterator[Piece], stream: BinaryIO) -> Iterator[Patch]:
    alignment = _Alignment(stream)
    for piece in pieces:
        yield from alignment.through(piece)
    yield from alignment.rest()


class _Alignment:
    def __init__(self, stream: BinaryIO) -> None:
        self._source = _Source(stream)
        self._unmatched: int | None = None  # the first line of the rendering that has found no like
        self._unmatched_bytes = 0
        self._lines = 0

    def through(self, piece: Piece) -> Iterator[Patch]:
        at = 0
        while at < piece.lines:
            if self._unmatched is None:
                at += self._equal_lines(piece, at)
            if at == piece.lines:
                break
            found = self._next_like(piece, at)
            if found is None:
                yield from self._give_up(piece, at)
                break
            line, distance = found
            yield self._patch(piece.first + at, piece.first + line, distance)
            at = line
        self._lines = piece.first + piece.lines

    def _patch(self, here: int, there: int, distance: int) -> Patch:
        start = here if self._unmatched is None else self._unmatched
        self._unmatched, self._unmatched_bytes = None, 0
        return Patch(start, there - start, self._source.take(distance))

    def _give_up(self, piece: Piece, at: int) -> Iterator[Patch]:
        """The rest of the piece has no like; what surely lies beside it is let go of."""
        if self._unmatched is None:
            self._unmatched = piece.first + at
        self._unmatched_bytes += int(piece.starts[-1] - piece.starts[at])
        while self._unmatched_bytes > UNMATCHED_BYTES and (content := self._source.take(CHUNK)):
            self._unmatched_bytes -= len(content)
            yield Patch(self._unmatched, 0, content)

    def rest(self) -> Iterator[Patch]:
        """What is left of the source, in place of what is left of the rendering."""
        start = self._lines if self._unmatched is None else self._unmatched
        content = self._source.take(CHUNK)
        if content or start < self._lines:
            yield Patch(start, self._lines - start, content)
        while content := self._source.take(CHUNK):
            yield Patch(self._lines, 0, content)

    def _equal_lines(self, piece: Piece, at: int) -> int:
        """How many lines from here on are the same in the source, which is taken up to there."""
        start, step = at, FIRST_STEP if at else piece.lines
        while at < piece.lines:
            stop = min(piece.lines, at + step)
            block = piece.content[piece.starts[at] : piece.starts[stop]]
            beside = self._source.peek(len(block))
            if block != beside:
                equal = self._lines_before_the_difference(piece, at, block, beside)
                self._source.take(int(piece.starts[at + equal] - piece.starts[at]))
                return at + equal - start
            self._source.take(len(block))
            at, step = stop, step * GROWTH
        return at - start

    @staticmethod
    def _lines_before_the_difference(piece: Piece, at: int, block: bytes, beside: bytes) -> int:
        import numpy as np

        common = min(len(block), len(beside))
        unequal = np.frombuffer(block, np.uint8, common) != np.frombuffer(beside, np.uint8, common)
        first = int(unequal.argmax()) if unequal.any() else common
        return int(np.searchsorted(piece.starts, piece.starts[at] + first, "right")) - 1 - at

    def _next_like(self, piece: Piece, at: int) -> tuple[int, int] | None:
        """A line of the piece, and how far off in the source it is found: two lines together, else one alone."""
        near = range(at, min(piece.lines, at + NEAR_LINES))
        far = [at + ahead for ahead in FAR_LINES if at + ahead < piece.lines]
        for lines, candidates in ((2, near), (1, near), (2, far)):
            for line in candidates:
                wanted = piece.content[piece.starts[line] : piece.starts[min(piece.lines, line + lines)]]
                distance = self._source.find(wanted, self._reach(piece, at, line))
                if distance >= 0:
                    return line, distance
        return None

    def _reach(self, piece: Piece, at: int, line: int) -> int:
        """How far the line may be: a header may be long, and the source beside unmatched lines is twice as long."""
        ahead = 2 * int(piece.starts[line] - piece.starts[at])
        if self._unmatched is not None or piece.first + at == 0:
            return 2 * self._unmatched_bytes + CHUNK + ahead
        return ahead + (NEAR_BYTES if line < at + NEAR_LINES else FAR_BYTES)


class _Source:
    """The source from where it has been taken to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b""
        self._at = 0

    def peek(self, size: int) -> bytes:
        self._hold(size)
        return self._held[self._at : self._at + size]

    def find(self, wanted: bytes, reach: int) -> int:
        """How far off it is, not farther than `reach`; -1 where it is not."""
        self._hold(reach + len(wanted))
        found = self._held.find(wanted, self._at, self._at + reach + len(wanted)) if wanted else -1
        return found - self._at if found >= 0 else -1

    def take(self, size: int) -> bytes:
        self._hold(size)
        taken = self._held[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def _hold(self, size: int) -> None:
        if len(self._held) - self._at < size:
            more = self._stream.read(max(CHUNK, size))
            self._held = self._held[self._at :] + more
            self._at = 0
