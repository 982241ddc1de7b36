import platform
import uuid
from dataclasses import replace
from datetime import timedelta

import psutil
import pytest
from judged import judged, said, severities
from sqlalchemy import text, update

from backend.doctor import workers as doctor
from backend.doctor.finding import Severity
from backend.release import release
from db import workers
from db.database import transaction
from db.models import CLOCK, Worker
from db.workers import WorkerIdentity
from tests import builders
from transformers.catalog import tools

WRONG, ADVICE, OK, UNKNOWN = Severity.WRONG, Severity.ADVICE, Severity.OK, Severity.UNKNOWN
MEBIBYTE = 2**20


def worker(**changes: object) -> WorkerIdentity:
    """One that is live and well, unless a test says otherwise."""
    well = WorkerIdentity(
        boot_uuid=uuid.uuid4(), host="another", pid=1, pool="prefork", slots=4, memory_bytes=400 * MEBIBYTE,
        queues=("default",), tools=tuple(tools()), code_version=release(),
    )  # fmt: skip
    made = replace(well, **changes)  # type: ignore[arg-type]
    with transaction() as session:
        workers.check_in(session, made)
    return made


def test_live_workers_that_serve_everything_are_well(database: str) -> None:
    worker(), worker(pool="threads", slots=1)
    found = judged(doctor.look)
    assert severities(found, WRONG, ADVICE, UNKNOWN) == []
    assert said(found, OK, "2 workers with 5 slots (prefork, threads).")


@pytest.mark.parametrize("there", ["nobody", "draining", "high memory only", "silent"])
def test_without_a_live_worker_on_the_default_queue_no_task_runs(database: str, there: str) -> None:
    if there != "nobody":
        made = worker(queues=("high_memory",) if there == "high memory only" else ("default",))
        late = {"seen_at": CLOCK - timedelta(minutes=1)} if there == "silent" else {"draining": there == "draining"}
        with transaction() as session:
            session.execute(update(Worker).where(Worker.boot_uuid == made.boot_uuid).values(**late))
    found = judged(doctor.look)
    assert said(found, WRONG, "No live worker takes from the queue default: no task runs.")
    assert said(found, ADVICE, "1 worker went silent") is (there == "silent")
    assert said(found, OK, "1 worker draining.") is (there == "draining")


def test_a_tool_that_no_worker_knows_is_named_also_one_that_only_waits(database: str) -> None:
    worker(tools=tuple(tool for tool in tools() if tool != "clean-my-data"))
    builders.submitted_task(tool_id="of-next-year")
    assert said(judged(doctor.look), WRONG, "No live worker knows the tools clean-my-data, of-next-year")


def test_different_versions_of_the_code_are_told_of(database: str) -> None:
    worker(), worker(code_version="0.0.1")
    assert said(judged(doctor.look), ADVICE, f"Different versions of the code are at work: 0.0.1, {release()}.")


def test_slots_that_may_use_more_memory_than_their_machine_has_are_wrong(database: str) -> None:
    worker(host=platform.node(), slots=2, memory_bytes=100 * MEBIBYTE)
    assert said(judged(doctor.look), OK, "The slots on this machine may use 0.2 of its")
    worker(host=platform.node(), slots=1, memory_bytes=psutil.virtual_memory().total)
    assert said(judged(doctor.look), WRONG, "agents may be killed by the system")


def test_high_memory_workers_have_to_give_more_and_are_missed_where_tasks_fail_for_want_of_it(database: str) -> None:
    worker()
    failed = builders.submitted_task()
    builders.change(failed.id, status="FAILED", error_code="MEMORY_LIMIT", finished_at=CLOCK)
    assert said(judged(doctor.look), ADVICE, "1 task failed for want of memory in 7 days")
    worker(queues=("high_memory",))
    assert said(judged(doctor.look), WRONG, "no more memory than the others")
    worker(queues=("high_memory",), memory_bytes=800 * MEBIBYTE)
    assert severities(judged(doctor.look), WRONG, ADVICE) == []


def test_a_task_that_waits_beside_a_free_slot_is_wrong_and_one_whose_customer_is_capped_is_not(database: str) -> None:
    worker()
    an_hour_ago = {"queued_at": CLOCK - timedelta(hours=1)}
    builders.submitted_task(builders.customer(cap=0), **an_hour_ago)
    assert severities(judged(doctor.look), WRONG) == []
    waiting = builders.submitted_task()
    assert severities(judged(doctor.look), WRONG) == [], "it came just now"
    builders.change(waiting.id, **an_hour_ago)
    assert said(judged(doctor.look), WRONG, "1 task of the queue default wait, the oldest for 36")


def test_a_slot_that_serves_two_queues_is_free_for_neither_while_it_is_at_work(database: str) -> None:
    roomy = worker(queues=("default", "high_memory"), slots=2)
    builders.change(builders.submitted_task().id, queued_at=CLOCK - timedelta(hours=1))
    assert said(judged(doctor.look), WRONG, "beside 2 free slots")
    for _ in range(2):
        builders.claim(builders.admitted_task(queue="high_memory"), worker=roomy.boot_uuid)
    assert not said(judged(doctor.look), WRONG, "free slot")


def test_a_task_that_was_rung_and_nobody_fetched_points_to_the_broker(database: str) -> None:
    worker()
    rung = builders.admitted_task()
    assert severities(judged(doctor.look), WRONG) == []
    builders.change(rung.id, admitted_at=CLOCK - timedelta(minutes=2))
    assert said(judged(doctor.look), WRONG, "1 task let in and not begun")


def test_rows_that_cannot_be_read_are_unknown_here_and_the_databases_matter(database: str) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE workers RENAME TO labourers"))
    try:
        (found,) = judged(doctor.look)
    finally:
        with transaction() as session:
            session.execute(text("ALTER TABLE labourers RENAME TO workers"))
    assert found.severity is UNKNOWN
