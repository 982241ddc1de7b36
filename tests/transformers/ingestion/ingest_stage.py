"""An ingest without a worker: its agents one after the other, over the real store and a model that counts."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.clock import monotonic
from backend.embeddings.local import embed_locally
from backend.errors import AgensiumError
from backend.language_models.questions import Answer, Budget, Embedded, OnText, Question, Usage
from backend.vectors.chunks import Found
from backend.vectors.door import VectorDoor
from backend.vectors.pgvector_store import PgvectorStore
from db import collections
from db.database import transaction
from db.vector_models import Collection
from tests import builders
from tests.transformers.inference.waiting_stage import MemoryJournal
from tests.transformers.ingestion.ingest_forms import form
from transformers.agents import (
    chunk_documents,
    collect_collections,
    ingest_chunks,
    open_collection,
    plan_collections,
    read_documents,
    store_collection,
)
from transformers.ingestion.bounds import DOCUMENTS
from transformers.ingestion.collection_plan import SUFFIX
from transformers.tool import Agent, AgentContext, Delivery, LocalFile
from transformers.waiting_agent import WaitingContext

MODEL, DIMENSIONS = "local:hashing-64", 64
CHILD = (open_collection, read_documents, chunk_documents, ingest_chunks, store_collection)


@dataclass
class CountingModels:
    """Embeds as the local embedder does, and remembers every text. `act` may raise, or wait, before an answer."""

    texts: list[str] = field(default_factory=list)
    act: Callable[[Sequence[str]], None] = lambda _texts: None
    tokens_told: int = 0  # for each text; 0: this server does not count

    async def embed(self, _model: str, texts: Sequence[str], _budget: Budget) -> Embedded:
        await asyncio.sleep(0)
        self.act(texts)
        self.texts += texts
        usage = Usage(calls=1, input_tokens=self.tokens_told * len(texts))
        return Embedded(vectors=embed_locally(texts, DIMENSIONS), usage=usage)

    async def ask(self, question: Question, budget: Budget, on_text: OnText | None = None) -> Answer:
        raise NotImplementedError


@dataclass
class IngestStage:
    """One task's ingest: its documents, its form, its journal. `run_child` is what a worker does with a child's row."""

    folder: Path
    user_id: int
    documents: Mapping[str, str | bytes]
    asked: Mapping[str, Any] = field(default_factory=dict)
    models: CountingModels = field(default_factory=CountingModels)
    last_try: bool = True
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(range(0)))
    vectors: VectorDoor = field(default_factory=lambda: VectorDoor(PgvectorStore()))
    progress: list[float] = field(default_factory=list)
    earlier: dict[str, Delivery] = field(default_factory=dict)  # of the child that ran last

    def __post_init__(self) -> None:
        for name, content in self.documents.items():
            body = content if isinstance(content, bytes) else content.encode()
            (self.folder / name).write_bytes(body)

    def plan(self) -> Delivery:
        return self.waiting(plan_collections.AGENT, {}, ())

    def all(self) -> Delivery:
        """The whole task; each child has a task of its own."""
        for wave in self.plan().waves:
            for child in wave:
                self.run_child(child.first, child.files[DOCUMENTS])
        self.journal.positions = range(0)
        return self.waiting(collect_collections.AGENT, {}, ())

    def run_child(self, position: int, names: Sequence[str], task_id: uuid.UUID | None = None) -> Delivery:
        self.journal.positions = range(position, position + 1)
        task = task_id or self.new_task()
        self.earlier = {}
        for module in CHILD:
            self.earlier[module.AGENT.id] = self.step(module.AGENT, self.earlier, names, task)
        return self.earlier[store_collection.AGENT.id]

    def step(self, agent: Agent, earlier: Mapping[str, Delivery], names: Sequence[str], task: uuid.UUID) -> Delivery:
        if agent.waits:
            return self.waiting(agent, earlier, names, task)
        scratch = self._scratch()
        files = {DOCUMENTS: self._files(names)}
        known = {"files": files, "earlier": tuple(earlier.values()), "scratch": scratch, "memory_bytes": 2**27}
        return Delivery.of(agent.run(AgentContext(tables={}, parameters=agent.parameters(), **known)))

    def waiting(
        self, agent: Agent, earlier: Mapping[str, Delivery], names: Sequence[str], task: uuid.UUID | None = None
    ) -> Delivery:
        asked = form(**self.asked)
        context = WaitingContext(
            task_id=task or uuid.uuid4(),
            user_id=self.user_id,
            parameters=agent.parameters(),
            forms={ingest_chunks.AGENT.id: asked},
            files={DOCUMENTS: self._files(names)},
            earlier=earlier,
            inputs={DOCUMENTS: tuple(self.documents)},
            scratch=self._scratch(),
            models=self.models,
            default_model="",
            calls_at_once=10,
            deadline=monotonic() + 60,
            journal=self.journal,
            vectors=self.vectors,
            last_try=self.last_try,
            report_progress=self.progress.append,
            tell=_nobody_listens,
            embedding_model=MODEL,
        )
        return asyncio.run(agent.run(context))

    def new_task(self) -> uuid.UUID:
        return builders.claimed_task(self.user_id).task_id

    def failure(self) -> AgensiumError:
        """What the whole task raises."""
        try:
            self.all()
        except AgensiumError as error:
            return error
        raise AssertionError("it went well")

    def record(self, name: str = "documents") -> Collection:
        with transaction() as session:
            return collections.get(session, self.user_id, name)

    def find(self, words: str, name: str = "documents", limit: int = 10, **filters: Any) -> list[Found]:
        [vector] = embed_locally([words], DIMENSIONS)
        return asyncio.run(self.vectors.search(self.record(name).id, vector, limit, filters))

    def _files(self, names: Sequence[str]) -> tuple[LocalFile, ...]:
        return tuple(LocalFile(role=DOCUMENTS, name=name, path=self._path(name)) for name in names)

    def _path(self, name: str) -> Path:
        return next(self.folder.rglob(name)) if name.endswith(SUFFIX) else self.folder / name

    def _scratch(self) -> Path:
        path = self.folder / uuid.uuid4().hex
        path.mkdir()
        return path


async def _nobody_listens(_words: Mapping[str, Any]) -> None:
    pass
