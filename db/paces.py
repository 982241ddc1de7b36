"""How long each agent usually takes, learnt from what it delivered: for the no-progress limit and the expected cost.

A pace is seconds for each MiB of all the task's inputs, at least one. Steps that a retry took over from another task
(epoch 0) say nothing about this agent's time.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.models import AgentPace

STEPS_REMEMBERED = 200
ENOUGH_SAMPLES = 20  # fewer are an anecdote
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for each MiB: `slow` is the 95th percentile, `usual` the median; `largest` are the most MiB seen."""

    slow: float
    usual: float
    largest: float = field(default=math.inf, compare=False)


# The loose scan over ix_task_steps_delivered reads one entry an agent, then the newest steps of each.
_MEASURE = text("""
    WITH RECURSIVE agents(agent_id) AS (
        (SELECT agent_id FROM task_steps WHERE status = 'DELIVERED' ORDER BY agent_id LIMIT 1)
        UNION ALL
        SELECT (SELECT s.agent_id FROM task_steps s WHERE s.status = 'DELIVERED' AND s.agent_id > agents.agent_id
                ORDER BY s.agent_id LIMIT 1)
        FROM agents WHERE agents.agent_id IS NOT NULL),
    paces AS (
        SELECT agents.agent_id, step.duration_ms / 1000.0 / greatest(1, size.mebibytes) AS pace,
            greatest(1, size.mebibytes) AS mebibytes
        FROM agents
        CROSS JOIN LATERAL (
            SELECT s.task_id, s.duration_ms FROM task_steps s
            WHERE s.agent_id = agents.agent_id AND s.status = 'DELIVERED' AND s.epoch > 0
            ORDER BY s.finished_at DESC LIMIT :steps_remembered) step
        JOIN tasks t ON t.id = step.task_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((file ->> 'size')::numeric), 0) / 1048576 AS mebibytes
            FROM jsonb_each(t.inputs) AS role(name, files), jsonb_array_elements(role.files) AS file) size)
    INSERT INTO agent_paces
        (agent_id, seconds_per_mebibyte, median_seconds_per_mebibyte, samples, largest_mebibytes)
    SELECT agent_id, percentile_cont(0.95) WITHIN GROUP (ORDER BY pace),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY pace), count(*), max(mebibytes)
    FROM paces GROUP BY agent_id
    ON CONFLICT (agent_id) DO UPDATE SET
        seconds_per_mebibyte = excluded.seconds_per_mebibyte,
        median_seconds_per_mebibyte = excluded.median_seconds_per_mebibyte,
        samples = excluded.samples, largest_mebibytes = excluded.largest_mebibytes, measured_at = excluded.measured_at
""")


def measure(session: Session) -> None:
    """Learn from the newest steps of every agent."""
    session.execute(_MEASURE, {"steps_remembered": STEPS_REMEMBERED})


def known(session: Session) -> Mapping[str, Pace]:
    """The paces by agent, of those with history enough. One small row an agent, so all of them."""
    rows = session.scalars(select(AgentPace).where(AgentPace.samples >= ENOUGH_SAMPLES))
    return {
        row.agent_id: Pace(row.seconds_per_mebibyte, row.median_seconds_per_mebibyte, row.largest_mebibytes)
        for row in rows
    }


def mebibytes(sizes: Iterable[int]) -> float:
    """What a pace is multiplied by, of all the task's inputs: the same as `measure` divides by."""
    return max(1.0, sum(sizes) / MEBIBYTE)
