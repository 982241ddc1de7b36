"""A batch as workers leave it, made here by hand: split into parts, some of its items finished."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from hall_client import Customer
from task_lives import claimed, settle

from db import children, claims, items
from db.children import ChildTask
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.items import FinishedItem
from db.models import Task


@dataclass(frozen=True)
class Batch:
    """`parts` are its children's ids, in the order of their items."""

    task_id: str
    parts: list[uuid.UUID]


def split(customer: Customer, *sizes: int, task_id: str = "") -> Batch:
    """A WAITING task whose parts have so many items."""
    task_id = task_id or customer.queued()
    claim = claimed(customer, task_id)
    wanted = [
        ChildTask(agents=["counter"], first_item=sum(sizes[:number]), items=size) for number, size in enumerate(sizes)
    ]
    with transaction() as session:
        parts = children.add_children(session, claim.task_id, claim.epoch, wanted, sum(sizes))
    return Batch(task_id, parts)


def at_work(part: uuid.UUID) -> Claim:
    with transaction() as session:
        row = session.get_one(Task, part)
        row.admitted_at = row.queued_at
        session.flush()
        claim = claims.take(session, row.id, row.user_id, uuid.uuid4(), timedelta(seconds=60))
    assert claim is not None
    return claim


def finish(claim: Claim, *positions: int, failed: tuple[int, ...] = ()) -> None:
    """Write these items down."""
    done = [
        FinishedItem(at, f"item-{at}", {"content": f"answer {at}"}, None, None, 1, 10, 1000) for at in positions
    ] + [FinishedItem(at, f"item-{at}", None, "MODEL_REFUSED", "It was refused.", 1, 0, 0) for at in failed]
    with transaction() as session:
        items.record(session, claim, done)


def end(customer: Customer, batch: Batch, *working: Claim, outcome: str) -> None:
    """The parts end, and so does the whole."""
    for claim in working:
        settle(claim, Ending("success", None))
    settle(claimed(customer, batch.task_id), Ending(outcome, None))
