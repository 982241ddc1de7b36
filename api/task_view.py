"""From rows to what a customer sees of a task; never shows `error_detail`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from api.schemas import (
    ChildCounts,
    EtaView,
    ItemCounts,
    StepView,
    TaskCredits,
    TaskError,
    TaskSummary,
    TaskView,
    WaitingView,
)
from backend.errors import AgensiumError, Cancelled, Expired
from backend.settings import get_settings
from db import checkpoints, children, ledger, waiting
from db.database import Session
from db.models import TERMINAL, CreditEntry, EntryKind, StepStatus, Task, TaskStatus, TaskStep
from db.waiting import Outlook, Waiting
from db.watching import Parts, Standing, parts_of
from transformers.catalog import tools
from transformers.tool import Step

_BARE: Mapping[str, type[AgensiumError]] = {"CANCELLED": Cancelled, "EXPIRED": Expired}  # rows that carry no sentence
WAITS = {TaskStatus.QUEUED, TaskStatus.WAITING}
NO_OUTLOOK = Outlook()
QUICKEST_POLL, SLOWEST_POLL = 2, 30  # seconds
UNKNOWN_SECONDS = 100.0  # a worker may come at any time
_STATES: Mapping[StepStatus, "StepState"] = {
    StepStatus.DELIVERED: "delivered",
    StepStatus.FAILED: "failed",
    StepStatus.SKIPPED: "skipped",
}
StepState = Literal["pending", "running", "delivered", "failed", "skipped"]


def etag_of(task: Standing, seen: Waiting | None) -> str:
    """Changes with all that the task's view shows but `eta`, which is another one at each look: each event, between
    events the progress, a batch's items and whose turn it is, and while it waits its reason and place.
    """
    place = "" if seen is None else f"-{seen.reason}{seen.position or ''}"
    parts = f"-{task.parts.ok}.{task.parts.failed}.{task.parts.open}" if task.parts.items else ""
    return f'"{task.last_event}-{task.epoch}-{task.progress:.2f}-{task.current_agent or ""}{parts}{place}"'


def retry_after_of(task: Standing, outlook: Outlook) -> int | None:
    """Seconds until polling again is worthwhile; None: nothing will change.

    At work it moves all the time; while it waits, after a tenth of the time that is left.
    """
    if task.status in TERMINAL:
        return None
    if outlook.waiting is None:
        return QUICKEST_POLL
    left = outlook.eta.likely if outlook.eta else UNKNOWN_SECONDS
    return round(min(SLOWEST_POLL, max(QUICKEST_POLL, left / 10)))


def summary_of(task: Task) -> TaskSummary:
    return TaskSummary(
        task_id=task.id,
        tool_id=task.tool_id,
        status=TaskStatus(task.status),
        outcome=task.outcome,
        retry_of=task.retry_of,
        progress=round(task.progress, 1),
        items=items_of(task),
        error=error_of(task),
        created_at=task.created_at,
        queued_at=task.queued_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
    )


def view_of(
    task: Task,
    finished: Mapping[str, TaskStep],
    entries: Iterable[CreditEntry],
    outlook: Outlook = NO_OUTLOOK,
    parts: int = 0,
) -> TaskView:
    return TaskView(
        **summary_of(task).model_dump(),
        agents=task.agents,
        parameters=task.parameters,
        priority=task.priority,
        celery_task_id=task.celery_task_id,
        current_agent=task.current_agent,
        waiting=_waiting_of(outlook),
        eta=_eta_of(outlook),
        steps=[_step(task, agent_id, finished.get(agent_id)) for agent_id in _agents_of(task)],
        children=ChildCounts(total=parts, open=task.open_children) if parts else None,
        parent_id=task.parent_id,
        credits=_credits_of(entries),
    )


def whole_view(session: Session, task: Task, outlook: Outlook | None = None) -> TaskView:
    """With its steps and its bill, as they are in this transaction."""
    finished = checkpoints.without_artifacts(session, task.id)
    seen = outlook if outlook and outlook.waiting else outlook_of(session, task, finished)
    parts = children.count(session, task.id) if task.items else 0
    return view_of(task, finished, ledger.of_task(session, task.id), seen, parts)


def outlook_of(session: Session, task: Task, finished: Mapping[str, TaskStep] | None = None) -> Outlook:
    """Why it waits, and when it will have ended."""
    if task.status not in WAITS | {TaskStatus.PROCESSING}:
        return NO_OUTLOOK
    done = checkpoints.without_artifacts(session, task.id) if finished is None else finished
    return waiting.outlook(session, task, done.keys(), get_settings().lease)


def _waiting_of(outlook: Outlook) -> WaitingView | None:
    found = outlook.waiting
    if found is None:
        return None
    return WaitingView(reason=found.reason, message=found.message, position=found.position, until=found.until)


def _eta_of(outlook: Outlook) -> EtaView | None:
    span = outlook.eta
    if span is None:
        return None
    seconds = {name: round(getattr(span, name), 1) for name in ("low", "likely", "high")}
    return EtaView(**seconds, based_on=span.based_on)


def _agents_of(task: Task) -> list[str]:
    """Those that run; before the submit, those that may."""
    tool = tools().get(task.tool_id)
    return task.agents or [step.id for step in (tool.steps if tool else ())]


def _step_of(task: Task, agent_id: str) -> Step | None:
    """None of a step that was made from the parameters, or that today's catalogue does not have any more."""
    tool = tools().get(task.tool_id)
    return tool.step(agent_id) if tool else None


def _step(task: Task, agent_id: str, finished: TaskStep | None) -> StepView:
    step = _step_of(task, agent_id)
    return StepView(
        agent_id=agent_id,
        agent_name=step.agent.name if step else agent_id,
        state=_state(task, agent_id, finished),
        price=task.prices.get(agent_id, step.price if step else 0),
        is_most=agent_id in task.tariffs,
        attempt=finished.epoch if finished else None,
        duration_ms=finished.duration_ms if finished else None,
        started_at=_started(task, agent_id, finished),
        finished_at=finished.finished_at if finished else None,
        error_code=finished.error_code if finished else None,
        message=finished.error_message if finished else None,
    )


def _started(task: Task, agent_id: str, finished: TaskStep | None) -> datetime | None:
    """Of the step at work: `claimed_at` is that of the claim or of its last checkpoint."""
    if finished is not None:
        return finished.finished_at - timedelta(milliseconds=finished.duration_ms)
    return task.claimed_at if _state(task, agent_id, finished) == "running" else None


def _state(task: Task, agent_id: str, finished: TaskStep | None) -> StepState:
    if finished is not None:
        return _STATES[StepStatus(finished.status)]
    step = _step_of(task, agent_id)
    if step is not None and step.in_children and task.parent_id is None:
        return _state_in_children(task)
    if task.status in TERMINAL:
        return "skipped"
    running = task.status == TaskStatus.PROCESSING and task.current_agent == agent_id
    return "running" if running else "pending"


def _state_in_children(task: Task) -> StepState:
    """Of a step that runs in the parts of the task: by their items."""
    ended = task.items_ok + task.items_failed
    if task.status in TERMINAL or (task.items and ended == task.items):
        return ("delivered" if task.items_ok else "failed") if ended else "skipped"
    return "running" if task.items and task.open_children else "pending"


def items_of(task: Task) -> ItemCounts | None:
    return item_counts(parts_of(task))


def item_counts(parts: Parts) -> ItemCounts | None:
    """None of a task that is no batch."""
    return ItemCounts(total=parts.items, ok=parts.ok, failed=parts.failed) if parts.items else None


def error_of(task: Task) -> TaskError | None:
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
