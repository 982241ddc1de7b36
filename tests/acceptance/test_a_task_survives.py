"""Real processes, real signals: a task outlives the worker, its children and its own agents."""

import signal
import time

import psutil
import pytest

from backend.processes import POLL_SECONDS
from tests.acceptance.conftest import mostly_on
from tests.acceptance.house import House

BILL_OF_ALL = {("CAPTURE", "first"): 10, ("CAPTURE", "second"): 20, ("CAPTURE", "third"): 30}


def captured(house: House, task_id: str) -> dict[tuple[str, str], int]:
    return {key: amount for key, amount in house.entries(task_id).items() if key[0] == "CAPTURE"}


@mostly_on("prefork")
def test_a_killed_workers_task_goes_on_at_its_agent_and_is_charged_once(house: House) -> None:
    task_id = house.submit(parameters={"second": {"act": "wait", "seconds": 2}})
    house.at_agent(task_id, "second")
    house.worker.kill()
    house.start_worker()
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert captured(house, task_id) == BILL_OF_ALL
    attempts = {step["agent_id"]: step["attempt"] for step in task["steps"]}
    assert attempts == {"first": 1, "second": 2, "third": 2}, "the finished agent is not run again"


def test_a_cancel_ends_a_computing_agent_within_a_second_and_pays_what_was_delivered(house: House) -> None:
    task_id = house.submit(parameters={"second": {"act": "spin", "seconds": 30}})
    house.at_agent(task_id, "second")
    children = house.agent_children()
    cancelled = house.post(f"/tasks/{task_id}/cancel", {})
    assert cancelled["status"] == "CANCELLED"
    deadline = time.monotonic() + 1.5  # one second, and half a second for a loaded machine
    while children <= house.agent_children():
        assert time.monotonic() < deadline, "the child still computes"
        time.sleep(POLL_SECONDS)  # noqa: TID251 (polling with a deadline)
    entries = house.entries(task_id)
    assert entries["CAPTURE", "first"] == 10
    assert ("RELEASE", "first") not in entries
    assert (entries["RELEASE", "second"], entries["RELEASE", "third"]) == (20, 30)
    assert house.post(f"/tasks/{task_id}/cancel", {})["status"] == "CANCELLED", "twice is the same answer"


@mostly_on("prefork")
def test_a_drain_hands_the_task_back_within_its_grace_at_no_cost(house: House) -> None:
    task_id = house.submit(parameters={"second": {"act": "wait", "seconds": 3}})
    house.at_agent(task_id, "second")
    worker = house.worker
    began = time.monotonic()
    psutil.Process(worker.pid).send_signal(signal.SIGTERM)
    assert worker.ends_within(10), "a drained worker exits within ten seconds"
    assert time.monotonic() - began < 10
    task = house.task(task_id)
    assert (task["status"], task["error"]) == ("QUEUED", None)
    house.start_worker()
    ended = house.ended(task_id)
    assert ended["status"] == "COMPLETED"
    assert captured(house, task_id) == BILL_OF_ALL


@mostly_on("prefork")
def test_at_its_time_limit_a_task_fails_and_pays_what_was_delivered(house: House) -> None:
    task = house.ended(house.submit(parameters={"second": {"act": "wait", "seconds": 60}}))
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "TIMEOUT")
    entries = house.entries(task["task_id"])
    assert entries["CAPTURE", "first"] == 10
    assert entries["RELEASE", "second"] == 20


@mostly_on("solo")
def test_an_optional_agent_over_its_memory_costs_only_its_own_share(house: House) -> None:
    task = house.ended(house.submit(parameters={"third": {"act": "hoard", "seconds": 60}}))
    assert (task["status"], task["outcome"]) == ("COMPLETED", "partial")
    assert {step["agent_id"]: step["error_code"] for step in task["steps"]}["third"] == "MEMORY_LIMIT"
    entries = house.entries(task["task_id"])
    assert (entries["CAPTURE", "second"], entries["RELEASE", "third"]) == (20, 30)


@mostly_on("solo")
def test_an_agent_without_a_sign_of_life_is_ended(house: House) -> None:
    task = house.ended(house.submit(parameters={"third": {"act": "stall", "seconds": 60}}))
    assert {step["agent_id"]: step["error_code"] for step in task["steps"]}["third"] == "NO_PROGRESS"


@mostly_on("solo")
def test_an_agent_that_crashes_once_is_run_again(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    marker = str(tmp_path_factory.mktemp("crash") / "marker")
    task = house.ended(house.submit(parameters={"second": {"act": "crash_once", "marker": marker}}))
    assert task["status"] == "COMPLETED"
    assert captured(house, task["task_id"]) == BILL_OF_ALL


def test_an_agent_that_always_crashes_ends_its_task_and_nobody_elses(solo_house: House) -> None:
    poisoned = solo_house.submit(parameters={"second": {"act": "crash"}})
    innocent = solo_house.submit()
    task = solo_house.ended(poisoned)
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "AGENT_CRASHED")
    assert solo_house.entries(poisoned)["RELEASE", "second"] == 20
    assert solo_house.ended(innocent)["status"] == "COMPLETED"


def test_a_bug_of_ours_is_shown_without_its_innards(solo_house: House) -> None:
    task = solo_house.ended(solo_house.submit(parameters={"second": {"act": "bug"}}))
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "INTERNAL_ERROR")
    assert "secret internals" not in str(task)
    assert "secret internals" in solo_house.log()


def test_celery_is_told_how_it_ended_under_the_rows_own_id(solo_house: House) -> None:
    task = solo_house.ended(solo_house.submit(parameters={"second": {"act": "blame"}}))
    assert task["error"]["message"] == "Row 3 cannot be read."
    log = solo_house.log()
    assert f'"celery_task_id": "{task["celery_task_id"]}", "reason": "UNREADABLE_FILE: Row 3 cannot be read."' in log
