"""Progress for Flower and `AsyncResult`: a courtesy, throttled, off the run's own thread, its errors swallowed.

The row is the truth; a frozen result backend must delay no beat and no step.
"""

import threading
from functools import lru_cache
from typing import Any

from celery import Task as CeleryTask
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from backend.metrics.of_doors import BROKER_FAULTS, BrokerOperation

SECONDS_BETWEEN = 1.0
PROGRESS = "PROGRESS"


class Courtesy:
    """One thread a process that passes on the newest progress of each run."""

    def __init__(self) -> None:
        self._news: dict[str, tuple[CeleryTask, dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._some = threading.Event()
        threading.Thread(target=self._run, name="progress", daemon=True).start()

    def tell(self, task: CeleryTask, request_id: str, percent: float, agent: str | None) -> None:
        """Remember the newest; it is sent within a second."""
        with self._lock:
            self._news[request_id] = (task, {"progress": percent, "current_agent": agent})
        self._some.set()

    def forget(self, request_id: str) -> None:
        """The run is over: what was not sent will not be."""
        with self._lock:
            self._news.pop(request_id, None)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._some.wait()
            pause.wait(SECONDS_BETWEEN)
            while (news := self._next()) is not None:
                send(*news)

    def _next(self) -> tuple[CeleryTask, str, str, dict[str, Any]] | None:
        """Taken one by one just before it is sent, so that a run that is over is not spoken of any more."""
        with self._lock:
            if not self._news:
                self._some.clear()
                return None
            request_id, (task, meta) = self._news.popitem()
            return task, request_id, PROGRESS, meta


def send(task: CeleryTask, request_id: str, state: str, meta: Any) -> None:
    """One `update_state`; nobody waits for it to succeed."""
    try:
        task.update_state(task_id=request_id, state=state, meta=meta)
    except (RedisError, KombuError, OSError):  # the row has it
        BROKER_FAULTS.count(BrokerOperation.RESULT)


@lru_cache(maxsize=1)
def courtesy() -> Courtesy:
    """This process' own, started by its first task."""
    return Courtesy()
