"""Real processes and a model that counts: documents become collections, whatever is done to the worker."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from backend.vectors.pgvector_store import PgvectorStore
from db.database import libpq_url
from tests.acceptance.house import House, rebind
from tests.model_server import ModelServer

FRUIT = {
    "apples.txt": b"Apples are red and grow on trees.",
    "bananas.md": b"# Bananas\n\nBananas are yellow.",
    "people.csv": b"name,age\nAda,36\nGrace,85\n",
}


@pytest.fixture
def house(models_house: House) -> House:
    return models_house


def submit(house: House, documents: Mapping[str, bytes], **ingest: Any) -> str:
    """The task's id; its documents are sent some at once."""
    task_id: str = house.post("/tasks", {"tool_id": "ingest-documents", "parameters": {"ingest": ingest}})["task_id"]
    files = [{"filename": name, "size": len(body)} for name, body in documents.items()]
    links = house.post(f"/tasks/{task_id}/upload-urls", {"files": {"documents": files}})["uploads"]["documents"]
    with ThreadPoolExecutor(8) as threads:
        sent = threads.map(_send, links, documents.items())
        assert all(answer.is_success for answer in sent)
    house.post(f"/tasks/{task_id}/process", {})
    return task_id


def _send(link: Mapping[str, Any], file: tuple[str, bytes]) -> httpx.Response:
    return httpx.post(link["url"], data=link["fields"], files={"file": file})


def search(house: House, name: str, query: str, **asked: Any) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = house.post(f"/collections/{name}/search", {"query": query, **asked})["hits"]
    return hits


def stored(house: House, collection: str, *states: str) -> list[str]:
    """The content of each chunk whose document is in one of these states; staged and live are all that counts."""
    with psycopg.connect(libpq_url(house.database_url)) as connection:
        rows = connection.execute(
            "SELECT c.content FROM collection_chunks c JOIN collection_documents d ON d.id = c.document_id "
            "JOIN collections o ON o.id = d.collection_id WHERE o.name = %s AND d.state = ANY(%s)",
            [collection, list(states)],
        )
        return [row[0] for row in rows]


