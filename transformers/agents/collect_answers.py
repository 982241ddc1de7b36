"""collect: the answers of a batch in the order of submission, and how it went."""

import asyncio
from collections.abc import AsyncIterator

from backend.errors import NoAnswers
from transformers.inference.answers import line_of
from transformers.inference.batch_count import BatchCount
from transformers.inference.batch_findings import findings_of
from transformers.inference.items import BatchItem, read_items
from transformers.tool import FINAL, Agent, AgentFile, AgentParameters, Delivery
from transformers.waiting_agent import ItemResult, WaitingContext

AGENT_ID = "collect"
ITEMS = "items"
ANSWERS = "answers.jsonl"
NOT_ASKED = "NOT_ASKED"
NOT_ASKED_MESSAGE = "The part of the batch that this item is in ended before it was answered."


class CollectAnswersParameters(AgentParameters):
    """Nothing to choose."""


async def run(context: WaitingContext) -> Delivery:
    """
    Raises:
        NoAnswers: not one item went well.
    """
    path = context.scratch / ANSWERS
    count = BatchCount()
    with path.open("wb") as file:
        async for item in every_item(context):
            count.add(item)
            file.write(line_of(item))
    if count.ok == 0:
        raise NoAnswers(count.in_words(), items=count.total, errors=dict(count.codes))
    answers = AgentFile(name=ANSWERS, path=path, content_type="application/jsonl", kind=FINAL)
    return Delivery(result=findings_of(count, AGENT_ID, AGENT.name), files=(answers,))


async def every_item(context: WaitingContext) -> AsyncIterator[ItemResult]:
    """All items of the batch in their order; one that nobody came to says so in its place."""
    position, unasked = 0, Unasked(context)
    async for item in context.journal.every():
        for missing in await unasked.at(range(position, item.position)):
            yield missing
        yield item
        position = item.position + 1
    for missing in await unasked.at(range(position, context.journal.positions.stop)):
        yield missing


class Unasked:
    """Items that are not in the journal: their names are read from the customer's file, once there is one of them."""

    def __init__(self, context: WaitingContext) -> None:
        (self._given,) = context.files[ITEMS]
        self._items: list[BatchItem] = []

    async def at(self, positions: range) -> list[ItemResult]:
        if positions and not self._items:
            self._items = await asyncio.to_thread(lambda: read_items(self._given.name, self._given.path.read_bytes()))
        return [_unasked(position, self._items[position].custom_id or "") for position in positions]


def _unasked(position: int, name: str) -> ItemResult:
    return ItemResult(position=position, name=name, error_code=NOT_ASKED, error_message=NOT_ASKED_MESSAGE)


AGENT = Agent(
    id=AGENT_ID,
    name="Batch collector",
    description="Puts the answers into the order of submission and says how it went.",
    parameters=CollectAnswersParameters,
    run=run,
    roles=(),
)
