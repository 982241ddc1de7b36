"""Why a task waits, and its place: compared with what admission really does."""

import uuid
from datetime import timedelta

import pytest
from side_by_side import sql

from db import admission, paces, waiting
from db.database import transaction
from db.models import CLOCK, AgentPace, Task
from db.survey import Slots
from db.waiting import Outlook, Reason
from tests import builders
from tests.builders import LEASE

CHEAP = {"score-risk": 1}


def outlook(task_id: uuid.UUID, *finished: str) -> Outlook:
    with transaction() as session:
        return waiting.outlook(session, session.get_one(Task, task_id), set(finished), LEASE)


def reason(task_id: uuid.UUID) -> Reason:
    found = outlook(task_id).waiting
    assert found is not None
    assert found.message.endswith(".")
    return found.reason


def position(task_id: uuid.UUID) -> int | None:
    found = outlook(task_id).waiting
    assert found is not None
    return found.position


def learn(agent: str, usual: float, slow: float, largest: float = 100) -> None:
    with transaction() as session:
        session.add(
            AgentPace(
                agent_id=agent, seconds_per_mebibyte=slow, median_seconds_per_mebibyte=usual,
                samples=paces.ENOUGH_SAMPLES, largest_mebibytes=largest,
            )
        )  # fmt: skip


def test_a_task_that_nobody_submitted_waits_for_nobody() -> None:
    assert outlook(builders.created_task().id) == Outlook()


def test_without_a_worker_that_is_the_reason_and_no_time_is_known() -> None:
    task = builders.submitted_task()
    assert (reason(task.id), outlook(task.id).eta) == (Reason.NO_WORKER, None)
    builders.live_worker(queues=("high_memory",))
    assert reason(task.id) == Reason.NO_WORKER
    builders.live_worker()
    assert reason(task.id) == Reason.BEHIND_OTHERS


def test_a_worker_that_does_not_know_the_tool_is_none() -> None:
    builders.live_worker()
    assert reason(builders.submitted_task(tool_id="newer-than-the-worker").id) == Reason.NO_WORKER


def test_a_paused_customer_is_told_so_also_without_a_worker() -> None:
    assert reason(builders.submitted_task(builders.customer(cap=0)).id) == Reason.PAUSED


def test_an_admitted_task_starts() -> None:
    builders.live_worker()
    assert reason(builders.admitted_task().id) == Reason.STARTING


def test_a_task_that_was_put_off_says_until_when() -> None:
    builders.live_worker()
    task = builders.submitted_task()
    later = builders.sql_now() + timedelta(seconds=90)
    builders.change(task.id, not_before=later)

    found = outlook(task.id)

    assert found.waiting is not None
    assert (found.waiting.reason, found.waiting.until) == (Reason.BACK_OFF, later)
    assert found.eta is not None
    assert found.eta.low > 80


def test_a_parent_waits_for_its_parts() -> None:
    parent, _children = builders.waiting_parent(children_count=2)
    found = outlook(parent.task_id).waiting
    assert found is not None
    assert (found.reason, found.message) == (Reason.CHILDREN, "2 parts of it are still at work.")


def test_a_customer_at_the_cap_waits_for_own_tasks() -> None:
    builders.live_worker(slots=5)
    user = builders.customer(cap=1)
    builders.claimed_task(user)
    builders.submitted_task(user)
    found = outlook(builders.submitted_task(user).id).waiting
    assert found is not None
    assert (found.reason, found.position) == (Reason.OWN_CAP, 2)
    assert (
        found.message == "1 of your tasks is at work, as many as you may have at once; this one is number 2 of yours."
    )


