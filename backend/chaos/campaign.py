"""Many tasks under many kills: rescues with a slot to spare, a small customer behind a big one, then the long grind.

Its numbers are the last line of a run, and the figures of docs/RELIABILITY.md.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from backend.chaos.customers import Order, StubbornCustomer
from backend.chaos.deployment import until
from backend.chaos.fault import blamed
from backend.chaos.invariants import Tally
from backend.chaos.stage import VARIETIES, Stage
from backend.chaos.strikes import Kind, Rescue, Strike, holders, rescues, rotation, strike
from backend.clock import monotonic
from db import evidence
from db.events import EventKind
from db.evidence import Happening
from db.models import TERMINAL

SUBMITTING = 6  # requests under way while a thousand tasks are ordered
SPARE_SECONDS = 0.8  # an agent's length where kills are to meet it
GRIND_SECONDS = 0.15  # … where there are a thousand
PATIENCE = 600.0


@dataclass(frozen=True)
class Scale:
    """How much. `spare_kills` happen with free slots, `busy_kills` with none; `profiles` are tasks on a real file."""

    spare_kills: int
    busy_kills: int
    tasks: int
    profiles: int
    one_by_one: int  # tasks of the small customer
    seconds_between: float  # kills


SMALL = Scale(spare_kills=2, busy_kills=2, tasks=28, profiles=2, one_by_one=3, seconds_between=2.0)
FULL = Scale(spare_kills=30, busy_kills=30, tasks=1000, profiles=60, one_by_one=25, seconds_between=5.0)


@dataclass
class Campaign:
    """What came of it. Waits are in service times."""

    tally: Tally = field(default_factory=Tally)
    strikes: list[Strike] = field(default_factory=list)
    rescues: list[Rescue] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    service_seconds: float = 0.0
    broker_restarts: int = 0
    seconds: float = 0.0

    def rescued(self, *, spare: bool, kinds: Sequence[Kind] = (Kind.WORKER, Kind.SLOT)) -> list[float]:
        """Seconds from the kill of what held a claim to the next claim; by default not an agent's."""
        return [
            one.seconds
            for one in self.rescues
            if one.strike.slots_were_free is spare and one.strike.kind in kinds
        ]  # fmt: skip


def run_campaign(stage: Stage, scale: Scale) -> Campaign:
    """Also when something does not come about in time, all tasks are looked at: what is stuck is lost."""
    began = monotonic()
    found = Campaign()
    with ExitStack() as cleanup:
        customers: list[StubbornCustomer] = []
        with blamed(found.tally.breaches, "campaign"):
            for _ in range(4):
                customers.append(stage.new_customer())
                cleanup.callback(customers[-1].close)
            _break(stage, scale, customers, found)
        with blamed(found.tally.breaches, "campaign"):
            stage.rest_workers()
            stage.ended(_orders(customers), PATIENCE, poll=0.5)
        with blamed(found.tally.breaches, "campaign"):
            found.rescues = rescues(found.strikes, _histories(stage, _orders(customers)))
            found.tally.add(stage.judge(customers))
    found.seconds = monotonic() - began
    return found


def _break(stage: Stage, scale: Scale, customers: Sequence[StubbornCustomer], found: Campaign) -> None:
    kinds = rotation(stage.deployment.pool)
    spare, big, real, small = customers
    stage.rest_workers()
    stage.learn([stage.profile])
    _with_spare_slots(stage, scale, spare, found)
    _queue_behind_each_other(stage, scale, big, real)
    stage.rest_workers()
    _one_by_one(stage, scale, small, big, found)
    _grind(stage, scale, customers, found, kinds)


def _orders(customers: Sequence[StubbornCustomer]) -> list[Order]:
    return [order for customer in customers for order in customer.orders]


def _with_spare_slots(stage: Stage, scale: Scale, customer: StubbornCustomer, found: Campaign) -> None:
    """A worker more than the tasks need; a kill when the last one's victims run again and its replacement is up."""
    kinds = holders(stage.deployment.pool)
    stage.rest_workers(stage.form.workers + 1)
    stopping = threading.Event()
    in_flight = stage.deployment.slots_per_worker * stage.form.workers  # the spare worker's slots stay free
    with ThreadPoolExecutor(1, thread_name_prefix="feeder") as thread:
        fed = thread.submit(_keep_in_flight, stage, customer, in_flight, stopping)
        try:
            for _ in range(scale.spare_kills):
                done = _strike(stage, found, next(kinds))
                until(lambda done=done: _run_again(stage, done), "what was killed runs again")  # type: ignore[misc]
                stage.await_workers()
        finally:
            stopping.set()
        fed.result()
    stage.ended(customer.orders)


