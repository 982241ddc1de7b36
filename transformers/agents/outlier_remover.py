"""outlier-remover: values far from their column's others, flagged before anything is removed (CATALOGUE §2)."""

from transformers.cleaning.delivery import delivered
from transformers.cleaning.outliers import STAGE
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    return delivered(context, STAGE)


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Finds outliers, cell by cell and in all numbers together; flags them, sets rows aside, or imputes.",
    parameters=STAGE.form,
    run=run,
)