def test_a_place_is_the_one_in_which_admission_takes_it() -> None:
    builders.live_worker(slots=1)
    ids = []
    for weight, costs in ((1.0, [5, 1, 1, 8]), (2.0, [4, 4, 4, 4]), (0.5, [1, 1]), (1.0, [30])):
        user = builders.customer(weight=weight)
        ids += [builders.submitted_task(user, cost=cost).id for cost in costs]
    urgent = builders.created_task(user, priority=5)
    with transaction() as session:
        from db import task_store
        from db.task_store import Submission

        ids.append(task_store.submit(session, urgent, Submission(["a"], {"a": 1}, {}, 2.0)).id)

    for _ in range(len(ids)):
        places = {task_id: position(task_id) for task_id in ids}
        assert sorted(places.values(), key=int) == list(range(1, len(ids) + 1))
        with transaction() as session:
            assert len(admission.admit(session, Slots({"default": 1}, 1))) == 1
        admitted = [task_id for task_id in ids if builders.read(task_id).admitted_at is not None]
        assert [places[task_id] for task_id in admitted] == [1]
        builders.change(
            admitted[0], status="PROCESSING", lease_until=CLOCK + LEASE
        )  # it is at work, and no longer asked about
        ids.remove(admitted[0])


def test_paused_customers_and_other_queues_are_before_nobody() -> None:
    builders.live_worker()
    builders.submitted_task(builders.customer(cap=0))
    elsewhere = builders.submitted_task()
    builders.change(elsewhere.id, queue="high_memory")
    assert position(builders.submitted_task(cost=2).id) == 1


@pytest.mark.parametrize("others", [1, 3])
def test_a_place_far_back_is_an_estimate_and_no_more_than_there_are(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_ROWS", 20 * others)
    builders.live_worker()
    for _ in range(others):
        user = builders.customer()
        for _ in range(40):
            builders.submitted_task(user, prices=CHEAP)
    mine = builders.customer()
    for _ in range(60):
        last = builders.submitted_task(mine, prices=CHEAP)
    found = outlook(last.id).waiting
    assert found is not None
    assert found.position is not None
    true = 60 + 40 * others
    assert found.position == pytest.approx(true, abs=6)
    assert found.message.startswith("About 1" if others == 3 else "About 99")


def test_the_wait_is_the_work_before_it_over_the_slots() -> None:
    builders.live_worker(slots=2)
    user = builders.customer()
    for _ in range(4):
        builders.submitted_task(user, cost=50)
    learn_all()
    found = outlook(builders.submitted_task(user).id).eta
    assert found is not None
    assert 60 < found.likely < 160
    assert found.low < found.likely < found.high


def learn_all() -> None:
    for agent in builders.PRICES:
        learn(agent, usual=2, slow=4)


def test_an_end_is_told_from_history_where_there_is_one() -> None:
    builders.live_worker()
    task = builders.submitted_task()
    declared = outlook(task.id).eta
    learn_all()
    known = outlook(task.id).eta

    assert declared is not None
    assert known is not None
    assert (declared.based_on, known.based_on) == ("declared", "history")
    assert known.likely == pytest.approx(3 * 2 + 1)
    assert known.high - known.likely < declared.high


def test_what_is_done_is_not_waited_for() -> None:
    builders.live_worker()
    learn_all()
    claim = builders.claimed_task()
    whole, rest = outlook(claim.task_id).eta, outlook(claim.task_id, "score-risk", "readiness-rater").eta
    assert whole is not None
    assert rest is not None
    assert whole.likely - rest.likely == pytest.approx(4, abs=0.2)
    assert outlook(claim.task_id).waiting is None


def test_what_takes_longer_than_usual_takes_a_while_longer() -> None:
    learn_all()
    claim = builders.claimed_task()
    builders.change(claim.task_id, claimed_at=builders.sql_now() - timedelta(seconds=100))
    found = outlook(claim.task_id, "score-risk", "readiness-rater").eta
    assert found is not None
    assert 5 < found.likely < found.high
    assert found.low == 0


def test_nothing_is_told_of_what_has_ended() -> None:
    task = builders.submitted_task()
    sql("UPDATE tasks SET status = 'CANCELLED', finished_at = clock_timestamp() WHERE id = :id", id=task.id)
    assert outlook(task.id) == Outlook()
