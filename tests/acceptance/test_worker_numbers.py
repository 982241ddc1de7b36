"""A worker is scraped as Prometheus scrapes it, on each pool."""

import os
import signal

import httpx
import pytest

from backend.ports import LOOPBACK, free_port
from tests.acceptance.house import House
from tests.waiting import eventually

Numbers = dict[str, float]
PROBE = 'tool="probe"'


@pytest.fixture
def port(house: House) -> int:
    """Of the only worker there is; it stays for the tests that come after."""
    port = free_port()
    for worker in house.workers:
        worker.kill()
    house.start_worker({"METRICS_PORT": str(port)})
    return port


def scraped(port: int) -> Numbers:
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", timeout=10).raise_for_status().text
    series = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(said) for name, said in series}


def ended(port: int) -> float:
    return scraped(port).get('agensium_tasks_ended_total{error_code="",status="completed",tool="probe"}', 0.0)


def test_what_slots_do_is_told_by_the_worker_and_outlives_them(house: House, port: int) -> None:
    house.ended(house.submit())
    eventually(lambda: ended(port) == 1)
    told = scraped(port)
    assert told[f"agensium_task_wait_seconds_count{{{PROBE}}}"] == 1
    assert told[f"agensium_task_run_seconds_count{{{PROBE}}}"] == 1
    assert told[f'agensium_task_moves_total{{kind="started",{PROBE}}}'] == 1
    assert told['agensium_credits_total{kind="capture"}'] > 0
    assert told['agensium_storage_call_seconds_count{operation="get"}'] >= 1
    assert told['agensium_rounds_total{outcome="done"}'] >= 1
    assert told["agensium_admitted_total"] == 1
    assert told["agensium_rings_total"] >= 1  # again, where its answer took a second
    assert told["agensium_worker_slots"] == house.slots_per_worker
    assert sum(said for name, said in told.items() if name.startswith("agensium_agent_run_seconds_count")) >= 1
    assert sum(said for name, said in told.items() if name.startswith("agensium_agent_peak_memory_bytes_sum")) > 1e7

    slots = house.slots_of(house.worker) if house.pool == "prefork" else []
    for slot in slots:
        os.kill(slot.pid, signal.SIGKILL)
    house.ended(house.submit())
    eventually(lambda: ended(port) == 2)
