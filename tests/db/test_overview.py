from datetime import timedelta

from side_by_side import sql

from db import overview
from db.database import transaction
from db.models import CLOCK, TaskStatus
from tests import builders


def counts() -> dict[str, int]:
    with transaction() as session:
        return overview.counts(session, overview.backlogs(session))


def test_an_empty_house_has_no_tasks() -> None:
    assert counts() == dict.fromkeys(("created", "queued", "queued_later", "admitted", "processing"), 0)


def test_tasks_are_counted_by_what_they_wait_for() -> None:
    builders.created_task()
    builders.created_task(status=TaskStatus.COMPLETED)
    for _ in range(2):
        builders.submitted_task()
    builders.change(builders.submitted_task().id, not_before=CLOCK + timedelta(hours=1))
    builders.admitted_task()
    builders.claimed_task()
    assert counts() == {"created": 1, "queued": 2, "queued_later": 1, "admitted": 1, "processing": 1}


def test_the_oldest_waiting_task_says_how_long_the_wait_is() -> None:
    builders.submitted_task()
    sql("UPDATE tasks SET sort_at = sort_at - interval '60 s'")
    builders.submitted_task()
    with transaction() as session:
        [backlog] = overview.backlogs(session)
    assert backlog.waiting == 2
    assert 60 <= backlog.oldest_seconds < 70
