import uuid
from datetime import timedelta

import httpx
import pytest
from hall_client import Hall

from backend.devstack import Stack
from backend.settings import get_settings
from db import workers
from db.database import close_database, transaction
from db.workers import WorkerIdentity


def a_worker_lives(*, draining: bool = False) -> None:
    worker = WorkerIdentity(uuid.uuid4(), "host", 1, "solo", 1, 2**30, ("default",), ("trial",), "1")
    with transaction() as session:
        workers.check_in(session, worker)
        if draining:
            workers.start_draining(session, worker.boot_uuid)


def readiness(hall: Hall) -> httpx.Response:
    return hall.send("GET", "/readyz")


def point(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    close_database()


def test_the_process_is_alive_with_nothing_behind_it(lobby: Hall) -> None:
    assert lobby.send("GET", "/healthz").json() == {"status": "ok"}


def test_everything_that_a_task_needs_is_there(hall: Hall) -> None:
    a_worker_lives()

    answer = readiness(hall)

    assert answer.status_code == 200
    sound = {"ok": True, "reason": None}
    assert answer.json() == {"status": "ready", "database": sound, "broker": sound, "storage": sound, "worker": sound}


@pytest.mark.parametrize("draining", [None, True], ids=["none", "draining"])
def test_without_a_worker_that_takes_tasks_the_house_is_not_ready(hall: Hall, draining: bool | None) -> None:
    if draining:
        a_worker_lives(draining=True)

    answer = readiness(hall)

    assert answer.status_code == 503
    assert answer.json()["worker"] == {"ok": False, "reason": "no worker has been heard of within a lease"}
    assert answer.json()["database"]["ok"]


def test_a_worker_that_fell_silent_is_none(hall: Hall) -> None:
    a_worker_lives()
    with transaction() as session:
        from db.models import CLOCK, Worker

        session.query(Worker).update({"seen_at": CLOCK - timedelta(seconds=10)})

    assert not readiness(hall).json()["worker"]["ok"]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"])
def test_a_broker_that_does_not_answer_is_named(hall: Hall, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    point(monkeypatch, REDIS_URL=url)

    answer = readiness(hall)

    assert answer.status_code == 503
    assert answer.json()["broker"]["ok"] is False
    assert "does not answer" in answer.json()["broker"]["reason"]
    assert "127.0.0.1" not in answer.text


def test_a_broker_in_files_is_always_there(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, REDIS_URL="")

    assert readiness(hall).json()["broker"]["ok"]


def test_a_broker_that_is_no_redis_is_knocked_at(hall: Hall, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    point(monkeypatch, REDIS_URL=f"amqp://guest@127.0.0.1:{stack.postgres.port}//")

    assert readiness(hall).json()["broker"]["ok"]


def test_a_database_that_does_not_answer_is_named(lobby: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none", REDIS_URL="")

    answer = readiness(lobby)
    close_database()

    assert answer.status_code == 503
    assert answer.json()["database"]["reason"] == "it does not answer (OperationalError)"
    assert "secret" not in answer.text


def test_a_file_store_that_does_not_answer_is_named(lobby: Hall, hall: Hall) -> None:
    answer = readiness(lobby)

    assert answer.json()["storage"]["ok"] is False
    assert answer.json()["database"]["ok"] is True
