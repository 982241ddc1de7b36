"""Child rows: a parent waits for a counter, not for a look at its children (DESIGN §5.10).

A look (`NOT EXISTS (sibling)`) left 91 of 150 parents stuck when the last two children ended together.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from backend.errors import ClaimLost
from db import moves, noted, wakeups
from db.events import EventKind
from db.models import Task, TaskStatus
from db.prebuilt import Prebuilt


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
    ids = _add(session, parent, wanted)
    wakeups.notify(session)
    return ids


# However many they are: each would be two statements. They are collected in the order of `queued_at`, so no two of them
# have the same. A child's event is owed to nobody (events.FAN_OUT).
_ADD = Prebuilt("""
    WITH born AS (
        INSERT INTO tasks (id, user_id, parent_id, tool_id, status, agents, parameters, inputs, prices, tariffs,
            first_item, items, queue, priority, cost, celery_task_id, traceparent, queued_at, sort_at, last_event)
        SELECT wanted.id, p.user_id, p.id, p.tool_id, 'QUEUED', ARRAY(SELECT jsonb_array_elements_text(wanted.agents)),
            wanted.parameters, wanted.inputs, CAST(:prices AS jsonb), p.tariffs, wanted.first_item, wanted.items,
            p.queue, p.priority, wanted.cost, gen_random_uuid(), p.traceparent, wanted.since, p.sort_at, 1
        FROM tasks p, (
            SELECT child.*, (SELECT clock_timestamp()) + number * interval '1 microsecond' AS since
            FROM ROWS FROM (jsonb_to_recordset(CAST(:children AS jsonb)) AS (
                id uuid, agents jsonb, parameters jsonb, inputs jsonb, first_item int, items int, cost real)
            ) WITH ORDINALITY AS child(id, agents, parameters, inputs, first_item, items, cost, number)) wanted
        WHERE p.id = :parent_id
        RETURNING id, parent_id),
    told AS (
        INSERT INTO task_events (task_id, seq, kind, data)
        SELECT id, 1, 'queued', jsonb_build_object('parent_id', parent_id) FROM born)
    SELECT count(*) FROM born
""")


def _add(session: Session, parent: Task, wanted: Sequence[ChildTask]) -> list[uuid.UUID]:
    ids = [uuid.uuid4() for _ in wanted]
    rows = [{"id": str(child_id), **_row(child)} for child_id, child in zip(ids, wanted, strict=True)]
    # Agents that are paid by use are paid by the parent, for the items that went well.
    prices = {agent: price for agent, price in parent.prices.items() if agent not in parent.tariffs}
    values = {"parent_id": parent.id, "prices": json.dumps(prices), "children": json.dumps(rows)}
    _ADD.first(session, values)
    noted.move(session, parent.tool_id, EventKind.QUEUED, moves=len(ids))
    return ids


def _row(child: ChildTask) -> dict[str, Any]:
    return {
        "agents": list(child.agents),
        "parameters": dict(child.parameters),
        "inputs": dict(child.inputs),
        "first_item": child.first_item,
        "items": child.items,
        "cost": child.cost,
    }


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


def page(session: Session, parent_id: uuid.UUID, after: tuple[int, uuid.UUID] | None, limit: int) -> Sequence[Task]:
    """The children in the order of their items, by keyset: `after` is the last one's (first_item, id)."""
    wanted = select(Task).where(Task.parent_id == parent_id)
    if after is not None:
        wanted = wanted.where(tuple_(Task.first_item, Task.id) > after)
    return session.scalars(wanted.order_by(Task.first_item, Task.id).limit(limit)).all()


def count(session: Session, parent_id: uuid.UUID) -> int:
    return session.scalar(select(func.count()).where(Task.parent_id == parent_id)) or 0
