"""A worker that stands still with everything it is, as under SIGSTOP: what the customer decides holds all the same."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from backend.clock import monotonic
from tests.acceptance.conftest import mostly_on
from tests.acceptance.house import House
from tests.waiting import eventually

SLACK = 1.5  # seconds; the machine runs other tests too


@contextmanager
def frozen(house: House) -> Iterator[None]:
    """The worker's main process and its pool's; the agents' processes are not the ones that stand still."""
    family = psutil.Process(house.worker.pid)
    agents = house.agent_children()
    stopped = [member for member in (family, *family.children(recursive=True)) if not serves(member, agents)]
    for member in stopped:
        member.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for member in reversed(stopped):
            member.send_signal(signal.SIGCONT)


def serves(member: psutil.Process, agents: set[int]) -> bool:
    return member.pid in agents or any("agent_guard" in word for word in member.cmdline())


def computes(pid: int) -> bool:
    """A frozen parent cannot bury its child: a zombie computes no more."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@mostly_on("prefork")
@pytest.mark.parametrize("act", ["grind"])  # a C call that keeps the interpreter's lock; Python is in test_agent_leash
def test_a_cancel_ends_the_agent_of_a_frozen_worker_within_a_second(house: House, act: str) -> None:
    task_id = house.submit(parameters={"second": {"act": act, "seconds": 30}})
    house.at_agent(task_id, "second")
    before = {pid for pid in house.agent_children() if computes(pid)}
    with frozen(house):
        began = monotonic()
        assert house.post(f"/tasks/{task_id}/cancel", {})["status"] == "CANCELLED"
        eventually(lambda: not all(computes(pid) for pid in before))
        assert monotonic() - began < 1 + SLACK
    entries = house.entries(task_id)
    assert entries["CAPTURE", "first"] == 10
    assert (entries["RELEASE", "second"], entries["RELEASE", "third"]) == (20, 30)
    assert house.ended(house.submit())["status"] == "COMPLETED", "the worker goes on"
    assert house.task(task_id)["status"] == "CANCELLED"


@mostly_on("prefork")
def test_a_worker_that_stood_still_for_a_moment_costs_a_hiccup_and_no_crash(house: House) -> None:
    task_id = house.submit(parameters={"second": {"act": "wait", "seconds": 4}})
    house.at_agent(task_id, "second")
    before = house.agent_children()
    with frozen(house):
        eventually(lambda: not all(computes(pid) for pid in before))
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    told = [line for line in house.log().splitlines() if task_id in line]
    assert not [line for line in told if "AGENT_CRASHED" in line], told
