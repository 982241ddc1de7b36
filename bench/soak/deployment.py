"""What is soaked: an API, Flower and three workers on an embedded stack, and how its parts are killed and come back.

    spared     prefork, two slots: its main process and its first slot are never killed, so that they grow old
    threads    a slot in a thread, never killed either
    fodder     prefork, one slot: killed, drained and started again, the whole time

Agents are killed everywhere. Call it from one thread (backend/processes.py says why).
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import psutil

from backend.chaos.deployment import PATIENCE, Deployment
from backend.devstack import Stack
from backend.ports import LOOPBACK, free_port
from backend.processes import Process
from backend.product import FLOWER, answers
from bench.soak.census import Census, Kind
from bench.soak.outside import Outside

MODEL_MILLISECONDS = 20  # of every answer
END_SECONDS = 20.0  # a worker drains for 9
SETTINGS = {
    "SIGNUP_CREDITS": "1000000",
    "ACCESS_TOKEN_MINUTES": "600",
    "REQUESTS_PER_SECOND": "50",  # as it is in production, so that its memory is filled
    "CELERY_RESULT_EXPIRES": "60",  # what Flower is told would otherwise stay for a day
    "CELERY_VISIBILITY_TIMEOUT": "60",  # the same of messages of which a killed worker did not say that they are done
    "WEBHOOKS_TO_LOOPBACK": "true",
    "RETRY_BASE_SECONDS": "0.5",
    "RETRY_CAP_SECONDS": "5",
}


class Soaked:
    """The deployment while it is soaked."""

    def __init__(self, house: Deployment, census: Census, outside: Outside) -> None:
        self.house = house
        self._census, self._outside = census, outside
        self._spared: list[Process] = []
        self._fodder: Process | None = None
        self._flower = _flower(house)
        self._metrics: dict[Process, str] = {}
        self._acts: tuple[Callable[[int], None], ...] = (
            self._kill_an_agent, self._kill_a_slot, self._cut_a_broker_connection, self._kill_fodder,
            self._kill_an_agent, self._cut_a_database_connection, self._drain_fodder,
        )  # fmt: skip
        self._numbers = count()

    def open(self) -> None:
        self.house.api.start()
        self._spared = [self._begin("prefork", 2), self._begin("threads", 1)]
        self._fodder = self._begin("prefork", 1)
        self.house.await_api()
        for worker in (*self._spared, self._fodder):
            self.house.await_worker(worker)
        self._flower.start()
        self._census.started |= {self.house.api.pid, self._flower.pid}

    def disturb(self) -> str:
        """The next act; its name."""
        number = next(self._numbers)
        act = self._acts[number % len(self._acts)]
        act(number)
        return act.__name__.strip("_").replace("_", " ")

    def mend(self) -> None:
        """The fodder that was killed or has drained is started again; nobody waits for it."""
        if self._fodder is None or not self._fodder.running:
            self.house.reap()
            self._fodder = self._begin("prefork", 1)

    def scrape(self) -> None:
        """As Prometheus does; who is being killed answers nothing."""
        for worker in self.house.workers:
            answers(self._metrics[worker])
        answers(f"{self.house.api_url}/metrics")

    def end(self) -> list[str]:
        """Ask all to end, as an operator does; who did not, in words."""
        self._flower.kill()  # it takes its time to say goodbye, and has nothing to save
        processes = [*self.house.workers, self.house.api]
        for process in processes:
            psutil.Process(process.pid).terminate()
        return [f"{process.name} did not end" for process in processes if not process.ends_within(END_SECONDS)]

    def kill(self) -> None:
        """Whatever still runs."""
        self._flower.kill()
        self.house.close()

    def _begin(self, pool: str, slots: int) -> Process:
        self.house.pool = pool
        port = free_port()
        worker = self.house.begin_worker({"CELERY_WORKER_CONCURRENCY": str(slots), "METRICS_PORT": str(port)})
        self._metrics[worker] = f"http://{LOOPBACK}:{port}/metrics"
        self._census.started.add(worker.pid)
        self._census.workers.add(worker.pid)
        return worker

    def _kill_an_agent(self, number: int) -> None:
        agents = [agent for worker in self.house.workers for agent in self.house.agents_of(worker)]
        if agents:
            _kill(agents[number % len(agents)].pid)

    def _kill_a_slot(self, _number: int) -> None:
        """The youngest of the worker that is spared; the eldest lives."""
        slots = [pid for pid in self._census.pids(Kind.SLOT) if _parent(pid) == self._spared[0].pid]
        for pid in slots[1:]:
            _kill(pid)

    def _kill_fodder(self, _number: int) -> None:
        if self._fodder is not None:
            self._fodder.kill()

    def _drain_fodder(self, _number: int) -> None:
        if self._fodder is not None and self._fodder.running:
            psutil.Process(self._fodder.pid).terminate()

    def _cut_a_broker_connection(self, number: int) -> None:
        self._outside.cut_a_broker_connection(number)

    def _cut_a_database_connection(self, number: int) -> None:
        self._outside.cut_a_database_connection(number)


def _flower(house: Deployment) -> Process:
    login = f"--basic-auth=agensium:{secrets.token_urlsafe(12)}"
    return house.process("flower", *FLOWER, f"--address={LOOPBACK}", f"--port={free_port()}", login)


def _kill(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


def _parent(pid: int) -> int:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).ppid()
    return 0


@contextmanager
def soaked(stack: Stack, folder: Path, census: Census, outside: Outside) -> Iterator[Soaked]:
    """Everything up, in a folder of its own; killed at the end of the block, where it has not ended by itself."""
    port = free_port()
    own = {"MODELS": "compatible:echo", "COMPATIBLE_BASE_URL": f"http://{LOOPBACK}:{port}/v1",
           "EMBEDDING_MODEL": "compatible:embedder", "TMPDIR": str(folder / "temporary"),
           "SCRATCH_DIR": str(folder / "scratch")}  # fmt: skip
    house = Deployment(stack, "prefork", folder, stack.database_url, {**SETTINGS, **own})
    with ExitStack() as cleanup:
        model = house.process("model", "tests.model_server", "--port", str(port), "--delay", str(MODEL_MILLISECONDS))
        cleanup.callback(model.kill)
        model.start()
        census.started.add(model.pid)
        model.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}"), PATIENCE)
        found = Soaked(house, census, outside)
        cleanup.callback(found.kill)
        found.open()
        yield found
