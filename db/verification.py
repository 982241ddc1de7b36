"""Proofs over whole tables: charged = delivered, balance = sum of entries, and no row in an impossible state.

Each check is one statement that returns what breaks it; an empty answer is the proof. Reading only. One statement is
one snapshot, so a house at work is proven too, and each goes over its tables once, so a large one is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.database import patient_transaction
from db.models import TERMINAL

SHOWN = 100  # the most rows a rule is asked for
_TERMINAL = [status.value for status in TERMINAL]


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that breaks a rule: the rule in words, and the ids to look at."""

    rule: str
    subject: str


LEDGER: Mapping[str, str] = MappingProxyType(
    {
        "a wallet's balance is its grants less its holds plus its releases": """
            SELECT 'user ' || w.user_id FROM credit_wallets w
            LEFT JOIN (SELECT user_id, sum(CASE kind WHEN 'GRANT' THEN amount WHEN 'RELEASE' THEN amount
                                                     WHEN 'HOLD' THEN -amount ELSE 0 END) AS total
                       FROM credit_entries GROUP BY user_id) e USING (user_id)
            WHERE w.balance <> coalesce(e.total, 0)""",
        "a capture or release has its hold, and together they never exceed it": """
            SELECT 'task ' || task_id || ', ' || agent_id FROM credit_entries WHERE task_id IS NOT NULL
            GROUP BY task_id, agent_id
            HAVING coalesce(sum(amount) FILTER (WHERE kind = 'HOLD'), 0)
                 < coalesce(sum(amount) FILTER (WHERE kind <> 'HOLD'), 0)""",
        "when a task has ended, what was held is captured or released": """
            SELECT 'task ' || e.task_id || ', ' || e.agent_id FROM credit_entries e JOIN tasks t ON t.id = e.task_id
            WHERE t.status = ANY(:terminal) GROUP BY e.task_id, e.agent_id
            HAVING coalesce(sum(amount) FILTER (WHERE kind = 'HOLD'), 0)
                <> coalesce(sum(amount) FILTER (WHERE kind <> 'HOLD'), 0)""",
        "nothing is released before the task has ended": """
            SELECT 'task ' || e.task_id || ', ' || e.agent_id FROM credit_entries e JOIN tasks t ON t.id = e.task_id
            WHERE e.kind = 'RELEASE' AND t.status <> ALL(:terminal) AND NOT EXISTS (
                SELECT FROM task_steps s WHERE s.task_id = t.id AND s.agent_id = e.agent_id
                AND s.status = 'DELIVERED' AND jsonb_exists(t.tariffs, e.agent_id))""",
        "what was charged was delivered": """
            SELECT 'task ' || e.task_id || ', ' || e.agent_id FROM credit_entries e
            WHERE e.kind = 'CAPTURE' AND NOT EXISTS (
                SELECT FROM task_steps s JOIN tasks t ON t.id = s.task_id WHERE s.status = 'DELIVERED'
                AND coalesce(t.parent_id, t.id) = e.task_id AND s.agent_id = e.agent_id)
            AND NOT EXISTS (SELECT FROM tasks t WHERE t.id = e.task_id AND t.items_ok > 0)""",
        "what was delivered was charged": """
            SELECT 'task ' || t.id || ', ' || s.agent_id FROM task_steps s JOIN tasks t ON t.id = s.task_id
            WHERE s.status = 'DELIVERED' AND coalesce((t.prices ->> s.agent_id)::bigint, 0) > 0
            AND NOT jsonb_exists(t.tariffs, s.agent_id) AND NOT EXISTS (
                SELECT FROM credit_entries e
                WHERE e.kind = 'CAPTURE' AND e.task_id = coalesce(t.parent_id, t.id) AND e.agent_id = s.agent_id)""",
        "a batch that has ended is charged for the items that went well, up to its hold": """
            SELECT 'task ' || t.id FROM tasks t
            JOIN (SELECT task_id, sum(millicredits) AS owed FROM task_items WHERE error_code IS NULL
                  GROUP BY task_id) i ON i.task_id = t.id AND i.owed > 0
            JOIN (SELECT task_id, agent_id, sum(amount) FILTER (WHERE kind = 'HOLD') AS held,
                         coalesce(sum(amount) FILTER (WHERE kind = 'CAPTURE'), 0) AS paid
                  FROM credit_entries GROUP BY task_id, agent_id) e
                ON e.task_id = t.id AND jsonb_exists(t.tariffs, e.agent_id)
            WHERE t.status = ANY(:terminal) AND e.paid <> least(e.held, ceil(i.owed / 1000.0))""",
    }
)

