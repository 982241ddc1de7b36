"""What `agensium task` prints: a task's row, steps, events and internal error details, for an operator's eyes only.

None of it goes over HTTP: a traceback or a stack may name what is in a customer's data.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from textwrap import indent

from db.inspection import TaskFile
from db.models import Task, TaskEvent, TaskStep
from db.retries import EARLIER_TASK


def shown(file: TaskFile) -> str:
    """Safe for a terminal: what came out of a customer's data rings no bell and moves no cursor."""
    text = "\n".join(_lines(file))
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _lines(file: TaskFile) -> Iterator[str]:
    yield from _task(file.task)
    if file.worker is not None:
        yield f"  process {file.worker.pid} on {file.worker.host}, {file.worker.pool}"
    for step in file.steps:
        yield from _step(step)
    yield ""
    yield from (_event(event) for event in file.events)


def _task(task: Task) -> Iterator[str]:
    outcome = f", {task.outcome}" if task.outcome else ""
    yield f"task {task.id} of user {task.user_id}: {task.tool_id}"
    yield f"  {task.status}{outcome}, {task.progress:g} %, agent {task.current_agent or 'none'}, queue {task.queue}"
    yield f"  claims {task.epoch}, run {task.run_seconds:.1f} s; at this step: " + ", ".join(
        f"{name} {getattr(task, name)}" for name in ("hiccups", "crashes", "losses")
    )
    for name in ("created_at", "queued_at", "not_before", "started_at", "lease_until", "finished_at", "deleted_at"):
        if (at := getattr(task, name)) is not None:
            yield f"  {name} {_time(at)}"
    for name in ("worker", "parent_id", "retry_of", "manifest_key"):
        if (value := getattr(task, name)) is not None:
            yield f"  {name} {value}"
    yield from _error(task)


def _step(step: TaskStep) -> Iterator[str]:
    memory = "" if step.peak_memory_bytes is None else f", at most {step.peak_memory_bytes >> 20} MiB"
    yield ""
    by = "an earlier task" if step.epoch == EARLIER_TASK else f"claim {step.epoch}"
    yield f"step {step.agent_id}: {step.status} by {by} in {step.duration_ms} ms{memory}"
    if step.artifact_key is not None:
        yield f"  artifact {step.artifact_key}"
    elif step.inline is not None:
        yield "  artifact in its row"
    yield from _error(step)


def _error(row: Task | TaskStep) -> Iterator[str]:
    if row.error_code is not None:
        yield f"  {row.error_code}: {row.error_message}"
    if row.error_detail:
        yield indent(row.error_detail.rstrip(), "  | ")


def _event(event: TaskEvent) -> str:
    return f"{event.seq:4} {_time(event.at)} {event.kind} {json.dumps(event.data, ensure_ascii=False)}"


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="milliseconds")
