"""duplicate-resolver: rows that say the same as another one go aside, each naming the row that stays."""

from transformers.cleaning.delivery import delivered
from transformers.cleaning.duplicates import STAGE
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    return delivered(context, STAGE)


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Exact, case, e-mail case, incomplete and contradicting duplicates: set aside or merged into one row.",
    parameters=STAGE.form,
    run=run,
)
