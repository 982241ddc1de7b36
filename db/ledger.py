"""Credits: hold before the work, capture what was delivered, release the rest.

One entry per agent and kind. The wallet's balance is what is available; it changes at GRANT, HOLD and RELEASE only,
in the same transaction as the entry. Holds are written with the submit (submits.py), captures with their checkpoint
(checkpoints.py). Lock order: the task's row first, the wallet last.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.metrics.of_tasks import CreditKind
from db import noted
from db.models import CreditEntry, CreditWallet, EntryKind
from db.prebuilt import Prebuilt, Station


def open_wallet(session: Session, user_id: int) -> None:
    """A new customer's empty wallet."""
    session.execute(upsert(CreditWallet).values(user_id=user_id).on_conflict_do_nothing())


def balance(session: Session, user_id: int) -> int:
    """What the customer may still spend."""
    return session.scalar(select(CreditWallet.balance).where(CreditWallet.user_id == user_id)) or 0


def entries(session: Session, user_id: int, before: int | None = None, limit: int = 100) -> Sequence[CreditEntry]:
    """The customer's movements, newest first; `before` is an entry's id."""
    wanted = select(CreditEntry).where(CreditEntry.user_id == user_id)
    if before is not None:
        wanted = wanted.where(CreditEntry.id < before)
    return session.scalars(wanted.order_by(CreditEntry.id.desc()).limit(limit)).all()


def of_task(session: Session, task_id: uuid.UUID) -> Sequence[CreditEntry]:
    """The movements of one task, oldest first."""
    wanted = select(CreditEntry).where(CreditEntry.task_id == task_id)
    return session.scalars(wanted.order_by(CreditEntry.id)).all()


def grant(session: Session, user_id: int, amount: int, note: str) -> int:
    """Add credits; the new balance. The only way that credits come into the house."""
    entry = {"user_id": user_id, "agent_id": "", "kind": EntryKind.GRANT, "amount": amount, "note": note}
    session.execute(insert(CreditEntry).values(entry))
    more = update(CreditWallet).where(CreditWallet.user_id == user_id).values(balance=CreditWallet.balance + amount)
    noted.credits_moved(session, CreditKind.GRANT, amount)
    return session.execute(more.returning(CreditWallet.balance)).scalar_one()


# What an end does with the books, for a statement that has locked the row as `ended`. What a batch owes is known then:
# the items that went well, whose credits lie on the one agent paid by use. All that was not captured goes back.
SETTLED = """
    paid AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT h.user_id, h.task_id, h.agent_id, 'CAPTURE', least(h.amount, (i.millicredits + 999) / 1000)
        FROM ended
        JOIN credit_entries h ON h.task_id = ended.id AND h.kind = 'HOLD' AND jsonb_exists(ended.tariffs, h.agent_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(millicredits), 0)::bigint AS millicredits
            FROM task_items WHERE task_id = ended.id AND error_code IS NULL) i
        WHERE ended.items > 0 AND i.millicredits > 0
        ON CONFLICT (task_id, agent_id, kind) DO NOTHING
        RETURNING agent_id, amount),
    captured AS (
        SELECT agent_id, amount FROM credit_entries WHERE task_id = :task_id AND kind = 'CAPTURE'
        UNION ALL SELECT agent_id, amount FROM paid),
    released AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT h.user_id, h.task_id, h.agent_id, 'RELEASE', h.amount - coalesce(c.amount, 0)
        FROM ended
        JOIN credit_entries h ON h.task_id = ended.id AND h.kind = 'HOLD'
        LEFT JOIN captured c ON c.agent_id = h.agent_id
        WHERE h.amount > coalesce(c.amount, 0)
        ON CONFLICT (task_id, agent_id, kind) DO NOTHING
        RETURNING user_id, amount),
    wallet AS (
        UPDATE credit_wallets w SET balance = w.balance + r.amount
        FROM (SELECT user_id, sum(amount) AS amount FROM released GROUP BY user_id) r
        WHERE w.user_id = r.user_id)
"""
AMOUNTS = """
    (SELECT coalesce(sum(amount), 0)::bigint FROM paid), (SELECT coalesce(sum(amount), 0)::bigint FROM released)
"""  # what it has captured and released
_SETTLE = Prebuilt(f"""
    WITH ended AS (SELECT id, items, tariffs FROM tasks WHERE id = :task_id),
    {SETTLED}
    SELECT {AMOUNTS}
""")  # noqa: S608 (our own words only)


def settle(session: Session, task_id: uuid.UUID) -> int:
    """At a task's end: what a batch delivered is paid, and what was not captured goes back; how much goes back.

    The caller holds the task's row.
    """
    settled = _SETTLE.first(session, {"task_id": task_id})
    assert settled is not None  # two sums are always there
    paid, released = settled
    note_amounts(session, paid, released)
    return int(released)


def note_amounts(station: Station, captured: int, released: int) -> None:
    """What was moved, for the metrics."""
    noted.credits_moved(station, CreditKind.CAPTURE, captured)
    noted.credits_moved(station, CreditKind.RELEASE, released)
