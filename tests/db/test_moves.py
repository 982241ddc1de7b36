from itertools import product

import pytest
from side_by_side import sql

from db.database import transaction
from db.events import EventKind
from db.models import CLOCK, MOVES, Task, TaskStatus
from db.moves import claim_ended, goes_first, move
from tests import builders


def moved(task: Task, to: TaskStatus, **how: object) -> Task | None:
    with transaction() as session:
        return move(session, task.id, to, EventKind.QUEUED, {}, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "target"), list(product(TaskStatus, TaskStatus)))
def test_a_move_happens_if_and_only_if_the_table_says_so(source: TaskStatus, target: TaskStatus) -> None:
    task = builders.created_task(status=source)

    answer = moved(task, target)

    legal = target in MOVES[source]
    assert (answer is not None) == legal
    assert builders.read(task.id).status == (target if legal else source)
    assert len(builders.story(task.id)) == (2 if legal else 1)


def test_a_move_that_names_where_it_comes_from_refuses_other_sources() -> None:
    task = builders.created_task(status=TaskStatus.PROCESSING)  # from which QUEUED is legal
    assert moved(task, TaskStatus.QUEUED, came_from=TaskStatus.CREATED) is None
    assert moved(task, TaskStatus.QUEUED, came_from=TaskStatus.PROCESSING) is not None


def test_a_move_that_holds_an_old_epoch_changes_nothing() -> None:
    task = builders.created_task(status=TaskStatus.PROCESSING, epoch=2)
    assert moved(task, TaskStatus.COMPLETED, held_epoch=1) is None
    assert moved(task, TaskStatus.COMPLETED, held_epoch=2) is not None


def test_a_move_touches_no_other_row() -> None:
    task, neighbour = builders.created_task(), builders.created_task()
    moved(task, TaskStatus.QUEUED)
    assert builders.read(neighbour.id).status == TaskStatus.CREATED


def test_a_move_writes_its_event_with_the_number_of_the_row() -> None:
    task = builders.created_task()
    with transaction() as session:
        row = move(session, task.id, TaskStatus.QUEUED, EventKind.QUEUED, {"cost": 7}, data={"why": "asked"})
    assert row is not None
    assert (row.cost, row.last_event) == (7, 2)
    assert sql("SELECT data FROM task_events WHERE task_id = :id AND seq = 2", id=task.id) == {"why": "asked"}


def test_an_ended_claim_adds_its_time_to_the_running_time() -> None:
    claim = builders.claimed_task()
    sql("UPDATE tasks SET run_seconds = 5, claimed_at = claimed_at - interval '10 s' WHERE id = :id", id=claim.task_id)

    with transaction() as session:
        move(session, claim.task_id, TaskStatus.QUEUED, EventKind.HANDED_BACK, claim_ended())

    row = builders.read(claim.task_id)
    assert 15 <= row.run_seconds < 20
    assert (row.claimed_at, row.lease_until, row.worker, row.admitted_at) == (None, None, None, None)


def test_the_running_time_of_a_row_that_nobody_claimed_stays() -> None:
    task = builders.submitted_task()
    with transaction() as session:
        move(session, task.id, TaskStatus.CANCELLED, EventKind.CANCELLED, claim_ended())
    assert builders.read(task.id).run_seconds == 0


def test_who_goes_first_is_admitted_and_to_be_rung() -> None:
    claim = builders.claimed_task(not_before=None, rung_at=CLOCK)
    with transaction() as session:
        move(session, claim.task_id, TaskStatus.QUEUED, EventKind.RESCUED, claim_ended() | goes_first())
    row = builders.read(claim.task_id)
    assert row.admitted_at is not None
    assert row.ring_wanted
