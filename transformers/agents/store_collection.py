"""store-collection: what was staged is found from now on, all at once, in place of what its documents were before."""

from transformers.findings import AgentResult
from transformers.ingestion.collection_plan import given
from transformers.ingestion.ending import failing_in_words, succeed
from transformers.ingestion.outcome import (
    FAULTS_TOLD,
    CutDocuments,
    Embedding,
    Ingested,
    OpenedIngest,
    ReadDocuments,
)
from transformers.tool import Agent, AgentParameters, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "store-collection"
OPEN, READ, CHUNK, INGEST = "open-collection", "read-documents", "chunk-documents", "ingest"


class StoreCollectionParameters(AgentParameters):
    """Everything is said in the plan of the collection."""


async def run(context: WaitingContext) -> Delivery:
    plan, _ = given(context.files)
    opened = OpenedIngest.model_validate(context.earlier[OPEN].result.data)
    cut = CutDocuments.model_validate(context.earlier[CHUNK].result.data)
    usage = Embedding.model_validate(context.earlier[INGEST].result.data).usage
    unreadable = ReadDocuments.model_validate(context.earlier[READ].result.data).unreadable
    async with failing_in_words(context, plan.name, opened.ingest):
        live = await context.vectors.activate(opened.ingest, cut.documents)
    done = Ingested(
        collection=plan.name,
        documents=len(cut.documents),
        chunks=sum(cut.documents.values()),
        vectors=live.chunks,
        tokens=usage.tokens,
        replaced=max(0, opened.documents + len(cut.documents) - live.documents),
        unreadable_documents=len(unreadable),
        unreadable=unreadable[:FAULTS_TOLD],
    )
    await succeed(context, done, usage)
    return Delivery(result=AgentResult(agent_id=AGENT_ID, agent_name=AGENT.name, data=done.model_dump(mode="json")))


AGENT = Agent(
    id=AGENT_ID,
    name="Store collection",
    description="Makes the staged chunks live and settles the collection's record.",
    parameters=StoreCollectionParameters,
    run=run,
    roles=(),
)
