import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from side_by_side import sql, together
from sqlalchemy import text, update

from db import admission, survey, workers
from db.database import transaction
from db.models import CLOCK, Queue, Task, TaskStatus
from db.rings import Ring
from db.survey import Slots, Survey
from tests import builders
from tests.builders import LEASE


def admit(slots: int, queue: str = Queue.DEFAULT) -> int:
    """One round with so many free slots."""
    return fill(Slots({queue: slots}, slots))


def fill(slots: Slots) -> int:
    return len(rings_of(slots))


def rings_of(slots: Slots) -> Sequence[Ring]:
    with transaction() as session:
        assert admission.lock_round(session)
        return admission.admit(session, slots)


def look() -> Survey:
    with transaction() as session:
        return survey.look(session, LEASE)


def free_slots() -> Slots:
    return look().slots


def idle_slots() -> int:
    return look().idle


def ripen() -> float | None:
    with transaction() as session:
        admission.ripen(session)
    return look().ripe_in


def is_admitted(task: Task) -> bool:
    return builders.read(task.id).admitted_at is not None


def backlog(user_id: int, count: int, cost: float = 1.0) -> None:
    """Many waiting tasks of one customer, without their credits and events."""
    sql(
        """INSERT INTO tasks (id, user_id, tool_id, status, agents, cost, queued_at, sort_at)
           SELECT gen_random_uuid(), :user, 'profile-my-data', 'QUEUED', '{}', :cost, clock_timestamp(),
                  clock_timestamp() + n * interval '1 ms' FROM generate_series(1, :count) n""",
        user=user_id,
        count=count,
        cost=cost,
    )


def serve_one() -> int:
    """Admit one task and have it done; whose it was."""
    assert admit(1) == 1
    ((user_id, _cost),) = finish_admitted()
    return user_id


def finish_admitted() -> Sequence[tuple[int, float]]:
    """Have everything done that was admitted; whose it was, and how long it took."""
    done = update(Task).where(Task.status == TaskStatus.QUEUED, Task.admitted_at.is_not(None))
    with transaction() as session:
        rows = session.execute(done.values(status=TaskStatus.COMPLETED).returning(Task.user_id, Task.cost))
        return [(row.user_id, row.cost) for row in rows]


# ── the free slots ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_slots_of_live_workers_are_free() -> None:
    builders.live_worker(slots=2)
    builders.live_worker(slots=3)
    assert free_slots() == Slots({"default": 5}, 5)
    assert idle_slots() == 5


def test_without_a_worker_there_is_no_slot() -> None:
    builders.submitted_task()
    assert free_slots() == Slots({}, 0)
    assert fill(free_slots()) == 0
    assert idle_slots() == 0


def test_what_runs_and_what_was_rung_takes_a_slot_and_what_waits_does_not() -> None:
    builders.live_worker(slots=4)
    builders.claimed_task()
    builders.admitted_task()
    builders.submitted_task()
    builders.waiting_parent()
    assert free_slots() == Slots({"default": 2}, 2)
    assert idle_slots() == 3  # a ring that nobody answers leaves its slot idle


def test_the_slots_of_draining_and_of_silent_workers_do_not_count() -> None:
    builders.live_worker(slots=1)
    draining, silent = builders.live_worker(slots=2), builders.live_worker(slots=4)
    with transaction() as session:
        workers.start_draining(session, draining.boot_uuid)
    sql("UPDATE workers SET seen_at = seen_at - interval '1 hour' WHERE boot_uuid = :id", id=silent.boot_uuid)
    assert free_slots() == Slots({"default": 1}, 1)
    assert idle_slots() == 1


def test_more_tasks_than_slots_leave_none_free() -> None:
    builders.live_worker(slots=1)
    builders.claimed_task()
    builders.claimed_task()
    assert free_slots() == Slots({"default": 0}, 0)
    assert idle_slots() == 0


