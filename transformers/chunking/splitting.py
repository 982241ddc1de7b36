"""The three ways to cut a text. Each gives windows: start, end and tokens, in order, none without a sign in it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from transformers.chunking.sentences import sentence_ends
from transformers.chunking.tokens import MODEL, MOST_TOKENS, longest_piece, token_pieces, tokens_in
from transformers.chunking.windows import Unit, Window, windows

if TYPE_CHECKING:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

LONGEST_WORD = 2_000  # characters; the splitter's time grows with the square of a word (0.5 s for 100,000)


def fixed(text: str, size: int, overlap: int) -> Iterator[Window]:
    """Windows of exactly `size` tokens, overlapping by exactly `overlap`, as far as no word is cut for it."""
    return windows(text, list(token_pieces(text)), size, overlap)


def by_sentence(text: str, size: int, overlap: int) -> Iterator[Window]:
    """Whole sentences; only one that is longer than a chunk is cut, between words."""
    return windows(text, list(_sentences(text, size)), size, overlap)


def recursive(text: str, size: int, overlap: int, *, is_markdown: bool) -> Iterator[Window]:
    """At the highest border there is: heading, block, paragraph, line, sentence, word. The overlap is the longest run
    of such parts that fits into `overlap` tokens, often shorter, and none where the next part is longer.
    """
    if longest_piece(text) > LONGEST_WORD:
        yield from fixed(text, size, overlap)  # a text of such words has no sentences
        return
    for start, content in _splitter(size, overlap, is_markdown=is_markdown).chunk_indices(text):
        if content.strip():
            yield start, start + len(content), min(size, tokens_in(content))  # the splitter counts exactly


@lru_cache(16)
def _splitter(size: int, overlap: int, *, is_markdown: bool) -> "TextSplitter | MarkdownSplitter":
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    return (MarkdownSplitter if is_markdown else TextSplitter).from_tiktoken_model(MODEL, size, overlap)


def _sentences(text: str, size: int) -> Iterator[Unit]:
    """Runs of whole pieces, so that their tokens add up."""
    ends = iter((*sentence_ends(text), len(text)))
    end = next(ends)
    pieces: list[Unit] = []
    for piece in token_pieces(text):
        if piece[0] >= end and pieces:
            yield from _units(text, pieces, size)
            pieces = []
            while piece[0] >= end:
                end = next(ends)
        pieces.append(piece)
    if pieces:
        yield from _units(text, pieces, size)


def _units(text: str, pieces: list[Unit], size: int) -> Iterator[Unit]:
    """One, or as many as a sentence takes that is longer than a chunk. Near its size, the exact count decides."""
    start, end, tokens = pieces[0][0], pieces[-1][1], sum(piece[2] for piece in pieces)
    if tokens <= size - MOST_TOKENS or tokens_in(text[start:end].strip()) <= size:
        yield start, end, tokens
    else:
        yield from windows(text, pieces, size, 0)
