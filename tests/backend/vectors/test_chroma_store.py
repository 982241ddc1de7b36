"""What needs care because ChromaDB has no transactions."""

import socket
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from shelf import Shelf, chunks_of, sizes

from backend.errors import StorageUnavailable
from backend.ports import LOOPBACK
from backend.settings import Settings
from backend.vectors import chroma_store
from backend.vectors.chroma_store import ChromaStore
from backend.vectors.chunks import Counts
from backend.vectors.pgvector_store import PgvectorStore
from backend.vectors.stores import store_of
from db import collections
from db.database import transaction
from tests.builders import customer
from tests.db.side_by_side import outcome, together


@pytest.fixture
def shelf(chroma: ChromaStore, database: str) -> Shelf:
    return Shelf(chroma, customer())


def names(store: ChromaStore) -> list[str]:
    return store._names("live-") + store._names("staging-")


@pytest.mark.parametrize("step", ["_complete", "_copy", "_remove_older"])
def test_who_is_killed_while_activating_does_it_again(shelf: Shelf, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put(*chunks_of("fruit.md", "apples are red", "bananas are yellow"))
    ingest, new = shelf.ingest(), chunks_of("fruit.md", "apples are green", "bananas are yellow", "plums are blue")
    shelf.store.stage(ingest, new)
    whole = getattr(chroma_store, step)

    def killed(*arguments: object) -> None:
        whole(*arguments)
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(chroma_store, step, killed)
        assert isinstance(outcome(lambda: shelf.store.activate(ingest, sizes(new))), ConnectionError)
    assert shelf.record().status == "ingesting"

    shelf.store.stage(ingest, new)
    assert shelf.store.activate(ingest, sizes(new)) == Counts(1, 3)
    assert shelf.contents() == ["apples are green", "bananas are yellow", "plums are blue"]


def test_what_was_staged_is_gone_even_if_its_task_was_killed_just_after_activating(
    shelf: Shelf, chroma: ChromaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest, new = shelf.ingest(), chunks_of("fruit.md", "apples are green")
    chroma.stage(ingest, new)
    with monkeypatch.context() as patched:
        patched.setattr(ChromaStore, "_remove", lambda *_: None)
        chroma.activate(ingest, sizes(new))
    assert any(ingest.task_id.hex in name for name in names(chroma))
    chroma.sweep(100)
    assert not any(ingest.task_id.hex in name for name in names(chroma))
    assert shelf.contents() == ["apples are green"]


def test_what_another_house_keeps_on_the_same_server_is_left_alone(
    shelf: Shelf, chroma: ChromaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = f"live-{uuid.uuid4().hex}"
    with monkeypatch.context() as patched:
        patched.setattr(chroma, "_house", "another")
        chroma._made(theirs)
    ours = f"live-{uuid.uuid4().hex}"
    chroma._made(ours)
    chroma.sweep(100)
    left = {one.name for one in chroma._client.list_collections()}
    assert theirs in left
    assert ours not in left


def test_of_two_that_activate_one_document_at_once_one_stays(shelf: Shelf) -> None:
    first, second = shelf.ingest(), shelf.ingest()
    red, green = chunks_of("fruit.md", "apples are red"), chunks_of("fruit.md", "apples are green", "and so on")
    shelf.store.stage(first, red)
    shelf.store.stage(second, green)
    answers = together(
        lambda: shelf.store.activate(first, sizes(red)), lambda: shelf.store.activate(second, sizes(green))
    )
    assert all(isinstance(answer, Counts) for answer in answers), answers
    assert shelf.contents() in (["apples are red"], ["and so on", "apples are green"])


def test_a_server_that_is_not_there_is_a_hiccup(database: str, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="The store of vectors did not answer"):
        ChromaStore("http://127.0.0.1:1", tmp_path).count(uuid.uuid4())


def test_a_server_that_never_says_anything_is_a_hiccup(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma_store, "CONNECT_SECONDS", 0.1)
    with socket.create_server((LOOPBACK, 0)) as silent, pytest.raises(StorageUnavailable):
        ChromaStore(f"http://{LOOPBACK}:{silent.getsockname()[1]}", tmp_path).count(uuid.uuid4())


def test_a_server_that_goes_away_is_a_hiccup(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.ingest()

    def gone(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(ChromaStore, "_made", gone)
    with pytest.raises(StorageUnavailable):
        shelf.find("apples")


def test_nothing_is_told_to_anybody(chroma: ChromaStore) -> None:
    assert chroma._client.get_settings().anonymized_telemetry is False


def test_the_setting_says_which_store_it_is(tmp_path: Path) -> None:
    assert isinstance(store_of(Settings(_env_file=None)), PgvectorStore)
    assert isinstance(store_of(Settings(_env_file=None, vector_store="chroma", chroma_path=tmp_path)), ChromaStore)


def test_a_deleted_collection_is_dropped_with_what_is_staged(shelf: Shelf, chroma: ChromaStore) -> None:
    shelf.put(*chunks_of("fruit.md", "apples are red"))
    ingest = shelf.ingest()
    chroma.stage(ingest, chunks_of("stone.md", "granite is hard"))
    with transaction() as session:
        collections.delete_collection(session, shelf.user_id, shelf.name)
    chroma.drop(ingest.collection_id)
    assert not any(ingest.collection_id.hex in name for name in names(chroma))


@pytest.mark.long
def test_no_call_waits_for_ever(chroma_server: ChromaStore) -> None:
    client: Any = chroma_server._client
    assert client._server._session.timeout == httpx.Timeout(30, connect=5)
