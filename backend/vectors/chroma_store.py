"""Vectors in ChromaDB, an extra: on a server, or in files that one process alone may use. Sends no telemetry.

ChromaDB has no transactions, and its search is approximate (HNSW). What is live lies in one collection of ChromaDB's,
what a task stages in another of its own. Activation copies, then removes what was replaced, then settles the record:
killed anywhere, it can be done again; for that moment a search may see a document's old and new chunks together.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.errors import CollectionNotFound, InternalError
from backend.vectors.chroma_answers import answering
from backend.vectors.chroma_wording import (
    DOCUMENT_KEY,
    ID_KEY,
    POSITION_KEY,
    TASK_KEY,
    found_in,
    metadata_of,
    where_all,
    where_of,
)
from backend.vectors.chunks import Counts, EmbeddedChunk, Found, Ingest
from backend.vectors.filters import Condition
from db import collections, ingests
from db.database import house, transaction

if TYPE_CHECKING:
    import httpx
    from chromadb import Collection
    from chromadb.api import ClientAPI

AT_ONCE = 1000  # chunks a request
CONNECT_SECONDS, CALL_SECONDS = 5.0, 30.0
NAMES_AT_ONCE = 100  # SQLite underneath takes so many values in one question
_INDEX: Any = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}}
_LIVE, _STAGING, _HOUSE = "live-", "staging-", "house"


class ChromaStore:
    """Implements VectorStore (store.py)."""

    def __init__(self, url: str, path: Path) -> None:
        self._url = url
        self._path = path

    @cached_property
    def _client(self) -> "ClientAPI":
        """Opened at first use: only who asks for vectors needs the library."""
        return _client_at(self._url, self._path)

    @cached_property
    def _house(self) -> str:
        with transaction() as session:
            return house(session)

    @answering()
    def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        with transaction() as session:
            ingests.stage_into(session, ingest)
        staging = self._made(_staging(ingest))
        for start in range(0, len(chunks), AT_ONCE):
            some = chunks[start : start + AT_ONCE]
            staging.upsert(
                ids=[f"{one.chunk.document}\x1f{one.chunk.position}" for one in some],
                embeddings=_vectors([one.vector for one in some]),
                documents=[one.chunk.content for one in some],
                metadatas=[metadata_of(one.chunk, ingest.task_id) for one in some],
            )

    @answering()
    def staged(self, ingest: Ingest) -> frozenset[str]:
        pages = _pages(self._made(_staging(ingest)), "metadatas")
        return frozenset(told[ID_KEY] for page in pages for told in page["metadatas"])

    @answering()
    def activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        with ingests.one_at_a_time(ingest.collection_id):
            with transaction() as session:
                ingests.task_is_alive(session, ingest.task_id)
                is_open = ingests.is_open(session, ingest)
            return self._activate(ingest, documents) if is_open else self._activated_before(ingest, documents)

    @answering()
    def revert(self, ingest: Ingest, reason: str | None) -> None:
        with transaction() as session:
            ingests.settle(session, ingest, reason=reason)
        self._remove(_staging(ingest))

    @answering()
    def search(
        self, collection_id: uuid.UUID, vector: Sequence[float], limit: int, conditions: Sequence[Condition] = ()
    ) -> list[Found]:
        live = self._made(_live(collection_id))
        include: Any = ["metadatas", "documents", "distances"]
        answer = live.query(
            query_embeddings=_vectors([vector]), n_results=limit, where=where_of(conditions), include=include
        )
        return found_in(answer)

    @answering()
    def count(self, collection_id: uuid.UUID) -> Counts:
        live = self._made(_live(collection_id))
        first_ones: Any = {POSITION_KEY: 0}
        return Counts(len(live.get(where=first_ones, include=[])["ids"]), live.count())

    @answering()
    def drop(self, collection_id: uuid.UUID) -> None:
        self._remove(_live(collection_id))
        for name in self._names(f"{_STAGING}{collection_id.hex}"):
            self._remove(name)

    @answering()
    def sweep(self, limit: int) -> int:
        with transaction() as session:
            ended = ingests.ended_ingests(session, limit)
        for one in ended:
            self.revert(one.ingest, one.reason)
        return len(ended) + self._remove_orphans()

    def _activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        staging, live = self._made(_staging(ingest)), self._made(_live(ingest.collection_id))
        _complete(staging, documents)
        _copy(staging, live, documents)
        _remove_older(live, ingest, list(documents))
        counts = self.count(ingest.collection_id)
        with transaction() as session:
            ingests.task_is_alive(session, ingest.task_id)
            ingests.settle(session, ingest, counts=counts)
        self._remove_orphans()  # among them what this task has staged
        return counts

    def _remove_orphans(self) -> int:
        """What is ours without a record, or staged without an open ingest: somebody was killed before removing it."""
        live, staging = self._names(_LIVE), self._names(_STAGING)  # before the records are read, which come first
        with transaction() as session:
            records = {_live(found) for found in collections.known(session, [uuid.UUID(n[len(_LIVE) :]) for n in live])}
            opened = {_staging(ingest) for ingest in ingests.open_ingests(session)}
        orphans = {*live, *staging} - records - opened
        for name in orphans:
            self._remove(name)
        return len(orphans)

    def _activated_before(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        """Raises CollectionNotFound unless this task has made all of them live."""
        live = self._made(_live(ingest.collection_id))
        mine: Any = where_all({TASK_KEY: str(ingest.task_id)}, {POSITION_KEY: 0})
        told: Any = live.get(where=mine, include=["metadatas"])["metadatas"] or []
        if not documents or not {one[DOCUMENT_KEY] for one in told} >= documents.keys():
            raise CollectionNotFound
        return self.count(ingest.collection_id)

    def _made(self, name: str) -> "Collection":
        return self._client.get_or_create_collection(
            name, configuration=_INDEX, embedding_function=None, metadata={_HOUSE: self._house}
        )

    def _remove(self, name: str) -> None:
        from chromadb.errors import NotFoundError

        with suppress(NotFoundError):
            self._client.delete_collection(name)

    def _names(self, prefix: str) -> list[str]:
        """Of what this house has made: another one may be a guest of the same server."""
        made: list[Collection] = []
        while page := self._client.list_collections(limit=AT_ONCE, offset=len(made)):
            made += page
        ours = [one.name for one in made if (one.metadata or {}).get(_HOUSE) == self._house]
        return [name for name in ours if name.startswith(prefix)]


def _client_at(url: str, path: Path) -> "ClientAPI":
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if not url:
        return chromadb.PersistentClient(path, settings)
    patience = _reached(url)
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    client: Any = chromadb.HttpClient(
        parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls, settings=settings
    )
    client._server._session.timeout = patience  # noqa: SLF001 (it waits for ever, and no setting says otherwise)
    return client  # type: ignore[no-any-return]


def _reached(url: str) -> "httpx.Timeout":
    """How long a call may take, of a server that has just answered: its client asks it as soon as it is made."""
    import httpx

    patience = httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS)
    httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=CONNECT_SECONDS).raise_for_status()
    return patience


def _vectors(of: Sequence[Sequence[float]]) -> Any:
    return [list(vector) for vector in of]


def _live(collection_id: uuid.UUID) -> str:
    return f"{_LIVE}{collection_id.hex}"


def _staging(ingest: Ingest) -> str:
    return f"{_STAGING}{ingest.collection_id.hex}-{ingest.task_id.hex}"


def _pages(of: "Collection", *include: str) -> Iterator[Any]:
    """All that is in there, AT_ONCE a page."""
    wanted: Any = list(include)
    offset = 0
    while (page := of.get(limit=AT_ONCE, offset=offset, include=wanted))["ids"]:
        yield page
        offset += AT_ONCE


def _complete(staging: "Collection", documents: Mapping[str, int]) -> None:
    """Raises InternalError: a document has not as many chunks as it should, before any is live."""
    found = Counter(
        told[DOCUMENT_KEY]
        for page in _pages(staging, "metadatas")
        for told in page["metadatas"]
        if told[POSITION_KEY] < documents.get(told[DOCUMENT_KEY], 0)
    )
    short = [name for name, size in documents.items() if found[name] != size]
    if short:
        raise InternalError(detail=f"{len(short)} documents are not staged completely")


def _copy(staging: "Collection", live: "Collection", documents: Mapping[str, int]) -> None:
    """By the chunks' own ids: what is the same is there once."""
    for page in _pages(staging, "metadatas", "documents", "embeddings"):
        told = page["metadatas"]
        kept = [n for n, one in enumerate(told) if one[POSITION_KEY] < documents.get(one[DOCUMENT_KEY], 0)]
        if kept:
            live.upsert(
                ids=[told[n][ID_KEY] for n in kept],
                embeddings=[page["embeddings"][n] for n in kept],
                documents=[page["documents"][n] for n in kept],
                metadatas=[told[n] for n in kept],
            )


def _remove_older(live: "Collection", ingest: Ingest, names: Sequence[str]) -> None:
    others: Any = {TASK_KEY: {"$ne": str(ingest.task_id)}}
    for start in range(0, len(names), NAMES_AT_ONCE):
        some: Any = {DOCUMENT_KEY: {"$in": list(names[start : start + NAMES_AT_ONCE])}}
        live.delete(where=where_all(some, others))