def test_a_worker_that_takes_from_two_queues_has_its_slots_once() -> None:
    builders.live_worker(slots=2, queues=(Queue.DEFAULT, Queue.HIGH_MEMORY))
    for queue in (Queue.DEFAULT, Queue.HIGH_MEMORY):
        for _ in range(2):
            builders.submitted_task(queue=queue)
    assert free_slots() == Slots({"default": 2, "high_memory": 2}, 2)
    assert fill(free_slots()) == 2
    assert free_slots().in_all == 0


def test_a_task_that_runs_from_another_queue_takes_its_workers_slot() -> None:
    builders.live_worker(slots=2, queues=(Queue.DEFAULT, Queue.HIGH_MEMORY))
    builders.claimed_task(queue=Queue.HIGH_MEMORY)
    for _ in range(3):
        builders.submitted_task()
    assert fill(free_slots()) == 1


def test_rings_in_a_queue_that_nobody_serves_take_no_slot_from_another() -> None:
    """A rescue admits whatever was lost; while its own workers are away it must not starve the others."""
    builders.live_worker(slots=2)
    for _ in range(5):
        builders.admitted_task(queue=Queue.HIGH_MEMORY)
    waiting = [builders.submitted_task() for _ in range(3)]
    assert free_slots() == Slots({"default": 2}, 2)
    assert fill(free_slots()) == 2
    assert [is_admitted(task) for task in waiting] == [True, True, False]


# ── one round ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("slots", [0, 1, 3, 5, 9])
def test_a_round_admits_exactly_as_many_as_there_are_slots(slots: int) -> None:
    for user in (builders.customer(), builders.customer()):
        for _ in range(3):
            builders.submitted_task(user)
    assert admit(slots) == min(slots, 6)
    assert sql("SELECT count(*) FROM tasks WHERE admitted_at IS NOT NULL AND rung_at IS NOT NULL") == min(slots, 6)


def test_an_admitted_task_can_be_claimed() -> None:
    task = builders.submitted_task()
    admit(1)
    assert builders.claim(builders.read(task.id)).epoch == 1


# ── ahead of the free slots ──────────────────────────────────────────────────────────────────────────────────────


def ended(count: int, queue: str = Queue.DEFAULT) -> None:
    """So many tasks ended a moment ago, however slow this machine is."""
    sql(
        """INSERT INTO tasks (id, user_id, tool_id, status, agents, queue, finished_at)
           SELECT gen_random_uuid(), :user, 'profile-my-data', 'COMPLETED', '{}', :queue,
                  clock_timestamp() + interval '1 hour' FROM generate_series(1, :count)""",
        user=builders.customer(),
        count=count,
        queue=queue,
    )


@pytest.mark.parametrize(("in_a_quarter_second", "ahead"), [(0, 0), (2, 0), (8, 2), (25, 5), (500, 16)])
def test_as_many_are_let_in_ahead_as_end_during_a_hand_over_and_four_a_slot_at_most(
    in_a_quarter_second: int, ahead: int
) -> None:
    builders.live_worker(slots=4)
    ended(in_a_quarter_second)
    assert free_slots() == Slots({"default": 4}, 4, {"default": ahead} if ahead else {})


def test_what_is_ahead_already_is_not_let_in_again() -> None:
    builders.live_worker(slots=2)
    ended(100)
    backlog(builders.customer(), 12)
    assert [fill(free_slots()) for _ in range(3)] == [10, 0, 0]
    assert look().spare == -8


def test_a_queue_whose_tasks_are_slow_has_nothing_let_in_ahead() -> None:
    builders.live_worker(slots=2, queues=(Queue.DEFAULT, Queue.HIGH_MEMORY))
    ended(100)
    backlog(builders.customer(), 12)
    for _ in range(3):
        builders.submitted_task(queue=Queue.HIGH_MEMORY)
    assert free_slots().ahead == {"default": 8}
    assert fill(free_slots()) == 10
    # Which queue comes first to the two free slots is chance; a third of high_memory's would have been let in ahead.
    assert sql("SELECT count(*) FROM tasks WHERE queue = 'high_memory' AND admitted_at IS NOT NULL") in (0, 2)


