"""What the door adds to a store: it opens, it checks, it blocks nobody."""

import asyncio
import math
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from shelf import DIMENSIONS, chunks_of, sizes

from backend.errors import BadRequest, InternalError
from backend.vectors.chunks import Chunk, Counts, EmbeddedChunk, Ingest, Vectors
from backend.vectors.door import VectorDoor
from backend.vectors.pgvector_store import PgvectorStore
from tests.builders import claimed_task, customer


@pytest.fixture
def door(database: str) -> VectorDoor:
    return VectorDoor(PgvectorStore())


async def opened(door: Vectors) -> Ingest:
    user = customer()
    task_id = claimed_task(user).task_id
    return await door.open(user, "library", task_id, model="local:hashing-64", dimensions=DIMENSIONS, settings={})


def test_an_agent_opens_stages_and_activates(door: VectorDoor) -> None:
    async def ingest() -> list[Any]:
        ingest, chunks = await opened(door), chunks_of("fruit.md", "apples are red", "plums are blue")
        await door.stage(ingest, chunks)
        assert await door.staged(ingest) == {one.chunk.id for one in chunks}
        counts = await door.activate(ingest, sizes(chunks))
        assert counts == await door.count(ingest.collection_id) == Counts(1, 2)
        return await door.search(ingest.collection_id, chunks[1].vector, 1, {"$document": "fruit.md"})

    [found] = asyncio.run(ingest())
    assert found.content == "plums are blue"


def test_an_agent_reverts(door: VectorDoor) -> None:
    async def ingest() -> frozenset[str]:
        ingest = await opened(door)
        await door.stage(ingest, chunks_of("fruit.md", "apples are red"))
        await door.revert(ingest, "The file could not be read.")
        return await door.staged(ingest)

    assert asyncio.run(ingest()) == frozenset()


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "a b", "ä", "a" * 101, "a\n"])
def test_a_name_that_no_address_could_have_is_refused(door: VectorDoor, name: str) -> None:
    opening = door.open(customer(), name, uuid.uuid4(), model="m", dimensions=2, settings={})
    with pytest.raises(BadRequest):
        asyncio.run(opening)


@pytest.mark.parametrize(
    "vector",
    [[], [1.0] * (DIMENSIONS - 1), [0.0] * DIMENSIONS, [math.nan] * DIMENSIONS, [math.inf] * DIMENSIONS],
    ids=["empty", "short", "zero", "nan", "inf"],
)
def test_what_is_no_vector_is_not_kept(door: VectorDoor, vector: list[float]) -> None:
    async def ingest() -> None:
        await door.stage(await opened(door), [EmbeddedChunk(Chunk("a", 0, "a"), vector)])

    with pytest.raises(InternalError):
        asyncio.run(ingest())


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk("", 0, "a"),
        Chunk("a" * 501, 0, "a"),
        Chunk("a", 0, "a", {"$document": "b"}),
        Chunk("a", 0, "a", {"": "b"}),
        Chunk("a", 0, "a", {"k": math.nan}),
        Chunk("a", 0, "a", {"k": ["v"]}),  # type: ignore[dict-item]
        Chunk("a", 0, "a", {"k": None}),  # type: ignore[dict-item]
    ],
    ids=["no name", "long name", "our key", "no key", "nan", "list", "null"],
)
def test_what_could_not_be_filtered_by_is_refused(door: VectorDoor, chunk: Chunk) -> None:
    async def ingest() -> None:
        await door.stage(await opened(door), [EmbeddedChunk(chunk, [1.0] * DIMENSIONS)])

    with pytest.raises(BadRequest):
        asyncio.run(ingest())


def test_what_no_database_takes_is_left_out_of_a_chunk() -> None:
    chunk = Chunk("a\x00", 0, "b\x00c\ud800", {"k\x00": "v\x00"})
    assert (chunk.document, chunk.content, chunk.metadata) == ("a", "bc?", {"k": "v"})
    assert chunk.id == Chunk("a", 0, "bc?").id


def test_an_id_is_of_document_place_and_content() -> None:
    chunk = Chunk("a", 1, "b", {"k": "v"})
    assert chunk.id == replace(chunk, metadata={}).id
    others = [
        replace(chunk, document="b"),
        replace(chunk, position=2),
        replace(chunk, content="c"),
        Chunk("a1", 0, "b"),
    ]
    assert len({chunk.id, *(other.id for other in others)}) == 5


def test_a_slow_search_does_not_stop_the_loop() -> None:
    begun, free = threading.Event(), threading.Event()

    class Slow(PgvectorStore):
        def count(self, _collection_id: object) -> Counts:
            begun.set()
            assert free.wait(10)
            return Counts(1, 1)

    async def both() -> Counts:
        counting = asyncio.ensure_future(VectorDoor(Slow()).count(None))  # type: ignore[arg-type]
        assert await asyncio.to_thread(begun.wait, 10)
        free.set()
        return await counting

    assert asyncio.run(both()) == Counts(1, 1)
