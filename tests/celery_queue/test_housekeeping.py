from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.settings import get_settings
from celery_queue.housekeeping import MOST_PAGES, chores, keep_house
from db.database import Session, transaction
from db.models import CLOCK, Task
from tests import builders

pytestmark = pytest.mark.usefixtures("database")


def rerouted(ago: timedelta) -> Task:
    task = builders.admitted_task(queue="high_memory")
    return builders.change(task.id, admitted_at=CLOCK - ago, ring_wanted=False)


def test_what_was_never_started_expires() -> None:
    old = builders.created_task(created_at=CLOCK - timedelta(hours=25))
    young = builders.created_task()
    keep_house(chores(get_settings()))
    assert (builders.read(old.id).status, builders.read(young.id).status) == ("EXPIRED", "CREATED")


def test_a_chore_that_has_more_to_do_goes_on_in_a_transaction_of_its_own_and_has_an_end() -> None:
    left = [True, True, False]
    seen = []

    def in_pages(session: Session) -> bool:
        seen.append(session)
        return left.pop(0)

    keep_house({"pages": in_pages})
    assert (len(set(map(id, seen))), left) == (3, [])
    turns = []
    keep_house({"endless": lambda _session: turns.append(1) or True})
    assert len(turns) == MOST_PAGES


def test_a_chore_that_fails_keeps_no_other_from_being_done() -> None:
    done = []

    def fails(session: Session) -> None:
        session.execute(text("SELECT 1 / 0"))

    keep_house({"first": fails, "second": lambda _session: done.append(True)})
    assert done == [True]


def test_what_waits_for_more_memory_in_vain_comes_home() -> None:
    long_ago, just_now = rerouted(timedelta(minutes=11)), rerouted(timedelta(minutes=1))
    keep_house(chores(get_settings()))
    home = builders.read(long_ago.id)
    assert (home.queue, home.ring_wanted) == ("default", True)
    assert builders.read(just_now.id).queue == "high_memory"


def test_so_does_what_was_put_off_there_and_never_let_in_again() -> None:
    waiting, later = builders.submitted_task(), builders.submitted_task()
    builders.change(waiting.id, queue="high_memory", queued_at=CLOCK - timedelta(hours=1))
    builders.change(later.id, queue="high_memory", not_before=CLOCK + timedelta(minutes=1))
    keep_house(chores(get_settings()))
    home = builders.read(waiting.id)
    assert (home.queue, home.ring_wanted) == ("default", False)
    assert builders.read(later.id).queue == "high_memory"


def test_what_somebody_may_still_take_stays_where_it_is() -> None:
    task = rerouted(timedelta(minutes=11))
    builders.live_worker(queues=("high_memory",))
    keep_house(chores(get_settings()))
    with transaction() as session:
        assert session.get_one(Task, task.id).queue == "high_memory"
