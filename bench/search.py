"""`python -m bench.search [chunks]`: how long an exact search takes, and whether it finds what comparing with all does.

The store itself over the embedded PostgreSQL; random vectors of 384 dimensions, which are as hard as any. 10,000 chunks
take a quarter of a minute, 100,000 a minute.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from backend.clock import monotonic
from backend.devstack import embedded_stack
from backend.vectors.chunks import Chunk, EmbeddedChunk
from backend.vectors.pgvector_store import PgvectorStore

DIMENSIONS = 384
OF_A_DOCUMENT = 100
SEARCHES = 30
NEAREST = 10


def main() -> int:
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as directory, embedded_stack(Path(directory)) as stack:
        os.environ.update(stack.environment())
        from db.schema import migrate

        migrate(stack.database_url)
        found = _measured(chunks)
    print(json.dumps(found, indent=2))
    print(f"{'held ' if found['recall_at_10'] == 1 else 'MISSED'} recall@10 equal to the exact search")
    return 0 if found["recall_at_10"] == 1 else 1


def _measured(chunks: int) -> dict[str, Any]:
    import numpy as np

    from db.database import close_database
    from tests.builders import claimed_task, customer

    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(chunks, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = chance.normal(size=(SEARCHES, DIMENSIONS))
    user = customer()
    store, ingest = PgvectorStore(), _opened(user, claimed_task(user).task_id)
    began = monotonic()
    for start in range(0, chunks, 1000):
        store.stage(ingest, _some(vectors[start : start + 1000].tolist(), start))
    staged = monotonic()
    store.activate(ingest, {f"{n}.md": OF_A_DOCUMENT for n in range(chunks // OF_A_DOCUMENT)})
    activated = monotonic()
    times, hits = [], 0
    for query in queries:
        asked = monotonic()
        found = store.search(ingest.collection_id, query.tolist(), NEAREST)
        times.append(monotonic() - asked)
        hits += len({int(one.content.split()[0]) for one in found} & set(np.argsort(-(vectors @ query))[:NEAREST]))
    close_database()
    return {
        "chunks": chunks,
        "staged_a_second": round(chunks / (staged - began)),
        "activated_ms": round(1000 * (activated - staged)),
        "search_ms_median": round(1000 * statistics.median(times), 1),
        "search_ms_most": round(1000 * max(times), 1),
        "recall_at_10": hits / (SEARCHES * NEAREST),
    }


def _opened(user_id: int, task_id: Any) -> Any:
    from db import ingests
    from db.database import transaction

    with transaction() as session:
        return ingests.open_ingest(session, ingests.Wanted(user_id, "bench", "m", DIMENSIONS, {}), task_id)


def _some(vectors: list[list[float]], start: int) -> list[EmbeddedChunk]:
    return [
        EmbeddedChunk(Chunk(f"{n // OF_A_DOCUMENT}.md", n % OF_A_DOCUMENT, f"{n} {'word ' * 300}"), vector)
        for n, vector in enumerate(vectors, start)
    ]


if __name__ == "__main__":
    sys.exit(main())
