"""Chunks are staged as they are embedded: what a killed worker had staged is not asked again, nothing is doubled."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.errors import ModelUnavailable
from tests import builders
from tests.transformers.ingestion.ingest_stage import IngestStage
from transformers.agents import store_collection
from transformers.chunking.chunk import Chunk
from transformers.ingestion.embedding import GROUP, stored
from transformers.ingestion.work_files import grouped

ROWS = 3 * GROUP + 5


def chunk(index: int = 0, tokens: int = 1, **known: object) -> Chunk:
    return Chunk(id="", document="a.txt", index=index, text="words", start=0, end=5, tokens=tokens, **known)  # type: ignore[arg-type]


@pytest.fixture
def rows(database: str, tmp_path: Path) -> IngestStage:
    body = "text\n" + "".join(f"Sentence number {n}\n" for n in range(ROWS))
    return IngestStage(tmp_path, builders.customer(), {"rows.csv": body})


class Dies:
    """The model answers so many groups, then the worker is gone."""

    def __init__(self, groups: int) -> None:
        self.left = groups

    def __call__(self, texts: Sequence[str]) -> None:
        if len(texts) > 1:  # not the question for the dimensions
            self.left -= 1
            if self.left < 0:
                raise ModelUnavailable


def test_a_resumed_ingest_asks_only_for_what_was_not_staged(rows: IngestStage) -> None:
    names, task = rows.plan().waves[0][0].files["documents"], rows.new_task()
    rows.models.act, rows.last_try = Dies(2), False
    with pytest.raises(ModelUnavailable):
        rows.run_child(0, names, task)
    before = [text for text in rows.models.texts if text != "documents"]
    assert len(before) == 2 * GROUP
    rows.models.act = lambda _texts: None
    rows.models.texts.clear()
    done = rows.run_child(0, names, task).result.data
    again = [text for text in rows.models.texts if text != "documents"]
    assert not set(before) & set(again)
    assert len(before) + len(again) == done["chunks"] == done["vectors"] == ROWS


def test_the_tokens_of_what_was_staged_before_are_paid_for_too(rows: IngestStage) -> None:
    names, task = rows.plan().waves[0][0].files["documents"], rows.new_task()
    rows.models.act, rows.last_try = Dies(1), False
    with pytest.raises(ModelUnavailable):
        rows.run_child(0, names, task)
    rows.models.act = lambda _texts: None
    resumed = rows.run_child(0, names, task).result.data["tokens"]
    undisturbed = rows.run_child(0, names).result.data["tokens"]
    assert resumed == undisturbed > ROWS


def test_storing_twice_is_storing_once(rows: IngestStage) -> None:
    names, task = rows.plan().waves[0][0].files["documents"], rows.new_task()
    first = rows.run_child(0, names, task)
    earlier = dict(rows.earlier)
    assert rows.step(store_collection.AGENT, earlier, names, task).result.data == first.result.data
    assert rows.record().chunk_count == ROWS


def test_groups_are_bounded_by_chunks_and_by_tokens() -> None:
    sizes = [len(group) for group in grouped((chunk(n, tokens=3) for n in range(7)), most=4, most_tokens=9)]
    assert sizes == [3, 3, 1]
    assert [len(group) for group in grouped((chunk(n) for n in range(5)), 2, 100)] == [2, 2, 1]
    assert [len(group) for group in grouped([chunk(tokens=50)], 2, 10)] == [1], "a large one comes alone"


def test_a_chunk_is_stored_with_its_place_and_what_the_customer_said_goes_over_it() -> None:
    found = stored(chunk(page=3, headings=("A", "B"), metadata={"author": "file", "page": 1}), {"author": "me"})
    assert found.metadata == {"page": 3, "headings": "A > B", "author": "me"}


def test_what_a_file_says_of_itself_and_no_store_takes_is_left_out() -> None:
    assert stored(chunk(metadata={"$where": "x", "score": float("nan"), "kind": "a"}), {}).metadata == {"kind": "a"}
