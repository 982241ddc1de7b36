"""The conductor's three threads over the real database and the real Redis."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError
from redis.connection import AbstractConnection

from backend.devstack import Stack
from backend.settings import Settings, get_settings
from celery_queue.celery_config import TASK_NAME, celery_config
from celery_queue.dispatch import Conductor
from celery_queue.ringing import Bell
from celery_queue.rounds import Rounds
from db import workers
from db.database import transaction
from db.rings import Ring
from tests import builders
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")


class BrokenBell(Bell):
    """A broker that is away until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.rung: list[Ring] = []

    def ring(self, *rings: Ring) -> None:
        if not self.mended:
            raise OperationalError("nobody there")
        self.rung.extend(rings)

    def hang_up(self) -> None:
        pass


@pytest.fixture
def bell() -> BrokenBell:
    return BrokenBell()


@pytest.fixture
def conductor(bell: BrokenBell) -> Iterator[Conductor]:
    running = Conductor(Rounds(builders.live_worker(slots=5), get_settings()), bell)
    running.start()
    yield running
    running.stop()


def test_a_submit_is_rung_within_moments(conductor: Conductor, bell: BrokenBell) -> None:
    bell.mended = True
    task = builders.submitted_task()
    eventually(lambda: [ring.task_id for ring in bell.rung] == [task.id])
    assert bell.rung[0].celery_task_id == task.celery_task_id


def test_while_the_broker_is_away_nothing_is_lost(conductor: Conductor, bell: BrokenBell) -> None:
    tasks = {builders.submitted_task().id for _ in range(3)}
    eventually(lambda: all(builders.read(task_id).admitted_at is not None for task_id in tasks))
    bell.mended = True
    eventually(lambda: {ring.task_id for ring in bell.rung} == tasks)


def test_a_stopped_conductor_leaves_no_thread_and_no_worker_row(bell: BrokenBell) -> None:
    running = Conductor(Rounds(builders.live_worker(), get_settings()), bell)
    running.start()
    running.stop()
    assert not [thread.name for thread in running._threads.values() if thread.is_alive()]
    with transaction() as session:
        assert not workers.live(session, timedelta(seconds=30))


@pytest.mark.parametrize("queue", ["default", "high_memory"])
def test_a_worker_rings_for_every_queue_also_for_those_it_does_not_take_from(stack: Stack, queue: str) -> None:
    prefix = f"{uuid.uuid4().hex}."
    settings = Settings(
        _env_file=None, redis_url=stack.redis_url, celery_key_prefix=prefix, celery_queues="high_memory"
    )
    app = Celery("test")
    app.conf.update(celery_config(settings))
    bell = Bell(app, settings)
    bell.ring(Ring(uuid.uuid4(), 7, uuid.uuid4(), "profile-my-data", queue))
    bell.hang_up()
    with redis.Redis.from_url(stack.redis_url) as client:
        assert client.llen(f"{prefix}{queue}") == 1
    app.close()


def test_many_rings_are_one_call_of_the_broker(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = f"{uuid.uuid4().hex}."
    settings = Settings(_env_file=None, redis_url=stack.redis_url, celery_key_prefix=prefix)
    app = Celery("test")
    app.conf.update(celery_config(settings))
    bell = Bell(app, settings)
    rings = [Ring(uuid.uuid4(), 7, uuid.uuid4(), "profile-my-data", "default") for _ in range(5)]
    bell.ring(rings[0])  # opens the connection
    calls: list[object] = []
    send = AbstractConnection.send_packed_command
    monkeypatch.setattr(
        AbstractConnection, "send_packed_command", lambda *given, **named: (calls.append(given), send(*given, **named))
    )
    bell.ring(*rings[1:])
    bell.hang_up()
    with redis.Redis.from_url(stack.redis_url) as client:
        sent = [json.loads(raw)["headers"]["id"] for raw in client.lrange(f"{prefix}default", 0, -1)]
    assert sent[::-1] == [str(ring.celery_task_id) for ring in rings], "in the order of their turn"
    assert len([call for call in calls if b"LPUSH" in str(call).encode()]) == 1
    app.close()


def test_rings_that_were_not_sent_when_the_worker_leaves_are_another_conductors(bell: BrokenBell) -> None:
    running = Conductor(Rounds(builders.live_worker(slots=5), get_settings()), bell)
    running.start()
    task = builders.submitted_task()
    eventually(lambda: builders.read(task.id).admitted_at is not None)
    running.stop()
    row = builders.read(task.id)
    assert (row.ring_wanted, row.rings) == (True, 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_whose_conductor_is_broken_leaves(bell: BrokenBell, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery.worker import state

    monkeypatch.setattr(state, "should_stop", None)
    monkeypatch.setattr(bell, "ring", lambda _ring: {}["no such queue"])
    running = Conductor(Rounds(builders.live_worker(), get_settings()), bell)
    running.start()
    builders.submitted_task()
    eventually(lambda: state.should_stop == 1)
    running.stop()


def test_a_message_is_two_ids_under_the_rows_own_celery_id(stack: Stack) -> None:
    prefix = f"{uuid.uuid4().hex}."
    settings = Settings(_env_file=None, redis_url=stack.redis_url, celery_key_prefix=prefix)
    app = Celery("test")
    app.conf.update(celery_config(settings))
    bell = Bell(app, settings)
    ring = Ring(uuid.uuid4(), 7, uuid.uuid4(), "profile-my-data", "high_memory")
    bell.ring(ring)
    bell.hang_up()
    with redis.Redis.from_url(stack.redis_url) as client:
        messages = client.lrange(f"{prefix}high_memory", 0, -1)
        assert not client.lrange(f"{prefix}default", 0, -1)
    (message,) = (json.loads(raw) for raw in messages)
    assert message["headers"]["task"] == TASK_NAME
    assert message["headers"]["id"] == str(ring.celery_task_id)
    assert message["headers"]["timelimit"] == [1800 + 60 + 30 + 60, 1800 + 60 + 30]
    assert message["headers"]["eta"] is None
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert (args, kwargs) == ([str(ring.task_id), 7], {})
    app.close()
