"""What a submit of an ingest fixes and refuses: nobody pays for a task that cannot go well."""

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.errors import BadParameters, NoInputFiles, ToolUnavailable, UnknownAgent
from backend.storage.objects import ObjectInfo
from db.task_store import Submission
from transformers.ingest_documents_transformer import INGEST_DOCUMENTS
from transformers.ingestion.bounds import DOCUMENTS
from transformers.input_plan import PlannedFile
from transformers.submission import ArrivedFile, Surroundings, submission_for

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def arrived(**sizes: int) -> dict[str, list[ArrivedFile]]:
    files = []
    for name, size in sizes.items():
        file = PlannedFile(filename=f"{name}.txt", key=f"key/{name}", content_type="text/plain", size=size)
        files.append(ArrivedFile(file, ObjectInfo(file.key, size, "e", LONG_AGO)))
    return {DOCUMENTS: files} if files else {}


def submitted(files: dict[str, list[ArrivedFile]], *agents: str, why: str | None = None, **ingest: Any) -> Submission:
    known = Surroundings(paces={}, read=lambda _key: b"", why_unavailable=lambda _model: why)
    return submission_for(INGEST_DOCUMENTS, agents, {"ingest": ingest}, files, known)


def test_the_most_that_the_documents_may_take_is_held_on_one_agent() -> None:
    asked = submitted(arrived(a=10_000, b=5_000), collections=[{"name": "x", "chunk_size": 100, "chunk_overlap": 0}])
    assert {agent: price for agent, price in asked.prices.items() if price} == {"ingest": 15}
    assert list(asked.tariffs) == ["ingest"]


def test_a_bound_that_is_given_is_held_instead() -> None:
    assert submitted(arrived(a=10**7), max_tokens=2_500).prices["ingest"] == 3


def test_a_pattern_that_fits_nothing_and_a_document_without_a_collection_are_refused() -> None:
    with pytest.raises(BadParameters, match="no document is called so"):
        submitted(arrived(a=1), collections=[{"name": "x", "documents": ["b.txt"]}])
    with pytest.raises(BadParameters, match="goes to no collection"):
        submitted(arrived(a=1, b=1), collections=[{"name": "x", "documents": ["b.txt"]}])


def test_collections_of_one_name_are_refused() -> None:
    with pytest.raises(BadParameters, match="two collections are called 'x'"):
        submitted(arrived(a=1), collections=[{"name": "x"}, {"name": "x"}])


def test_an_ingest_of_nothing_is_refused() -> None:
    with pytest.raises(NoInputFiles):
        submitted(arrived())


def test_a_model_that_is_not_set_up_is_refused() -> None:
    with pytest.raises(ToolUnavailable, match="No key"):
        submitted(arrived(a=1), why="No key.", embedding_model="openai:x")


def test_a_model_that_makes_no_vectors_is_refused() -> None:
    with pytest.raises(BadParameters, match="makes no vectors here"):
        submitted(arrived(a=1), embedding_model="anthropic:claude")


def test_half_of_its_steps_cannot_be_chosen() -> None:
    with pytest.raises(UnknownAgent, match="leave the agents out"):
        submitted(arrived(a=1), "ingest")
    every = [step.id for step in INGEST_DOCUMENTS.steps]
    assert submitted(arrived(a=1), *every).agents == every
