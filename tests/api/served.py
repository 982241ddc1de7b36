"""The front hall behind a socket: a real server in a thread, for what streams. And a reader of event streams."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from api.following import Hub
from backend.main import create_app
from tests.waiting import eventually

PATIENCE = 10.0


@dataclass(frozen=True)
class Event:
    """One block of a stream; a comment is an event of the kind ``:``."""

    kind: str
    seq: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Served:
    """A server on the loopback."""

    def __init__(self) -> None:
        app = create_app()
        self.hub: Hub = app.state.hub
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=3)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @contextmanager
    def follow(self, task_id: str, headers: dict[str, str], last_event_id: str | None = None) -> Iterator["Following"]:
        seen = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        with self.client.stream("GET", f"/tasks/{task_id}/events", headers={**headers, **seen}) as answer:
            yield Following(answer)


class Following:
    """A stream that is read block by block."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines() if answer.status_code == 200 else iter(())

    def __iter__(self) -> Iterator[Event]:
        block: list[str] = []
        for line in self._lines:
            if line:
                block.append(line)
            elif block:
                yield _event(block)
                block = []

    def next(self) -> Event:
        """The next event that is no comment and no word of when to come back."""
        return next(event for event in self if event.kind not in {":", "retry"})

    def until(self, kind: str) -> list[Event]:
        """All events up to the first of this kind."""
        found: list[Event] = []
        for event in self:
            if event.kind not in {":", "retry"}:
                found.append(event)
            if event.kind == kind:
                return found
        raise AssertionError(f"the stream ended without {kind}: {found}")

    def rest(self) -> list[Event]:
        return [event for event in self if event.kind not in {":", "retry"}]


def _event(block: list[str]) -> Event:
    fields = dict(line.split(": ", 1) for line in block if not line.startswith(":"))
    if not fields:
        return Event(":")
    if "retry" in fields:
        return Event("retry")
    seq = int(fields["id"]) if "id" in fields else None
    return Event(fields["event"], seq, json.loads(fields["data"]))
