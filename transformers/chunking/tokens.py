"""How many tokens a text has, in OpenAI's encoding cl100k (that of its embedding models; other models' are close).

The encoding lies in the splitter's own library: nothing is downloaded. It is loaded with the first count, once a
process: 60 ms and 25 MB. The library does not tell a count, but whether a text fits; so a text is cut where the
encoding cuts it (words with their blank, three digits, signs), and each distinct piece is asked for once.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex
    from semantic_text_splitter import TextSplitter

MODEL = "text-embedding-3-small"
# cl100k's rule, as its authors published it with tiktoken.
PIECE = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
    r"|\s+(?!\S)|\s"
)
LONGEST_PIECE = 32  # characters; the encoding's time grows with the square of a piece, so longer ones are cut
# Scripts written without blanks: a run is a whole clause, and hardly ever the same twice. Thai, Lao, Burmese, Khmer,
# Kana, Han.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
MOST_TOKENS = 16  # of a piece that is not cut
SHORT_PIECE = 4  # characters: at most MOST_TOKENS, each character being at most four bytes
PIECES_KEPT = 100_000  # distinct ones, about 15 MB: the words of any one language's documents


def tokens_in(text: str) -> int:
    """About a microsecond for three words. Exact for a clean text whose words have blanks between them and are no
    longer than LONGEST_PIECE; else it may be a little more, as each sign or part is counted for itself.
    """
    return sum(_tokens_of(piece) for piece in _pattern().findall(text))


def token_pieces(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and tokens of each piece; together they are the text. One of many tokens comes in shorter parts."""
    for match in _pattern().finditer(text):
        start, end = match.span()
        tokens = _tokens_of(match[0])
        if tokens <= MOST_TOKENS:
            yield start, end, tokens
            continue
        for at in range(start, end, SHORT_PIECE):
            until = min(at + SHORT_PIECE, end)
            yield at, until, _tokens_of(text[at:until])


def longest_piece(text: str) -> int:
    """In characters."""
    return max((match.end() - match.start() for match in _pattern().finditer(text)), default=0)


@lru_cache(PIECES_KEPT)
def _tokens_of(piece: str) -> int:
    step = 1 if UNSPACED.search(piece) else LONGEST_PIECE
    if len(piece) > step:
        return sum(_tokens_of(piece[at : at + step]) for at in range(0, len(piece), step))
    if _fits(piece, 1):
        return 1
    low, high = 1, len(piece.encode("utf-8", "replace"))  # a token is at least one byte
    while high - low > 1:
        middle = (low + 3 * high) // 4  # what fits is told ten times as fast as what does not
        low, high = (low, middle) if _fits(piece, middle) else (middle, high)
    return high


def _fits(piece: str, tokens: int) -> bool:
    """A single character is never split, however many tokens it has: so it stands beside another one, of one token."""
    if len(piece) == 1 and not piece.isascii():
        piece, tokens = ("\n" if piece.isnumeric() else "0") + piece, tokens + 1
    return len(_splitter(tokens).chunks(piece)) <= 1


@cache
def _splitter(tokens: int) -> "TextSplitter":
    from semantic_text_splitter import TextSplitter

    return TextSplitter.from_tiktoken_model(MODEL, tokens, trim=False)


@cache
def _pattern() -> "regex.Pattern[str]":
    import regex

    return regex.compile(PIECE)
