"""From rows to what a customer sees of a task; never shows `error_detail`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from api.schemas import StepView, TaskCredits, TaskError, TaskSummary, TaskView
from backend.errors import AgensiumError, Cancelled, Expired
from db import checkpoints, ledger
from db.database import Session
from db.models import TERMINAL, CreditEntry, EntryKind, StepStatus, Task, TaskStatus, TaskStep
from transformers.catalog import tools

_BARE: Mapping[str, type[AgensiumError]] = {"CANCELLED": Cancelled, "EXPIRED": Expired}  # rows that carry no sentence
StepState = Literal["pending", "running", "delivered", "failed", "skipped"]


def etag_of(task: Task) -> str:
    """Changes with all that the task's view shows: each event, and between events the progress and whose turn it is."""
    return f'"{task.last_event}-{task.epoch}-{task.progress:.2f}-{task.current_agent or ""}"'


def retry_after_of(task: Task) -> int | None:
    """Seconds until polling again is worthwhile; None: nothing will change."""
    return None if task.status in TERMINAL else 2


def summary_of(task: Task) -> TaskSummary:
    return TaskSummary(
        task_id=task.id,
        tool_id=task.tool_id,
        status=TaskStatus(task.status),
        outcome=task.outcome,
        retry_of=task.retry_of,
        progress=round(task.progress, 1),
        error=_error_of(task),
        created_at=task.created_at,
        queued_at=task.queued_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
    )


def view_of(task: Task, finished: Mapping[str, TaskStep], entries: Iterable[CreditEntry]) -> TaskView:
    return TaskView(
        **summary_of(task).model_dump(),
        agents=task.agents,
        parameters=task.parameters,
        priority=task.priority,
        celery_task_id=task.celery_task_id,
        current_agent=task.current_agent,
        steps=[_step(task, agent_id, finished.get(agent_id)) for agent_id in _agents_of(task)],
        credits=_credits_of(entries),
    )


def whole_view(session: Session, task: Task) -> TaskView:
    """With its steps and its bill, as they are in this transaction."""
    return view_of(task, checkpoints.of_task(session, task.id), ledger.of_task(session, task.id))


def _agents_of(task: Task) -> list[str]:
    """Those that run; before the submit, those that may."""
    tool = tools().get(task.tool_id)
    return task.agents or [step.id for step in (tool.steps if tool else ())]


def _step(task: Task, agent_id: str, finished: TaskStep | None) -> StepView:
    tool = tools().get(task.tool_id)
    step = tool.step(agent_id) if tool else None
    return StepView(
        agent_id=agent_id,
        agent_name=step.agent.name if step else agent_id,
        state=_state(task, agent_id, finished),
        price=task.prices.get(agent_id, step.price if step else 0),
        attempt=finished.epoch if finished else None,
        duration_ms=finished.duration_ms if finished else None,
        error_code=finished.error_code if finished else None,
        message=finished.error_message if finished else None,
    )


def _state(task: Task, agent_id: str, finished: TaskStep | None) -> StepState:
    if finished is not None:
        return "delivered" if finished.status == StepStatus.DELIVERED else "failed"
    if task.status in TERMINAL:
        return "skipped"
    running = task.status == TaskStatus.PROCESSING and task.current_agent == agent_id
    return "running" if running else "pending"


def _error_of(task: Task) -> TaskError | None:
    if task.error_code is None:
        return None
    known = _BARE.get(task.error_code, AgensiumError)
    return TaskError(
        error_code=task.error_code,
        message=task.error_message or known.message,
        next_action=task.next_action or known.next_action,
        recoverable=known.recoverable if task.recoverable is None else task.recoverable,
    )


def _credits_of(entries: Iterable[CreditEntry]) -> TaskCredits:
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.kind] += entry.amount
    return TaskCredits(held=sums[EntryKind.HOLD], captured=sums[EntryKind.CAPTURE], released=sums[EntryKind.RELEASE])
