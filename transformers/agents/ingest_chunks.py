"""ingest: embeds one collection's chunks and stages them, found by nobody yet. The step that is paid for, by tokens.

It has the form of the whole ingest: what a customer says stands under its name.
"""

from collections.abc import Mapping
from pathlib import Path

from backend.errors import BadParameters, UnreadableFile
from transformers.chunking.chunk_file import read_chunks
from transformers.findings import AgentResult
from transformers.ingestion.bounds import most_tokens
from transformers.ingestion.collection_plan import CollectionPlan, given
from transformers.ingestion.embedding import EmbeddingRun
from transformers.ingestion.ending import failing_in_words
from transformers.ingestion.form import IngestForm
from transformers.ingestion.outcome import CutDocuments, Embedding, Ingested, OpenedIngest, ReadDocuments
from transformers.ingestion.work_files import CHUNKS, left_before
from transformers.tool import Agent, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "ingest"
OPEN, READ, CHUNK = "open-collection", "read-documents", "chunk-documents"


async def run(context: WaitingContext) -> Delivery:
    plan, paths = given(context.files)
    ingest = OpenedIngest.model_validate(context.earlier[OPEN].result.data).ingest
    cut = CutDocuments.model_validate(context.earlier[CHUNK].result.data)
    async with failing_in_words(context, plan.name, ingest):
        _check_some_are_left(plan, cut, ReadDocuments.model_validate(context.earlier[READ].result.data))
        await _check_bound(context, plan, cut, paths)
        work = EmbeddingRun(context, plan, ingest, sum(cut.documents.values()))
        await work.over(read_chunks(left_before(context.earlier.values(), CHUNKS)))
    return Delivery(result=_result(work))


def _check_some_are_left(plan: CollectionPlan, cut: CutDocuments, read: ReadDocuments) -> None:
    """Raises UnreadableFile: an empty collection is an error."""
    if not cut.documents:
        first = read.unreadable[0]
        raise UnreadableFile(
            f"None of the {len(plan.documents):,} documents of {plan.name!r} can be read. "
            f"{first.document!r}: {first.message}",
            collection=plan.name,
        )


async def _check_bound(
    context: WaitingContext, plan: CollectionPlan, cut: CutDocuments, paths: Mapping[str, Path]
) -> None:
    """Before anything is embedded. Raises BadParameters: the collection would go over `max_tokens`."""
    if plan.max_tokens is None:
        sizes = {name: path.stat().st_size for name, path in paths.items()}
        spent, most = 0, most_tokens(sizes, plan.chunk_size, plan.chunk_overlap)
    else:
        answers = [item.answer async for item in context.journal.every() if item.answer is not None]
        spent, most = sum(Ingested.model_validate(answer).tokens for answer in answers), plan.max_tokens
    if spent + cut.tokens > most:
        raise BadParameters(
            f"The collection {plan.name!r} has {cut.tokens:,} tokens, and {max(0, most - spent):,} of max_tokens "
            "are left; give a larger max_tokens.",
            field="max_tokens", collection=plan.name, tokens=cut.tokens,
        )  # fmt: skip


def _result(work: EmbeddingRun) -> AgentResult:
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics={"chunks": work.chunks, "tokens": work.usage.tokens, "calls": work.usage.calls},
        data=Embedding(usage=work.usage).model_dump(mode="json"),
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Embed chunks",
    description="A vector for each chunk; here is said what is to be ingested, and how.",
    parameters=IngestForm,
    run=run,
    roles=(),
)
