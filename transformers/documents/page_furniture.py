"""Headers and footers: the lines that a document's pages repeat at their top and bottom, but for the page's number."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from transformers.documents.passage import Passage

EDGE = 2  # lines at the top, and as many at the bottom, that may be furniture
FEWEST_PAGES = 3  # two pages may begin alike by chance
SHARE = 0.5  # of the pages: books have other headers left and right
FEWEST_LINES = 2 * EDGE + 1  # of a shorter page nobody can tell what is text
NUMBER = r"(?:\d+|\b[ivxlc]+\b)"
PAGE_NUMBER = re.compile(rf"^\W*{NUMBER}(?!\w)|(?<!\w){NUMBER}(?:\s*\W?(?:of|von|de|sur|/)\s*\d+)?\W*$", re.IGNORECASE)


def without_furniture(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Passages that are no pages go through at once; pages are held until the last of them has been seen."""
    pages: list[Passage] = []
    for passage in passages:
        if passage.page is None:
            yield passage
        else:
            pages.append(passage)
    repeated = _repeated(pages)
    for page in pages:
        yield replace(page, text=_without(page.text, repeated)) if repeated else page


def _repeated(pages: list[Passage]) -> frozenset[str]:
    if len(pages) < FEWEST_PAGES:
        return frozenset()
    counts = Counter(line for page in pages for line in {_shape(line) for line in _edges(page.text)})
    least = max(FEWEST_PAGES, SHARE * len(pages) * 0.9)
    return frozenset(shape for shape, count in counts.items() if count >= least)


def _edges(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return [*lines[:EDGE], *lines[-EDGE:]] if len(lines) >= FEWEST_LINES else []


def _without(text: str, repeated: frozenset[str]) -> str:
    if not _edges(text):
        return text
    lines = text.strip().splitlines()
    for position in (0, -1):
        for _ in range(EDGE):
            if lines and (_shape(lines[position]) in repeated or not lines[position].strip()):
                lines.pop(position)
    return "\n".join(lines)


def _shape(line: str) -> str:
    return PAGE_NUMBER.sub("#", " ".join(line.split()))
