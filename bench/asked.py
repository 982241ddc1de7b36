"""What one task asks of the database and of the store, written down while it runs in this process.

psycopg and the store's door are wrapped; nothing of the product is changed. bench.bare asks the same again.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg.pq import TransactionStatus

from backend.storage.door import Storage

PING = "SELECT 1"
STORE = ("put_bytes", "put_file", "download", "get_bytes", "read", "head")
_NOT_THE_TASKS = {"heartbeat"}  # threads that ask whether there is a task or not
_within = threading.local()  # a call of the store that calls another is one


class Kind(StrEnum):
    """What is asked: `ALONE` is a statement that is its own transaction, without BEGIN and COMMIT."""

    SQL = "statements in a transaction"
    ALONE = "statements alone"
    COMMIT = "commits"
    ROLLBACK = "rollbacks"
    STORE = "store"


@dataclass(frozen=True)
class Call:
    """A statement with its parameters, or a method of the store's door; `file`: what a put_file sent."""

    kind: Kind
    name: str
    arguments: Any = None
    file: bytes | None = None


@contextmanager
def written_down(calls: list[Call]) -> Iterator[None]:
    """All that this process asks meanwhile, but for the heartbeat's thread and the pool's pings."""
    execute = psycopg.Cursor.execute

    def executed(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        if str(query) != PING and _is_the_tasks():
            calls.append(Call(Kind.ALONE if cursor.connection.autocommit else Kind.SQL, str(query), params))
        return execute(cursor, query, params, **how)

    with ExitStack() as stack:
        stack.enter_context(patch.object(psycopg.Cursor, "execute", executed))
        for name, kind in (("commit", Kind.COMMIT), ("rollback", Kind.ROLLBACK)):
            method = getattr(psycopg.Connection, name)
            stack.enter_context(patch.object(psycopg.Connection, name, _ending(method, kind, calls)))
        for name in STORE:
            stack.enter_context(patch.object(Storage, name, _stored(getattr(Storage, name), name, calls)))
        yield


def _ending(method: Callable[[Any], None], kind: Kind, calls: list[Call]) -> Callable[[Any], None]:
    """Written down where there is something to end: psycopg asks nothing otherwise."""

    def ended(connection: Any) -> None:
        if connection.info.transaction_status != TransactionStatus.IDLE and _is_the_tasks():
            calls.append(Call(kind, kind))
        method(connection)

    return ended


def _stored(method: Callable[..., Any], name: str, calls: list[Call]) -> Callable[..., Any]:
    def called(storage: Storage, *arguments: Any) -> Any:
        if getattr(_within, "call", False):
            return method(storage, *arguments)
        sent = Path(arguments[1]).read_bytes() if name == "put_file" else None
        calls.append(Call(Kind.STORE, name, arguments, sent))
        _within.call = True
        try:
            return method(storage, *arguments)
        finally:
            _within.call = False

    return called


def _is_the_tasks() -> bool:
    return threading.current_thread().name not in _NOT_THE_TASKS


def counted(calls: Sequence[Call]) -> dict[str, int]:
    """Statements, commits and calls to the store of one task."""
    found = Counter(f"store, {call.name}" if call.kind is Kind.STORE else str(call.kind) for call in calls)
    return dict(sorted(found.items()))
