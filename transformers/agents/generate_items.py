"""generate, of a batch: asks the model the items of one chunk, many at once, and none that is finished already."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from pydantic import Field

from backend.language_models.questions import CALL_SECONDS, Question
from transformers.findings import AgentResult
from transformers.inference.asked import messages_of, own_options, question
from transformers.inference.asking import Asking
from transformers.inference.items import BatchItem, PlacedItem
from transformers.inference.options import (
    MAX_TOKENS,
    Extra,
    FallbackModels,
    MaxTokens,
    ModelName,
    OutputSchema,
    Temperature,
    TimeoutSeconds,
)
from transformers.tool import Agent, AgentParameters, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "generate"
CHUNK = "items"  # the role under which a child gets its items


class GenerateItemsParameters(AgentParameters):
    model: ModelName = Field(default="", description="As provider:model; the default one where nothing is said.")
    fallback_models: FallbackModels = Field(default=(), description="Asked in their order when it does not answer.")
    system: str = Field(default="", description="Told the model first, for items that bring nothing themselves.")
    temperature: Temperature | None = Field(default=None, description="For items that say nothing themselves.")
    max_tokens: MaxTokens = Field(default=MAX_TOKENS, description="The longest answer, for items that say nothing.")
    extra: Extra = Field(default_factory=dict, description="Further fields of the provider's own request.")
    output_schema: OutputSchema = Field(default=None, description="A JSON Schema that every answer must fit.")
    timeout_seconds: TimeoutSeconds = Field(default=CALL_SECONDS, description="How long one call may take.")


async def run(context: WaitingContext) -> Delivery:
    (chunk,) = context.files[CHUNK]
    done, lines = await context.journal.done(), chunk.path.read_bytes().splitlines()
    items = (item for item in read_chunk(lines) if item.position not in done)
    asking = Asking(context, items, len(lines), partial(_question_of, context))
    await asking.run()
    return Delivery(result=_result(asking, found_done=len(done)))


def _question_of(context: WaitingContext, item: PlacedItem) -> Question:
    return question_of(item, context.parameters, context.default_model)


def question_of(item: BatchItem, form: GenerateItemsParameters, default_model: str) -> Question:
    return question(form, default_model, messages_of(item, form.system), **own_options(item, form))


def read_chunk(lines: Iterable[bytes]) -> Iterator[PlacedItem]:
    """One by one, when it is their turn: the first is asked at once."""
    return (PlacedItem.model_validate_json(line) for line in lines)


def _result(asking: Asking, found_done: int) -> AgentResult:
    metrics: dict[str, Any] = {
        "ok": asking.ok,
        "failed": asking.failed,
        "found_done": found_done,
        **asking.usage.model_dump(),
    }
    return AgentResult(agent_id=AGENT_ID, agent_name=AGENT.name, summary_metrics=metrics)


AGENT = Agent(
    id=AGENT_ID,
    name="Batch generator",
    description="Asks the model each item; one that fails is told with its reason and fails no other.",
    parameters=GenerateItemsParameters,
    run=run,
    roles=(),
)
