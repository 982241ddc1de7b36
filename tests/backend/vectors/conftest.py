"""One suite for both stores: what is said of `store` holds for pgvector and for ChromaDB."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from shelf import Shelf

from backend.ports import LOOPBACK, free_port
from backend.processes import Process
from backend.vectors.chroma_store import ChromaStore
from backend.vectors.pgvector_store import PgvectorStore
from backend.vectors.store import VectorStore
from tests.builders import customer


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaStore]:
    """One for all tests: opening it takes a third of a second. Ids of collections keep them apart."""
    store = ChromaStore("", tmp_path_factory.mktemp("chroma"))
    yield store
    store._client.close()


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaStore]:
    """The same over HTTP."""
    folder, port = tmp_path_factory.mktemp("chroma-server"), free_port()
    command = [Path(sys.executable).with_name("chroma"), "run", "--path", folder, "--port", port, "--host", LOOPBACK]
    server = Process("chroma", [str(part) for part in command], folder / "server.log")
    server.start()
    try:
        heartbeat = f"http://{LOOPBACK}:{port}/api/v2/heartbeat"
        server.wait_until(lambda: _answers(heartbeat), 60)
        store = ChromaStore(f"http://{LOOPBACK}:{port}", folder)
        yield store
        cast("Any", store._client)._server._session.close()  # its own close() leaves the connections open
    finally:
        server.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(params=["pgvector", "chroma", pytest.param("chroma_server", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest, database: str) -> VectorStore:
    return PgvectorStore() if request.param == "pgvector" else request.getfixturevalue(request.param)


@pytest.fixture
def shelf(store: VectorStore) -> Shelf:
    return Shelf(store, customer())
