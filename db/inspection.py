"""Everything the rows say about one task, for an operator: also what a customer is never shown."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import TaskNotFound
from db.models import Task, TaskEvent, TaskStep, Worker


@dataclass(frozen=True, slots=True)
class TaskFile:
    """The row, its finished steps and its events, each in the order of time, and the worker of its last claim if that
    one is still listed.
    """

    task: Task
    steps: Sequence[TaskStep]
    events: Sequence[TaskEvent]
    worker: Worker | None


def look_at(session: Session, task_id: uuid.UUID) -> TaskFile:
    """Whoever's task it is, deleted or not. Raises TaskNotFound."""
    task = session.get(Task, task_id)
    if task is None:
        raise TaskNotFound
    steps = select(TaskStep).where(TaskStep.task_id == task_id).order_by(TaskStep.finished_at)
    events = select(TaskEvent).where(TaskEvent.task_id == task_id).order_by(TaskEvent.seq)
    worker = session.get(Worker, task.worker) if task.worker else None
    return TaskFile(task, session.scalars(steps).all(), session.scalars(events).all(), worker)
