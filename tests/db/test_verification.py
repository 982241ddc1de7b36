"""The proofs hold on every honest story, and each of them finds what breaks it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from db import checkpoints, endings, task_store
from db.database import transaction
from db.endings import Ending
from db.verification import LEDGER, STATES, breaches
from tests import builders

pytestmark = pytest.mark.usefixtures("database")


def broken(rules: Any) -> set[str]:
    with transaction() as session:
        return {breach.rule for breach in breaches(session, rules)}


def completed() -> Any:
    """A task whose agents all delivered."""
    claim = builders.claimed_task()
    for agent in builders.PRICES:
        builders.deliver(claim, agent)
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome="success", manifest_key="m"))
    return claim


def cancelled_half_way() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        checkpoints.record(
            session, claim, builders.failed_step("score-risk"), amount=20, progress=60, next_agent=None
        )  # fmt: skip
        task_store.cancel(session, claim.task_id, claim.user_id)


STORIES: list[Callable[[], object]] = [
    builders.customer,
    builders.created_task,
    builders.submitted_task,
    builders.admitted_task,
    builders.claimed_task,
    builders.waiting_parent,
    completed,
    cancelled_half_way,
]


def test_after_honest_stories_every_rule_holds() -> None:
    for story in STORIES:
        story()
    assert broken(LEDGER) == set()
    assert broken(STATES) == set()


SABOTAGE = {
    "a wallet's balance is its grants less its holds plus its releases": (
        "UPDATE credit_wallets SET balance = balance + 1"
    ),
    "a capture or release has its hold, and together they never exceed it": (
        "UPDATE credit_entries SET amount = amount + 1 WHERE kind = 'CAPTURE'"
    ),
    "when a task has ended, what was held is captured or released": (
        "DELETE FROM credit_entries WHERE kind = 'CAPTURE' AND agent_id = 'score-risk'"
    ),
    "nothing is released before the task has ended": """
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT user_id, id, 'unified-profiler', 'RELEASE', 1 FROM tasks WHERE status = 'QUEUED'""",
    "what was charged was delivered": "UPDATE task_steps SET status = 'FAILED' WHERE agent_id = 'score-risk'",
    "what was delivered was charged": "DELETE FROM credit_entries WHERE kind = 'CAPTURE'",
    "a batch that has ended is charged for the items that went well, up to its hold": """
        WITH delivered AS (
            INSERT INTO task_items (task_id, position, name, millicredits)
            SELECT id, 0, 'one', 5000 FROM tasks WHERE status = 'COMPLETED')
        UPDATE tasks SET tariffs = '{"unified-profiler": {}}' WHERE status = 'COMPLETED'""",
    "a batch counts its finished items": "UPDATE tasks SET items_ok = 1 WHERE status = 'COMPLETED'",
    "a running task has a worker, a lease and the time of its claim": (
        "UPDATE tasks SET lease_until = NULL WHERE status = 'PROCESSING'"
    ),
    "a task that does not run has neither worker nor lease": (
        "UPDATE tasks SET lease_until = clock_timestamp() WHERE status = 'QUEUED'"
    ),
    "a task that has ended knows when, and waits for nothing": (
        "UPDATE tasks SET finished_at = NULL WHERE status = 'COMPLETED'"
    ),
    "a completed task has an outcome, a manifest, all of its progress and no error": (
        "UPDATE tasks SET manifest_key = NULL WHERE status = 'COMPLETED'"
    ),
    "what was deleted or cleaned has ended": (
        "UPDATE tasks SET inputs_cleaned_at = clock_timestamp() WHERE status = 'PROCESSING'"
    ),
    "a failed task says why": (
        "UPDATE tasks SET status = 'FAILED', finished_at = clock_timestamp() WHERE status = 'QUEUED'"
    ),
    "a queued task can be rung": "UPDATE tasks SET celery_task_id = NULL WHERE status = 'QUEUED'",
    "a parent waits for as many children as have not ended": (
        "UPDATE tasks SET open_children = open_children + 1 WHERE status = 'WAITING'"
    ),
    "a task's events are numbered without a gap, up to the row's own count": "DELETE FROM task_events WHERE seq = 2",
    "nothing happens to a task after its end": "UPDATE task_events SET kind = 'completed' WHERE seq = 2",
}


def test_every_rule_has_its_sabotage() -> None:
    assert set(SABOTAGE) == set(LEDGER) | set(STATES)


@pytest.mark.parametrize("rule", SABOTAGE)
def test_a_rule_finds_what_breaks_it(rule: str) -> None:
    for story in (builders.submitted_task, builders.claimed_task, builders.waiting_parent, completed):
        story()
    with transaction() as session:
        session.execute(text(SABOTAGE[rule]))
    assert rule in broken(LEDGER) | broken(STATES)
