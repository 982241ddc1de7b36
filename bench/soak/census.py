"""The processes of a run, read from outside: which kind each is, its memory, its open files, its threads.

Memory is what a process itself has written to (`Anonymous` of Linux' smaps_rollup): neither a library's pages nor the
file cache count, and a page that a slot shares with the worker it was forked from counts the same before and after one
of the two writes to it or dies. Elsewhere it is the USS.
"""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from backend.clock import now

INFANCY_SECONDS = 2.0
_PR_SET_CHILD_SUBREAPER = 36
_GONE = (psutil.Error, OSError)


class Kind(StrEnum):
    """What a process is for."""

    API = "api"
    WORKER = "worker"  # its main process, with the conductor in it
    SLOT = "slot"
    AGENT = "agent"
    GUARD = "guard"
    JANITOR = "janitor"
    COURIER = "courier"
    FLOWER = "flower"
    POSTGRES = "PostgreSQL"
    REDIS = "Redis"
    STORE = "S3"
    MODEL = "model"
    SOAK = "soak"
    OTHER = "other"


OURS = (
    Kind.API, Kind.WORKER, Kind.SLOT, Kind.AGENT, Kind.GUARD, Kind.JANITOR, Kind.COURIER, Kind.FLOWER, Kind.OTHER,
)  # fmt: skip
_BY_COMMAND = {  # a part of a command line; the first that is found counts
    "transformers.agent_child": Kind.AGENT,
    "agent_guard.py": Kind.GUARD,
    "backend clean": Kind.JANITOR,
    "backend deliver": Kind.COURIER,
    " flower": Kind.FLOWER,
    "uvicorn": Kind.API,
    "redis-server": Kind.REDIS,
    "postgres": Kind.POSTGRES,
    "moto": Kind.STORE,
    "tests.model_server": Kind.MODEL,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """One process from its start to its end; a number that is used again is another."""

    kind: Kind
    pid: int
    began: float


@dataclass(frozen=True, slots=True)
class Reading:
    """`at` is seconds since the run began; memory in bytes."""

    at: float
    memory: float
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Found:
    """One look at all processes. `orphans` are ours now because whoever started them has ended."""

    readings: Mapping[Identity, Reading]
    orphans: tuple[str, ...]


def take_in_orphans() -> None:
    """On Linux whoever loses its parent becomes a child of ours, and so is seen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Census:
    """`started` are those that this process started itself; `workers` are the workers' main processes among them."""

    def __init__(self) -> None:
        self.started: set[int] = set()
        self.workers: set[int] = set()
        self._known: dict[tuple[int, float], Identity] = {}

    def look(self, at: float) -> Found:
        """Whoever has just been forked still has its parent's command line, and is looked at the next time."""
        readings, orphans, born = {}, [], now().timestamp() - INFANCY_SECONDS
        for process in _all():
            with suppress(*_GONE):
                if process.create_time() > born:
                    continue
                identity = self._identity(process)
                if self._is_orphan(process):
                    if process.status() == psutil.STATUS_ZOMBIE:
                        _bury(process)
                        continue
                    orphans.append(f"{identity.kind} {process.pid}: {' '.join(process.cmdline())[:100]}")
                readings[identity] = Reading(at, _memory(process), _files(process), process.num_threads())
        return Found(readings, tuple(orphans))

    def pids(self, kind: Kind) -> list[int]:
        """Of the last look and before, the eldest first; some may have ended."""
        return [one.pid for one in sorted(self._known.values(), key=lambda one: one.began) if one.kind is kind]

    def _identity(self, process: psutil.Process) -> Identity:
        began = process.create_time()
        if (process.pid, began) not in self._known:
            self._known[process.pid, began] = Identity(self._kind(process), process.pid, began)
        return self._known[process.pid, began]

    def _kind(self, process: psutil.Process) -> Kind:
        if process.pid == os.getpid():
            return Kind.SOAK
        command = " ".join(process.cmdline())
        for part, kind in _BY_COMMAND.items():
            if part in command:
                return kind
        if process.pid in self.workers:
            return Kind.WORKER
        return Kind.SLOT if process.ppid() in self.workers else Kind.OTHER

    def _is_orphan(self, process: psutil.Process) -> bool:
        return process.ppid() == os.getpid() and process.pid not in self.started


def _all() -> Iterator[psutil.Process]:
    ours = psutil.Process()
    yield ours
    yield from ours.children(recursive=True)


def _bury(process: psutil.Process) -> None:
    """Who has been taken in is ours to wait for."""
    if sys.platform != "win32":
        os.waitpid(process.pid, os.WNOHANG)


def _files(process: psutil.Process) -> int:
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()


def _memory(process: psutil.Process) -> float:
    if sys.platform == "linux":
        told = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        line = next(line for line in told.splitlines() if line.startswith("Anonymous:"))
        return 1024 * float(line.split()[1])
    return float(process.memory_full_info().uss)