def test_slots_shared_by_two_queues_have_their_tasks_ahead_once() -> None:
    builders.live_worker(slots=2, queues=(Queue.DEFAULT, Queue.HIGH_MEMORY))
    for queue in (Queue.DEFAULT, Queue.HIGH_MEMORY):
        ended(100, queue)
        for _ in range(12):
            builders.submitted_task(queue=queue)
    for _ in range(3):
        fill(free_slots())
    assert sql("SELECT count(*) FROM tasks WHERE admitted_at IS NOT NULL") <= 2 + 2 * survey.MOST_AHEAD * 2


def test_what_takes_long_is_not_let_in_ahead_and_nobody_passes_it() -> None:
    user = builders.customer()
    short, long, last = (builders.submitted_task(user, cost=cost) for cost in (1, admission.SHORT * 1.5, 1))
    assert fill(Slots({"default": 0}, 0, {"default": 3})) == 1
    assert [is_admitted(task) for task in (short, long, last)] == [True, False, False]
    assert fill(Slots({"default": 1}, 1, {"default": 1})) == 2


def test_a_cap_holds_for_what_is_let_in_ahead() -> None:
    backlog(builders.customer(cap=3), 9)
    assert fill(Slots({"default": 2}, 2, {"default": 5})) == 3


def test_a_newcomer_waits_for_no_more_than_was_let_in_ahead() -> None:
    """Slots take from the broker what was rung first; each ending is followed by a round."""
    slots, ahead = 3, 2
    backlog(builders.customer(), 40)
    broker: list[Ring] = list(rings_of(Slots({"default": slots}, slots, {"default": ahead})))
    running = [broker.pop(0) for _ in range(slots)]
    newcomer, passed = builders.submitted_task(), 0
    while newcomer.id not in {ring.task_id for ring in running}:
        builders.change(running.pop(0).task_id, status=TaskStatus.COMPLETED)
        running.append(broker.pop(0))
        passed += 1
        broker += rings_of(Slots({"default": 0}, 0, {"default": 1}))
    assert passed - 1 == ahead


# ── one round, further ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_round_brings_the_rings_of_what_it_admits_in_the_order_of_their_turn() -> None:
    """Marked as sent by the very statement: they cost no other."""
    users = [builders.customer(weight=weight) for weight in (1, 5)]
    tasks = {task.id: task for task in (builders.submitted_task(user) for _ in range(3) for user in users)}
    found = rings_of(Slots({"default": 4}, 4))
    assert all(ring == ring_of(tasks[ring.task_id]) for ring in found)
    again = [(builders.read(ring.task_id).rings, builders.read(ring.task_id).ring_wanted) for ring in found]
    assert again == [(1, False)] * 4
    assert [ring.user_id for ring in found].count(users[1]) == 3  # five times the share
    turns = [ring.task_id for ring in found if ring.user_id == users[1]]
    assert turns == sorted(turns, key=lambda one: tasks[one].sort_at or one)  # type: ignore[arg-type, return-value]


def ring_of(task: Task) -> Ring:
    assert task.celery_task_id is not None
    return Ring(task.id, task.user_id, task.celery_task_id, task.tool_id, task.queue)


def test_a_round_fills_each_queue_from_its_own_tasks() -> None:
    light, heavy = builders.submitted_task(), builders.submitted_task(queue=Queue.HIGH_MEMORY)
    assert admit(5, queue=Queue.HIGH_MEMORY) == 1
    assert (is_admitted(light), is_admitted(heavy)) == (False, True)


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.QUEUED}))
def test_only_queued_tasks_are_admitted(status: TaskStatus) -> None:
    builders.created_task(status=status, sort_at=CLOCK)
    assert admit(5) == 0


