import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from celery_queue import post_office
from celery_queue.fork_gate import _GATES
from celery_queue.post_office import PostOffice
from db import webhooks
from db.database import transaction
from tests import builders
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")
SENTINEL = "import sys, pathlib, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(float(sys.argv[2]))"


@contextmanager
def at_work(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Iterator[None]:
    monkeypatch.setattr(post_office, "LOOK_SECONDS", 0.05)
    office = PostOffice((sys.executable, "-c", SENTINEL, *arguments))
    thread = threading.Thread(target=office.run)
    thread.start()
    try:
        yield
    finally:
        office.stop()
        thread.join(5)
        _GATES.remove(office._gate)
        assert not thread.is_alive()


def owed_something() -> None:
    user = builders.customer()
    with transaction() as session:
        webhooks.add(session, user, "https://example.com/", (), "")
    builders.created_task(user)


def test_a_courier_is_sent_when_something_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(monkeypatch, str(tmp_path / "sent"), "0"):
        owed_something()
        eventually((tmp_path / "sent").exists)


def test_nobody_is_sent_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    really = post_office.deliveries.anything_due
    monkeypatch.setattr(post_office.deliveries, "anything_due", lambda session: looks.append(really(session)) or False)
    with at_work(monkeypatch, str(tmp_path / "sent"), "0"):
        builders.created_task()
        eventually(lambda: len(looks) > 2)
    assert not any(looks)
    assert not (tmp_path / "sent").exists()


def test_a_courier_on_its_way_ends_with_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(monkeypatch, str(tmp_path / "sent"), "60"):
        owed_something()
        eventually((tmp_path / "sent").exists)
