"""The eight beside us, in a table: where they keep a task, what survives, and what they do not do that we do.

How each is set is said at the head of its script; here is what a reader of the page must know to judge a figure.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """`keeps`: where, and what survives which death; `runs`: with what in the measure of throughput; `leaves_out`."""

    environment: str
    keeps: str
    runs: str
    leaves_out: str


OTHERS = (
    About(
        "celery",
        "The message, in Redis; acknowledged after the task (`task_acks_late`, `task_reject_on_worker_lost`), one "
        "message at a time (`worker_prefetch_multiplier` 1).",
        "one worker, two prefork slots",
        "No row, no checkpoint, no event, no fence: a task whose worker dies runs again from its beginning, by chance "
        "twice at once.",
    ),
    About(
        "relier",
        "Celery's message; beside it state, heartbeat and registry in Redis.",
        "one worker, two prefork slots",
        "In P1 only the newest state is kept, no result of a single step; nothing waits for a disk.",
    ),
    About(
        "dramatiq",
        "The message, in Redis; acknowledged after the task, and taken up again when a worker's heartbeat ends.",
        "two processes of eight threads, as dramatiq sets them",
        "No row, no result, no checkpoint, no event.",
    ),
    About(
        "taskiq",
        "The message, in a Redis stream; acknowledged after the task (`when_executed`).",
        "two processes of a hundred coroutines, as taskiq sets them",
        "No row, no result, no checkpoint, no event.",
    ),
    About(
        "arq",
        "The message, in Redis, until its task has ended; the result, in Redis, for an hour.",
        "two processes of ten coroutines, as arq sets them",
        "No row, no checkpoint, no event.",
    ),
    About(
        "procrastinate",
        "A row in PostgreSQL, committed when the task is taken and when it ends, with the rows of its history.",
        "two processes of ten tasks at a time; its own number is one, and slower",
        "No checkpoint, no money, no fair share.",
    ),
    About(
        "pgqueuer",
        "A row in PostgreSQL (`durable`: every table is logged), taken ten at a time; ends are written in tens.",
        "two processes of ten coroutines, as PgQueuer sets them",
        "No checkpoint, no money, no fair share; the ends of a batch that was not yet written run again.",
    ),
    About(
        "dbos",
        "A row in PostgreSQL for each workflow, committed at its start and its end, and one for each step's result.",
        "two processes; the queue is looked at ten times a second, instead of once",
        "No process of its own around a step: a step that eats the memory takes the worker with it; no fair share.",
    ),
)
