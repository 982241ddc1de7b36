"""What a worker's main process tells besides: the conductor, the bell, its slots and its scratch."""

from enum import StrEnum

from backend.metrics.kinds import Counter, Gauge, Histogram, Label
from backend.metrics.of_tasks import TOOL


class RoundOutcome(StrEnum):
    DONE = "done"
    OTHERS = "others"  # another conductor was at it
    FAILED = "failed"  # the database did not answer


class Errand(StrEnum):
    CLEAN = "clean"
    DELIVER = "deliver"


class ErrandOutcome(StrEnum):
    DONE = "done"
    FAILED = "failed"


ROUNDS = Counter("agensium_rounds_total", "Rounds of the conductor.", (Label("outcome", RoundOutcome),))
ROUND = Histogram(
    "agensium_round_seconds",
    "A round that was done, with its commit.",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ADMITTED = Counter("agensium_admitted_total", "Tasks and parts that rounds let in.")
RINGS = Counter("agensium_rings_total", "Messages that the broker took; more than were let in: rung again.")
DEAF = Counter("agensium_consumer_restarts_total", "Times the watchdog found the consumer deaf and restarted it.")
BEATS_FAILED = Counter("agensium_beats_failed_total", "Beats that the database did not take.")
CHORES_FAILED = Counter("agensium_chores_failed_total", "Chores of the housekeeping that were left undone.")
ERRANDS = Counter(
    "agensium_errands_total",
    "Processes beside the worker: clean removes files, deliver brings webhooks.",
    (Label("errand", Errand), Label("outcome", ErrandOutcome)),
)
RUNS = Counter(
    "agensium_runs_total",
    "Runs of Celery's task that had a claim, by what the row said afterwards.",
    (TOOL, Label("status", of="a task's status")),
)
CHILDREN = Counter("agensium_agent_processes_started_total", "Processes for agents that were started.")
SLOTS = Gauge("agensium_worker_slots", "Slots of this worker.")
DRAINING = Gauge("agensium_worker_draining", "1 when this worker was told to shut down.")
SCRATCH_FREE = Gauge("agensium_scratch_free_bytes", "Free on the disk that SCRATCH_DIR is on.")
SCRATCH_SIZE = Gauge("agensium_scratch_size_bytes", "Size of that disk.")
ALL = (
    ROUNDS, ROUND, ADMITTED, RINGS, DEAF, BEATS_FAILED, CHORES_FAILED, ERRANDS, RUNS, CHILDREN,
    SLOTS, DRAINING, SCRATCH_FREE, SCRATCH_SIZE,
)  # fmt: skip