def _keep_in_flight(stage: Stage, customer: StubbornCustomer, count: int, stopping: threading.Event) -> None:
    while not stopping.wait(0.1):
        for _ in range(count - stage.open_count(customer.orders)):
            specimen = stage.specimens[len(customer.orders) % VARIETIES]
            customer.order(specimen, stage.parameters(SPARE_SECONDS))


def _strike(stage: Stage, found: Campaign, kind: Kind) -> Strike:
    done: list[Strike] = []

    def struck() -> bool:
        one = strike(stage, kind)
        done.extend([one] if one else [])
        return bool(done)

    until(struck, "something to kill is at work", PATIENCE)
    found.strikes += done
    return done[0]


def _run_again(stage: Stage, done: Strike) -> bool:
    """Claimed again, or ended by itself before the kill."""
    with stage.transactions() as session:
        standings = evidence.standings_of(session, [task_id for task_id, _ in done.claims])
    epochs = dict(done.claims)
    return all(one.epoch > epochs[one.task_id] or one.status in TERMINAL for one in standings)


def _queue_behind_each_other(stage: Stage, scale: Scale, big: StubbornCustomer, real: StubbornCustomer) -> None:
    """All of it is waiting before the first worker comes back."""
    for worker in stage.deployment.workers:
        worker.kill()  # they have nothing to do
    specimens = [stage.specimens[number % VARIETIES] for number in range(scale.tasks)]
    big.order_many(specimens, stage.parameters(GRIND_SECONDS), at_once=SUBMITTING)
    real.order_many([stage.profile] * scale.profiles, at_once=SUBMITTING)


def _one_by_one(stage: Stage, scale: Scale, small: StubbornCustomer, big: StubbornCustomer, found: Campaign) -> None:
    """The small customer's waits, in service times of equal tasks."""
    until(lambda: len(stage.at_work()) >= stage.deployment.slots_per_worker * stage.form.workers, "all slots are busy")
    for number in range(scale.one_by_one):
        order = small.order(stage.specimens[number % VARIETIES], stage.parameters(GRIND_SECONDS))
        stage.ended([order])
    served = [seconds for one in _histories(stage, big.orders).values() if (seconds := _service(one)) is not None]
    found.service_seconds = sum(served) / len(served)
    for happenings in _histories(stage, small.orders).values():
        queued, started = (_at(happenings, kind) for kind in (EventKind.QUEUED, EventKind.STARTED))
        found.waits.append((started - queued) / found.service_seconds)


def _at(happenings: Sequence[Happening], kind: EventKind) -> float:
    return next(one.at.timestamp() for one in happenings if one.kind is kind)


def _service(happenings: Sequence[Happening]) -> float | None:
    if happenings[-1].kind is not EventKind.COMPLETED:
        return None
    return happenings[-1].at.timestamp() - _at(happenings, EventKind.STARTED)


def _grind(
    stage: Stage, scale: Scale, customers: Sequence[StubbornCustomer], found: Campaign, kinds: Iterator[Kind]
) -> None:
    """Kills while every slot is busy, and half way the broker loses everything."""
    pause = threading.Event()
    for number in range(scale.busy_kills):
        if number == scale.busy_kills // 2:
            _restart_broker(stage, found)
        if not any(stage.open_count(customer.orders) for customer in customers):
            _more(stage, customers[1])
        _strike(stage, found, next(kinds))
        pause.wait(scale.seconds_between)


def _more(stage: Stage, customer: StubbornCustomer) -> None:
    """The tasks were done before the kills were: a few more to kill."""
    customer.order_many(list(stage.specimens), stage.parameters(SPARE_SECONDS))


def _restart_broker(stage: Stage, found: Campaign) -> None:
    broker = stage.deployment.stack.redis
    if broker is not None:
        broker.stop()
        broker.start()
        broker.ready()
        found.broker_restarts += 1


def _histories(stage: Stage, orders: Sequence[Order]) -> dict[uuid.UUID, Sequence[Happening]]:
    with stage.transactions() as session:
        return dict(evidence.histories(session, [uuid.UUID(order.task_id) for order in orders]))
