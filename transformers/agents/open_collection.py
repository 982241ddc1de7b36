"""open-collection: from here on the collection is being ingested into; nothing that is staged is found yet.

It comes first, so that whatever goes wrong later has a record to be told on. How many numbers a vector has is asked of
the model itself, with one short text.
"""

from transformers.findings import AgentResult
from transformers.ingestion.collection_plan import given
from transformers.ingestion.ending import failing_in_words
from transformers.ingestion.outcome import OpenedIngest
from transformers.tool import Agent, AgentParameters, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "open-collection"


class OpenCollectionParameters(AgentParameters):
    """Everything is said in the plan of the collection."""


async def run(context: WaitingContext) -> Delivery:
    plan, _ = given(context.files)
    async with failing_in_words(context, plan.name):
        probe = await context.models.embed(plan.embedding_model, [plan.name], context.budget())
        ingest = await context.vectors.open(
            context.user_id, plan.name, context.task_id,
            model=plan.embedding_model, dimensions=len(probe.vectors[0]), settings=plan.settings,
        )  # fmt: skip
        before = await context.vectors.count(ingest.collection_id)
    opened = OpenedIngest(
        collection_id=ingest.collection_id,
        task_id=ingest.task_id,
        dimensions=ingest.dimensions,
        documents=before.documents,
    )
    return Delivery(result=AgentResult(agent_id=AGENT_ID, agent_name=AGENT.name, data=opened.model_dump(mode="json")))


AGENT = Agent(
    id=AGENT_ID,
    name="Open collection",
    description="Makes the collection's record, or finds it; what it holds stays as it is meanwhile.",
    parameters=OpenCollectionParameters,
    run=run,
    roles=(),
)