STATES: Mapping[str, str] = MappingProxyType(
    {
        "a running task has a worker, a lease and the time of its claim": """
            SELECT 'task ' || id FROM tasks WHERE status = 'PROCESSING'
            AND (worker IS NULL OR lease_until IS NULL OR claimed_at IS NULL OR epoch = 0)""",
        "a task that does not run has neither worker nor lease": """
            SELECT 'task ' || id FROM tasks WHERE status <> 'PROCESSING'
            AND (worker IS NOT NULL OR lease_until IS NOT NULL OR claimed_at IS NOT NULL)""",
        "a task that has ended knows when, and waits for nothing": """
            SELECT 'task ' || id FROM tasks WHERE (status = ANY(:terminal)) <> (finished_at IS NOT NULL)
            OR (status = ANY(:terminal) AND (ring_wanted OR admitted_at IS NOT NULL OR not_before IS NOT NULL))""",
        "a completed task has an outcome, a manifest, all of its progress and no error": """
            SELECT 'task ' || id FROM tasks WHERE status = 'COMPLETED'
            AND (outcome IS NULL OR coalesce(manifest_key, parent_id::text) IS NULL OR progress <> 100
                OR error_code IS NOT NULL)""",
        "what was deleted or cleaned has ended": """
            SELECT 'task ' || id FROM tasks
            WHERE finished_at IS NULL AND coalesce(deleted_at, inputs_cleaned_at, outputs_cleaned_at) IS NOT NULL""",
        "a failed task says why": """
            SELECT 'task ' || id FROM tasks WHERE status = 'FAILED' AND (error_code IS NULL OR next_action IS NULL)""",
        "a queued task can be rung": """
            SELECT 'task ' || id FROM tasks WHERE status = 'QUEUED'
            AND (celery_task_id IS NULL OR sort_at IS NULL OR (admitted_at IS NULL AND ring_wanted))""",
        "a batch counts its finished items": """
            SELECT 'task ' || t.id FROM tasks t
            LEFT JOIN (SELECT task_id, count(*) FILTER (WHERE error_code IS NULL) AS ok,
                              count(*) FILTER (WHERE error_code IS NOT NULL) AS failed
                       FROM task_items GROUP BY task_id) i ON i.task_id = t.id
            WHERE t.parent_id IS NULL AND t.outputs_cleaned_at IS NULL AND t.deleted_at IS NULL
            AND (t.items_ok, t.items_failed) <> (coalesce(i.ok, 0), coalesce(i.failed, 0))""",
        "a parent waits for as many children as have not ended": """
            SELECT 'task ' || p.id FROM tasks p WHERE p.open_children <> (
                SELECT count(*) FROM tasks c WHERE c.parent_id = p.id AND c.status <> ALL(:terminal))
            AND p.status IN ('WAITING', 'QUEUED', 'PROCESSING')""",
        "a task's events are numbered without a gap, up to the row's own count": """
            SELECT 'task ' || t.id FROM tasks t
            LEFT JOIN (SELECT task_id, count(*) AS n, max(seq) AS last FROM task_events GROUP BY task_id) e
                ON e.task_id = t.id
            WHERE coalesce(e.n, 0) <> t.last_event OR coalesce(e.last, 0) <> t.last_event""",
        "nothing happens to a task after its end": """
            SELECT 'task ' || t.id FROM task_events e JOIN tasks t ON t.id = e.task_id
            WHERE e.kind IN ('completed', 'failed', 'cancelled', 'expired') AND e.seq < t.last_event""",
    }
)


RULES: Mapping[str, Mapping[str, str]] = MappingProxyType({"ledger": LEDGER, "states": STATES})


@dataclass(frozen=True, slots=True)
class Finding:
    """What breaks one rule; `more`: there are others besides."""

    breaches: Sequence[Breach]
    more: bool


def found(session: Session, rule: str, statement: str) -> Finding:
    asked = {"terminal": _TERMINAL, "limit": SHOWN + 1}
    subjects = session.execute(text(f"{statement} LIMIT :limit"), asked).scalars().all()
    return Finding([Breach(rule, subject) for subject in subjects[:SHOWN]], more=len(subjects) > SHOWN)


def proven(what: str) -> Iterator[Finding]:
    """`ledger` or `states`, rule by rule, each in a transaction of its own and for as long as it takes."""
    for rule, statement in RULES[what].items():
        with patient_transaction() as session:
            finding = found(session, rule, statement)
        yield finding


def breaches(session: Session, rules: Mapping[str, str]) -> Sequence[Breach]:
    """What breaks the rules, as far as it is shown; empty: they hold."""
    return [breach for rule, statement in rules.items() for breach in found(session, rule, statement).breaches]
