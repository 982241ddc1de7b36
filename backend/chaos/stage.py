"""The warm deployment on which faults are rehearsed, one after another: its store, its customers, who watches it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from backend.chaos.customers import Order, Specimen, StubbornCustomer
from backend.chaos.deployment import Deployment, until
from backend.chaos.faulty_store import FaultyStore
from backend.chaos.invariants import REPORT, Tally, Transactions, content_digest, proven_by, seen_by
from backend.chaos.observer import Observer
from backend.chaos.rehearsal import EXTRA_TOOLS, REHEARSAL
from backend.chaos.small_disk import small_disk
from backend.client import ENDED
from backend.devstack import Stack
from backend.processes import Process
from backend.product import ROOT
from db import evidence
from db.database import transactions_at
from db.events import EventKind

REAL_FILE = ROOT / "examples" / "data" / "hospitals.csv"
VARIETIES = 4  # files that differ, so that a mix-up of tasks would show


@dataclass(frozen=True)
class Form:
    """How long things take: short, for `make test`, or long, for `make chaos`. Seconds, where nothing else is said."""

    workers: int
    tasks: int  # in flight under each fault
    agent_seconds: float
    freeze: float  # longer than a lease
    redis_gone: float
    outage: float  # of PostgreSQL, of the pool
    store_fault: float
    store_hang: float  # in the long form longer than the store's own time-out of 20 s
    rolling_restarts: int
    drained_agent: float  # an agent's length while workers drain
    longest_drain: float  # from SIGTERM to the end: a bar in the long form; the short one also runs on busy machines
    api_kills: int
    more_conductors: int  # than the deployment has workers
    settings: Mapping[str, str]

    @property
    def lease(self) -> float:
        return float(self.settings["LEASE_SECONDS"])


_ALWAYS = {
    "EXTRA_TOOLS": EXTRA_TOOLS,
    "SIGNUP_CREDITS": "1000000",
    "ACCESS_TOKEN_MINUTES": "600",
    "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "450000",
}
SHORT = Form(
    workers=2, tasks=4, agent_seconds=0.3, freeze=3.0, redis_gone=2.5, outage=1.5, store_fault=1.0, store_hang=1.0,
    rolling_restarts=2, drained_agent=0.6, longest_drain=20.0, api_kills=1, more_conductors=1,
    settings={**_ALWAYS, "LEASE_SECONDS": "2", "RETRY_BASE_SECONDS": "0.2", "RETRY_CAP_SECONDS": "1",
              "DRAIN_SECONDS": "2"},
)  # fmt: skip
LONG = Form(
    workers=2, tasks=8, agent_seconds=0.5, freeze=10.0, redis_gone=60.0, outage=6.0, store_fault=8.0, store_hang=25.0,
    rolling_restarts=50, drained_agent=0.6, longest_drain=10.0, api_kills=10, more_conductors=2,
    settings={**_ALWAYS, "LEASE_SECONDS": "3", "RETRY_CAP_SECONDS": "10"},
)  # fmt: skip


@dataclass(frozen=True)
class AtWork:
    """One agent in the middle of a task: its process, the slot that supervises it, and the claim."""

    worker: Process
    slot_pid: int
    agent: psutil.Process
    task_id: uuid.UUID
    epoch: int


class Stage:
    """What a fault is given: the deployment, its parts, and a customer of its own with tasks in flight."""

    def __init__(self, deployment: Deployment, store: FaultyStore, form: Form, transactions: Transactions) -> None:
        self.deployment = deployment
        self.store = store
        self.form = form
        self.transactions = transactions
        self.observer = Observer(transactions)
        self.specimens = _specimens(deployment.directory)
        self.profile = Specimen("profile-my-data", REAL_FILE)
        self.undisturbed: dict[Specimen, str] = {}
        self.customer = StubbornCustomer(deployment.api_url)
        self.small_disk: Path | None = None  # under the workers' scratch, where we may mount one

    def rest(self) -> None:
        """As many live workers as there should be, and a customer who never ordered anything."""
        self.rest_workers()
        before, self.customer = self.customer, self.new_customer()
        before.close()

    def rest_workers(self, count: int | None = None) -> None:
        """So many live workers, ready to take tasks."""
        self.deployment.reap()
        wanted = self.form.workers if count is None else count
        for _ in range(wanted - len(self.deployment.workers)):
            self.deployment.begin_worker()
        self.await_workers()

    def await_workers(self) -> None:
        for worker in self.deployment.workers:
            self.deployment.await_worker(worker)

    def new_customer(self) -> StubbornCustomer:
        customer = StubbornCustomer(self.deployment.api_url)
        customer.register()
        return customer

    def learn(self, specimens: list[Specimen]) -> None:
        """What each of them gives when nothing disturbs: what every later report is compared with."""
        for order in self.customer.order_many(specimens):
            self.ended([order])
            files = self.customer.deliveries(order)
            self.undisturbed[order.specimen] = content_digest(next(one.body for one in files if one.name == REPORT))

    def order(self, count: int | None = None, seconds: float | None = None) -> list[Order]:
        """Rehearsals for this fault's customer."""
        count = self.form.tasks if count is None else count
        some = [self.specimens[number % VARIETIES] for number in range(count)]
        return self.customer.order_many(some, self.parameters(seconds))

    @contextmanager
    def ordering(self, count: int) -> Iterator[None]:
        """Order beside what the block does; the customer asks on until each order is taken, after the block too."""
        with ThreadPoolExecutor(1, thread_name_prefix="ordering") as thread:
            ordered = thread.submit(self.order, count)
            yield
            ordered.result()

    def parameters(self, seconds: float | None = None) -> dict[str, dict[str, float]]:
        seconds = self.form.agent_seconds if seconds is None else seconds
        return {step.id: {"seconds": seconds} for step in REHEARSAL.steps}

    # what is going on

    def at_work(self) -> list[AtWork]:
        """All agents that have a task, found by their slot's scratch folder, which holds the claim's."""
        return [one for worker in self.deployment.workers for one in self.at_work_in(worker)]

    def at_work_in(self, worker: Process) -> list[AtWork]:
        found = [_at_work(worker, agent) for agent in self.deployment.agents_of(worker)]
        return [one for one in found if one is not None]

    def busy(self, count: int = 1) -> list[AtWork]:
        """Wait until so many agents are at work."""
        until(lambda: len(self.at_work()) >= count, f"{count} agents at work")
        return self.at_work()

    def standings(self, orders: Sequence[Order]) -> list[evidence.Standing]:
        with self.transactions() as session:
            return list(evidence.standings_of(session, [uuid.UUID(order.task_id) for order in orders]))

    def standing(self, task_id: uuid.UUID) -> evidence.Standing:
        with self.transactions() as session:
            (found,) = evidence.standings_of(session, [task_id])
        return found

    def open_count(self, orders: Sequence[Order]) -> int:
        """How many have not ended."""
        return sum(standing.status.value not in ENDED for standing in self.standings(orders))

    def ended(self, orders: Sequence[Order] | None = None, seconds: float = 120.0, poll: float = 0.05) -> None:
        """Wait until the tasks have ended. Raises GaveUp."""
        orders = self.customer.orders if orders is None else orders

        until(lambda: not self.open_count(orders), f"all of {len(orders)} tasks ended", seconds, poll)

    def happened(self, kind: EventKind) -> int:
        """How many such events this fault's tasks have had."""
        with self.transactions() as session:
            task_ids = [uuid.UUID(order.task_id) for order in self.customer.orders]
            histories = evidence.histories(session, task_ids).values()
        return sum(happening.kind is kind for happenings in histories for happening in happenings)

    def hiccuped(self) -> bool:
        """Some task was put off because the world around it failed."""
        return self.happened(EventKind.RETRYING) > 0

    def judge(self, customers: list[StubbornCustomer]) -> Tally:
        """Hold these customers' tasks to every invariant."""
        tally = Tally()
        for customer in customers:
            tally.add(seen_by(customer, self.undisturbed))
        orders = [order for customer in customers for order in customer.orders]
        tally.add(proven_by(self.transactions, orders))
        tally.breaches += self.observer.told()
        return tally


