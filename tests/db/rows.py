"""The tables and the model's world, told in the same words, so that they can be compared."""

from collections.abc import Mapping
from typing import Any

from model import TaskModel, World
from sqlalchemy import text

from db.database import transaction

Picture = Mapping[str, Mapping[Any, Any]]

_TASKS = text("""
    SELECT id, user_id, parent_id, status, epoch, progress, hiccups, crashes, losses, open_children, queue,
        admitted_at IS NOT NULL AS admitted, not_before <= clock_timestamp() AS ripe, ring_wanted, rings, worker,
        lease_until < clock_timestamp() AS lapsed, current_agent, error_code, outcome, manifest_key,
        deleted_at IS NOT NULL AS deleted,
        (SELECT array_agg(kind ORDER BY seq) FROM task_events WHERE task_id = tasks.id) AS events,
        (SELECT array_agg(seq ORDER BY seq) FROM task_events WHERE task_id = tasks.id) AS numbers,
        last_event,
        (SELECT json_object_agg(agent_id, json_build_array(status, epoch)) FROM task_steps
         WHERE task_id = tasks.id) AS steps,
        (SELECT json_object_agg(kind || ' ' || agent_id, amount) FROM credit_entries
         WHERE task_id = tasks.id) AS entries
    FROM tasks
""")
_BALANCES = text("SELECT user_id, balance FROM credit_wallets")


def rows() -> Picture:
    """What the tables say."""
    with transaction() as session:
        tasks = [dict(row) for row in session.execute(_TASKS).mappings()]
        balances = {row.user_id: row.balance for row in session.execute(_BALANCES)}
    for task in tasks:
        assert task.pop("numbers") == list(range(1, task.pop("last_event") + 1)), "the events have a gap"
        task["steps"], task["entries"] = task["steps"] or {}, task["entries"] or {}
    return {"balances": balances, "tasks": {task.pop("id"): task for task in tasks}}


def picture(world: World) -> Picture:
    """What the model says."""
    return {"balances": world.balances, "tasks": {task_id: _told(task) for task_id, task in world.tasks.items()}}


def differences(before: Picture, after: Picture) -> str:
    """Task by task, what is not the same."""
    lines = [f"balances {before['balances']} → {after['balances']}"] if before["balances"] != after["balances"] else []
    for task_id, now in after["tasks"].items():
        was = before["tasks"].get(task_id, {})
        changed = [f"{name} {was.get(name)!r} → {value!r}" for name, value in now.items() if was.get(name) != value]
        lines += [f"{task_id}: {', '.join(changed)}"] if changed else []
    return "; ".join(lines)


def _told(task: TaskModel) -> dict[str, Any]:
    told = {name: getattr(task, name) for name in _SAME}
    steps = {agent: list(step) for agent, step in task.steps.items()}
    entries = {f"{kind} {agent}": amount for (kind, agent), amount in task.entries.items()}
    return told | {"user_id": task.user, "parent_id": task.parent, "steps": steps, "entries": entries}


_SAME = (
    "status", "epoch", "progress", "hiccups", "crashes", "losses", "open_children", "queue", "admitted", "ripe",
    "ring_wanted", "rings", "worker", "lapsed", "current_agent", "error_code", "outcome", "manifest_key", "events",
    "deleted",
)  # fmt: skip
