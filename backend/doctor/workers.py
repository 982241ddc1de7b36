"""The live workers, as their rows tell: who serves what, with how much, and what waits for nobody."""

import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

import psutil

from backend.doctor.finding import Area, Finding, Ward
from backend.release import release
from backend.settings import Settings
from db import attendance, overview
from db.attendance import Kept
from db.database import DATABASE_ERRORS, transaction
from db.examination import reason
from db.overview import WorkerSeen
from db.queue_names import Queue
from transformers.catalog import tools

WARD = Ward(Area.WORKERS)
WAITS_TOO_LONG = timedelta(seconds=30)  # beside a free slot a task waits for a round and a ring: well below a second
OF_LATE = timedelta(days=7)
TOO_LITTLE_MEMORY = "MEMORY_LIMIT"


def look(settings: Settings) -> Iterator[Finding]:
    try:
        with transaction() as session:
            known = overview.workers_seen(session)
            kept = attendance.kept_waiting(session, settings.lease, WAITS_TOO_LONG)
            failures = overview.failure_counts(session, OF_LATE)
    except DATABASE_ERRORS as error:
        yield WARD.unknown(f"The rows of workers could not be read: {reason(error)}", "See the database.")
        return
    alive = [worker for worker in known if worker.seen_seconds_ago < settings.lease_seconds]
    live = [worker for worker in alive if not worker.draining]
    yield from _there(known, alive, live)
    yield from _queues(live, sum(one.count for one in failures if one.error_code == TOO_LITTLE_MEMORY))
    yield from _tools(live, kept)
    yield from _versions(live)
    yield from _memory(live)
    yield from _waiting(kept)


def _there(known: Sequence[WorkerSeen], alive: Sequence[WorkerSeen], live: Sequence[WorkerSeen]) -> Iterator[Finding]:
    if live:
        slots = sum(worker.slots for worker in live)
        pools = ", ".join(sorted({worker.pool for worker in live}))
        yield WARD.ok(f"{_count(len(live), 'worker')} with {_count(slots, 'slot')} ({pools}).")
    if draining := len(alive) - len(live):
        yield WARD.ok(f"{_count(draining, 'worker')} draining.")
    if silent := len(known) - len(alive):
        yield WARD.advice(
            f"{_count(silent, 'worker')} went silent without a goodbye.",
            "Killed, frozen, or cut off. Their tasks run elsewhere; look why. The rows go after some minutes.",
        )


def _queues(live: Sequence[WorkerSeen], too_little_memory: int) -> Iterator[Finding]:
    ordinary = [worker for worker in live if Queue.DEFAULT in worker.queues]
    roomy = [worker for worker in live if Queue.HIGH_MEMORY in worker.queues]
    if not ordinary:
        yield WARD.wrong(
            f"No live worker takes from the queue {Queue.DEFAULT}: no task runs.",
            "Start one: agensium worker, without CELERY_QUEUES or with default in it.",
        )
    most = max((worker.memory_bytes for worker in ordinary), default=0)
    if roomy and max(worker.memory_bytes for worker in roomy) <= most:
        yield WARD.wrong(
            "The workers of the queue high_memory give an agent no more memory than the others: no task goes there.",
            "Give them a larger CELERY_WORKER_MAX_MEMORY_PER_CHILD.",
        )
    if too_little_memory and not roomy:
        yield WARD.advice(
            f"{_count(too_little_memory, 'task')} failed for want of memory in {OF_LATE.days} days, and no worker "
            f"takes from {Queue.HIGH_MEMORY}.",
            "Start one with CELERY_QUEUES=high_memory and a larger CELERY_WORKER_MAX_MEMORY_PER_CHILD.",
        )


def _tools(live: Sequence[WorkerSeen], kept: Kept) -> Iterator[Finding]:
    if not live:
        return
    known = {tool for worker in live for tool in worker.tools}
    if unknown := sorted({*tools(), *kept.tools} - known):
        yield WARD.wrong(
            f"No live worker knows the tools {', '.join(unknown)}: their tasks wait.",
            "Start workers with the same code and the same EXTRA_TOOLS as the API.",
        )


def _versions(live: Sequence[WorkerSeen]) -> Iterator[Finding]:
    versions = sorted({worker.code_version for worker in live} | ({release()} if live else set()))
    if len(versions) > 1:
        yield WARD.advice(
            f"Different versions of the code are at work: {', '.join(versions)}.",
            "Right during a deploy, which is to be finished; a task may be handed on between them.",
        )


def _memory(live: Sequence[WorkerSeen]) -> Iterator[Finding]:
    """What all slots of this machine may use beside what it has; of other machines nothing is known here."""
    given: dict[str, int] = defaultdict(int)
    for worker in live:
        given[worker.host] += worker.slots * worker.memory_bytes
    mine, there = given.get(platform.node(), 0), psutil.virtual_memory().total
    if mine > there:
        yield WARD.wrong(
            f"The slots on this machine may use {mine / 2**30:.1f} GiB, and it has {there / 2**30:.1f}: agents may be "
            "killed by the system, which counts as a crash.",
            "Lower CELERY_WORKER_MAX_MEMORY_PER_CHILD or the slots (--concurrency).",
        )
    elif mine:
        yield WARD.ok(f"The slots on this machine may use {mine / 2**30:.1f} of its {there / 2**30:.1f} GiB.")


def _waiting(kept: Kept) -> Iterator[Finding]:
    for queue, (count, seconds) in kept.waiting.items():
        if seconds > WAITS_TOO_LONG.total_seconds() and kept.free.get(queue, 0):
            yield WARD.wrong(
                f"{_count(count, 'task')} of the queue {queue} wait, the oldest for {seconds:.0f} s, beside "
                f"{_count(kept.free[queue], 'free slot')}.",
                "No conductor does its rounds: look at the workers' logs for the database's errors.",
            )
    if kept.rung:
        yield WARD.wrong(
            f"{_count(kept.rung, 'task')} let in and not begun, the oldest for {kept.rung_seconds:.0f} s.",
            "The broker does not reach the workers: see the broker, then restart the workers that do not take.",
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