@contextmanager
def open_stage(stack: Stack, directory: Path, database_url: str, form: Form, pool: str = "prefork") -> Iterator[Stage]:
    """A deployment with its workers up, watched, and every rehearsal's undisturbed result known."""
    directory.mkdir(parents=True, exist_ok=True)
    store = FaultyStore(stack.storage.port)
    settings = {**form.settings, "S3_ENDPOINT_URL": store.url, "S3_PUBLIC_ENDPOINT_URL": stack.s3_endpoint_url}
    deployment = Deployment(stack, pool, directory, database_url, settings)
    with ExitStack() as cleanup:
        stage = Stage(deployment, store, form, cleanup.enter_context(transactions_at(database_url)))
        cleanup.callback(lambda: stage.customer.close())  # noqa: PLW0108 (whoever it is by then)
        stage.small_disk = cleanup.enter_context(small_disk(directory / "scratch"))
        cleanup.callback(store.close)
        store.start()
        cleanup.callback(deployment.close)
        deployment.open(form.workers)
        cleanup.callback(stage.observer.stop)
        stage.observer.start()
        stage.rest()
        stage.learn(stage.specimens)
        yield stage


def _at_work(worker: Process, agent: psutil.Process) -> AtWork | None:
    try:
        claims = [entry.name for entry in Path(agent.cwd()).iterdir() if entry.is_dir()]
        slot_pid = _slot_of(agent, worker)
    except (psutil.Error, OSError):
        return None
    for name in claims:
        task_id, _, epoch = name.rpartition("-")
        if task_id:
            return AtWork(worker, slot_pid, agent, uuid.UUID(task_id), int(epoch))
    return None


def _slot_of(agent: psutil.Process, worker: Process) -> int:
    """Prefork's child above the agent; on other pools the worker itself."""
    above = agent.parents()
    for process, parent in pairwise(above):
        if parent.pid == worker.pid:
            return process.pid
    return worker.pid


def _specimens(directory: Path) -> list[Specimen]:
    folder = directory / "specimens"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number in range(VARIETIES):
        file = folder / f"people-{number}.csv"
        rows = [f"{number}{row:03},name {row * (number + 1)},{row % 90}" for row in range(50)]
        file.write_text("\n".join(["id,name,age", *rows, ""]))
        found.append(Specimen(REHEARSAL.id, file))
    return found
