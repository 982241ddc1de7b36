"""split: cuts a batch's items into chunks, each for one child; what an earlier task has finished is left out."""

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from transformers.findings import AgentResult
from transformers.inference.items import MOST_ITEMS, PlacedItem, read_items
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, ChildPlan, Delivery

AGENT_ID = "split"
ITEMS = "items"

CHUNKS_A_SLOT = 2  # to hand one out costs some 100 ms; the second evens out what the first took longer
LARGEST_CHUNK = 2500  # of answers that take 2 s: 100 s, after which it may be another customer's turn
MOST_CHUNKS = 200  # they are made, and cancelled, in one transaction: a millisecond each, two where it is crowded
AT_ONCE = 50  # a slot asks so many at the same time; a smaller chunk would be no quicker
SECONDS_A_CALL = 2.0  # what is expected of a model, for the fair share


class SplitItemsParameters(AgentParameters):
    chunk_size: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ITEMS,
        description="Items that one worker's slot takes at a time, more where there would be over 200 chunks; where "
        "nothing is said, by the number of slots.",
    )


def run(context: AgentContext) -> Delivery:
    (given,) = context.files[ITEMS]
    items = [
        PlacedItem.model_construct(**{**dict(item), "position": position})
        for position, item in enumerate(read_items(given.name, given.path.read_bytes()))
    ]
    wanted = [item for item in items if item.position not in context.done]
    size = max(
        context.parameters.chunk_size or chunk_size_of(len(wanted), context.slots), math.ceil(len(wanted) / MOST_CHUNKS)
    )
    chunks = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    files = [_write_chunk(context.scratch, number, chunk) for number, chunk in enumerate(chunks)]
    plans = tuple(_plan(chunk, file) for chunk, file in zip(chunks, files, strict=True))
    metrics = {"items": len(items), "to_ask": len(wanted), "chunks": len(chunks)}
    return Delivery(
        result=AgentResult(agent_id=AGENT_ID, agent_name=AGENT.name, summary_metrics=metrics),
        files=tuple(files),
        waves=(plans,) if plans else (),
        items=len(items),
    )


def chunk_size_of(items: int, slots: int) -> int:
    """A multiple of what is asked at once, so that no slot ends with a few."""
    return min(LARGEST_CHUNK, AT_ONCE * max(1, math.ceil(items / (CHUNKS_A_SLOT * slots * AT_ONCE))))


def _plan(chunk: Sequence[PlacedItem], file: AgentFile) -> ChildPlan:
    first, last = chunk[0].position, chunk[-1].position
    cost = max(1.0, SECONDS_A_CALL * len(chunk) / AT_ONCE)
    return ChildPlan(first=first, items=last - first + 1, files={ITEMS: (file.name,)}, cost=cost)


def _write_chunk(folder: Path, number: int, chunk: Sequence[PlacedItem]) -> AgentFile:
    path = folder / f"items-{number:04}.jsonl"
    path.write_bytes(b"".join(item.model_dump_json(exclude_none=True).encode() + b"\n" for item in chunk))
    return AgentFile(name=path.name, path=path, content_type="application/jsonl", kind=ITEMS, is_output=False)


AGENT = Agent(
    id=AGENT_ID,
    name="Batch splitter",
    description="Reads the items and shares them out among the workers.",
    parameters=SplitItemsParameters,
    run=run,
    roles=(ITEMS,),
)
