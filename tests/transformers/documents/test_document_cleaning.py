import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transformers.documents.cleaning import clean_text, cleaned
from transformers.documents.passage import Passage


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("cafe\u0301", "café"),
        ("cafÃ© â€œquotedâ€\x9d", "café “quoted”"),
        ("pass\u00adword", "password"),
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("user\u202egnp.exe\u202c", "usergnp.exe"),
        ("\u2066x\u2069", "x"),
        ("hi\U000e0049\U000e0067\U000e006e", "hi"),  # “Ign” in tag characters, which nobody sees
        ("a\ufe01\U000e0101b", "ab"),
        ("nul\0 bell\x07 esc\x1b[0m", "nul bell esc[0m"),
        ("half\ud800", "half"),
        ("sound: 漢字\nbroken: cafÃ©", "sound: 漢字\nbroken: café"),
        ("a \t\u00a0 b", "a b"),
        ("a  \n \n\n\n  b", "a\n\nb"),
    ],
)
def test_what_nobody_sees_goes_and_what_is_broken_is_mended(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@pytest.mark.parametrize(
    "text", ["می\u200cخواهم", "👩\u200d👧", "❤\ufe0f", "क्\u200dष", "naïve “quotes” — dash", "x² ½ ﬁ"]
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert clean_text(text) == unicodedata.normalize("NFC", text)


@given(st.text(st.characters(exclude_categories=["Cc"]), max_size=200))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_text(text)

    assert clean_text(once) == once


@given(st.text(max_size=200), st.booleans())
def test_a_clean_text_is_normal_and_can_be_stored(text: str, keeps_indents: bool) -> None:
    clean = clean_text(text, keeps_indents=keeps_indents)

    assert unicodedata.is_normalized("NFC", clean)
    assert not set(clean) & set(map(chr, [*range(9), *range(11, 32), 127, 0x200B, 0x202E, 0xFEFF]))
    clean.encode()


def pages(*texts: str) -> list[str]:
    return [page.text for page in cleaned(Passage(text, page=number) for number, text in enumerate(texts, start=1))]


def test_a_word_cut_at_the_end_of_a_printed_line_is_joined() -> None:
    assert pages("an exam-\nple, 1990-\n1995 and X-\nray") == ["an example, 1990-\n1995 and X-\nray"]


def test_hyphens_of_other_documents_stay() -> None:
    (passage,) = cleaned([Passage("an exam-\nple")])

    assert passage.text == "an exam-\nple"


def test_headers_and_footers_that_pages_repeat_are_dropped() -> None:
    texts = pages(
        *(
            f"Annual Report\nWords of {word}\nof the\nthird\nline {word}\nPage {at} of 4"
            for at, word in enumerate("abcd", 1)
        )
    )

    assert texts == [f"Words of {word}\nof the\nthird\nline {word}" for word in "abcd"]


def test_left_and_right_pages_have_headers_of_their_own() -> None:
    texts = pages(
        *(f"{'Left' if at % 2 else 'Right'}\n{at} one\ntwo {at}\nthree {at} x\nfour {at} y\nfive" for at in range(6))
    )

    assert not any("Left" in text or "Right" in text for text in texts)


def test_two_pages_that_begin_alike_keep_their_lines() -> None:
    assert all("Same" in text for text in pages("Same\na\nb\nc\nd\ne", "Same\nf\ng\nh\ni\nj"))


def test_short_pages_keep_all_lines() -> None:
    assert pages("Title 1", "Title 2", "Title 3") == ["Title 1", "Title 2", "Title 3"]


def test_a_repeated_line_in_the_middle_of_pages_stays() -> None:
    texts = pages(*(f"{w}1\n{w}2\n{w}3\nRepeated\n{w}4\n{w}5\n{w}6" for w in "abcd"))

    assert all("Repeated" in text for text in texts)


def test_passages_without_text_left_are_dropped() -> None:
    assert [passage.text for passage in cleaned([Passage("\u200b"), Passage("x"), Passage(" \n")])] == ["x"]
