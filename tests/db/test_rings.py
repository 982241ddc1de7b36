from collections.abc import Sequence

import pytest
from side_by_side import sql, together
from sqlalchemy import text

from db import rings, survey
from db.database import transaction
from db.models import Queue, Task, TaskStatus
from db.rings import Ring
from tests import builders


def take(limit: int = 100) -> Sequence[Ring]:
    with transaction() as session:
        return rings.take(session, limit)


def put_back(taken: Sequence[Ring]) -> None:
    with transaction() as session:
        rings.put_back(session, taken)


def ring_again(limit: int = 100) -> int:
    with transaction() as session:
        return rings.ring_again(session, limit, builders.LEASE)


def test_taking_rings_waits_for_no_disk() -> None:
    builders.admitted_task()
    with transaction() as session:
        assert rings.take(session)
        assert session.execute(text("SHOW synchronous_commit")).scalar() == "off"
    with transaction() as session:
        assert session.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_a_queue_that_nobody_takes_from_is_not_rung_for_again(database: str) -> None:
    unanswered = rung(3600)
    builders.change(unanswered.id, queue=Queue.HIGH_MEMORY)
    assert ring_again() == 0
    builders.live_worker(queues=("high_memory",))
    assert ring_again() == 1


def are_due() -> bool:
    with transaction() as session:
        return survey.look(session, builders.LEASE).to_ring


def rung(seconds_ago: float, times: int = 1) -> Task:
    """An admitted task whose ring nobody has answered, though somebody could."""
    builders.live_worker()
    task = builders.admitted_task()
    builders.change(task.id, ring_wanted=False, rings=times)
    sql(
        "UPDATE tasks SET rung_at = clock_timestamp() - make_interval(secs => :ago) WHERE id = :id",
        ago=seconds_ago,
        id=task.id,
    )
    return task


def test_a_ring_carries_two_ids_the_celery_id_of_the_submit_and_the_queue() -> None:
    task = builders.admitted_task(queue=Queue.HIGH_MEMORY)
    assert take() == [Ring(task.id, task.user_id, task.celery_task_id, task.tool_id, "high_memory")]  # type: ignore[arg-type]


def test_a_ring_is_taken_once() -> None:
    task = builders.admitted_task()
    assert are_due()
    assert len(take()) == 1
    assert not are_due()
    assert take() == []
    row = builders.read(task.id)
    assert (row.ring_wanted, row.rings, row.rung_at is not None) == (False, 1, True)


def test_rings_taken_by_many_at_once_are_each_taken_once() -> None:
    tasks = {builders.admitted_task().id for _ in range(12)}
    taken = together(*[lambda: take(limit=4)] * 4, *[take] * 2)
    rest = take()
    ids = [ring.task_id for rings_ in [*taken, rest] for ring in rings_]
    assert len(ids) == 12
    assert set(ids) == tasks


def test_a_ring_that_somebody_is_taking_is_left_to_them() -> None:
    builders.admitted_task()
    with transaction() as somebody:
        assert len(rings.take(somebody)) == 1
        assert take() == []


def test_the_longest_admitted_is_rung_first() -> None:
    tasks = [builders.admitted_task() for _ in range(3)]
    assert [ring.task_id for ring in take(limit=1)] == [tasks[0].id]
    assert {ring.task_id for ring in take(limit=5)} == {task.id for task in tasks[1:]}


def test_a_ring_that_could_not_be_sent_is_due_again() -> None:
    builders.admitted_task()
    taken = take()
    put_back(taken)
    assert are_due()
    assert take() == taken


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.QUEUED}))
def test_a_ring_that_could_not_be_sent_is_not_put_back_on_a_row_that_went_on(status: TaskStatus) -> None:
    task = builders.admitted_task()
    taken = take()
    builders.change(task.id, status=status)
    put_back(taken)
    assert not are_due()


def test_a_claimed_task_is_not_rung() -> None:
    claim = builders.claimed_task()
    assert take() == []
    sql("UPDATE tasks SET rung_at = clock_timestamp() - interval '1 hour'")
    assert ring_again() == 0
    assert not builders.read(claim.task_id).ring_wanted


def test_a_ring_that_nobody_answered_is_rung_again() -> None:
    task = rung(seconds_ago=1.1)
    assert ring_again() == 1
    assert [ring.task_id for ring in take()] == [task.id]
    assert builders.read(task.id).rings == 2
    assert ring_again() == 0  # not at once


@pytest.mark.parametrize(
    ("times", "pause"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (500, 60)]
)
def test_the_pause_between_rings_doubles_up_to_a_minute(times: int, pause: int) -> None:
    too_early, due = rung(seconds_ago=pause - 0.5, times=times), rung(seconds_ago=pause + 0.1, times=times)
    assert ring_again() == 1
    assert builders.read(due.id).ring_wanted
    assert not builders.read(too_early.id).ring_wanted


def test_no_more_is_rung_again_than_there_is_room_for() -> None:
    for _ in range(3):
        rung(seconds_ago=100)
    assert [ring_again(limit=2), ring_again(limit=2), ring_again(limit=2)] == [2, 1, 0]


def test_the_limit_holds_also_where_the_planner_looks_row_by_row() -> None:
    for _ in range(3):
        rung(seconds_ago=100)
    with transaction() as session:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        assert rings.ring_again(session, 1, builders.LEASE) == 1


def test_a_ring_still_to_be_sent_is_not_counted_as_unanswered() -> None:
    task = rung(seconds_ago=100)
    builders.change(task.id, ring_wanted=True)
    assert ring_again() == 0
