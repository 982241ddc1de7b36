"""What conductors and workers do to a task, done here by hand, so that the hall has something to show."""

import json
import uuid
from datetime import timedelta
from typing import Any

from hall_client import Customer

from backend.storage.keys import output_key
from db import checkpoints, claims, endings, task_store
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import StepStatus
from transformers import artifacts
from transformers.findings import AgentResult
from transformers.tool import Delivery

REPORT = json.dumps({"analysis_id": "x", "status": "success"}).encode()


def claimed(customer: Customer, task_id: str) -> Claim:
    """As a conductor and a worker do it."""
    with transaction() as session:
        task = task_store.get(session, uuid.UUID(task_id), customer.id)
        task.admitted_at = task.queued_at
        session.flush()
        claim = claims.take(session, task.id, customer.id, uuid.uuid4(), timedelta(seconds=60))
    assert claim is not None
    return claim


def deliver(claim: Claim, agent_id: str, *, amount: int, progress: float, next_agent: str | None = None) -> None:
    step = Checkpoint(
        agent_id,
        StepStatus.DELIVERED,
        "print",
        812,
        artifact_key=f"key/{agent_id}",
        artifact_size=3,
        artifact_sha256="ab",
    )
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=amount, progress=progress, next_agent=next_agent)


def settle(claim: Claim, ending: Ending) -> None:
    with transaction() as session:
        endings.settle(session, claim, ending)


def published(customer: Customer, task_id: str) -> Claim:
    """A COMPLETED task with its files, as transformers.publish leaves them."""
    claim, storage = claimed(customer, task_id), customer.hall.storage
    files = []
    for name, body, content_type in (
        ("report.json", REPORT, "application/json"),
        ("report.html", b"<p>fine</p>", "text/html"),
    ):
        sent = storage.put_bytes(output_key(customer.id, claim.task_id, claim.epoch, name), body, content_type)
        files.append(
            {"name": name, "key": sent.key, "size": sent.size, "sha256": sent.sha256, "content_type": content_type}
        )
    key = output_key(customer.id, claim.task_id, claim.epoch, "manifest.json")
    manifest = {"task_id": task_id, "epoch": claim.epoch, "files": files}
    storage.put_bytes(key, json.dumps(manifest).encode(), "application/json")
    settle(claim, Ending("success", key))
    return claim


def half_done(customer: Customer, task_id: str, *, small: bool = False) -> Claim:
    """A running task whose first agent has delivered, what goes into the row or into the store."""
    claim = claimed(customer, task_id)
    delivery = Delivery(result=AgentResult(agent_id="counter", agent_name="Counter", analysis_text="Two rows."))
    if small:
        artifact = artifacts.small(delivery)
        assert artifact is not None
        where: dict[str, Any] = {"inline": artifact.body}
    else:
        _, sent = artifacts.put(customer.hall.storage, claim, delivery)
        where = {"artifact_key": sent.key, "artifact_size": sent.size, "artifact_sha256": sent.sha256}
    step = Checkpoint("counter", StepStatus.DELIVERED, "print", 9, **where)
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=30, progress=50, next_agent="rater")
    return claim
