import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from transformers.chunking.tokens import LONGEST_PIECE, MODEL, MOST_TOKENS, token_pieces, tokens_in

WORDS = (
    st.lists(st.text("abcdefghijäöüßéœñABC .,;:!?'-_()\"0123456789€", max_size=12), max_size=30)
    .map(" ".join)
    .map(str.strip)
)


def exact(text: str) -> int:
    """The smallest size of a chunk that takes the text whole."""
    sizes = range(1, 4 * len(text) + 2)
    return next(
        size for size in sizes if len(TextSplitter.from_tiktoken_model(MODEL, size, trim=False).chunks(text)) <= 1
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("antidisestablishmentarianism", 6), ("12345", 2),
     ("<|endoftext|>", 7)],
)  # fmt: skip
def test_tokens_are_those_of_the_encoding(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens


@given(WORDS.filter(bool))
def test_the_count_of_words_is_exact(text: str) -> None:
    assert tokens_in(text) == exact(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60).filter(bool))
def test_the_count_of_any_text_is_never_too_low(text: str) -> None:
    assert tokens_in(text) >= exact(text)


@given(st.text(max_size=300))
def test_pieces_are_the_text_and_none_is_long(text: str) -> None:
    pieces = list(token_pieces(text))

    assert "".join(text[start:end] for start, end, _ in pieces) == text
    assert all(0 < tokens <= MOST_TOKENS for _, _, tokens in pieces)


@pytest.mark.parametrize(
    ("sign", "tokens"), [("é", 1), ("漢", 2), ("🎉", 3), ("\U00020000", 3), ("٣", 2), ("\u3000", 1)]
)
def test_a_sign_of_many_tokens_is_no_single_one(sign: str, tokens: int) -> None:
    assert tokens_in(sign) == tokens


@pytest.mark.parametrize("text", ["x" * 10_000, "é" * 3_000, "-" * 10_000, "漢" * 3_000, "🎉" * 3_000])
def test_a_word_without_end_is_counted_in_parts(text: str) -> None:
    assert tokens_in(text) >= len(text) / LONGEST_PIECE
