import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformers.chunking.chunk import Chunk, chunk_id
from transformers.chunking.chunk_file import ChunkCount, read_chunks, write_chunks
from transformers.chunking.chunker import FLOW, Chunker, ChunkerForm
from transformers.chunking.tokens import tokens_in
from transformers.documents.passage import Passage

FORMS = pytest.mark.parametrize("form", ChunkerForm)
WORDS = st.text("abcdefgäß .!?,\n\n日本。🎉1", min_size=0, max_size=40)
TEXTS = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
PASSAGES = st.lists(
    st.builds(
        Passage, TEXTS, stands_alone=st.booleans(), is_markdown=st.booleans(), joint=st.sampled_from(["", "\n", "\n\n"])
    ),
    max_size=6,
)  # fmt: skip
SIZES = st.integers(32, 64).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size // 2)))
STORY = (
    "The old man walked home. It rained all day, and nobody saw him!\n\nWas he alone? He was not: a dog ran along. "
    * 60
)


def document_text(passages: Sequence[Passage]) -> str:
    return "".join((passage.joint if at else "") + passage.text for at, passage in enumerate(passages))


def chunks_of(text: str, **settings: object) -> list[Chunk]:
    return list(Chunker(**settings).chunks("d", [Passage(text)]))  # type: ignore[arg-type]


@FORMS
@given(passages=PASSAGES, sizes=SIZES)
@settings(deadline=None, max_examples=60)
def test_chunks_cover_the_text_and_none_is_too_large(
    form: ChunkerForm, passages: list[Passage], sizes: tuple[int, int]
) -> None:
    size, overlap = sizes
    text, covered = document_text(passages), 0
    chunks = list(Chunker(form, size, overlap).chunks("d", passages))

    for index, chunk in enumerate(chunks):
        assert chunk.index == index
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip(), "a chunk without a sign in it"
        assert 0 < chunk.tokens <= size
        assert tokens_in(chunk.text) >= chunk.tokens
        assert not text[covered : chunk.start].strip(), "something is in no chunk"
        assert chunk.end > covered, "a chunk that adds nothing"
        if chunk.start < covered:
            assert tokens_in(text[chunk.start : covered]) <= overlap + 2  # cut anew, a word may take a token more
        covered = chunk.end
    assert not text[covered:].strip()


@FORMS
def test_the_same_document_gives_the_same_chunks(form: ChunkerForm) -> None:
    assert chunks_of(STORY, form=form, size=64, overlap=16) == chunks_of(STORY, form=form, size=64, overlap=16)


@pytest.mark.parametrize(("size", "overlap"), [(512, 50), (1024, 128), (512, 64), (2048, 256)])
def test_fixed_windows_are_full_and_overlap_exactly(size: int, overlap: int) -> None:
    words = " ".join(["one two three four five six seven eight nine ten"] * 1_000)  # a token each
    chunks = chunks_of(words, form=ChunkerForm.FIXED, size=size, overlap=overlap)

    assert {chunk.tokens for chunk in chunks[:-1]} == {size}
    for before, after in pairwise(chunks):
        assert tokens_in(words[after.start : before.end]) == overlap


def test_without_overlap_no_character_is_in_two_chunks() -> None:
    for form in ChunkerForm:
        chunks = chunks_of(STORY, form=form, size=64, overlap=0)
        assert all(before.end <= after.start for before, after in pairwise(chunks))


def test_sentences_stay_whole() -> None:
    for chunk in chunks_of(STORY, form=ChunkerForm.SENTENCE, size=40, overlap=10):
        assert chunk.text[0].isupper()
        assert chunk.text[-1] in ".!?"


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    sentence = "word " * 200 + "end."
    chunks = chunks_of(sentence, form=ChunkerForm.SENTENCE, size=50, overlap=0)

    assert {word for chunk in chunks for word in chunk.text.split()} == {"word", "end."}


def test_the_recursive_form_cuts_at_paragraphs_first() -> None:
    paragraphs = [f"Paragraph {number} " + "says some words more. " * 4 for number in range(20)]
    chunks = chunks_of("\n\n".join(map(str.strip, paragraphs)), size=64, overlap=0)

    assert all(chunk.text.startswith("Paragraph") for chunk in chunks)


