from collections.abc import Sequence
from typing import Any

import pytest
from hall_client import Customer, Hall, problem_of

from backend.doors import get_doors
from backend.embeddings.local import embed_locally
from backend.language_models.questions import Embedded
from backend.vectors.chunks import Chunk, EmbeddedChunk, Ingest
from db import ingests
from db.database import transaction
from tests.builders import claimed_task

MODEL, DIMENSIONS = "local:hashing-384", 384
PAGES = ("Send it back within thirty days.", "An order is paid by card.", "Parcels leave every evening.")


def opened(customer: Customer, name: str = "handbook", *, dimensions: int = DIMENSIONS) -> Ingest:
    wanted = ingests.Wanted(customer.id, name, MODEL, dimensions, {"chunk_size": 512})
    with transaction() as session:
        return ingests.open_ingest(session, wanted, claimed_task(customer.id).task_id)


def ingested(
    customer: Customer,
    name: str = "handbook",
    *,
    document: str = "orders.md",
    pages: Sequence[str] = PAGES,
    **given: Any,
) -> Ingest:
    """A collection with one document, as an ingest leaves it."""
    ingest, store = opened(customer, name), get_doors().vectors.store
    vectors = embed_locally(pages, DIMENSIONS)
    chunks = [
        EmbeddedChunk(Chunk(document, position, page, given), vector)
        for position, (page, vector) in enumerate(zip(pages, vectors, strict=True))
    ]
    store.stage(ingest, chunks)
    store.activate(ingest, {document: len(pages)})
    return ingest


