"""Real processes: a task deleted while it runs, the worker's own janitor, and the scratch of a killed worker."""

import subprocess
import sys
import uuid

import httpx
import psycopg
import pytest

from backend.settings import Settings
from backend.storage.door import Storage
from db.database import libpq_url
from tests.acceptance.conftest import mostly_on
from tests.acceptance.house import ROOT, House
from tests.waiting import eventually


def objects_of(house: House, task_id: str) -> list[str]:
    storage = Storage(Settings(_env_file=None, s3_bucket=house.environment["S3_BUCKET"]))
    return [found.key for found in storage.list("users/") if task_id in found.key]


def deleted(house: House, task_id: str) -> httpx.Response:
    return house.request("DELETE", f"/tasks/{task_id}", {})


def clean(house: House) -> str:
    command = [sys.executable, "-m", "backend", "clean"]
    done = subprocess.run(command, cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@mostly_on("solo")
def test_a_running_task_that_is_deleted_is_ended_paid_out_and_removed(house: House) -> None:
    before = house.get("/credits")["balance"]
    task_id = house.submit(parameters={"second": {"act": "spin", "seconds": 30}})
    house.at_agent(task_id, "second")
    children = house.agent_children()
    assert objects_of(house, task_id)
    assert deleted(house, task_id).status_code == 204
    eventually(lambda: not children <= house.agent_children(), seconds=1.5)
    assert house.get("/credits")["balance"] == before - 10, "the first agent had delivered"
    assert house.request("GET", f"/tasks/{task_id}", {}).status_code == 404
    assert deleted(house, task_id).status_code == 404
    assert task_id not in str(house.get("/tasks"))
    clean(house)
    assert objects_of(house, task_id) == []
    assert house.ended(house.submit())["status"] == "COMPLETED", "the slot is free for others"


def test_a_workers_own_janitor_comes_when_the_minute_is_over(solo_house: House) -> None:
    task = solo_house.ended(solo_house.submit())
    kept = solo_house.ended(solo_house.submit())["task_id"]
    assert deleted(solo_house, task["task_id"]).status_code == 204
    with psycopg.connect(libpq_url(solo_house.database_url)) as connection:
        connection.execute("UPDATE admission_clock SET house_kept_at = house_kept_at - interval '1 minute'")
    eventually(lambda: objects_of(solo_house, task["task_id"]) == [], seconds=60)
    assert len(objects_of(solo_house, kept)) > 3


def test_after_its_time_a_report_is_gone_and_the_task_is_not(solo_house: House) -> None:
    task_id = solo_house.ended(solo_house.submit())["task_id"]
    with psycopg.connect(libpq_url(solo_house.database_url)) as connection:
        past = "UPDATE tasks SET finished_at = finished_at - interval '31 days' WHERE id = %s"
        connection.execute(past, [uuid.UUID(task_id)])
    clean(solo_house)
    assert objects_of(solo_house, task_id) == []
    for what in ("report", "outputs"):
        gone = solo_house.request("GET", f"/tasks/{task_id}/{what}", {})
        assert (gone.status_code, gone.json()["error_code"]) == (410, "RESULTS_EXPIRED")
    assert solo_house.task(task_id)["status"] == "COMPLETED"


@pytest.mark.long  # which folders are the dead ones' is tests/celery_queue/test_scratch.py's
@mostly_on("prefork")
def test_a_killed_workers_scratch_is_removed_when_another_starts(house: House) -> None:
    scratch = house.directory / "scratch"
    task_id = house.submit(parameters={"second": {"act": "wait", "seconds": 2}})
    house.at_agent(task_id, "second")
    left = {path.name for path in scratch.iterdir() if any(path.rglob("*.parquet"))}
    assert left, "the running task has its table there"
    house.worker.kill()
    assert left <= {path.name for path in scratch.iterdir()}
    house.start_worker()
    task = house.ended(task_id)
    assert task["status"] == "COMPLETED", task
    assert not left & {path.name for path in scratch.iterdir()}
