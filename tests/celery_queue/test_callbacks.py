import uuid
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from sqlalchemy import event

from backend.metrics.tally import TALLY
from celery_queue import callbacks
from celery_queue.callbacks import Left
from celery_queue.celery_config import TASK_NAME
from celery_queue.error_handlers import Answer, Fate
from db.database import engine
from db.models import TaskStatus
from tests import builders
from tests.metrics import value


def run_of(task_id: uuid.UUID, user_id: int) -> tuple[Any, tuple[str, int]]:
    """What Celery's signals bring: the task with its request, and the message's arguments."""
    return SimpleNamespace(name=TASK_NAME, request=SimpleNamespace()), (str(task_id), user_id)


def counted(tool: str, status: str) -> float:
    return value(TALLY.read(), "agensium_runs_total", {0: tool, 1: status})


@pytest.mark.usefixtures("database")
def test_a_run_that_says_how_it_left_its_row_has_it_counted_without_a_word_to_the_database() -> None:
    task, args = run_of(uuid.uuid4(), 7)
    task.request.has_begun = True
    before, said = counted("quick-tool", "completed"), []
    event.listen(engine(), "before_cursor_execute", lambda *heard: said.append(heard[2]))
    callbacks.leave(task, Left("quick-tool", TaskStatus.COMPLETED))
    callbacks.ended("an id", task=task, args=args, state="SUCCESS")
    assert counted("quick-tool", "completed") == before + 1
    assert not said


@pytest.mark.usefixtures("database")
def test_a_run_that_was_not_the_last_to_write_is_counted_by_its_row() -> None:
    row = builders.submitted_task()
    task, args = run_of(row.id, row.user_id)
    task.request.has_begun = True
    before = counted(row.tool_id, "queued")
    callbacks.ended("an id", task=task, args=args, state="IGNORED")
    assert counted(row.tool_id, "queued") == before + 1


@pytest.mark.usefixtures("database")
def test_a_message_that_got_no_claim_is_no_run() -> None:
    row = builders.submitted_task()
    task, args = run_of(row.id, row.user_id)
    before = counted(row.tool_id, "queued")
    callbacks.ended("an id", task=task, args=args, state="IGNORED")
    assert counted(row.tool_id, "queued") == before


@pytest.mark.parametrize(
    ("fate", "code", "status"),
    [
        (Fate.FAILED, "BAD_PARAMETERS", TaskStatus.FAILED),
        (Fate.RETRYING, "HANDED_BACK", TaskStatus.QUEUED),
        (Fate.RETRYING, "WAITING", TaskStatus.WAITING),
        (Fate.DROPPED, "CLAIM_LOST", None),
    ],
)
def test_an_answer_tells_in_which_state_it_left_the_row(fate: Fate, code: str, status: TaskStatus | None) -> None:
    assert Answer(fate, code, "said").status == status


@pytest.mark.usefixtures("database")
def test_after_a_message_that_is_none_of_ours_no_line_speaks_of_it() -> None:
    task, args = SimpleNamespace(name=TASK_NAME, request=SimpleNamespace()), ("no id", 7)
    callbacks.came(task=task, args=args)
    assert structlog.contextvars.get_contextvars() == {"task_id": "no id", "user_id": 7}
    callbacks.ended("an id", task=task, args=args, state="IGNORED")
    assert structlog.contextvars.get_contextvars() == {}
