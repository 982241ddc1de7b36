"""What must hold after every fault: what a customer can see over HTTP, and what the database proves.

Each check gives sentences, one for each breach; none: it holds. `Tally` adds up what the last line of a run says.
"""

import hashlib
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from backend.chaos.customers import COMPLETED, Delivery, Order, Specimen, StubbornCustomer
from backend.client import ENDED
from db import evidence
from db.database import Session
from db.events import EventKind
from db.verification import LEDGER, STATES, breaches

REPORT = "report.json"
OF_THE_RUN = frozenset(  # which run it was, when, how long it took; and how long its agents were asked to work
    {"analysis_id", "timestamp", "execution_time_ms", "parameters", "overrides"}
)
CLOCK_CARD = "execution_time"
LOOKERS = 4  # tasks looked at side by side

Transactions = Callable[[], AbstractContextManager[Session]]


@dataclass
class Tally:
    """What was counted, and every breach in words. Of each count a task is in at most once, but for its breaches.

    `ended_otherwise`: cancelled, or over its memory, as it should be. `lost`: ended wrongly, or not at all.
    `double_charges`: paid for more than was delivered, or for a task that nobody ordered (a repeated request that was
    done twice). `duplicate_outputs`: published more than once, or not by the task's last claim alone.
    """

    tasks: int = 0
    completed: int = 0
    ended_otherwise: int = 0
    lost: int = 0
    double_charges: int = 0
    duplicate_outputs: int = 0
    breaches: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.tasks += other.tasks
        self.completed += other.completed
        self.ended_otherwise += other.ended_otherwise
        self.lost += other.lost
        self.double_charges += other.double_charges
        self.duplicate_outputs += other.duplicate_outputs
        self.breaches += other.breaches


def content_digest(report: bytes) -> str:
    """SHA-256 over what a report found: without its task's id, its times, and the echo of what was asked."""
    return hashlib.sha256(json.dumps(_timeless(json.loads(report)), sort_keys=True).encode()).hexdigest()


