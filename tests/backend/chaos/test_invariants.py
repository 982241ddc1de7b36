"""Each invariant holds for an honest task, and each of them is broken by the one thing it is there to find."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from backend.chaos.customers import Delivery, Order, Specimen, StubbornCustomer
from backend.chaos.invariants import Tally, content_digest, proven_by, seen_by
from db import endings
from db.database import Session, transaction
from db.endings import Ending
from tests import builders

PEOPLE = Specimen("rehearsal", Path("people.csv"))
REPORT = {
    "analysis_id": "1",
    "timestamp": "2025-11-21T09:30:00Z",
    "execution_time_ms": 812,
    "report": {
        "executive_summary": [{"summary_id": "execution_time", "value": "812 ms"}],
        "agent_results": {"read": {"execution_time_ms": 5, "summary_metrics": {"rows": 50}}},
    },
}


def body(**changes: Any) -> bytes:
    return json.dumps({**REPORT, **changes}).encode()


class Seen:
    """A customer whose API answers what it is told to: an honest task, until a test changes something."""

    def __init__(self) -> None:
        self.orders = [Order("t1", PEOPLE)]
        self.view: dict[str, Any] = {
            "status": "COMPLETED", "outcome": "success", "progress": 100, "error": None,
            "steps": [{"agent_id": "read", "price": 10, "state": "delivered"}],
        }  # fmt: skip
        self.entries = [
            {"task_id": None, "agent_id": None, "kind": "GRANT", "amount": 100},
            {"task_id": "t1", "agent_id": "read", "kind": "HOLD", "amount": 10},
            {"task_id": "t1", "agent_id": "read", "kind": "CAPTURE", "amount": 10},
        ]
        self.balance = 90
        self.files = [Delivery("report.json", body(analysis_id="2", execution_time_ms=5), whole=True)]
        self.there = ["t1"]

    def task(self, _order: Order) -> dict[str, Any]:
        return self.view

    def pages(self, _path: str, _field: str) -> list[dict[str, Any]]:
        return self.entries

    def listed(self) -> list[dict[str, Any]]:
        return [{"task_id": task_id} for task_id in self.there]

    def get(self, _path: str) -> dict[str, Any]:
        return {"balance": self.balance}

    def deliveries(self, _order: Order) -> list[Delivery]:
        return self.files


def look(seen: Seen) -> Any:
    return seen_by(cast("StubbornCustomer", seen), {PEOPLE: content_digest(body())})


def test_an_honest_task_breaks_nothing() -> None:
    tally = look(Seen())
    assert tally.breaches == []
    assert (tally.tasks, tally.completed, tally.lost, tally.double_charges, tally.duplicate_outputs) == (1, 1, 0, 0, 0)


def test_the_digest_of_a_report_is_that_of_what_it_found() -> None:
    assert content_digest(body()) == content_digest(body(analysis_id="9", timestamp="later", execution_time_ms=1))
    assert content_digest(body()) != content_digest(body(report={"agent_results": {}}))


def twice_charged(seen: Seen) -> None:
    seen.entries.append(seen.entries[-1])


def done_and_charged_twice(seen: Seen) -> None:
    seen.there.append("t2")
    seen.entries += [{**entry, "task_id": "t2"} for entry in seen.entries if entry["task_id"]]
    seen.balance -= 10


def twice_named(seen: Seen) -> None:
    seen.files.append(seen.files[0])


BROKEN: dict[str, tuple[Callable[[Seen], Any], str, str]] = {
    "not ended": (lambda seen: seen.view.update(status="PROCESSING"), "PROCESSING", "lost"),
    "failed": (lambda seen: seen.view.update(status="FAILED", error={"error_code": "WORKER_LOST"}), "LOST", "lost"),
    "partial": (lambda seen: seen.view.update(outcome="partial"), "partial", "lost"),
    "charged twice": (twice_charged, "CAPTURE for read twice", "double_charges"),
    "another price": (lambda seen: seen.entries[-1].update(amount=9), "charged {'read': 9}", ""),
    "charged above its price": (
        lambda seen: seen.entries[-1].update(amount=20), "charged {'read': 20}", "double_charges",
    ),
    "charged, not delivered": (
        lambda seen: seen.view["steps"][0].update(state="failed"), "delivered {}", "double_charges",
    ),
    "delivered, not charged": (lambda seen: seen.entries.pop(), "charged {}", ""),
    "a wrong balance": (lambda seen: setattr(seen, "balance", 91), "the balance is 91", ""),
    "named twice": (twice_named, "report.json is named twice", "duplicate_outputs"),
    "no report": (lambda seen: seen.files.clear(), "no report.json", ""),
    "not what was promised": (
        lambda seen: seen.files.append(Delivery("report.html", b"<", whole=False)), "not what its manifest says", "",
    ),
    "other content": (
        lambda seen: seen.files.__setitem__(0, Delivery("report.json", body(report={}), whole=True)), "undisturbed", "",
    ),
    "done twice": (lambda seen: seen.there.append("t2"), "ordered 0 times, there 1", ""),
    "done and charged twice": (done_and_charged_twice, "ordered 0 times, there 1", "double_charges"),
    "not there": (lambda seen: seen.there.clear(), "ordered 1 times, there 0", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_and_counted(what: str) -> None:
    change, words, count = BROKEN[what]
    seen = Seen()
    change(seen)
    tally = look(seen)
    assert any(words in breach for breach in tally.breaches), tally.breaches
    counted = {name: getattr(tally, name) for name in ("lost", "double_charges", "duplicate_outputs")}
    assert counted == {name: int(name == count) for name in counted}


# what the database proves


def completed_order() -> Order:
    claim = builders.claimed_task()
    for agent in builders.PRICES:
        builders.deliver(claim, agent)
    key = f"users/{claim.user_id}/tasks/{claim.task_id}/outputs/{claim.epoch}/manifest.json"
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome="success", manifest_key=key))
    return Order(str(claim.task_id), PEOPLE)


def test_a_task_that_should_end_otherwise_is_counted_apart() -> None:
    seen = Seen()
    seen.orders = [Order("t1", PEOPLE, frozenset({"CANCELLED"}))]
    seen.view.update(status="CANCELLED", outcome=None)
    tally = look(seen)
    assert (tally.tasks, tally.completed, tally.ended_otherwise, tally.lost) == (1, 0, 1, 0)


def proof(order: Order) -> Tally:
    transactions: Callable[[], AbstractContextManager[Session]] = transaction
    return proven_by(transactions, [order])


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("statement", "words", "duplicates"),
    [
        ("SELECT 1", "", 0),
        ("UPDATE credit_wallets SET balance = balance + 1", "a wallet's balance", 0),
        ("UPDATE tasks SET progress = 99", "a completed task has", 0),
        ("UPDATE task_events SET kind = 'queued' WHERE kind = 'started'", "queued after QUEUED", 0),
        ("UPDATE task_events SET data = '{\"epoch\": 2}' WHERE kind = 'started'", "started with epoch 2 after 0", 0),
        ("UPDATE tasks SET manifest_key = replace(manifest_key, '/1/', '/2/')", "epoch 1 names", 1),
        (
            """INSERT INTO task_events (task_id, seq, kind, data)
               SELECT task_id, 1 + max(seq), 'completed', '{}' FROM task_events GROUP BY task_id""",
            "completed more than once",
            1,
        ),
    ],
    ids=["honest", "balance", "progress", "move", "epoch", "manifest", "completed twice"],
)
def test_a_row_that_was_broken_by_hand_is_found(statement: str, words: str, duplicates: int) -> None:
    order = completed_order()
    with transaction() as session:
        session.execute(text(statement))
    found = proof(order)
    assert any(words in breach for breach in found.breaches) if words else found.breaches == []
    assert found.duplicate_outputs == duplicates