def search(customer: Customer, query: str, name: str = "handbook", **asked: Any) -> list[dict[str, Any]]:
    answer = customer.post(f"/collections/{name}/search", {"query": query, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["hits"]


def test_a_search_finds_the_nearest_pieces_first(customer: Customer) -> None:
    ingested(customer, language="en", year=2025)
    hits = search(customer, "thirty days to send it back", limit=2)
    assert len(hits) == 2
    assert hits[0] == {
        "id": Chunk("orders.md", 0, PAGES[0]).id,
        "document": "orders.md",
        "position": 0,
        "content": PAGES[0],
        "score": pytest.approx(hits[0]["score"]),
        "metadata": {"language": "en", "year": 2025},
    }
    assert 1 >= hits[0]["score"] > hits[1]["score"]


def test_a_search_is_narrowed_by_metadata_and_by_document(customer: Customer) -> None:
    ingested(customer, document="old.md", year=1999)
    ingested(customer, document="new.md", year=2025)
    recent = search(customer, "parcels", filters={"year": {"$gte": 2000}})
    assert {hit["document"] for hit in recent} == {"new.md"}
    assert {hit["document"] for hit in search(customer, "parcels", filters={"$document": "old.md"})} == {"old.md"}


@pytest.mark.parametrize(
    "filters",
    [
        {"year": {"$near": 2000}},
        {"year": {"$gte": "2000"}},
        {"year": {"$in": []}},
        {"year": {}},
        {"year": [2000]},
        {"year": None},
        {"": 1},
        {"$where": "1 = 1"},
        {"$document": 1},
        {"k" * 201: 1},
        {"n": 10**30},
        {"n": 10**400},
    ],
)
def test_a_filter_that_is_none_is_refused_with_its_key(customer: Customer, filters: dict[str, Any]) -> None:
    ingested(customer)
    body = problem_of(customer.post("/collections/handbook/search", {"query": "x", "filters": filters}), 422)
    assert body["error_code"] == "BAD_REQUEST"
    assert body["context"]["fields"][0]["field"] == next(iter(filters))[:200]


@pytest.mark.parametrize(
    "asked", [{"query": ""}, {"query": "  "}, {}, {"query": "x", "limit": 101}, {"query": "x", "limit": 0}]
)
def test_a_search_says_what_for_and_how_many_at_most(customer: Customer, asked: dict[str, Any]) -> None:
    ingested(customer)
    problem_of(customer.post("/collections/handbook/search", asked), 422)


def test_another_customers_collection_is_not_there(customer: Customer, stranger: Customer) -> None:
    ingested(customer)
    for answer in (
        stranger.get("/collections/handbook"),
        stranger.send("DELETE", "/collections/handbook"),
        stranger.post("/collections/handbook/search", {"query": "parcels"}),
    ):
        assert problem_of(answer, 404)["error_code"] == "COLLECTION_NOT_FOUND"
    assert stranger.get("/collections").json() == {"collections": [], "next": None}
    assert search(customer, "parcels")


def test_two_customers_may_call_a_collection_alike(customer: Customer, stranger: Customer) -> None:
    ingested(customer, pages=["mine"])
    ingested(stranger, pages=["theirs"])
    assert [hit["content"] for hit in search(customer, "theirs")] == ["mine"]


@pytest.mark.parametrize("name", ["unknown", "%00", "a%20b", "x" * 200])
def test_a_collection_that_is_not_there_is_a_404(customer: Customer, name: str) -> None:
    problem_of(customer.get(f"/collections/{name}"), 404)
    problem_of(customer.post(f"/collections/{name}/search", {"query": "x"}), 404)


def test_a_collection_without_anything_to_find_says_how_far_it_is(customer: Customer) -> None:
    opened(customer)
    body = problem_of(customer.post("/collections/handbook/search", {"query": "parcels"}), 409)
    assert body["error_code"] == "COLLECTION_NOT_ACTIVE"
    assert body["context"]["status"] == "ingesting"


def test_a_failed_collection_says_why(customer: Customer) -> None:
    get_doors().vectors.store.revert(opened(customer), "The file could not be read.")
    body = problem_of(customer.post("/collections/handbook/search", {"query": "parcels"}), 409)
    assert body["context"] == {"status": "failed", "reason": "The file could not be read."}
    assert customer.get("/collections/handbook").json()["reason"] == "The file could not be read."


def test_what_was_there_is_found_while_more_is_ingested(customer: Customer) -> None:
    ingested(customer)
    opened(customer)
    assert customer.get("/collections/handbook").json()["status"] == "ingesting"
    assert search(customer, "parcels")


def test_a_collection_shows_what_is_in_it(customer: Customer) -> None:
    ingest = ingested(customer)
    shown = customer.get("/collections/handbook").json()
    assert shown["created_at"] <= shown["updated_at"]
    assert {key: value for key, value in shown.items() if not key.endswith("_at")} == {
        "name": "handbook", "status": "active", "reason": None, "embedding_model": MODEL, "dimensions": DIMENSIONS,
        "settings": {"chunk_size": 512}, "document_count": 1, "chunk_count": 3, "task_id": str(ingest.task_id),
    }  # fmt: skip


@pytest.mark.parametrize("number", [0.0, float("nan"), float("inf")])
def test_a_vector_without_a_direction_finds_nothing_and_is_a_hiccup(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, number: float
) -> None:
    async def embed(*_: Any) -> Embedded:
        return Embedded.model_construct(vectors=[[number] * DIMENSIONS])

    ingested(customer)
    monkeypatch.setattr(get_doors().models, "embed", embed)
    answer = customer.post("/collections/handbook/search", {"query": "parcels"})
    assert problem_of(answer, 503)["error_code"] == "MODEL_UNAVAILABLE"


def test_the_list_comes_in_pages_newest_first(customer: Customer) -> None:
    for name in ("first", "second", "third"):
        opened(customer, name)
    page = customer.get("/collections", params={"limit": 2}).json()
    assert [one["name"] for one in page["collections"]] == ["third", "second"]
    rest = customer.get("/collections", params={"limit": 2, "cursor": page["next"]}).json()
    assert ([one["name"] for one in rest["collections"]], rest["next"]) == (["first"], None)
    problem_of(customer.get("/collections", params={"cursor": "nonsense"}), 422)


def test_a_deleted_collection_is_gone_and_its_name_free(customer: Customer) -> None:
    ingest = ingested(customer)
    assert customer.send("DELETE", "/collections/handbook").status_code == 204
    problem_of(customer.get("/collections/handbook"), 404)
    problem_of(customer.send("DELETE", "/collections/handbook"), 404)
    assert get_doors().vectors.store.count(ingest.collection_id).chunks == 0
    ingested(customer, pages=["new"])
    assert [hit["content"] for hit in search(customer, "parcels")] == ["new"]


def test_deleting_twice_with_one_key_is_deleting_once(customer: Customer) -> None:
    ingested(customer)
    key = {"Idempotency-Key": "once"}
    assert customer.send("DELETE", "/collections/handbook", headers=key).status_code == 204
    ingested(customer)
    assert customer.send("DELETE", "/collections/handbook", headers=key).status_code == 204
    assert customer.get("/collections/handbook").status_code == 200


def test_a_model_that_gives_other_vectors_by_now_is_told(customer: Customer) -> None:
    ingest = opened(customer, dimensions=16)
    store = get_doors().vectors.store
    store.stage(ingest, [EmbeddedChunk(Chunk("a", 0, "a"), embed_locally(["a"], 16)[0])])
    store.activate(ingest, {"a": 1})
    body = problem_of(customer.post("/collections/handbook/search", {"query": "a"}), 409)
    assert body["error_code"] == "EMBEDDING_MISMATCH"


def test_who_is_not_signed_in_finds_nothing(hall: Hall) -> None:
    problem_of(hall.send("GET", "/collections"), 401)
    problem_of(hall.send("POST", "/collections/handbook/search", json={"query": "x"}), 401)