def test_a_long_markdown_document_is_cut_at_its_headings() -> None:
    parts = [
        Passage(f"## Part {at}\n\n" + "Some words. " * 12, headings=("Top", f"Part {at}"), is_markdown=True)
        for at in range(9)
    ]
    chunks = list(Chunker(size=64, overlap=0).chunks("d", parts))

    assert all(chunk.text.startswith("## Part") for chunk in chunks)
    assert [chunk.headings for chunk in chunks] == [part.headings for part in parts]


def test_a_chunk_knows_its_first_and_last_page() -> None:
    pages = [Passage(f"Page {number} has words.", page=number) for number in (3, 4, 7)]
    (chunk,) = Chunker().chunks("d", pages)

    assert (chunk.page, chunk.last_page) == (3, 7)
    assert chunk.text == "Page 3 has words.\n\nPage 4 has words.\n\nPage 7 has words."


def test_rows_are_never_joined_and_keep_what_is_known_of_them() -> None:
    rows = [
        Passage(f"name: {name}", row=row, sheet="s", stands_alone=True, metadata={"k": row})
        for row, name in enumerate("abc", 1)
    ]
    chunks = list(Chunker().chunks("d", rows))

    assert [(chunk.text, chunk.row, chunk.sheet, chunk.metadata) for chunk in chunks] == [
        ("name: a", 1, "s", {"k": 1}), ("name: b", 2, "s", {"k": 2}), ("name: c", 3, "s", {"k": 3}),
    ]  # fmt: skip


def test_an_id_is_made_of_document_place_and_content() -> None:
    assert chunk_id("d", 0, "x") == chunk_id("d", 0, "x")
    parts = [
        ("d", 0, "x"),
        ("e", 0, "x"),
        ("d", 1, "x"),
        ("d", 0, "y"),
        ("d0", 0, "x"),
        ("d", 10, "x"),
        ("1:d", 0, "x"),
    ]
    assert len({chunk_id(*part) for part in parts}) == len(parts)
    assert len(chunk_id("d", 0, "x")) == 64


def test_an_id_is_the_same_in_every_version_of_the_product() -> None:
    assert chunk_id("report.pdf", 3, "Héllo") == "f5c07aeeb96d3ccaf1fb08733d1004cdeedfc97af9a1b84305f94dd582ea1179"


@pytest.mark.parametrize(
    "settings",
    [{"size": 31}, {"size": 8_192}, {"overlap": -1}, {"size": 100, "overlap": 51}, {"size": 0, "overlap": 0}],
)
def test_sizes_that_make_no_chunks_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="size"):
        Chunker(**settings)  # type: ignore[arg-type]


@FORMS
@pytest.mark.parametrize(
    "text", ["a" * 200_000, "-" * 200_000, "漢字" * 50_000, "🎉" * 50_000, "x " * 100_000, "[" * 100_000]
)
def test_rubbish_is_cut_in_linear_time(form: ChunkerForm, text: str) -> None:
    begun = time.process_time()
    passages = [Passage(text[at : at + 100_000], is_markdown=True, joint="") for at in range(0, len(text), 100_000)]
    chunks = list(Chunker(form).chunks("d", passages))

    assert max(chunk.tokens for chunk in chunks) <= 512
    assert time.process_time() - begun < 5


def test_a_long_document_is_cut_flow_by_flow() -> None:
    """What is held at once is a flow, not the document; where one ends the offsets go on."""
    given: list[int] = []

    def passages() -> object:
        for number in range(30):
            given.append(number)
            yield Passage(STORY * 15)

    first = next(Chunker().chunks("d", passages()))  # type: ignore[arg-type]

    assert first.start == 0
    assert sum(len(STORY * 15) for _ in given) <= FLOW + 2 * len(STORY * 15)


def test_chunks_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    chunks = chunks_of(STORY, size=64, overlap=8)
    counts = [write_chunks(part, tmp_path / "c.jsonl") for part in (chunks[:3], chunks[3:])]

    assert list(read_chunks(tmp_path / "c.jsonl")) == chunks
    assert counts == [ChunkCount(len(part), sum(chunk.tokens for chunk in part)) for part in (chunks[:3], chunks[3:])]
