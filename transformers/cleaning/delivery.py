"""A stage run for real: plan, apply, and all that the agent leaves.

`delivered(context, stage)` is what the agent's file calls. The shape of the findings is the same for every stage; what
a stage has to say of its own comes with its plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers.cleaning.apply import apply
from transformers.cleaning.flags import note_flags
from transformers.cleaning.foreseen import Foreseen
from transformers.cleaning.manifest import manifest_of, written
from transformers.cleaning.results import result_of
from transformers.cleaning.rules import Applied, Plan, Stage, Work
from transformers.row_findings import RowFindings
from transformers.tool import MEBIBYTE, AgentContext, AgentFile, Delivery

PLANNED = 0.4  # of a stage's time, about
WHILE_WRITING = 2 / 3  # of the database's memory: a window of wide rows lies twice beside it, read and to be written
LEAST_WHILE_WRITING = 160 * MEBIBYTE  # two windows of wide rows and the log of their changes


@dataclass(frozen=True)
class Ran:
    """A stage's plan carried out, in a preview or for real."""

    stage: Stage
    plan: Plan
    applied: Applied
    flags: dict[str, int]  # by rule
    rows: RowFindings


def delivered(context: AgentContext, stage: Stage) -> Delivery:
    return delivery_of(context, run_stage(context, stage))


def run_stage(context: AgentContext, stage: Stage, foreseen: Foreseen | None = None) -> Ran:
    """The one way in which a stage's plan is made and carried out: previews take it too, and leave what they find."""
    foreseen = foreseen or Foreseen.by(context.earlier)
    told, table = context.report_progress, context.primary
    with context.database() as db:
        work = Work(db, table, context.scratch, lambda done: told(PLANNED * done), foreseen)
        plan = stage.plan(work, context.parameters)
        told(PLANNED)
        rows = RowFindings.over(db, table)
        flags = note_flags(work, plan, rows)
        db.execute(f"SET memory_limit = '{_while_writing(context.memory_bytes) // MEBIBYTE}MiB'")
        applied = apply(work, plan, stage.agent_id, rows, lambda done: told(PLANNED + (1 - PLANNED) * done))
    return Ran(stage, plan, applied, flags, rows)


def _while_writing(memory_bytes: int) -> int:
    """The database's part while windows pass through Arrow beside it; where it has little, all of that."""
    return min(memory_bytes, max(LEAST_WHILE_WRITING, int(memory_bytes * WHILE_WRITING)))


def delivery_of(context: AgentContext, ran: Ran, more: Sequence[AgentFile] = ()) -> Delivery:
    manifest = written(manifest_of(ran.stage, context.parameters, ran.applied), context.scratch)
    return Delivery(
        result=result_of(ran.stage, ran.plan, ran.applied, ran.flags, ran.rows),
        table=ran.applied.table if ran.applied.changed else None,
        files=(*ran.applied.files, manifest, *more),
    )
