"""Child rows: a parent waits for a counter, not for a look at its children (DESIGN §5.10).

A look (`NOT EXISTS (sibling)`) left 91 of 150 parents stuck when the last two children ended together.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from backend.errors import ClaimLost
from db import events, moves, wakeups
from db.events import EventKind
from db.models import CLOCK, Task, TaskStatus


@dataclass(frozen=True, slots=True)
class ChildTask:
    """What a parent asks of one child."""

    agents: Sequence[str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    cost: float = 1.0
    first_item: int = 0
    items: int = 0


def add_children(
    session: Session, parent_id: uuid.UUID, epoch: int, wanted: Sequence[ChildTask], items: int = 0
) -> list[uuid.UUID]:
    """Insert the children and set their parent WAITING, in one transaction; the children's ids, in order.

    The parent holds no worker meanwhile; the credits stay held on it. `items`: how many it has in all.

    Raises:
        ClaimLost: the parent is not ours any more.
        ValueError: no child is wanted, so nothing would ever wake the parent.
    """
    if not wanted:
        raise ValueError("a parent that waits for no child would wait for ever")
    ended = moves.claim_ended() | {"open_children": len(wanted), "items": items}
    parent = moves.move(
        session, parent_id, TaskStatus.WAITING, EventKind.WAITING, ended,
        held_epoch=epoch, data={"children": len(wanted)},
    )  # fmt: skip
    if parent is None:
        raise ClaimLost
    ids = [_add_child(session, parent, child) for child in wanted]
    wakeups.notify(session)
    return ids


def _add_child(session: Session, parent: Task, child: ChildTask) -> uuid.UUID:
    row = {
        "id": uuid.uuid4(),
        "user_id": parent.user_id,
        "parent_id": parent.id,
        "tool_id": parent.tool_id,
        "status": TaskStatus.QUEUED,
        "agents": list(child.agents),
        "parameters": dict(child.parameters),
        "inputs": dict(child.inputs),
        # Agents that are paid by use are paid by the parent, for the items that went well.
        "prices": {agent: price for agent, price in parent.prices.items() if agent not in parent.tariffs},
        "tariffs": parent.tariffs,
        "first_item": child.first_item,
        "items": child.items,
        "queue": parent.queue,
        "priority": parent.priority,
        "cost": child.cost,
        "celery_task_id": uuid.uuid4(),
        "queued_at": CLOCK,
        "sort_at": parent.sort_at,
        "last_event": 1,
    }
    child_id: uuid.UUID = session.execute(insert(Task).values(**row).returning(Task.id)).scalar_one()
    events.append(session, child_id, 1, EventKind.QUEUED, {"parent_id": str(parent.id)})
    return child_id


def child_ended(session: Session, parent_id: uuid.UUID) -> None:
    """Count one child off; the last one sets its parent QUEUED again, ahead of every lane."""
    counted = (
        update(Task)
        .where(Task.id == parent_id, Task.open_children > 0)
        .values(open_children=Task.open_children - 1)
        .returning(Task.open_children)
    )
    if session.execute(counted).scalar() == 0:
        moves.move(
            session, parent_id, TaskStatus.QUEUED, EventKind.QUEUED, moves.goes_first(),
            came_from=TaskStatus.WAITING, data={"children_done": True},
        )  # fmt: skip


def of_parent(session: Session, parent_id: uuid.UUID) -> Sequence[Task]:
    """The children in the order in which they were made."""
    made = (Task.first_item, Task.queued_at, Task.id)
    return session.scalars(select(Task).where(Task.parent_id == parent_id).order_by(*made)).all()


def page(session: Session, parent_id: uuid.UUID, after: tuple[int, uuid.UUID] | None, limit: int) -> Sequence[Task]:
    """The children in the order of their items, by keyset: `after` is the last one's (first_item, id)."""
    wanted = select(Task).where(Task.parent_id == parent_id)
    if after is not None:
        wanted = wanted.where(tuple_(Task.first_item, Task.id) > after)
    return session.scalars(wanted.order_by(Task.first_item, Task.id).limit(limit)).all()


def count(session: Session, parent_id: uuid.UUID) -> int:
    return session.scalar(select(func.count()).where(Task.parent_id == parent_id)) or 0
