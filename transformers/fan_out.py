"""A task that works through children: its planning step's waves become rows, one wave after the other (DESIGN §5.10).

The parent holds no worker meanwhile. It comes back when the last child of a wave has ended, whatever its end.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from backend.errors import InternalError, Waiting
from db import children, items
from db.children import ChildTask
from db.database import transaction
from transformers.artifacts import Artifact
from transformers.tool import ChildPlan
from transformers.workbench import Workbench


async def fan_out(bench: Workbench, planned: Artifact) -> None:
    """Make the next wave of children; none is left, or one before it has failed: go on with the task's own steps.

    Raises:
        Waiting: there are children now, and the claim has ended.
    """
    if await asyncio.to_thread(_next_wave, bench, planned):
        raise Waiting


def _next_wave(bench: Workbench, planned: Artifact) -> bool:
    claim = bench.claim
    with transaction() as session:
        made = children.count(session, claim.task_id)
        for wave in planned.waves:
            if made >= len(wave):
                made -= len(wave)
                continue
            before = min(plan.first for plan in wave)
            if wave is not planned.waves[0] and items.failed(session, claim.task_id, before):
                return False
            there = _files_there(bench, planned)
            wanted = [_child(bench, there, plan) for plan in wave]
            children.add_children(session, claim.task_id, claim.epoch, wanted, planned.items)
            return True
    return False


def _child(bench: Workbench, there: Mapping[str, Mapping[str, Any]], plan: ChildPlan) -> ChildTask:
    return ChildTask(
        agents=[step.id for step in bench.tool.steps if step.in_children],
        parameters=_over(bench.claim.parameters, plan.parameters),
        inputs={role: _named(there, names) for role, names in plan.files.items()},
        cost=plan.cost,
        first_item=plan.first,
        items=plan.items,
    )


def _over(own: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """The plan's parameters over the task's own, one by one."""
    return {agent: {**own.get(agent, {}), **planned.get(agent, {})} for agent in {**own, **planned}}


def _files_there(bench: Workbench, planned: Artifact) -> Mapping[str, Mapping[str, Any]]:
    """By name, as they stand on a row: what the planning step left, before the task's own."""
    own = {file["filename"]: file for files in bench.claim.inputs.values() for file in files}
    left = {
        file.name: {"filename": file.name, "key": file.key, "size": file.size, "content_type": file.content_type}
        for file in planned.files
    }
    return own | left


def _named(there: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[Mapping[str, Any]]:
    try:
        return [there[name] for name in names]
    except KeyError as missing:
        raise InternalError(detail=f"a child was planned over a file that there is not: {missing}") from None