def sweep(house: House) -> None:
    """What a conductor does once a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", house.database_url)
        rebind()
        PgvectorStore().sweep(10_000)
    rebind()


def embedded(models: ModelServer) -> list[str]:
    return [text for request in models.requests for text in request["input"]]


def rows(count: int, topic: str) -> dict[str, bytes]:
    """One document; each row becomes a chunk."""
    return {f"{topic}.csv": b"".join([b"text\n", *(f"Sentence {n} about {topic}.\n".encode() for n in range(count))])}


def test_documents_become_collections_that_are_searched_with_filters_and_paid_by_tokens(house: House) -> None:
    collections = [
        {"name": "fruit", "documents": ["apples.txt", "*.md"], "metadata": {"kind": "plant"}, "gates": True},
        {"name": "people", "documents": ["*.csv"]},
    ]
    task = house.ended(submit(house, FRUIT, collections=collections, metadata={"apples.txt": {"year": 1900}}))
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert search(house, "fruit", "yellow bananas")[0]["document"] == "bananas.md"
    assert [hit["document"] for hit in search(house, "fruit", "bananas", filters={"year": 1900})] == ["apples.txt"]
    assert [hit["metadata"]["row"] for hit in search(house, "people", "Grace 85", limit=1)] == [2]
    assert house.get("/collections/fruit")["status"] == "active"
    report = house.get(f"/tasks/{task['task_id']}/report")["report"]
    told = report["agent_results"]["collect-collections"]["data"]["collections"]
    assert [(one["collection"], one["documents"], one["vectors"]) for one in told] == [
        ("fruit", 2, 2),
        ("people", 1, 2),
    ]
    children = house.get(f"/tasks/{task['task_id']}/children")["children"]
    assert [(child["status"], child["progress"], child["first_item"]) for child in children] == [
        ("COMPLETED", 100, 0),
        ("COMPLETED", 100, 1),
    ]
    tokens = sum(one["tokens"] for one in told)
    entries = house.entries(task["task_id"])
    assert entries["CAPTURE", "ingest"] == -(-tokens // 1000)
    assert sum(entries.values()) == 2 * entries["HOLD", "ingest"], "what was held is captured or released"


def test_what_cannot_go_well_is_refused_at_submit(house: House) -> None:
    created = house.post("/tasks", {"tool_id": "ingest-documents", "parameters": {"ingest": {"collections": [
        {"name": "fruit", "documents": ["*.doc"]}]}}})  # fmt: skip
    files = [{"filename": "a.txt", "size": 5}]
    path = f"/tasks/{created['task_id']}"
    links = house.post(f"{path}/upload-urls", {"files": {"documents": files}})["uploads"]["documents"]
    assert _send(links[0], ("a.txt", b"hello")).is_success
    refused = house.request("POST", f"{path}/process", {})
    assert (refused.status_code, refused.json()["error_code"]) == (422, "BAD_PARAMETERS")
    assert "'*.doc'" in refused.json()["detail"]


def test_behind_a_gate_that_failed_nothing_begins_and_an_ingest_of_nothing_costs_nothing(
    house: House, models: ModelServer
) -> None:
    documents = {"bad.pdf": b"%PDF-1.7\nnothing more", "good.txt": b"Good words."}
    collections = [
        {"name": "gate", "documents": ["bad.pdf"], "gates": True},
        {"name": "behind", "documents": ["good.txt"]},
    ]
    task = house.ended(submit(house, documents, collections=collections))
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "NOTHING_INGESTED"), task
    assert "'gate' was not ingested" in task["error"]["message"]
    assert embedded(models) == ["gate"]
    assert house.request("GET", "/collections/behind", {}).status_code == 404
    entries = house.entries(task["task_id"])
    assert entries["HOLD", "ingest"] == entries["RELEASE", "ingest"]


def test_a_killed_workers_ingest_embeds_nothing_again_that_was_staged_and_doubles_nothing(
    house: House, models: ModelServer
) -> None:
    models.delay = 0.5
    task_id = submit(house, rows(1000, "rivers"), collections=[{"name": "rivers"}])
    house.wait(task_id, lambda _task: len(stored(house, "rivers", "staged")) >= 96)
    assert search_refused(house, "rivers"), "what is staged is not found"
    house.worker.kill()
    kept = set(stored(house, "rivers", "staged"))
    assert 0 < len(kept) < 1000
    models.requests.clear()
    models.delay = 0.0
    house.start_worker()
    assert house.ended(task_id)["status"] == "COMPLETED"
    assert not kept & set(embedded(models))
    live = stored(house, "rivers", "live", "staged")
    assert len(live) == len(set(live)) == house.get("/collections/rivers")["chunk_count"] == 1000


def search_refused(house: House, name: str) -> bool:
    answer = house.request("POST", f"/collections/{name}/search", {"query": "anything"})
    return answer.status_code == 409


def test_a_cancelled_ingest_leaves_nothing(house: House, models: ModelServer) -> None:
    models.delay = 0.5
    task_id = submit(house, rows(1000, "lakes"), collections=[{"name": "lakes"}])
    house.wait(task_id, lambda _task: len(stored(house, "lakes", "staged")) >= 96)
    house.post(f"/tasks/{task_id}/cancel", {})
    assert house.ended(task_id)["status"] == "CANCELLED"
    models.delay = 0.0
    assert stored(house, "lakes", "live") == []
    sweep(house)
    assert stored(house, "lakes", "staged", "live", "removed") == []
    assert house.get("/collections/lakes")["status"] == "draft"
    assert {kind for kind, _agent in house.entries(task_id)} == {"HOLD", "RELEASE"}


def test_the_same_documents_again_replace_and_new_ones_add(house: House) -> None:
    def vectors(documents: Mapping[str, bytes]) -> int:
        task = house.ended(submit(house, documents, collections=[{"name": "hills"}]))
        assert task["status"] == "COMPLETED", task
        count: int = house.get("/collections/hills")["chunk_count"]
        return count

    hills = rows(50, "hills")
    assert vectors(hills) == vectors(hills) == 50
    assert vectors({"hills.csv": b"text\nA new text.\n", "more.txt": b"One more."}) == 2
    assert [hit["content"] for hit in search(house, "hills", "One more.", limit=1)] == ["One more."]


def test_one_collection_fails_with_its_reason_and_a_retry_ingests_it_alone(house: House, models: ModelServer) -> None:
    documents = {"good.txt": b"Good words.", "bad.pdf": b"%PDF-1.7\nnothing more"}
    collections = [{"name": "good", "documents": ["*.txt"]}, {"name": "bad", "documents": ["*.pdf"]}]
    task = house.ended(submit(house, documents, collections=collections))
    assert (task["status"], task["outcome"]) == ("COMPLETED", "partial"), task
    told = house.get("/collections/bad")
    assert told["status"] == "failed"
    assert "bad.pdf" in told["reason"]
    models.requests.clear()
    retried = house.ended(house.post(f"/tasks/{task['task_id']}/retry", {})["task_id"])
    assert retried["outcome"] == "partial"
    assert embedded(models) == ["bad"], "the good one is neither read nor embedded again"
