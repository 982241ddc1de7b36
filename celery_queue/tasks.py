"""The one Celery task: claim the row, route on its tool, write down how it ended.

This is the edge: the only broad `except` in the house. Nothing leaves the task but Ignore and one plain, JSON-safe
TaskFailed; a MemoryError or CancelledError that did would take the worker with it (PITFALLS 2, 3).
"""

import uuid
from typing import Any

from celery import Task as CeleryTask
from celery import shared_task
from celery.exceptions import Ignore

from backend import traces
from backend.logs import log
from celery_queue import slots
from celery_queue.callbacks import Left, begin, leave
from celery_queue.celery_config import TASK_NAME
from celery_queue.error_handlers import Answer, Fate, answer
from celery_queue.heartbeat import heartbeat
from celery_queue.progress import courtesy, send
from db.claims import Claim
from db.database import DATABASE_ERRORS
from db.models import TaskStatus
from transformers.lifecycle import TaskReport

RETRY = "RETRY"


class TaskFailed(Exception):
    """A final failure, as Celery and Flower show it: the error code and the public sentence."""


class TaskRetrying(Exception):
    """The reason why a run went back to the queue, as Celery's RETRY state shows it."""


@shared_task(name=TASK_NAME, bind=True)
def process_analysis(self: CeleryTask, task_id: str, user_id: int) -> dict[str, Any]:
    """Run the task if it is to be had; a copy, or a ring that came too early, is dropped and acknowledged."""
    claim = _claim(task_id, user_id)
    if claim is None:
        raise Ignore("nothing to claim")
    with traces.run_span(claim, **_named(claim), messaging__message__id=self.request.id) as span:
        begin(self, claim)
        ended = _work(self, self.request.id, claim)
        _say(span, ended)
    if isinstance(ended, TaskReport):
        return ended.model_dump()
    _tell_celery(self, self.request.id, ended)
    raise Ignore(ended.fate)


def _named(claim: Claim) -> dict[str, Any]:
    return {
        "task_id": str(claim.task_id),
        "user__id": claim.user_id,
        "epoch": claim.epoch,
        "tool_id": claim.tool_id,
        "parent_id": None if claim.parent_id is None else str(claim.parent_id),
    }


def _claim(task_id: str, user_id: int) -> Claim | None:
    """None too when the database or scratch is away (the row is rung again) or the message is none of ours."""
    try:
        return slots.here().take(uuid.UUID(task_id), int(user_id))
    except (*DATABASE_ERRORS, OSError, ValueError) as error:
        log().warning("no claim", error=str(error))
        return None


def _work(task: CeleryTask, request_id: str, claim: Claim) -> TaskReport | Answer:
    with heartbeat().hold(claim) as held:
        try:
            report = slots.here().run(held, lambda percent, agent: courtesy().tell(task, request_id, percent, agent))
        except BaseException as error:  # noqa: BLE001 (the edge: every way a run can end is given its answer here)
            ended = answer(claim, error)
        else:
            leave(task, Left(claim.tool_id, TaskStatus.COMPLETED))
            return report
        finally:
            courtesy().forget(request_id)
    if ended.status is not None:
        leave(task, Left(claim.tool_id, ended.status))
    return ended


def _say(span: traces.Span, ended: TaskReport | Answer) -> None:
    """To the trace: what became of the run, which has failed only where the task has."""
    if isinstance(ended, TaskReport):
        span.set(status=TaskStatus.COMPLETED.value, outcome=ended.outcome)
        return
    span.set(fate=ended.fate.value, status=ended.status, error_code=ended.error_code)
    if ended.fate is Fate.FAILED:
        span.failed(ended.error_code)
    elif ended.fate is Fate.DROPPED:
        log().warning("the run is dropped", error_code=ended.error_code)


def _tell_celery(task: CeleryTask, request_id: str, ended: Answer) -> None:
    """A failure is a Celery FAILURE; what runs again later is a RETRY with the reason."""
    sentence = f"{ended.error_code}: {ended.message}"
    if ended.fate is Fate.FAILED:
        raise TaskFailed(sentence)
    if ended.fate is Fate.RETRYING:
        send(task, request_id, RETRY, TaskRetrying(sentence))