def test_a_task_that_is_put_off_is_not_admitted_before_its_time() -> None:
    task = builders.submitted_task()
    builders.change(task.id, not_before=CLOCK + timedelta(seconds=60))
    ripe_in = ripen()
    assert ripe_in is not None
    assert 50 < ripe_in <= 60
    assert admit(5) == 0

    builders.change(task.id, not_before=CLOCK)
    assert ripen() is None
    assert admit(5) == 1


def test_ripening_lets_in_what_is_due_and_tells_when_the_next_one_is() -> None:
    due, later = builders.submitted_task(), builders.submitted_task()
    builders.change(due.id, not_before=CLOCK - timedelta(seconds=1))
    builders.change(later.id, not_before=CLOCK + timedelta(seconds=9))
    ripe_in = ripen()
    assert ripe_in is not None
    assert 5 < ripe_in <= 9
    assert builders.read(due.id).not_before is None
    assert builders.read(later.id).not_before is not None


def test_a_customer_has_no_more_at_once_than_their_cap() -> None:
    capped, other = builders.customer(cap=2), builders.customer()
    builders.claimed_task(capped)
    for user in (capped, other):
        for _ in range(4):
            builders.submitted_task(user)
    admit(5)
    admitted = "SELECT count(*) FROM tasks WHERE user_id = :user AND status = 'QUEUED' AND admitted_at IS NOT NULL"
    assert sql(admitted, user=capped) == 1
    assert sql(admitted, user=other) == 4
    assert admit(5) == 0


def test_a_cap_counts_over_all_queues() -> None:
    capped = builders.customer(cap=1)
    builders.submitted_task(capped)
    builders.submitted_task(capped, queue=Queue.HIGH_MEMORY)
    assert fill(Slots({"default": 3, "high_memory": 3}, 6)) == 1


def test_a_waiting_parent_counts_towards_no_cap() -> None:
    user = builders.customer(cap=1)
    _parent, (child,) = builders.waiting_parent(user, children_count=1)
    assert admit(3) == 1
    assert is_admitted(child)


def test_a_customer_whose_cap_is_nothing_waits() -> None:
    builders.submitted_task(builders.customer(cap=0))
    assert admit(3) == 0


_ROWS_READ = """SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
                FROM pg_stat_xact_user_tables WHERE relname = 'tasks'"""


# As in a new database: autovacuum has counted between the tests before, when next to nothing was there.
_NEVER_COUNTED = """
    UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r';
    DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
"""


