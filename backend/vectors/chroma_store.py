"""Vectors in ChromaDB, an extra: on a server, or in files that one process alone may use.

ChromaDB has no transactions and its search is approximate. So chunks are staged in a collection of their own and
activation copies them over, in an order in which it may stop anywhere and be done again. Sends no telemetry.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.errors import InternalError
from backend.vectors.chunks import Chunk, Counts, EmbeddedChunk, Found, Ingest, Scalar
from backend.vectors.filters import DOCUMENT, Condition, Operator
from db import collections
from db.database import transaction

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api import ClientAPI

AT_ONCE = 1000  # chunks a request
# Ours among the customer's metadata keys; a filter's key cannot begin so.
_DOCUMENT, _POSITION, _TASK, _GIVEN, _ID = "$document", "$position", "$task", "$given", "$id"
_INDEX = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}}


class ChromaStore:
    """Implements VectorStore (store.py)."""

    def __init__(self, url: str, path: Path) -> None:
        self._url = url
        self._path = path

    def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        with transaction() as session:
            collections.must_be_open(session, ingest)
        staging = self._staging(ingest.collection_id)
        for some in _in_parts(chunks):
            staging.upsert(
                ids=[f"{ingest.task_id}:{one.chunk.document}:{one.chunk.position}" for one in some],
                embeddings=[list(one.vector) for one in some],
                documents=[one.chunk.content for one in some],
                metadatas=[_metadata(one.chunk, ingest.task_id) for one in some],
            )
