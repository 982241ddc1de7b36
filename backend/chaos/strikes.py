"""Kills in rotation, what each interrupted, and how soon that ran again, read from the tasks' own events."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import cycle

import psutil

from backend.chaos.stage import AtWork, Stage
from backend.clock import now
from db.events import EventKind
from db.evidence import STATIONS, Happening


class Kind(StrEnum):
    WORKER = "worker"
    SLOT = "slot"
    AGENT = "agent"


@dataclass(frozen=True)
class Strike:
    """One SIGKILL: when, of what, the claims that were at work in it, and whether a slot was free for each of them."""

    kind: Kind
    at: datetime
    claims: tuple[tuple[uuid.UUID, int], ...]
    slots_were_free: bool


@dataclass(frozen=True)
class Rescue:
    """An interrupted task ran again after so many seconds."""

    strike: Strike
    seconds: float


def rotation(pool: str) -> Iterator[Kind]:
    """What is killed next. Outside prefork a slot is a thread: it cannot be killed alone."""
    kinds = (Kind.WORKER, Kind.SLOT, Kind.AGENT) if pool == "prefork" else (Kind.WORKER, Kind.AGENT)
    return cycle(kinds)


def holders(pool: str) -> Iterator[Kind]:
    """What is killed where rescues are measured: mostly what holds a claim."""
    slot = Kind.SLOT if pool == "prefork" else Kind.WORKER
    return cycle((Kind.WORKER, slot, Kind.WORKER, slot, Kind.AGENT))


def strike(stage: Stage, kind: Kind) -> Strike | None:
    """Kill something that is at work, and start what replaces it; None where nothing is."""
    at_work = stage.at_work()
    if not at_work:
        return None
    target = at_work[0]
    hit = [one for one in at_work if _falls_with(one, target, kind)]
    free = _free_slots(stage, at_work, target, kind)
    at = now()
    try:
        _kill(target, kind)
    except psutil.NoSuchProcess:
        return None
    if kind is Kind.WORKER:
        stage.deployment.begin_worker()
    return Strike(kind, at, tuple((one.task_id, one.epoch) for one in hit), slots_were_free=free >= len(hit))


def _falls_with(one: AtWork, target: AtWork, kind: Kind) -> bool:
    if kind is Kind.WORKER:
        return one.worker is target.worker
    return one.slot_pid == target.slot_pid and one.agent.pid == target.agent.pid


def _kill(target: AtWork, kind: Kind) -> None:
    if kind is Kind.WORKER:
        target.worker.kill()
    elif kind is Kind.SLOT:
        psutil.Process(target.slot_pid).kill()
    else:
        target.agent.kill()


def _free_slots(stage: Stage, at_work: Sequence[AtWork], target: AtWork, kind: Kind) -> int:
    """Idle slots that the strike leaves alive, in workers that are up."""
    spared = [worker for worker in stage.deployment.workers if kind is not Kind.WORKER or worker is not target.worker]
    ready = [worker for worker in spared if stage.deployment.is_ready(worker)]
    busy = sum(one.worker in ready for one in at_work)
    gone = 1 if kind is Kind.SLOT else 0
    return stage.deployment.slots_per_worker * len(ready) - max(busy, gone)


def rescues(strikes: Iterable[Strike], histories: Mapping[uuid.UUID, Sequence[Happening]]) -> list[Rescue]:
    """How soon each interrupted claim's task was claimed again."""
    found = []
    for one in strikes:
        for task_id, epoch in one.claims:
            again = _claimed_again(histories.get(task_id, ()), epoch, one.at)
            if again is not None:
                found.append(Rescue(one, (again - one.at).total_seconds()))
    return found


def _claimed_again(happenings: Sequence[Happening], epoch: int, at: datetime) -> datetime | None:
    """When the next claim began; None where this one had ended by itself before, or went on to its end all the same."""
    starts = [place for place, one in enumerate(happenings) if one.kind is EventKind.STARTED]
    if len(starts) <= epoch:  # epochs are counted from 1
        return None
    ended = next(one for one in happenings[starts[epoch - 1] + 1 :] if one.kind not in STATIONS)
    return happenings[starts[epoch]].at if ended.at >= at else None


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: the smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]
