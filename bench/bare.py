"""The floor: what one task asks of the database and of the store, asked again, bare.

One real task was written down (bench.asked); then each statement, commit and call to the store is issued by a plain
loop, with the next task's id in the place of the first one's. So the floor has the same statements with the same effect
on rows of its own, and follows whatever the product does: what it sends as a transaction is one here, what it sends
alone is sent alone, and its lane to the store is the product's own.

    python -m bench.bare calls.pickle orders.json     ready; on a word, issues them; the seconds
"""

import json
import pickle
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Json, Jsonb

from backend.clock import monotonic
from backend.storage.door import Storage
from bench.asked import Call, Kind


def issue(calls: Sequence[Call], first: uuid.UUID, tasks: Sequence[uuid.UUID], scratch: Path) -> float:
    """All calls for each task, one after the other; the seconds."""
    from backend.doors import get_doors

    storage = get_doors().storage
    storage.check()
    storage.warm_up()  # what it imports is there
    with _connected(autocommit=False) as transactions, _connected(autocommit=True) as alone:
        line = _Line(storage, transactions, alone, scratch)
        print("ready", flush=True)
        sys.stdin.readline()  # the others are ready too
        began = monotonic()
        for task in tasks:
            for call in calls:
                line.issue(call, first, task)
        return monotonic() - began


@dataclass(frozen=True)
class _Line:
    """The connections of one loop: one for transactions, one for statements that are sent alone."""

    storage: Storage
    transactions: psycopg.Connection
    alone: psycopg.Connection
    scratch: Path

    def issue(self, call: Call, first: uuid.UUID, task: uuid.UUID) -> None:
        """`call`, of `task` instead of `first`."""
        arguments = _instead(call.arguments, first, task)
        match call.kind:
            case Kind.SQL:
                self.transactions.execute(call.name, arguments)
            case Kind.ALONE:
                self.alone.execute(call.name, arguments)
            case Kind.COMMIT:
                self.transactions.commit()
            case Kind.ROLLBACK:
                self.transactions.rollback()
            case Kind.STORE:
                self._ask_the_store(call, arguments)

    def _ask_the_store(self, call: Call, arguments: list[Any]) -> None:
        if call.name == "put_file":
            arguments[1] = self.scratch / "sent"
            arguments[1].write_bytes(call.file or b"")
        if call.name == "download":
            arguments[1] = self.scratch / "brought"
        getattr(self.storage, call.name)(*arguments)


def _connected(*, autocommit: bool) -> psycopg.Connection:
    from backend.settings import get_settings
    from db.database import libpq_url

    url = libpq_url(get_settings().database_url.get_secret_value())
    return psycopg.connect(url, autocommit=autocommit, prepare_threshold=0)


def _instead(value: Any, first: uuid.UUID, task: uuid.UUID) -> Any:
    """The same, of another task."""
    if isinstance(value, Mapping):
        return {name: _instead(one, first, task) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_instead(one, first, task) for one in value]
    if isinstance(value, Json | Jsonb):
        return type(value)(_instead(value.obj, first, task))
    if isinstance(value, str):
        return value.replace(str(first), str(task))
    return task if value == first else value


def main(calls_file: str, orders_file: str) -> None:
    orders = json.loads(Path(orders_file).read_text())
    calls: list[Call] = pickle.loads(Path(calls_file).read_bytes())  # noqa: S301 (our own, a moment ago)
    tasks = [uuid.UUID(task) for task in orders["tasks"]]
    print(issue(calls, uuid.UUID(orders["first"]), tasks, Path(orders_file).parent))


if __name__ == "__main__":
    main(*sys.argv[1:])