def _timeless(value: Any) -> Any:
    if isinstance(value, list):
        return [_timeless(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("summary_id") == CLOCK_CARD:
        return CLOCK_CARD
    return {name: _timeless(one) for name, one in value.items() if name not in OF_THE_RUN}


def seen_by(customer: StubbornCustomer, undisturbed: Mapping[Specimen, str]) -> Tally:
    """Everything a customer can check: its tasks, its bill, its files."""
    entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in customer.pages("/credits/entries", "entries"):
        entries[entry["task_id"] or ""].append(entry)
    tally = Tally()
    with ThreadPoolExecutor(LOOKERS, thread_name_prefix="looker") as threads:
        looks = threads.map(
            lambda order: _look(customer, order, entries[order.task_id], undisturbed), list(customer.orders)
        )
        for found in looks:
            tally.add(found)
    tally.add(_uninvited(customer, entries))
    tally.breaches += _wrong_balance(customer, [entry for some in entries.values() for entry in some])
    return tally


def _look(
    customer: StubbornCustomer,
    order: Order,
    entries: Sequence[Mapping[str, Any]],
    undisturbed: Mapping[Specimen, str],
) -> Tally:
    """One task."""
    task = customer.task(order)
    tally = Tally(tasks=1)
    if not _ended_right(task, order):
        tally.lost = 1
        tally.breaches.append(f"task {order.task_id}: {task['status']} {task['outcome']} {task['error']}")
    if task["status"] in COMPLETED:
        tally.completed = 1
        files = customer.deliveries(order)
        tally.duplicate_outputs = int(len({one.name for one in files}) < len(files))
        faults = _faults_of(files, undisturbed.get(order.specimen))
        tally.breaches += [f"task {order.task_id}: {fault}" for fault in faults]
    elif not tally.lost:
        tally.ended_otherwise = 1
    faults = _faults_of_bill(task, entries)
    tally.double_charges = int(_charged_too_much(task, entries))
    tally.breaches += [f"task {order.task_id}: {fault}" for fault in faults]
    return tally


def _ended_right(task: Mapping[str, Any], order: Order) -> bool:
    if task["status"] not in ENDED:
        return False
    if task["status"] in COMPLETED:
        return task["status"] in order.endings and (task["outcome"], task["progress"]) == ("success", 100)
    return bool({task["status"], (task["error"] or {}).get("error_code")} & order.endings)


def _faults_of(deliveries: Sequence[Delivery], expected: str | None) -> Iterator[str]:
    """Each file once, whole, and the report's content that of an undisturbed run."""
    names = Counter(delivery.name for delivery in deliveries)
    yield from (f"{name} is named twice" for name, count in names.items() if count > 1)
    yield from (f"{one.name} is not what its manifest says" for one in deliveries if not one.whole)
    if REPORT not in names:
        yield f"no {REPORT}"
        return
    if expected is not None:
        digest = content_digest(next(one.body for one in deliveries if one.name == REPORT))
        if digest != expected:
            yield "the content is another than that of an undisturbed run"


def _faults_of_bill(task: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Held at submit; each delivered agent charged once, at its price; the rest released."""
    counted = Counter((entry["kind"], entry["agent_id"]) for entry in entries)
    yield from (f"{kind} for {agent} twice" for (kind, agent), count in counted.items() if count > 1)
    delivered, captured = _delivered(task), _amounts(entries, "CAPTURE")
    held, released = _amounts(entries, "HOLD"), _amounts(entries, "RELEASE")
    if captured != delivered:
        yield f"charged {captured}, delivered {delivered}"
    if {
        agent: held[agent] - captured.get(agent, 0) for agent in held if held[agent] != captured.get(agent)
    } != released:
        yield f"held {held}, charged {captured}, released {released}"


def _charged_too_much(task: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> bool:
    """An agent was paid for that did not deliver, or above its price: also twice its price in one entry."""
    delivered = _delivered(task)
    return any(amount > delivered.get(agent, 0) for agent, amount in _amounts(entries, "CAPTURE").items())


def _delivered(task: Mapping[str, Any]) -> dict[str, int]:
    """The price of each agent that delivered."""
    return {step["agent_id"]: step["price"] for step in task["steps"] if step["state"] == "delivered"}


def _amounts(entries: Iterable[Mapping[str, Any]], kind: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for entry in entries:
        if entry["kind"] == kind:
            sums[entry["agent_id"]] += entry["amount"]
    return dict(sums)


def _uninvited(customer: StubbornCustomer, entries: Mapping[str, Sequence[Mapping[str, Any]]]) -> Tally:
    """Tasks that nobody ordered, or that are not there: a repeated request was done twice, or not at all."""
    ordered = Counter(order.task_id for order in customer.orders)
    listed = Counter(task["task_id"] for task in customer.listed())
    paid = [task_id for task_id in listed if task_id not in ordered and _amounts(entries.get(task_id, ()), "CAPTURE")]
    breaches = [f"task {task_id}: ordered {ordered[task_id]} times, there {listed[task_id]} times"
                for task_id in ordered | listed if ordered[task_id] != listed[task_id]]  # fmt: skip
    return Tally(double_charges=len(paid), breaches=breaches)


def _wrong_balance(customer: StubbornCustomer, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    signs = {"GRANT": 1, "RELEASE": 1, "HOLD": -1}
    due = sum(signs.get(entry["kind"], 0) * entry["amount"] for entry in entries)
    balance = customer.get("/credits")["balance"]
    return [] if balance == due else [f"the balance is {balance}, the entries say {due}"]


def proven_by(transactions: Transactions, orders: Sequence[Order]) -> Tally:
    """What the database proves: the ledger, the states, legal histories, and one manifest of one epoch."""
    task_ids = [uuid.UUID(order.task_id) for order in orders]
    with transactions() as session:
        found = [f"{breach.subject}: it does not hold that {breach.rule}" for breach in breaches(session, _RULES)]
        histories = evidence.histories(session, task_ids)
        standings = evidence.standings_of(session, task_ids)
    for task_id, happenings in histories.items():
        if (fault := evidence.illegal_move(happenings)) is not None:
            found.append(f"task {task_id}: {fault}")
    again = {str(task_id): "completed more than once" for task_id in histories if _completed_again(histories[task_id])}
    again |= {str(one.task_id): fault for one in standings if (fault := _wrong_manifest(one)) is not None}
    found += [f"task {task_id}: {fault}" for task_id, fault in again.items()]
    return Tally(duplicate_outputs=len(again), breaches=found)


_RULES = {**LEDGER, **STATES}


def _completed_again(happenings: Sequence[evidence.Happening]) -> bool:
    return sum(one.kind is EventKind.COMPLETED for one in happenings) > 1


def _wrong_manifest(standing: evidence.Standing) -> str | None:
    """The manifest is that of the last claim, under that claim's own prefix.

    What a claim that was lost left in the store beside it is not published: nothing names it.
    """
    if standing.manifest_key is None:
        return None
    if f"/tasks/{standing.task_id}/outputs/{standing.epoch}/" in standing.manifest_key:
        return None
    return f"epoch {standing.epoch} names {standing.manifest_key}"
