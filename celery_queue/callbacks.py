"""What Celery's signals tell us, logged and counted. They hold no truth: some fire twice, some never (PITFALLS 15).

The Celery id is the row's `celery_task_id`; our own ids are in the message's arguments.
"""

import uuid
from typing import Any

from celery.signals import task_failure, task_postrun, task_prerun
from prometheus_client import Counter

from backend.errors import TaskNotFound
from backend.logs import log
from celery_queue.celery_config import TASK_NAME
from db import task_store
from db.database import DATABASE_ERRORS, transaction

RUNS = Counter("agensium_runs_total", "Runs of process_analysis by what the row said afterwards.", ["tool", "status"])


@task_prerun.connect
def started(task_id: str, task: Any, args: tuple[Any, ...], **_: Any) -> None:
    if task.name == TASK_NAME:
        log().info("run started", celery_task_id=task_id, task_id=args[0])


@task_postrun.connect
def ended(task_id: str, task: Any, args: tuple[Any, ...], state: str | None = None, **_: Any) -> None:
    """Count by the row, not by Celery's word."""
    if task.name != TASK_NAME:
        return
    try:
        with transaction() as session:
            row = task_store.get(session, uuid.UUID(args[0]), int(args[1]), also_deleted=True)
    except (*DATABASE_ERRORS, TaskNotFound):
        return
    RUNS.labels(tool=row.tool_id, status=row.status.lower()).inc()
    log().info("run ended", celery_task_id=task_id, task_id=args[0], status=row.status, celery_state=state)


@task_failure.connect
def failed(task_id: str, exception: BaseException, **_: Any) -> None:
    log().info("celery failure", celery_task_id=task_id, reason=str(exception))
