"""How long each agent usually takes, learnt from what it delivered: for the no-progress limit and the expected cost.

A pace is seconds for each MiB of all the task's inputs, at least one. Memory is a line over the same MiB: a process is
large before it reads anything, and grows with what it reads. Steps that a retry took over from another task (epoch 0)
say nothing about this agent's time.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from backend.clock import monotonic
from db.database import engine, transaction
from db.models import COMPUTED, AgentPace

STEPS_REMEMBERED = 200
ENOUGH_SAMPLES = 20  # fewer are an anecdote
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class MemoryLine:
    """Peak bytes over MiB of input; `spread` is how far above the line one run in twenty is."""

    base: float
    per_mebibyte: float
    spread: float

    def likely(self, mebibytes: float) -> float:
        return self.base + self.per_mebibyte * mebibytes


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for each MiB: `slow` is the 95th percentile, `usual` the median; `largest` are the most MiB seen."""

    slow: float
    usual: float
    largest: float = field(default=math.inf, compare=False)
    memory: MemoryLine | None = field(default=None, compare=False)


# The loose scan over ix_task_steps_computed reads one entry an agent, then the newest steps of each.
_MEASURE = text(f"""
    WITH RECURSIVE agents(agent_id) AS (
        (SELECT agent_id FROM task_steps WHERE {COMPUTED} ORDER BY agent_id LIMIT 1)
        UNION ALL
        SELECT (SELECT s.agent_id FROM task_steps s WHERE {COMPUTED}
                    AND s.agent_id > agents.agent_id ORDER BY s.agent_id LIMIT 1)
        FROM agents WHERE agents.agent_id IS NOT NULL),
    runs AS (
        SELECT agents.agent_id, step.duration_ms / 1000.0 / greatest(1, size.mebibytes) AS pace,
            greatest(1, size.mebibytes)::float8 AS mebibytes, step.peak_memory_bytes::float8 AS memory
        FROM agents
        CROSS JOIN LATERAL (
            SELECT s.task_id, s.duration_ms, s.peak_memory_bytes FROM task_steps s
            WHERE s.agent_id = agents.agent_id AND {COMPUTED} AND s.epoch > 0
            ORDER BY s.finished_at DESC LIMIT :steps_remembered) step
        JOIN tasks t ON t.id = step.task_id AND t.tool_id <> ALL(CAST(:unfolded AS text[]))
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((file ->> 'size')::numeric), 0) / 1048576 AS mebibytes
            FROM jsonb_each(t.inputs) AS role(name, files), jsonb_array_elements(role.files) AS file) size),
    slopes AS (
        SELECT agent_id, greatest(0, coalesce(regr_slope(memory, mebibytes), 0)) AS slope
        FROM runs WHERE memory IS NOT NULL GROUP BY agent_id),
    lines AS (
        SELECT agent_id, slope,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY memory - slope * mebibytes) AS base,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY memory - slope * mebibytes) AS high
        FROM runs JOIN slopes USING (agent_id) WHERE memory IS NOT NULL GROUP BY agent_id, slope)
    INSERT INTO agent_paces
        (agent_id, seconds_per_mebibyte, median_seconds_per_mebibyte, samples, largest_mebibytes,
         base_memory_bytes, memory_bytes_per_mebibyte, memory_spread_bytes)
    SELECT agent_id, percentile_cont(0.95) WITHIN GROUP (ORDER BY pace),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY pace), count(*), max(mebibytes),
        min(base), min(slope), min(high - base)
    FROM runs LEFT JOIN lines USING (agent_id) GROUP BY agent_id
    ON CONFLICT (agent_id) DO UPDATE SET
        seconds_per_mebibyte = excluded.seconds_per_mebibyte,
        median_seconds_per_mebibyte = excluded.median_seconds_per_mebibyte,
        samples = excluded.samples, largest_mebibytes = excluded.largest_mebibytes, measured_at = excluded.measured_at,
        base_memory_bytes = excluded.base_memory_bytes,
        memory_bytes_per_mebibyte = excluded.memory_bytes_per_mebibyte,
        memory_spread_bytes = excluded.memory_spread_bytes
""")  # noqa: S608 (our own words only)


def measure(session: Session, unfolded: Sequence[str] = ()) -> None:
    """Learn from the newest steps of every agent.

    `unfolded` are tools whose steps are named by customers: a step that is called like an agent must not teach us what
    that agent takes, for everybody.
    """
    session.execute(_MEASURE, {"steps_remembered": STEPS_REMEMBERED, "unfolded": list(unfolded)})


REMEMBERED_SECONDS = 5.0  # they are measured anew once in many minutes
_KNOWN = select(AgentPace).where(AgentPace.samples >= ENOUGH_SAMPLES)


def known(session: Session) -> Mapping[str, Pace]:
    """The paces by agent, of those with history enough. One small row an agent, so all of them."""
    rows = session.scalars(_KNOWN)
    return {row.agent_id: _pace(row) for row in rows}


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Of one database: a process that turns to another one asks anew."""

    engine: Engine
    since: float
    paces: Mapping[str, Pace]


_remembered: _Remembered | None = None


def lately() -> Mapping[str, Pace]:
    """The paces as they were within the last seconds: for each task they would be the same rows again."""
    global _remembered  # noqa: PLW0603 (one a process, as the engine itself)
    kept = _remembered
    if kept is None or kept.engine is not engine() or monotonic() - kept.since > REMEMBERED_SECONDS:
        began = monotonic()
        with transaction() as session:
            kept = _remembered = _Remembered(engine(), began, known(session))
    return kept.paces


def _pace(row: AgentPace) -> Pace:
    return Pace(row.seconds_per_mebibyte, row.median_seconds_per_mebibyte, row.largest_mebibytes, _memory(row))


def _memory(row: AgentPace) -> MemoryLine | None:
    base, slope, spread = row.base_memory_bytes, row.memory_bytes_per_mebibyte, row.memory_spread_bytes
    if base is None or slope is None or spread is None:
        return None
    return MemoryLine(base, slope, spread)


def mebibytes(sizes: Iterable[int]) -> float:
    """What a pace is multiplied by, of all the task's inputs: the same as `measure` divides by."""
    return max(1.0, sum(sizes) / MEBIBYTE)
