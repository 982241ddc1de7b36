"""null-handler: what stands for nothing becomes nothing, and is filled only as the customer says (CATALOGUE §2)."""

from transformers.cleaning.delivery import delivered
from transformers.cleaning.nulls import STAGE
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    return delivered(context, STAGE)


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Finds disguised nulls, and fills, drops or flags missing cells as it is told.",
    parameters=STAGE.form,
    run=run,
)
