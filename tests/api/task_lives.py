"""What conductors and workers do to a task, done here by hand, so that the hall has something to show."""

import uuid
from datetime import timedelta

from hall_client import Customer

from db import checkpoints, claims, endings, task_store
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import StepStatus


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
    step = Checkpoint(agent_id, StepStatus.DELIVERED, "print", 812, f"key/{agent_id}", 3, "ab")
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=amount, progress=progress, next_agent=next_agent)


def settle(claim: Claim, ending: Ending) -> None:
    with transaction() as session:
        endings.settle(session, claim, ending)
