"""Text as a reader sees it: one form for each character, nothing invisible, no page furniture.

What is in a document is data: characters that show nothing, or turn the line around, can only hide an order to a
model from whoever reads the text, so they go. Letters, punctuation and layout stay as they were written.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from transformers.documents.page_furniture import without_furniture
from transformers.documents.passage import Passage
from transformers.documents.plain_text import pieces

# All but tab and line feed; also U+FFFE, U+FFFF and halves of surrogate pairs, which no database takes. Those of
# Latin-1 go later: they are part of a text whose encoding was mistaken.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
LATE_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Shows nothing: soft hyphen, Hangul fillers, zero-width space and word joiner, bidi marks and embeddings, BOM, tags,
# supplementary variation selectors (bytes can be hidden in them). The joiners U+200C and U+200D, which Persian, Indic
# scripts and emoji need, and the selectors of emoji stay where a letter or sign stands before them.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]|(?<![^\\s\x00-\x7f])[\u200c\u200d\ufe00-\ufe0f]+"
)
HYPHENATED = re.compile(r"(?<=[^\W\d_]{2})[-\u2010]\n[ \t]*(?=[^\W\d_]{2})")
BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
LINE_BORDERS = re.compile(r"(?: ?\n ?)")
TRAILING_BLANKS = re.compile(r"(?<![^\S\n])[^\S\n]+(?=\n|\Z)")
EMPTY_LINES = re.compile(r"\n{3,}")


def cleaned(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Those with text left, in passages that are not too long to be held and cut."""
    for passage in without_furniture(passages):
        text = clean_text(passage.text, keeps_indents=passage.is_markdown)
        if passage.page is not None:
            text = _joined_words(text)
        if text:
            headings = tuple(map(clean_line, passage.headings))
            for piece, joint in pieces([text], passage.joint):
                yield replace(passage, text=piece, joint=joint, headings=headings)


def clean_text(text: str, *, keeps_indents: bool = False) -> str:
    """NFC, mojibake mended, invisible characters gone; runs of blanks one blank, of empty lines one empty line."""
    text = CONTROLS.sub("", text)
    if not text.isascii():
        text = INVISIBLE.sub("", "\n".join(map(_mended, text.split("\n"))))
        text = unicodedata.normalize("NFC", LATE_CONTROLS.sub("", text))
    text = TRAILING_BLANKS.sub("", text) if keeps_indents else LINE_BORDERS.sub("\n", BLANKS.sub(" ", text))
    return EMPTY_LINES.sub("\n\n", text).strip("\n" if keeps_indents else None)


def clean_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _mended(line: str) -> str:
    """Line by line: one that is sound must not keep another from being read anew."""
    from transformers.cleaning.mojibake import mended

    found = None if line.isascii() else mended(line)
    return found[0] if found else line


def _joined_words(text: str) -> str:
    """Words that the end of a printed line had cut in two."""
    return HYPHENATED.sub("", text)
