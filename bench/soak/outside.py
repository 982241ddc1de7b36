"""What a run holds outside of its processes: connections, keys, messages, scratch, temporary and shared files."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from backend.devstack import Stack

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (looked at, not written to)
_CLIENTS = """SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%'),
    coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0), pg_notification_queue_usage()
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
_ROWS = "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables ORDER BY relname"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each; `endless_keys` are Redis' that never expire, `unacked` its messages that nobody has answered.

    `oldest_transaction` is in seconds, `notifications` the share of PostgreSQL's queue for NOTIFY that is full.
    """

    at: float
    database_connections: int
    open_transactions: int
    oldest_transaction: float
    notifications: float
    broker_connections: int
    endless_keys: int
    unacked: int
    queued: int
    store_sockets: int
    unclosed_sockets: int  # the other side has closed
    scratch_files: int
    temporary_files: int
    shared_memory_files: int

    def names(self) -> Iterator[str]:
        return (one.name for one in fields(self) if one.name != "at")


class Outside:
    """Looks at one stack; `scratch` and `temporary` are the deployment's own folders."""

    def __init__(self, stack: Stack, scratch: Path, temporary: Path) -> None:
        self._stack = stack
        self._scratch, self._temporary = scratch, temporary
        self._shared = _shared_files()
        self._database = psycopg.connect(stack.postgres.url_of("postgres"), autocommit=True)
        self._broker = redis.Redis.from_url(stack.redis_url)

    def close(self) -> None:
        self._database.close()
        self._broker.close()

    def look(self, at: float) -> Counts:
        row = self._database.execute(_CLIENTS).fetchone()
        assert row is not None
        keys = list(self._broker.scan_iter(count=1000))
        lists = [key for key, kind in zip(keys, self._each(keys, "type"), strict=False) if kind == b"list"]
        states = list(_sockets(self._stack.storage.port))
        return Counts(
            at, int(row[0]), int(row[1]), float(row[2]), float(row[3]),
            broker_connections=len(self._broker.client_list()) - 1,
            endless_keys=sum(ttl == -1 for ttl in self._each(keys, "ttl")),
            unacked=sum(self._each([key for key in keys if key.endswith(b"unacked")], "hlen")),
            queued=sum(self._each(lists, "llen")),
            store_sockets=len(states),
            unclosed_sockets=states.count(psutil.CONN_CLOSE_WAIT),
            scratch_files=_files_in(self._scratch),
            temporary_files=_files_in(self._temporary),
            shared_memory_files=len(_shared_files() - self._shared),
        )  # fmt: skip

    def rows(self) -> dict[str, tuple[int, int]]:
        """Live and dead rows of each table, as PostgreSQL's statistics have it."""
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            connection.execute("ANALYZE")
            return {name: (live, dead) for name, live, dead in connection.execute(_ROWS)}

    def cut_a_database_connection(self, number: int) -> None:
        """End one of the deployment's connections, another for each number."""
        found = self._database.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " ORDER BY pid"
        ).fetchall()
        if found:
            self._database.execute("SELECT pg_terminate_backend(%s)", [found[number % len(found)][0]])

    def cut_a_broker_connection(self, number: int) -> None:
        """The same of Redis."""
        ours = self._broker.client_id()
        found = [client["id"] for client in self._broker.client_list() if int(client["id"]) != ours]
        if found:
            self._broker.client_kill_filter(_id=found[number % len(found)])

    def _each(self, keys: Iterable[bytes], command: str) -> list[Any]:
        asked = self._broker.pipeline(transaction=False)
        for key in keys:
            getattr(asked, command)(key)
        return [answer for answer in asked.execute(raise_on_error=False) if not isinstance(answer, Exception)]


def _sockets(port: int) -> Iterator[str]:
    """States of the clients' ends of connections to this port that a process holds; only we know the port."""
    for one in psutil.net_connections("tcp4"):
        if one.raddr and one.raddr.port == port and one.status in {psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT}:
            yield one.status


def _files_in(folder: Path) -> int:
    """Files below it; whoever works there may take them away meanwhile."""
    with suppress(FileNotFoundError):
        return sum(path.is_file() for path in folder.rglob("*"))
    return 0


def _shared_files() -> frozenset[str]:
    """PostgreSQL's own go with it, and are as many as its settings say."""
    with suppress(FileNotFoundError):
        return frozenset(path.name for path in SHARED_MEMORY.iterdir() if not path.name.startswith("PostgreSQL"))
    return frozenset()
