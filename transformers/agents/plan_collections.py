"""plan-collections: which of the task's documents go to which collection; a child for each (CATALOGUE §6).

A first collection that gates is a wave of its own: the others begin when it is done.
"""

from transformers.findings import AgentResult
from transformers.ingestion.assignment import assign
from transformers.ingestion.bounds import DOCUMENTS
from transformers.ingestion.collection_plan import CollectionPlan
from transformers.ingestion.form import IngestForm
from transformers.tool import Agent, AgentFile, AgentParameters, ChildPlan, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "plan-collections"
INGEST = "ingest"  # the agent that has the customer's form
SECONDS_A_DOCUMENT = 0.1  # of a slot, to read, cut and embed it: for the fair share


class PlanCollectionsParameters(AgentParameters):
    """What is asked stands in the form of `ingest`."""


async def run(context: WaitingContext) -> Delivery:
    form = context.forms[INGEST]
    assert isinstance(form, IngestForm)
    chosen = assign(form, context.inputs[DOCUMENTS])
    model = form.embedding_model or context.embedding_model
    plans = [
        CollectionPlan.of(form, collection, names, model)
        for collection, names in zip(form.collections, chosen, strict=True)
    ]
    files = [plan.write(context.scratch) for plan in plans]
    done = await context.journal.done()
    children = {at: _child(at, *pair) for at, pair in enumerate(zip(plans, files, strict=True)) if at not in done}
    return Delivery(
        result=_result(plans),
        files=tuple(files),
        waves=_waves(children, gated=form.collections[0].gates),
        items=len(plans),
    )


def _child(position: int, plan: CollectionPlan, file: AgentFile) -> ChildPlan:
    names = (file.name, *plan.documents)
    cost = max(1.0, SECONDS_A_DOCUMENT * len(plan.documents))
    return ChildPlan(first=position, items=1, files={DOCUMENTS: names}, cost=cost)


def _waves(children: dict[int, ChildPlan], *, gated: bool) -> tuple[tuple[ChildPlan, ...], ...]:
    gate = tuple(child for position, child in children.items() if gated and position == 0)
    others = tuple(child for child in children.values() if child not in gate)
    return tuple(wave for wave in (gate, others) if wave)


def _result(plans: list[CollectionPlan]) -> AgentResult:
    documents = {plan.name: len(plan.documents) for plan in plans}
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics={"collections": len(plans), "documents": sum(documents.values())},
        data={"documents": documents, "embedding_model": plans[0].embedding_model},
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Plan collections",
    description="Decides which document goes to which collection.",
    parameters=PlanCollectionsParameters,
    run=run,
    roles=(DOCUMENTS,),
)
