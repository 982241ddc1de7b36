"""collect-collections: how each collection of an ingest ended, in the order in which they were asked for."""

import json

from backend.errors import NothingIngested
from transformers.ingestion.form import IngestForm
from transformers.ingestion.ingest_findings import Failed, IngestEnd, findings_of
from transformers.ingestion.outcome import Ingested
from transformers.tool import FINAL, Agent, AgentFile, AgentParameters, Delivery
from transformers.waiting_agent import ItemResult, WaitingContext

AGENT_ID = "collect-collections"
INGEST = "ingest"  # the agent that has the customer's form
RESULTS = "collections.json"
NOT_INGESTED = "NOT_INGESTED"


class CollectCollectionsParameters(AgentParameters):
    """Nothing to choose."""


async def run(context: WaitingContext) -> Delivery:
    """Raises NothingIngested: not one collection went well."""
    form = context.forms[INGEST]
    assert isinstance(form, IngestForm)
    found = {item.position: item async for item in context.journal.every()}
    end = IngestEnd([_ended(form, position, found.get(position)) for position in range(len(form.collections))])
    if not end.ok:
        first = end.failed[0]
        raise NothingIngested(f"{first.collection!r} was not ingested: {first.message}", collections=end.as_json())
    path = context.scratch / RESULTS
    path.write_text(json.dumps({"collections": end.as_json()}, ensure_ascii=False, indent=1), encoding="utf-8")
    file = AgentFile(name=RESULTS, path=path, content_type="application/json", kind=FINAL)
    return Delivery(result=findings_of(end, AGENT_ID, AGENT.name), files=(file,))


def _ended(form: IngestForm, position: int, item: ItemResult | None) -> Ingested | Failed:
    name = form.collections[position].name
    if item is None:
        return Failed(name, NOT_INGESTED, _why_not_begun(form, position))
    if item.answer is None:
        return Failed(name, item.error_code or NOT_INGESTED, item.error_message or "")
    return Ingested.model_validate(item.answer)


def _why_not_begun(form: IngestForm, position: int) -> str:
    gate = form.collections[0]
    if gate.gates and position:
        return f"It comes after {gate.name!r}, which was not ingested, or its own work ended before it was complete."
    return "Its work ended before it was complete; the collection's record says why."


AGENT = Agent(
    id=AGENT_ID,
    name="Collect collections",
    description="Says of each collection what is in it now, or why it was not ingested.",
    parameters=CollectCollectionsParameters,
    run=run,
    roles=(),
)