@pytest.fixture
def uncounted() -> Iterator[None]:
    """Nor does autovacuum count them meanwhile."""
    tables = ("tasks", "lanes", "workers")
    for table in tables:
        sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    for statement in _NEVER_COUNTED.split(";"):
        sql(statement)
    yield
    for table in tables:
        sql(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


@pytest.mark.usefixtures("uncounted")
def test_a_round_reads_no_more_rows_the_more_of_them_wait() -> None:
    """Also where nobody has counted the table's rows yet, and the planner knows nothing of them."""
    builders.live_worker(slots=2)
    read = []
    for count in (100, 2000):
        backlog(builders.customer(), count)
        with transaction() as session:
            assert admission.lock_round(session)
            before = session.execute(text(_ROWS_READ)).scalar_one()
            assert len(admission.admit(session, survey.look(session, LEASE).slots)) == 2
            read.append(session.execute(text(_ROWS_READ)).scalar_one() - before)
        finish_admitted()
    assert read[1] < 100, read


# ── fairness ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _order_of(tasks: Sequence[Task]) -> list[int]:
    """The places in `tasks`, in the order in which they are admitted one by one."""
    places = {task.id: place for place, task in enumerate(tasks)}
    order, seen = [], set[uuid.UUID]()
    while admit(1):
        newest = next(task.id for task in tasks if task.id not in seen and is_admitted(task))
        seen.add(newest)
        order.append(places[newest])
    return order


def test_one_customers_tasks_are_admitted_in_the_order_of_their_coming() -> None:
    user = builders.customer()
    assert _order_of([builders.submitted_task(user, cost=cost) for cost in (5, 1, 9, 2)]) == [0, 1, 2, 3]


def test_priority_is_worth_waiting_and_no_more() -> None:
    user = builders.customer()
    old, new, urgent = (builders.submitted_task(user, priority=priority) for priority in (0, 0, 1))
    sql("UPDATE tasks SET sort_at = sort_at - interval '61 s' WHERE id = :id", id=old.id)
    assert _order_of([old, new, urgent]) == [0, 2, 1]


def test_ten_tasks_behind_two_hundred_take_every_second_place() -> None:
    crowd, newcomer = builders.customer(), builders.customer()
    backlog(crowd, 200)
    for _ in range(5):
        serve_one()
    backlog(newcomer, 10)

    served = [serve_one() for _ in range(24)]

    places = [place for place, user in enumerate(served, start=1) if user == newcomer]
    assert places[0] == 1  # who has had nothing yet is first
    assert all(2 * n - 1 <= place <= 2 * n for n, place in enumerate(places, start=1)), places
    assert len(places) == 10


def test_who_was_away_has_saved_nothing_up() -> None:
    steady, away = builders.customer(), builders.customer()
    backlog(steady, 60)
    for _ in range(30):
        serve_one()
    backlog(away, 60)
    served = Counter(serve_one() for _ in range(20))
    assert abs(served[steady] - served[away]) <= 2


def test_a_weight_of_two_gets_twice() -> None:
    heavy, light = builders.customer(weight=2), builders.customer()
    backlog(heavy, 60)
    backlog(light, 60)
    served = Counter(serve_one() for _ in range(30))
    assert abs(served[heavy] - 20) <= 1


def test_a_weight_of_two_gets_twice_in_one_round_too() -> None:
    heavy, light = builders.customer(weight=2), builders.customer()
    backlog(heavy, 60)
    backlog(light, 60)
    assert admit(30) == 30
    served = Counter(user for user, _cost in finish_admitted())
    assert abs(served[heavy] - 20) <= 1


def test_twenty_one_customers_get_the_same_time_though_ones_tasks_are_ten_times_larger() -> None:
    large, *others = users = [builders.customer(credits=0) for _ in range(21)]
    backlog(large, 6, cost=10)
    for user in others:
        backlog(user, 30)
    seconds = dict.fromkeys(users, 0.0)
    while sum(seconds.values()) < 400:
        admit(4)
        for user, cost in finish_admitted():
            seconds[user] += cost
    jain = sum(seconds.values()) ** 2 / (len(seconds) * sum(share**2 for share in seconds.values()))
    assert jain >= 0.95, seconds


# ── many conductors ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_round_belongs_to_one_conductor_as_long_as_it_lasts() -> None:
    with transaction() as mine, transaction() as theirs:
        assert admission.lock_round(mine)
        assert not admission.lock_round(theirs)
        mine.commit()
        assert admission.lock_round(theirs)


def test_four_conductors_at_once_exceed_no_cap_and_no_slot() -> None:
    capped, other = builders.customer(cap=3), builders.customer()
    backlog(capped, 40)
    backlog(other, 40)
    builders.live_worker(slots=7)

    def conduct() -> int:
        admitted = 0
        for _ in range(15):
            with transaction() as session:
                if admission.lock_round(session):
                    admitted += len(admission.admit(session, survey.look(session, LEASE).slots))
        return admitted

    answers = together(*[conduct] * 4)
    assert sum(answers) == 7
    busy = "SELECT count(*) FROM tasks WHERE user_id = :user AND admitted_at IS NOT NULL"
    assert (sql(busy, user=capped), sql(busy, user=other)) == (3, 4)


def test_a_row_that_somebody_holds_is_left_to_the_next_round() -> None:
    task = builders.submitted_task()
    with transaction() as holder:
        holder.get(Task, task.id, with_for_update=True)
        assert admit(5) == 0
    assert admit(5) == 1
