"""A deployment to break: an API and workers of one pool beside an embedded stack, with a database of its own.

It knows how each part is found, killed, frozen and brought back; what is done to it is faults.py's. Call it from one
thread that lives as long as the deployment does (backend/processes.py says why).
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from backend.clock import monotonic
from backend.devstack import Stack
from backend.ports import LOOPBACK, free_port
from backend.processes import AT_ONCE, Process
from backend.product import CELERY, ROOT, WORKER, answers, api_command, product_environment

PATIENCE = 40.0  # seconds until we give up waiting, on a loaded machine too
LOOK_SECONDS = 0.05  # between two looks at every process there is: more often, and the looking is what is busy
AGENT = "transformers.agent_child"


class GaveUp(Exception):
    """Something did not come about in time; the message says what."""


class Deployment:
    """One API and as many workers as are started. `settings` are environment variables for all of them."""

    worker_command: Sequence[str] = WORKER

    def __init__(
        self, stack: Stack, pool: str, directory: Path, database_url: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.stack = stack
        self.pool = pool
        self.database_url = database_url
        self.directory = directory
        self.environment = {
            **product_environment(stack),
            "AGENSIUM_NO_ENV_FILE": "1",
            "DATABASE_URL": database_url,
            "CELERY_KEY_PREFIX": f"{directory.name}.",
            "CELERY_WORKER_CONCURRENCY": "2",
            "BROKER_DIR": str(directory / "broker"),
            "SCRATCH_DIR": str(directory / "scratch"),
            "PYTHONPATH": str(ROOT),
            "REQUESTS_PER_SECOND": "0",  # one customer here stands for many
            **(settings or {}),
        }
        self._started = 0
        self._workers: list[Process] = []  # the dead too, until they are reaped
        self._ready: set[Process] = set()
        port = free_port()
        self.api = self.process("api", *api_command(port, reload=False))
        self.api_url = f"http://{LOOPBACK}:{port}"

    @property
    def database(self) -> str:
        """The database's name."""
        return self.database_url.rpartition("/")[2]

    def open(self, workers: int = 1) -> None:
        """API and workers start side by side."""
        self.api.start()
        begun = [self.begin_worker() for _ in range(workers)]
        self.await_api()
        for worker in begun:
            self.await_worker(worker)

    def close(self) -> None:
        for process in (*self._workers, self.api):
            process.kill()

    def reap(self) -> None:
        """End what dead workers left behind in their groups. Each once: later its group may be somebody else's."""
        for worker in [worker for worker in self._workers if not worker.running]:
            worker.kill()
            self._workers.remove(worker)

    def process(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> Process:
        """A process of ours by its module and arguments, not started yet; gone at once when we are killed."""
        settings = self.environment | dict(environment or {})
        log = self.directory / f"{name}.log"
        return Process(name, [sys.executable, "-m", *command], log, environment=settings, stop_signal=AT_ONCE)

    # the API

    def await_api(self) -> None:
        self.api.wait_until(lambda: answers(f"{self.api_url}/healthz"), PATIENCE)

    # workers

    @property
    def workers(self) -> list[Process]:
        """The live ones, oldest first."""
        return [worker for worker in self._workers if worker.running]

    @property
    def worker(self) -> Process:
        """A live worker; one is started where there is none."""
        return self.workers[-1] if self.workers else self.start_worker()

    def start_worker(self, environment: Mapping[str, str] | None = None) -> Process:
        worker = self.begin_worker(environment)
        self.await_worker(worker)
        return worker

    def begin_worker(self, environment: Mapping[str, str] | None = None) -> Process:
        """Start a worker without waiting for it."""
        number, self._started = self._started, self._started + 1
        worker = self.process(
            f"worker{number}", *self.worker_command, f"--pool={self.pool}",
            f"--hostname={self.directory.name}-{number}@{LOOPBACK}", environment=environment,
        )  # fmt: skip
        worker.start()
        self._workers.append(worker)
        return worker

    def await_worker(self, worker: Process) -> None:
        worker.wait_until(lambda: self.is_ready(worker), PATIENCE)

    def is_ready(self, worker: Process) -> bool:
        """Its conductor has begun."""
        return worker in self._ready or self._says_so(worker)

    def _says_so(self, worker: Process) -> bool:
        if b"worker ready" not in worker.log.read_bytes():
            return False
        self._ready.add(worker)
        return True

    @property
    def slots_per_worker(self) -> int:
        return 1 if self.pool == "solo" else int(self.environment["CELERY_WORKER_CONCURRENCY"])

    def agents_of(self, worker: Process) -> list[psutil.Process]:
        """The processes in which agents compute."""
        return [process for process in family(worker.pid) if AGENT in command_of(process)]

    def slots_of(self, worker: Process) -> list[psutil.Process]:
        """Prefork's children; on solo and threads the slots are in the worker itself."""
        with suppress(psutil.NoSuchProcess):
            return [child for child in psutil.Process(worker.pid).children() if AGENT not in command_of(child)]
        return []

    def log(self) -> str:
        paths = sorted(self.directory.glob("worker*.log"))
        return "".join(path.read_text(errors="replace") for path in paths)

    @contextmanager
    def flower(self) -> Iterator[str]:
        """Flower beside the deployment, started as a person would; its address."""
        port = free_port()
        address = f"http://{LOOPBACK}:{port}"
        flower = self.process("flower", *CELERY, "flower", f"--port={port}")
        flower.start()
        try:
            flower.wait_until(lambda: answers(f"{address}/healthcheck"), PATIENCE)
            yield address
        finally:
            flower.kill()


def family(pid: int) -> list[psutil.Process]:
    """Everything below a process; empty when it has ended."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def until(what: Callable[[], bool], why: str, seconds: float = PATIENCE, poll: float = LOOK_SECONDS) -> None:
    """Return as soon as it is so. Raises GaveUp."""
    pause, deadline = threading.Event(), monotonic() + seconds
    while not what():
        if monotonic() > deadline:
            raise GaveUp(f"after {seconds:g} s still not: {why}")
        pause.wait(poll)
