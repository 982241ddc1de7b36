from datetime import timedelta

from side_by_side import sql

from db import gauges
from db.database import transaction
from db.gauges import Gauges
from db.models import CLOCK, TaskStatus
from tests import builders


def read() -> Gauges:
    with transaction() as session:
        return gauges.read(session)


def test_an_empty_house_has_no_tasks_and_no_wait() -> None:
    empty = dict.fromkeys(("created", "queued", "queued_later", "admitted", "processing"), 0)
    assert read() == Gauges(tasks=empty, oldest_waiting_seconds=0.0)


def test_tasks_are_counted_by_what_they_wait_for() -> None:
    builders.created_task()
    builders.created_task(status=TaskStatus.COMPLETED)
    for _ in range(2):
        builders.submitted_task()
    builders.change(builders.submitted_task().id, not_before=CLOCK + timedelta(hours=1))
    builders.admitted_task()
    builders.claimed_task()
    assert read().tasks == {"created": 1, "queued": 2, "queued_later": 1, "admitted": 1, "processing": 1}


def test_the_oldest_waiting_task_says_how_long_the_wait_is() -> None:
    builders.submitted_task()
    sql("UPDATE tasks SET sort_at = sort_at - interval '60 s'")
    builders.submitted_task()
    assert 60 <= read().oldest_waiting_seconds < 70
