"""Ended tasks with everything in storage that a real one leaves there, and what a zombie leaves beside it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from backend.storage.door import Storage
from backend.storage.keys import input_key, output_key, step_key, task_prefix
from db.claims import Claim
from db.database import transaction
from db.endings import Ending, settle
from db.models import CLOCK, Task, TaskStep
from tests import builders

AGENT = "unified-profiler"
INPUT, RESULT, TABLE = "inputs/primary/a.csv", f"steps/1/{AGENT}/result.json", f"steps/1/{AGENT}/table.parquet"
REPORT, MANIFEST = "outputs/1/report.json", "outputs/1/manifest.json"
ZOMBIES = (f"steps/7/{AGENT}/result.json", "outputs/7/manifest.json")
TRUTH = {INPUT, RESULT, TABLE, REPORT, MANIFEST}


def ended(storage: Storage, ago: timedelta = timedelta(0), **columns: Any) -> Task:
    """A COMPLETED task of so long ago with its five objects."""
    claim = builders.claimed_task()
    user, task = claim.user_id, claim.task_id
    key = input_key(user, task, "primary", "a.csv")
    builders.change(task, inputs={"primary": [{"filename": "a.csv", "key": key, "size": 1}]})
    builders.deliver(claim, AGENT)
    artifact = step_key(user, task, 1, AGENT, "result.json")
    with transaction() as session:
        session.execute(update(TaskStep).where(TaskStep.task_id == task).values(artifact_key=artifact))
        settle(session, claim, Ending("success", output_key(user, task, 1, "manifest.json")))
    put(storage, claim, *TRUTH)
    return builders.change(task, finished_at=CLOCK - ago, **columns)


def put(storage: Storage, of: Claim | Task, *names: str) -> None:
    for name in names:
        storage.put_bytes(home_of(of) + name, b"x", "text/plain")


def home_of(of: Claim | Task) -> str:
    return task_prefix(of.user_id, of.task_id if isinstance(of, Claim) else of.id)


def names_of(storage: Storage, of: Claim | Task) -> set[str]:
    """What is there, below the task's own prefix."""
    return {info.key.removeprefix(home_of(of)) for info in storage.list(home_of(of))}
