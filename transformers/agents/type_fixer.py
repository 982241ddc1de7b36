"""type-fixer: numbers, dates and truth values written in one way; what cannot be cast is told row by row."""

from transformers.cleaning.delivery import delivered
from transformers.cleaning.type_fixing import STAGE
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    return delivered(context, STAGE)


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Writes numbers, dates of mixed shapes and truth values in one way; reports every cell it cannot cast.",
    parameters=STAGE.form,
    run=run,
)
