"""What Celery's signals tell us, logged and counted. They hold no truth: some fire twice, some never (PITFALLS 15).

The Celery id is the row's `celery_task_id`; our own ids are in the message's arguments.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from celery.signals import task_failure, task_postrun, task_prerun

from backend.errors import TaskNotFound
from backend.logs import bind, log, unbind
from backend.metrics.of_workers import RUNS
from celery_queue.celery_config import TASK_NAME
from db import task_store
from db.claims import Claim
from db.database import DATABASE_ERRORS, transaction
from db.models import TaskStatus


@dataclass(frozen=True, slots=True)
class Left:
    """What a run wrote on its row at the end."""

    tool_id: str
    status: TaskStatus


def leave(task: Any, left: Left) -> None:
    """Called by the run itself: its row need not be read again. Where it was not the last to write, nobody calls."""
    task.request.left = left


def begin(task: Any, claim: Claim) -> None:
    """Called by the run itself: a message that got no claim began nothing."""
    bind(epoch=claim.epoch)
    task.request.has_begun = True
    log().info("run started", tool=claim.tool_id, celery_task_id=task.request.id)


@task_prerun.connect
def came(task: Any, args: tuple[Any, ...], **_: Any) -> None:
    """From here on every line of this thread speaks of the task, Celery's own too."""
    if task.name == TASK_NAME:
        bind(task_id=args[0], user_id=args[1])


@task_postrun.connect
def ended(task_id: str, task: Any, args: tuple[Any, ...], state: str | None = None, **_: Any) -> None:
    """Count by the row, not by Celery's word."""
    if task.name == TASK_NAME:
        try:
            if getattr(task.request, "has_begun", False):
                _tell(task_id, task, args, state)
        finally:
            unbind("task_id", "user_id", "epoch")


def _tell(task_id: str, task: Any, args: tuple[Any, ...], state: str | None) -> None:
    left = getattr(task.request, "left", None) or _read(args)
    if left is None:
        return
    RUNS.count(left.tool_id, left.status.lower())
    log().info("run ended", celery_task_id=task_id, status=left.status, celery_state=state)


def _read(args: tuple[Any, ...]) -> Left | None:
    try:
        with transaction() as session:
            row = task_store.get(session, uuid.UUID(args[0]), int(args[1]), also_deleted=True)
    except (*DATABASE_ERRORS, TaskNotFound, ValueError):  # ValueError: the message is none of ours
        return None
    return Left(row.tool_id, TaskStatus(row.status))


@task_failure.connect
def failed(task_id: str, exception: BaseException, **_: Any) -> None:
    log().info("celery failure", celery_task_id=task_id, reason=str(exception))
