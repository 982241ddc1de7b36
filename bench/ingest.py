"""`python -m bench.ingest`: 1,000 documents ingested twice, and whether a search finds what an exact search finds.

The product as it runs (API, one worker of two slots, pgvector, the local embedder). Ten thousand chunks; a hundred
searches over HTTP, each against every stored vector by numpy. About two minutes.
"""

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psutil
import psycopg

from backend.chaos.deployment import Deployment
from backend.clock import monotonic
from backend.devstack import Stack, embedded_stack
from backend.embeddings.local import embed_locally
from db.database import libpq_url

DOCUMENTS = 1_000
PARAGRAPHS = 10  # of a document; each becomes a chunk
QUERIES = 100
NEAREST = 10
DIMENSIONS = 384
TIE = 1e-6  # float32's last digits decide between chunks that are as near as that
PATIENCE = 600.0
WORDS = 5_000  # of the documents' language; a few are said often, most seldom


def main() -> int:
    with tempfile.TemporaryDirectory() as directory, embedded_stack(Path(directory)) as stack:
        from db.schema import migrate

        migrate(stack.database_url)
        settings = {"CELERY_WORKER_CONCURRENCY": "2", "SIGNUP_CREDITS": "10000000"}
        house = Deployment(stack, "prefork", Path(directory), stack.database_url, settings)
        try:
            house.open()
            found = _measured(house, stack)
        finally:
            house.close()
    print(json.dumps(found, indent=2))
    first, second = found["vectors"]
    held = first == second >= DOCUMENTS * PARAGRAPHS and found["recall_at_10"] == 1.0
    print(f"{'held ' if held else 'MISSED'} as many vectors after the second ingest; recall@10 of the exact search 1.0")
    return 0 if held else 1


def _measured(house: Deployment, stack: Stack) -> dict[str, Any]:
    language, load = Language(), psutil.getloadavg()[0]
    documents = {f"document-{n}.txt": language.document() for n in range(DOCUMENTS)}
    with httpx.Client(base_url=house.api_url, timeout=60) as http:
        _register(http)
        runs = [_ingest(http, documents) for _ in range(2)]
        queries = [language.sentence() for _ in range(QUERIES)]
        recall, milliseconds = _searched(http, _stored(stack.database_url), queries)
    return {
        "load_average": [round(load, 1), round(psutil.getloadavg()[0], 1)],
        "documents": DOCUMENTS,
        "vectors": [vectors for vectors, _, _ in runs],
        "upload_seconds": [round(seconds, 1) for _, seconds, _ in runs],
        "submit_to_end_seconds": [round(seconds, 1) for _, _, seconds in runs],
        "seconds_a_step": _steps(stack.database_url),
        "recall_at_10": recall,
        "search_ms": {"median": round(median(milliseconds), 1), "most": round(max(milliseconds), 1)},
    }


class Language:
    """Made-up words, always the same, by Zipf's law: a search over them has near misses, as one over real text has."""

    def __init__(self) -> None:
        self._chance = random.Random(6)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._words = ["".join(self._chance.choices(letters, k=self._chance.randint(3, 9))) for _ in range(WORDS)]
        self._weights = [1 / rank for rank in range(1, WORDS + 1)]

    def sentence(self) -> str:
        return " ".join(self._chance.choices(self._words, self._weights, k=self._chance.randint(5, 12)))

    def document(self) -> bytes:
        """Paragraphs so long that no two of them share a chunk of 64 tokens."""
        paragraphs = (" ".join(self._chance.choices(self._words, self._weights, k=18)) for _ in range(PARAGRAPHS))
        return "\n\n".join(paragraphs).encode()


def _register(http: httpx.Client) -> None:
    account = {"email": "bench@example.com", "password": "correct horse battery staple"}
    token = http.post("/auth/register", json=account).raise_for_status().json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"


def _ingest(http: httpx.Client, documents: dict[str, bytes]) -> tuple[int, float, float]:
    """Vectors in the collection afterwards; seconds of the upload, and from the submit to the end."""
    wanted = [{"name": "bench", "chunk_size": 64, "chunk_overlap": 0}]
    asked = {"tool_id": "ingest-documents", "parameters": {"ingest": {"collections": wanted}}}
    task_id = http.post("/tasks", json=asked).raise_for_status().json()["task_id"]
    files = [{"filename": name, "size": len(body)} for name, body in documents.items()]
    began = monotonic()
    said = http.post(f"/tasks/{task_id}/upload-urls", json={"files": {"documents": files}}).raise_for_status().json()
    with httpx.Client(timeout=60) as store, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda link, file: _send(store, link, file), said["uploads"]["documents"], documents.items()))
    submitted = monotonic()
    http.post(f"/tasks/{task_id}/process", json={}).raise_for_status()
    while (task := http.get(f"/tasks/{task_id}", params={"wait": 10}).json())["status"] != "COMPLETED":
        if task["status"] in {"FAILED", "CANCELLED"} or monotonic() - submitted > PATIENCE:
            raise SystemExit(f"the ingest did not complete: {task}")
    ended = monotonic()
    return http.get("/collections/bench").json()["chunk_count"], submitted - began, ended - submitted


def _send(store: httpx.Client, link: dict[str, Any], file: tuple[str, bytes]) -> None:
    store.post(link["url"], data=link["fields"], files={"file": file}).raise_for_status()


def _steps(database_url: str) -> dict[str, list[float]]:
    """How long each step of the collection's child took, in the first ingest and in the second."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        rows = connection.execute(
            "SELECT s.agent_id, array_agg(s.duration_ms ORDER BY t.created_at) FROM task_steps s "
            "JOIN tasks t ON t.id = s.task_id WHERE t.parent_id IS NOT NULL GROUP BY s.agent_id"
        ).fetchall()
    return {agent: [round(each / 1000, 1) for each in milliseconds] for agent, milliseconds in rows}


def _stored(database_url: str) -> tuple[list[str], "np.ndarray[Any, Any]"]:
    """Ids and vectors of everything that is live."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        rows = connection.execute(
            "SELECT c.id, c.embedding::text FROM collection_chunks c "
            "JOIN collection_documents d ON d.id = c.document_id WHERE d.state = 'live'"
        ).fetchall()
    return [row[0] for row in rows], np.array([json.loads(row[1]) for row in rows])


def _searched(
    http: httpx.Client, stored: tuple[list[str], "np.ndarray[Any, Any]"], queries: Sequence[str]
) -> tuple[float, list[float]]:
    """The share of the nearest chunks that was found, and the milliseconds of each search."""
    ids, vectors = stored
    places = {chunk_id: place for place, chunk_id in enumerate(ids)}
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    right, milliseconds = 0, []
    for query in queries:
        began = monotonic()
        said = http.post("/collections/bench/search", json={"query": query, "limit": NEAREST}).raise_for_status().json()
        milliseconds.append(1000 * (monotonic() - began))
        scores = vectors @ np.array(embed_locally([query], DIMENSIONS)[0])
        least = np.sort(scores)[-NEAREST]
        right += sum(scores[places[hit["id"]]] >= least - TIE for hit in said["hits"])
    return right / (NEAREST * len(queries)), milliseconds


if __name__ == "__main__":
    sys.exit(main())
