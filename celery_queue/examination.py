"""What `agensium doctor` asks the broker: facts, no verdicts. It writes nothing but Celery's own question to workers.

Redis tells all of it in INFO, which managed ones allow where they forbid CONFIG.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import KombuError

from backend.clock import half_way, monotonic, now
from backend.settings import Settings
from backend.tls import verified_redis_url
from celery_queue.celery_config import TASK_NAME, celery_config
from db.queue_names import Queue

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 5.0
ASKED_SECONDS = 1.5  # workers answer within milliseconds; a busy solo worker when its task has ended
OUR_COMMANDS = 2  # an INFO counts the one before it, and itself
LOOKS = 200  # pages of keys, of a thousand each
FORBIDDEN = redis.ResponseError  # it answers, and does not let this account ask, or does not know the question
BROKER_ERRORS = (redis.RedisError, KombuError, OSError)
_BINDING = "_kombu.binding."
_OURS = re.compile(rf"({'|'.join(queue.value for queue in Queue)}|celeryev|celery\.pidbox|reply\.celery\.pidbox)")


@dataclass(frozen=True, slots=True)
class Server:
    """Redis as INFO tells it. `ahead_seconds`: this machine's clock beside its own."""

    told: Mapping[str, Any]
    ahead_seconds: float

    def text(self, name: str) -> str:
        return str(self.told.get(name, ""))

    def number(self, name: str) -> int:
        return int(self.told.get(name, 0))


@dataclass(frozen=True, slots=True)
class Chatter:
    """All clients' commands in a while."""

    commands: int
    seconds: float

    @property
    def per_minute(self) -> float:
        return 60 * self.commands / self.seconds


@dataclass(frozen=True, slots=True)
class Consumer:
    """A worker that answered, whoever's it is. `visibility_seconds` None: it did not say, so Celery's own hour."""

    name: str
    visibility_seconds: int | None
    ours: bool


@dataclass(frozen=True, slots=True)
class Strangers:
    """Exchanges in our keys that are none of ours; `all_seen`: whether every key was looked at."""

    exchanges: Sequence[str]
    all_seen: bool


def server(settings: Settings) -> Server:
    """Raises BROKER_ERRORS."""
    with _client(settings) as client:
        asked_at = now()
        seconds, microseconds = client.time()
        told_at = half_way(asked_at)
        told = client.info()
        return Server(told, told_at.timestamp() - (seconds + microseconds / 1_000_000))


def chatter(settings: Settings, seconds: float) -> Chatter:
    """Listens for so long. Raises BROKER_ERRORS."""
    with _client(settings) as client:
        before, began = client.info("stats")["total_commands_processed"], monotonic()
        Event().wait(seconds)
        after, ended = client.info("stats")["total_commands_processed"], monotonic()
    return Chatter(max(0, after - before - OUR_COMMANDS), ended - began)


def consumers(settings: Settings) -> Sequence[Consumer]:
    """Every Celery worker on this Redis database and prefix that answers: of ours, and of whoever shares it.

    Raises BROKER_ERRORS.
    """
    with Celery("agensium-doctor", set_as_current=False) as app:
        app.conf.update(celery_config(settings))
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=0, timeout=CONNECT_SECONDS)
            inspect = app.control.inspect(timeout=ASKED_SECONDS, connection=connection)
            configurations, tasks = inspect.conf() or {}, inspect.registered() or {}
    return [_consumer(name, told, tasks.get(name)) for name, told in sorted(configurations.items())]


def strangers(settings: Settings) -> Strangers:
    """Raises BROKER_ERRORS."""
    prefix = settings.celery_key_prefix + _BINDING
    with _client(settings) as client:
        cursor, found = 0, set[str]()
        for _ in range(LOOKS):
            cursor, keys = client.scan(cursor, match=f"{_literally(prefix)}*", count=1000)
            found |= {key.decode(errors="replace").removeprefix(prefix) for key in keys}
            if not cursor:
                break
    return Strangers(sorted(name for name in found if not _OURS.fullmatch(name)), all_seen=not cursor)


def _consumer(name: str, told: Mapping[str, Any], tasks: Sequence[str] | None) -> Consumer:
    options = told.get("broker_transport_options") or {}
    said = options.get("visibility_timeout", told.get("visibility_timeout"))
    return Consumer(name, None if said is None else int(said), ours=tasks is None or TASK_NAME in tasks)


def _literally(prefix: str) -> str:
    return re.sub(r"([\[\]*?\\])", r"\\\1", prefix)


def _client(settings: Settings) -> "redis.Redis":
    return redis.Redis.from_url(
        verified_redis_url(settings.redis_url), socket_timeout=ANSWER_SECONDS, socket_connect_timeout=CONNECT_SECONDS
    )
