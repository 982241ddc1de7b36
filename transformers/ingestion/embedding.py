"""Embeds a collection's chunks, a few groups at once, and stages each group as it comes: that is its checkpoint.

What a killed worker had staged is neither asked nor stored again.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from backend.language_models.questions import Budget, Usage
from backend.vectors.chunks import Chunk as StoredChunk
from backend.vectors.chunks import EmbeddedChunk, Ingest, Scalar
from backend.vectors.filters import fault_in_metadata
from transformers.chunking.chunk import Chunk
from transformers.ingestion.collection_plan import CollectionPlan
from transformers.ingestion.work_files import grouped
from transformers.waiting_agent import WaitingContext

GROUP = 96  # chunks in one request; what is lost with a killed worker is LANES of them at most
GROUP_TOKENS = 100_000  # in one request; OpenAI takes 300,000 as it counts them
LANES = 4  # requests at once of one collection: many collections are ingested at the same time


@dataclass
class EmbeddingRun:
    """One child's embedding. `usage` grows; of what was staged before it counts the chunker's own tokens."""

    context: WaitingContext
    plan: CollectionPlan
    ingest: Ingest
    chunks: int
    usage: Usage = field(default_factory=Usage)
    done: int = 0
    _is_over: bool = False

    async def over(self, chunks: Iterable[Chunk]) -> None:
        """Raises ModelRefused, ModelUnavailable; CollectionNotFound: the collection was deleted meanwhile."""
        staged = await self.context.vectors.staged(self.ingest)
        groups = grouped(self._missing(chunks, staged), GROUP, GROUP_TOKENS)
        budget = self.context.budget(self.chunks // GROUP + 1)
        lanes = [asyncio.ensure_future(self._lane(groups, budget)) for _ in range(LANES)]
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
            self._is_over = True
            await asyncio.wait(lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            ended = await asyncio.gather(*lanes, return_exceptions=True)
        if failures := [failure for failure in ended if failure is not None]:
            raise failures[0]

    def _missing(self, chunks: Iterable[Chunk], staged: frozenset[str]) -> Iterator[Chunk]:
        for chunk in chunks:
            if stored(chunk, {}).id in staged:
                self._count(1, Usage(input_tokens=chunk.tokens))
            else:
                yield chunk

    async def _lane(self, groups: Iterator[list[Chunk]], budget: Budget) -> None:
        """Group by group. When another lane has failed, what was asked already is still staged."""
        for group in groups:
            texts = [chunk.text for chunk in group]
            embedded = await self.context.models.embed(self.plan.embedding_model, texts, budget)
            pairs = zip(group, embedded.vectors, strict=True)
            documents = self.plan.documents
            with_vectors = [EmbeddedChunk(stored(chunk, documents[chunk.document]), vector) for chunk, vector in pairs]
            await self.context.vectors.stage(self.ingest, with_vectors)
            self._count(len(group), _used(embedded.usage, group))
            if self._is_over:
                return

    def _count(self, chunks: int, usage: Usage) -> None:
        self.done += chunks
        self.usage += usage
        self.context.report_progress(self.done / self.chunks)


def stored(chunk: Chunk, metadata: Mapping[str, Scalar]) -> StoredChunk:
    """As the store takes it: what the customer says of a document goes over what its file says, where that fits."""
    place: dict[str, Scalar | None] = {
        "page": chunk.page,
        "sheet": chunk.sheet,
        "row": chunk.row,
        "headings": " > ".join(chunk.headings) or None,
    }
    known = {name: value for name, value in place.items() if value is not None}
    own = {name: value for name, value in chunk.metadata.items() if fault_in_metadata({name: value}) is None}
    return StoredChunk(chunk.document, chunk.index, chunk.text, {**own, **known, **metadata})


def _used(usage: Usage, group: Iterable[Chunk]) -> Usage:
    """Servers of one's own, and the local embedder, may not count tokens: then ours are what was used."""
    if usage.tokens:
        return usage
    return usage.model_copy(update={"input_tokens": sum(chunk.tokens for chunk in group)})
