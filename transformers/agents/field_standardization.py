"""field-standardization: one spelling, one unit, one way to write a date; encodings mended, sure repairs made."""

from transformers.cleaning.delivery import delivered
from transformers.cleaning.standards import STAGE
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    return delivered(context, STAGE)


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Case, blanks, broken encodings, synonyms, units and dates in one way; repairs what is clearly wrong.",
    parameters=STAGE.form,
    run=run,
)
