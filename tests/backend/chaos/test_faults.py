"""A fault that did not happen does not hold."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from backend.chaos import broker_faults, machine_faults, store_faults
from backend.chaos.deployment import GaveUp, until
from backend.chaos.fault import Fault
from backend.chaos.faulty_store import FaultyStore

HASTE: dict[str, Any] = {"store_fault": 0.01, "store_hang": 0.01, "rolling_restarts": 2}


class QuietStage:
    """A stage on which nothing that is done meets anything."""

    def __init__(self, store: FaultyStore) -> None:
        self.store = store
        self.form = SimpleNamespace(**HASTE)

    def ordering(self, _count: int) -> AbstractContextManager[None]:
        return nullcontext()

    def at_work(self) -> list[Any]:
        return []

    def happened(self, _kind: Any) -> int:
        return 0


@pytest.fixture
def stage() -> Iterator[QuietStage]:
    store = FaultyStore(1)
    store.start()
    yield QuietStage(store)
    store.close()


@pytest.mark.parametrize("fault", store_faults.STORE_FAULTS, ids=lambda fault: fault.name)
def test_a_store_that_hit_no_request_was_not_broken(
    fault: Fault, stage: QuietStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_faults, "until", lambda what, why: until(what, why, seconds=0.05))
    with pytest.raises(GaveUp, match="the store hit a request"):
        fault.inject(stage)  # type: ignore[arg-type]


def test_restarts_that_handed_nothing_back_were_no_drains(stage: QuietStage, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[float | None] = []

    def deploys(_stage: Any, restarts: int, seconds: float | None = None) -> list[float]:
        rounds.append(seconds)
        return [0.1] * restarts

    monkeypatch.setattr(machine_faults, "_deploys", deploys)
    with pytest.raises(GaveUp, match="none of 5 draining workers"):
        machine_faults.roll(stage)  # type: ignore[arg-type]
    assert rounds == [None, *[machine_faults.TOO_LONG] * machine_faults.MORE_DEPLOYS]


def test_a_broker_without_a_message_has_none_to_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_faults, "until", lambda what, why: until(what, why, seconds=0.5, poll=0.01))
    held = iter([0, 0, 3])
    monkeypatch.setattr(broker_faults, "_messages", lambda _broker: next(held))
    assert broker_faults._await_messages(None) == 3  # type: ignore[arg-type]
    monkeypatch.setattr(broker_faults, "_messages", lambda _broker: 0)
    with pytest.raises(GaveUp, match="holds a message"):
        broker_faults._await_messages(None)  # type: ignore[arg-type]
