"""The report of a task that did not complete, or not yet: rendered by a read from its checkpoints.

Nothing is published after a terminal state (DESIGN §5.7), so this is never stored.
"""

from collections.abc import Mapping
from typing import Any

from backend.clock import now
from backend.storage.door import Storage
from db.models import Task, TaskStep
from transformers import artifacts
from transformers.catalog import tool_for, tools
from transformers.reporting.report import ReportHead, StepOutcome, build_report

NOT_DELIVERED = "The agent was not reached before the task ended."


def report_from_checkpoints(storage: Storage, task: Task, finished: Mapping[str, TaskStep]) -> dict[str, Any]:
    """The report over the steps delivered so far, as JSON-ready values; the others are named with the reason."""
    tool = tool_for(task.tool_id)
    names = {step.id: step.agent.name for step in tool.steps}
    outcomes = [_outcome(storage, agent, names.get(agent, agent), task, finished.get(agent)) for agent in task.agents]
    head = ReportHead(
        analysis_id=str(task.id),
        tool_id=tool.id,
        tool_name=tool.name,
        agents=tuple(task.agents),
        timestamp=task.finished_at or now(),
        execution_time_ms=round(task.run_seconds * 1000),
        on_tables=tool.on_tables,
    )
    return build_report(head, outcomes, known_tools=tuple(tools())).model_dump(mode="json")


def _outcome(storage: Storage, agent_id: str, name: str, task: Task, done: TaskStep | None) -> StepOutcome:
    if done is None:
        code, message = task.error_code or "NOT_STARTED", task.error_message or NOT_DELIVERED
        return StepOutcome(agent_id=agent_id, agent_name=name, error_code=code, message=message)
    artifact = artifacts.of_step(storage, done)
    if artifact is None:
        return StepOutcome(agent_id=agent_id, agent_name=name, error_code=done.error_code, message=done.error_message)
    return StepOutcome(agent_id=agent_id, agent_name=name, result=artifact.result, outputs=artifact.outputs)
