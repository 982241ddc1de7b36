"""A worker's slot: one event loop and one warm child, kept from task to task.

One a thread and process, made at first use: a loop made before a fork would share its epoll with the parent.
"""

import asyncio
import gc
import os
import shutil
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import lru_cache
from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown

from backend import traces
from backend.doors import Doors, get_doors
from backend.settings import Settings, get_settings
from celery_queue import scratch
from celery_queue.heartbeat import Held
from celery_queue.identity import BOOT_UUID
from db import claims
from db.claims import Claim
from db.database import DATABASE_ERRORS, ping, statement
from transformers.agent_process import AgentProcess
from transformers.catalog import run_for, tools
from transformers.lifecycle import TaskReport
from transformers.workbench import Slot


class WorkerSlot:
    """Where one task at a time is run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scratch = scratch.here().for_slot()
        self._runner = asyncio.Runner()
        self._process = AgentProcess(self._scratch)

    def warm(self) -> None:
        """Have the child start before there is a task."""
        self._runner.run(self._process.start())

    def take(self, task_id: uuid.UUID, user_id: int) -> Claim | None:
        """Claim the task for this worker, or learn that it is not to be had."""
        lease = self._settings.lease
        with statement() as session:
            return claims.take(session, task_id, user_id, BOOT_UUID, lease)

    def run(self, held: Held, on_progress: Callable[[float, str | None], None]) -> TaskReport:
        """The whole life of the claimed task. Raises what lifecycle.run_task raises."""

        def progressed(percent: float, agent: str | None) -> None:
            held.progress = max(held.progress, percent)
            on_progress(held.progress, agent)

        held.memory_bytes = lambda: self._process.used_bytes
        slot = Slot(
            process=self._process,
            doors=get_doors(),
            settings=self._settings,
            stop=held.stop,
            scratch=self._scratch,
            known_tools=tuple(tools()),
            on_progress=progressed,
        )
        try:
            # Not in the runner's own context: that one is of its first run, and knows nothing of this task.
            return self._runner.run(_run(held.claim, slot), context=copy_context())
        finally:
            _spare_what_stays()

    def close(self) -> None:
        self._runner.run(self._process.kill())
        self._runner.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


async def _run(claim: Claim, slot: Slot) -> TaskReport:
    return await run_for(claim.tool_id)(claim, slot)


@lru_cache(maxsize=1)
def _spare_what_stays() -> None:
    """After a process' first task all it needs is loaded: some 200,000 objects, over which each full collection would
    go again. That is 150 ms in which no other call of a batch is answered.
    """
    gc.collect()
    gc.freeze()


_here = threading.local()


def here() -> WorkerSlot:
    """The slot of this thread in this process."""
    if getattr(_here, "pid", None) != os.getpid():
        _here.slot, _here.pid = WorkerSlot(get_settings()), os.getpid()
    slot: WorkerSlot = _here.slot
    return slot


@worker_process_init.connect
def warm_up(**_: Any) -> None:
    """Prefork and solo say when a slot begins; threads' slots are made by their first task.

    In prefork the one before may have been killed, with all it had on scratch.
    """
    traces.begin("agensium-worker")
    scratch.remove_dead(get_settings().scratch_dir)
    threading.Thread(target=_open_doors, args=[get_doors()], name="doors", daemon=True).start()
    here().warm()


def _open_doors(doors: Doors) -> None:
    """Beside the child's start, so that the first task finds them open; who is away now is asked again by that task.

    The database first: the claim needs it, and may come while the store's libraries are still loading.
    """
    with suppress(*DATABASE_ERRORS):
        ping()
    doors.storage.warm_up()


def leave() -> None:
    """The end of this thread's slot, where it has one: Celery does not tell of solo's.

    Its child would hold a file open in our scratch, which on Windows then stays.
    """
    if getattr(_here, "pid", None) == os.getpid():
        here().close()
        _here.pid = None


@worker_process_shutdown.connect
def close(**_: Any) -> None:
    here().close()
    scratch.leave()
    traces.end()
