"""The floor: what one task asks of the database and of the store, written down once and then asked again, bare.

One real task is run in this process with psycopg and the store's door wrapped; then each statement, commit and call to
the store is issued by a plain loop, with the next task's id in the place of the first one's. So the floor has the same
statements with the same effect on rows of its own, and follows whatever the product does.

    python -m bench.bare calls.pickle ids.json     issues them for these tasks; prints the seconds
"""

import json
import pickle
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

from backend.clock import monotonic

PING = "SELECT 1"
STORE = ("put_bytes", "put_file", "download", "get_bytes", "head", "heads")


@dataclass(frozen=True)
class Call:
    """`sql` with its parameters, `commit`, or a method of the store's door; `file`: what a put_file sent."""

    kind: str
    name: str
    arguments: Any = None
    file: bytes | None = None


@contextmanager
def written_down(calls: list[Call]) -> Iterator[None]:
    """All that this process asks meanwhile, but for the heartbeat's thread and the pool's pings."""
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def executed(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        if str(query) != PING and threading.current_thread().name != "heartbeat":
            calls.append(Call("sql", str(query), params))
        return execute(cursor, query, params, **how)

    def committed(connection: Any) -> None:
        if threading.current_thread().name != "heartbeat":
            calls.append(Call("commit", "commit"))
        commit(connection)

    with (
        patch.object(psycopg.Cursor, "execute", executed),
        patch.object(psycopg.Connection, "commit", committed),
        _store_written_down(calls),
    ):
        yield


@contextmanager
def _store_written_down(calls: list[Call]) -> Iterator[None]:
    from backend.storage.door import Storage

    def wrapped(name: str) -> Any:
        method = getattr(Storage, name)

        def called(storage: Storage, *arguments: Any) -> Any:
            sent = Path(arguments[1]).read_bytes() if name == "put_file" else None
            calls.append(Call("store", name, arguments, sent))
            return method(storage, *arguments)

        return called

    with patch.multiple(Storage, **{name: wrapped(name) for name in STORE if hasattr(Storage, name)}):
        yield


def counted(calls: Sequence[Call]) -> dict[str, int]:
    """Statements, commits and calls to the store of one task."""
    found = Counter("store." + call.name if call.kind == "store" else call.kind for call in calls)
    return dict(sorted(found.items()))


def issue(calls: Sequence[Call], first: uuid.UUID, tasks: Sequence[uuid.UUID], scratch: Path) -> float:
    """All calls for each task, one after the other; the seconds."""
    from backend.doors import get_doors
    from backend.settings import get_settings
    from db.database import libpq_url

    storage = get_doors().storage
    storage.check()  # the connection is there, and boto3
    with psycopg.connect(libpq_url(get_settings().database_url.get_secret_value())) as connection:
        connection.prepare_threshold = 0
        began = monotonic()
        for task in tasks:
            for call in calls:
                if call.kind == "sql":
                    connection.execute(call.name, _instead(call.arguments, first, task))
                elif call.kind == "commit":
                    connection.commit()
                else:
                    getattr(storage, call.name)(*_asked(call, first, task, scratch))
        return monotonic() - began


def _instead(value: Any, first: uuid.UUID, task: uuid.UUID) -> Any:
    """The same, of another task."""
    if isinstance(value, Mapping):
        return {name: _instead(one, first, task) for name, one in value.items()}
    if isinstance(value, str):
        return value.replace(str(first), str(task))
    return task if value == first else value


def _asked(call: Call, first: uuid.UUID, task: uuid.UUID, scratch: Path) -> list[Any]:
    arguments = [_instead(one, first, task) for one in call.arguments]
    if call.name == "put_file":
        arguments[1] = scratch / "sent"
        arguments[1].write_bytes(call.file or b"")
    if call.name == "download":
        arguments[1] = scratch / "brought"
    return arguments


def main(calls_file: str, orders_file: str) -> None:
    orders = json.loads(Path(orders_file).read_text())
    calls: list[Call] = pickle.loads(Path(calls_file).read_bytes())  # noqa: S301 (our own, a moment ago)
    tasks = [uuid.UUID(task) for task in orders["tasks"]]
    print(issue(calls, uuid.UUID(orders["first"]), tasks, Path(orders_file).parent))


if __name__ == "__main__":
    main(*sys.argv[1:])
