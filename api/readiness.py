"""What the house needs in order to work, each asked and named: database, broker, storage, a live worker."""

import socket
from urllib.parse import urlsplit

import redis

from api.health_schemas import Check
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.faults import StorageError
from backend.tls import verified_redis_url
from db import workers
from db.database import DatabaseError, ping, transaction

_SECONDS = 2.0  # a probe's patience
_PORTS = {"amqp": 5672, "amqps": 5671}


def database() -> Check:
    try:
        ping()
    except DatabaseError as error:
        return _failed(error)
    return Check(ok=True)


def storage(store: Storage) -> Check:
    try:
        store.check()
    except StorageError as error:
        return _failed(error)
    return Check(ok=True)


def broker() -> Check:
    """The doorbell answers. Without one, the bell is a directory of files and always there."""
    url = get_settings().redis_url
    try:
        if url:
            _knock(url)
    except (redis.RedisError, OSError) as error:
        return _failed(error)
    return Check(ok=True)


def a_worker() -> Check:
    lease = get_settings().lease
    try:
        with transaction() as session:
            live = [worker for worker in workers.live(session, lease) if not worker.draining]
    except DatabaseError as error:
        return _failed(error)
    return Check(ok=bool(live), reason=None if live else "no worker has been heard of within a lease")


def _knock(url: str) -> None:
    address = urlsplit(url)
    if address.scheme in {"redis", "rediss", "unix"}:
        with redis.Redis.from_url(
            verified_redis_url(url), socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        ) as client:
            client.ping()
        return
    port = address.port or _PORTS.get(address.scheme, 0)
    socket.create_connection((address.hostname or "", port), _SECONDS).close()


def _failed(error: Exception) -> Check:
    """The class says what an operator needs; the sentence may hold addresses."""
    return Check(ok=False, reason=f"it does not answer ({type(error).__name__})")
