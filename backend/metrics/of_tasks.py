"""What is counted of tasks and money: with the commit that makes it so, by whoever committed it (db/noted.py).

A task's parts (the children of a batch) are counted where it says so; else only what a customer submitted.
"""

from enum import StrEnum

from backend.metrics.kinds import SIZES, STRETCHES, Counter, Histogram, Label

TOOL = Label("tool", of="a tool's id")
AGENT = Label("agent", of="an agent's id")
ERROR_CODE = Label("error_code", of="a code of reference/errors.md")


class CreditKind(StrEnum):
    GRANT = "grant"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"


class LostBy(StrEnum):
    CANCEL = "cancel"  # by its customer
    LEASE = "lease"  # the worker was silent for a lease: another one has the task


class LearntFrom(StrEnum):
    BEAT = "beat"  # the worker's own sign of life brought it back
    STATION = "station"  # it was about to write, and was refused: without the fence, work of a zombie


MOVES = Counter(
    "agensium_task_moves_total",
    "Moves of tasks and their parts: queued, started, retrying, handed_back, rerouted, rescued (its worker's lease ran "
    "out), waiting, completed, failed, cancelled, expired.",
    (TOOL, Label("kind", of="the kind of the event that tells it")),
)
ENDED = Counter(
    "agensium_tasks_ended_total",
    "Tasks that ended; error_code is empty for those that completed.",
    (TOOL, Label("status", of="completed, failed, cancelled or expired"), ERROR_CODE),
)
WAIT = Histogram("agensium_task_wait_seconds", "From the submit to the first claim.", (TOOL,), STRETCHES)
RUN = Histogram(
    "agensium_task_run_seconds",
    "Running time over all claims, of tasks and parts that a worker began and that ended.",
    (TOOL,),
    STRETCHES,
)
CREDITS = Counter("agensium_credits_total", "Credits by what was done with them.", (Label("kind", CreditKind),))
AGENT_RUN = Histogram("agensium_agent_run_seconds", "One agent's turn that delivered.", (AGENT,), STRETCHES)
AGENT_MEMORY = Histogram(
    "agensium_agent_peak_memory_bytes",
    "The most resident memory that the agent's process had, of turns that delivered.",
    (AGENT,),
    SIZES,
)
AGENT_FAILURES = Counter(
    "agensium_agent_failures_total",
    "Turns that failed, also those that are tried again: AGENT_CRASHED, MEMORY_LIMIT, NO_PROGRESS, …",
    (AGENT, ERROR_CODE),
)
CLAIMS_LOST = Counter(
    "agensium_claims_lost_total",
    "Claims that a worker held and lost, by what took them and how it learnt of it.",
    (Label("by", LostBy), Label("learnt_from", LearntFrom)),
)
ALL = (MOVES, ENDED, WAIT, RUN, CREDITS, AGENT_RUN, AGENT_MEMORY, AGENT_FAILURES, CLAIMS_LOST)
