"""Plain text, in pieces that end where a paragraph or at least a line ends."""

from collections.abc import Generator, Iterable, Iterator

from transformers.documents.passage import PARAGRAPHS, Passage
from transformers.intake.encodings import as_utf8
from transformers.intake.reading import SourceFile

PIECE = 2**16  # characters in one passage: a chapter; long enough that its borders cut few chunks
LINE_ENDS = str.maketrans({"\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"})


def read_text(file: SourceFile) -> Generator[Passage]:
    for piece, joint in pieces(as_utf8(file).pieces(PIECE)):
        yield Passage(with_plain_line_ends(piece), joint=with_plain_line_ends(joint))


def whole_text(file: SourceFile, longest: int) -> str:
    """For formats that are parsed in one piece. What is longer than `longest` characters is cut off just beyond it."""
    parts, length = [], 0
    for part in as_utf8(file).pieces(PIECE):
        parts.append(part)
        length += len(part)
        if length > longest:
            break
    return with_plain_line_ends("".join(parts))


def with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(LINE_ENDS)


def pieces(parts: Iterable[str], joint: str = PARAGRAPHS) -> Iterator[tuple[str, str]]:
    """The parts' text, cut where it may be cut; each piece with what stood between it and the one before."""
    rest = ""
    for part in parts:
        rest += part
        at = 0
        while len(rest) - at > 2 * PIECE:
            border, end = _border(rest, at)
            yield rest[at:border], joint
            at, joint = end, rest[border:end]
        rest = rest[at:]
    yield rest, joint


def _border(text: str, start: int) -> tuple[int, int]:
    for mark in ("\n\n", "\r\n\r\n", "\n", "\r", " "):
        if (at := text.rfind(mark, start + PIECE // 2, start + PIECE)) > 0:
            return at, at + len(mark)
    return start + PIECE, start + PIECE
