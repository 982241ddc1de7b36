from itertools import pairwise

import pytest

from transformers.chunking.sentences import sentence_ends


def sentences(text: str) -> list[str]:
    ends = [0, *sentence_ends(text), len(text)]
    return [text[start:end].strip() for start, end in pairwise(ends)]


@pytest.mark.parametrize(
    "said",
    [
        ["One.", "Two!", "Three?!"],
        ["He said “Go.”", "She went."],
        ["It cost 3.50 euros.", "Cheap."],
        ["See www.example.org now.", "Then rest."],
        ["Dr. Smith met J. Doe, e.g. at noon.", "They left."],
        ["Wait … and see.", "Done."],
        ["etc. and so on."],
        ["¿Qué?", "¡Sí!"],
        ["यह है।", "वह है।"],
        ["Das ist z.B. gut.", "Ende."],
        ["In 1999.", "2000 came."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(said: list[str]) -> None:
    assert sentences(" ".join(said)) == said


def test_full_width_marks_need_no_blank() -> None:
    assert sentences("今日は。元気？「はい。」そう") == ["今日は。", "元気？", "「はい。」", "そう"]


def test_an_empty_line_ends_a_sentence_without_a_mark() -> None:
    assert sentences("A heading\n\nIts text\ngoes on") == ["A heading", "Its text\ngoes on"]


@pytest.mark.parametrize("text", [". " * 50_000, "a.b" * 50_000, "\n" * 100_000, "。" * 50_000, '."' * 50_000])
def test_rubbish_takes_no_more_time_than_its_length(text: str) -> None:
    assert sum(1 for _ in sentence_ends(text)) <= len(text)
