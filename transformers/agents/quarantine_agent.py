"""quarantine-agent: rows with a fault go aside, each with its reasons, into a file of their own."""

from dataclasses import replace

from transformers.cleaning.delivery import delivery_of, run_stage
from transformers.cleaning.quarantine import STAGE, metrics
from transformers.cleaning.quarantine_file import quarantine_file
from transformers.tool import Agent, AgentContext, Delivery


def run(context: AgentContext) -> Delivery:
    ran = run_stage(context, STAGE)
    told = metrics(ran.applied.rows_before, ran.applied.rows_set_aside)
    ran = replace(ran, plan=replace(ran.plan, metrics={**ran.plan.metrics, **told}))
    return delivery_of(context, ran, more=(quarantine_file(context, ran.applied),))


AGENT = Agent(
    id=STAGE.agent_id,
    name=STAGE.name,
    description="Sets rows aside, each with its reasons: missing field, type, range, format, broken record, schema.",
    parameters=STAGE.form,
    run=run,
)
