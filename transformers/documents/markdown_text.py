"""Markdown as it is written, one passage a section, with the path of headings above it."""

import re
from collections.abc import Generator, Iterator

from transformers.documents.passage import Passage
from transformers.documents.plain_text import PIECE, with_plain_line_ends
from transformers.intake.encodings import as_utf8
from transformers.intake.reading import SourceFile

HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
BLOCK = re.compile(r"\s*$| {0,3}(?:[-*+>|]|\d+[.)]) ?|    ")  # a line that no heading's underline can follow


def read_markdown(file: SourceFile) -> Generator[Passage]:
    yield from sections(_lines(file))


def sections(lines: Iterator[str]) -> Iterator[Passage]:
    """A heading stands in the text of its own section. What is longer than a piece is cut at a line's end."""
    path: list[tuple[int, str]] = []
    section: list[str] = []
    fence, length = "", 0
    for line in lines:
        heading = None if fence else _heading(line, section)
        if heading and heading[2] and section:
            underlined = section.pop()
            line = f"{underlined}\n{line}"  # noqa: PLW2901 (a setext heading has two lines)
        if (heading or length > PIECE) and section:
            yield _passage(section, path)
            section, length = [], 0
        if heading:
            path = [(level, title) for level, title in path if level < heading[0]] + [heading[:2]]
        fence = _fence_after(line, fence)
        section.append(line)
        length += len(line) + 1
    yield _passage(section, path)


def _passage(section: list[str], path: list[tuple[int, str]]) -> Passage:
    return Passage("\n".join(section), headings=tuple(title for _, title in path), is_markdown=True)


def _heading(line: str, section: list[str]) -> tuple[int, str, bool] | None:
    """Level, title, and whether the title is the line before."""
    if found := HEADING.match(line):
        return len(found[1]), (found[2] or "").strip(), False
    found = UNDERLINE.match(line)
    if found and section and not BLOCK.match(section[-1]):
        return (1 if found[1][0] == "=" else 2), section[-1].strip(), True
    return None


def _fence_after(line: str, fence: str) -> str:
    """The mark that the code block which is open after this line began with."""
    found = FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and not line.strip().strip(fence[0]) else fence


def _lines(file: SourceFile) -> Iterator[str]:
    rest = ""
    for piece in as_utf8(file).pieces(PIECE):
        *lines, rest = (rest + with_plain_line_ends(piece)).split("\n")
        yield from lines
    yield rest
