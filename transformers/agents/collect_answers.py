"""collect: the answers of a batch in the order of submission, and how it went."""

import asyncio
import json
from typing import BinaryIO

from backend.errors import NoAnswers
from transformers.inference.answers import line_of
from transformers.inference.batch_findings import BatchCount, findings_of
from transformers.tool import FINAL, Agent, AgentFile, AgentParameters, Delivery
from transformers.waiting_agent import ItemResult, WaitingContext

AGENT_ID = "collect"
SPLIT = "split"
IDS = "custom_ids"  # the kind of the file in which the splitter named every item
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
    with path.open("wb") as file:
        count = await _write(context, file)
    if count.ok == 0:
        raise NoAnswers(count.in_words(), items=count.total, errors=dict(count.codes))
    file_left = AgentFile(name=ANSWERS, path=path, content_type="application/jsonl", kind=FINAL)
    return Delivery(result=findings_of(count, AGENT_ID, AGENT.name), files=(file_left,))


async def _write(context: WaitingContext, file: BinaryIO) -> BatchCount:
    """A line an item; those that nobody came to are told in their places."""
    count = BatchCount()
    names = await asyncio.to_thread(_names, context)
    position = 0

    def put(item: ItemResult) -> None:
        count.add(item)
        file.write(line_of(item))

    async for item in context.journal.every():
        for missing in range(position, item.position):
            put(_not_asked(missing, names[missing]))
        put(item)
        position = item.position + 1
    for missing in range(position, len(names)):
        put(_not_asked(missing, names[missing]))
    return count


def _names(context: WaitingContext) -> list[str]:
    path = context.earlier[SPLIT].file(IDS)
    assert path is not None
    names: list[str] = json.loads(path.read_bytes())
    return names


def _not_asked(position: int, name: str) -> ItemResult:
    return ItemResult(position=position, name=name, error_code=NOT_ASKED, error_message=NOT_ASKED_MESSAGE)


AGENT = Agent(
    id=AGENT_ID,
    name="Batch collector",
    description="Puts the answers into the order of submission and says how it went.",
    parameters=CollectAnswersParameters,
    run=run,
    roles=(),
)
