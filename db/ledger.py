"""Credits: hold before the work, capture what was delivered, release the rest.

One entry per agent and kind. The wallet's balance is what is available; it changes at GRANT, HOLD and RELEASE only,
in the same transaction as the entry. Captures are written with their checkpoint (checkpoints.py). Lock order: the
task's row first, the wallet last.
"""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.errors import InsufficientCredits
from db.models import CreditEntry, CreditWallet, EntryKind


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
    return session.execute(more.returning(CreditWallet.balance)).scalar_one()


def hold(session: Session, user_id: int, task_id: uuid.UUID, prices: Mapping[str, int]) -> int:
    """Set the prices aside, agent by agent; the total.

    Raises:
        InsufficientCredits: with `available`, `required` and `shortfall` in its context.
    """
    total = sum(prices.values())
    paid = (
        update(CreditWallet)
        .where(CreditWallet.user_id == user_id, CreditWallet.balance >= total)
        .values(balance=CreditWallet.balance - total)
    )
    if session.execute(paid.returning(CreditWallet.user_id)).scalar() is None:
        available = balance(session, user_id)
        raise InsufficientCredits(available=available, required=total, shortfall=total - available)
    held = [
        {"user_id": user_id, "task_id": task_id, "agent_id": agent, "kind": EntryKind.HOLD, "amount": price}
        for agent, price in prices.items()
        if price > 0
    ]
    if held:
        session.execute(insert(CreditEntry), held)
    return total


# What a batch owes is known at its end: the items that went well, whose credits lie on the one agent paid by use.
_CAPTURE_ITEMS = text("""
    INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
    SELECT h.user_id, h.task_id, h.agent_id, 'CAPTURE', least(h.amount, (i.millicredits + 999) / 1000)
    FROM tasks t
    JOIN credit_entries h ON h.task_id = t.id AND h.kind = 'HOLD' AND jsonb_exists(t.tariffs, h.agent_id)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(millicredits), 0)::bigint AS millicredits
        FROM task_items WHERE task_id = t.id AND error_code IS NULL) i
    WHERE t.id = :task_id AND t.items > 0 AND i.millicredits > 0
    ON CONFLICT (task_id, agent_id, kind) DO NOTHING
""")
_RELEASE = text("""
    WITH rest AS (
        SELECT h.user_id, h.task_id, h.agent_id, h.amount - coalesce(c.amount, 0) AS amount
        FROM credit_entries h
        LEFT JOIN credit_entries c ON c.task_id = h.task_id AND c.agent_id = h.agent_id AND c.kind = 'CAPTURE'
        WHERE h.task_id = :task_id AND h.kind = 'HOLD'),
    released AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT user_id, task_id, agent_id, 'RELEASE', amount FROM rest WHERE amount > 0
        ON CONFLICT (task_id, agent_id, kind) DO NOTHING
        RETURNING user_id, amount)
    UPDATE credit_wallets w SET balance = w.balance + r.amount
    FROM (SELECT user_id, sum(amount) AS amount FROM released GROUP BY user_id) r
    WHERE w.user_id = r.user_id
    RETURNING r.amount
""")


def settle(session: Session, task_id: uuid.UUID) -> int:
    """At a task's end: what a batch delivered is paid, and what was not captured goes back; how much goes back."""
    session.execute(_CAPTURE_ITEMS, {"task_id": task_id})
    return release(session, task_id)


def release(session: Session, task_id: uuid.UUID) -> int:
    """Give back what was held and not captured; how much. The caller holds the task's row."""
    return int(session.execute(_RELEASE, {"task_id": task_id}).scalar() or 0)
