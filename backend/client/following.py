"""A task's event stream as its reader keeps it: what was read, where to go on, when to give up. It knows no socket."""

import json
import re
from collections.abc import Iterator
from typing import Any

from backend.client.flows import NOTHING_MORE, Ask
from backend.client.refusals import Unreachable
from backend.client.values import Task, TaskEvent
from backend.clock import jitter

LINE_END = re.compile(r"\r\n|\n|\r")
WHOLE = frozenset({"snapshot", "resync"})  # events that carry the whole task
MOST_FAILURES = 8  # connections in a row that brought nothing
SLOWEST = 15.0  # seconds between two connections


class Following:
    """Feed it text; ask it for the next request when the stream breaks. `ended`: nothing follows."""

    def __init__(self, task_id: str, last_event_id: str | None = None) -> None:
        self._path = f"/tasks/{task_id}/events"
        self._last = last_event_id
        self._event, self._id = "message", ""
        self._data: list[str] = []
        self._rest = ""  # a line that has not ended
        self._wait = 0.0
        self._failures = 0
        self.ended = False

    def request(self) -> Ask:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._last} if self._last else {})
        return Ask("GET", self._path, headers=headers)

    def opened(self, status: int) -> None:
        """204: we have the last event already."""
        self.ended = self.ended or status == NOTHING_MORE

    def feed(self, text: str) -> Iterator[TaskEvent]:
        """The events that are whole by now. A line ends as the standard says: a customer's text may hold U+2028."""
        *lines, self._rest = LINE_END.split(self._rest + text)
        if self._rest == "" and text.endswith("\r"):
            self._rest = lines.pop() + "\r"  # its \n may come with the next piece
        for line in lines:
            yield from self._read(line)
            if self.ended:
                return

    def _read(self, line: str) -> Iterator[TaskEvent]:
        """An event at its closing blank line; comments are the server's signs of life."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            yield from self._close()
        elif not name:
            self._failures = 0
        elif name == "event":
            self._event = value
        elif name == "id":
            self._id = value
        elif name == "data":
            self._data.append(value)

    def asked_to_wait(self, seconds: float) -> None:
        """By a refusal's Retry-After."""
        self._wait = seconds

    def pause(self) -> float:
        """Seconds until the next connection. Raises Unreachable when too many brought nothing."""
        self._clear()
        wait, self._wait = self._wait, 0.0
        self._failures += 1
        if self._failures > MOST_FAILURES:
            raise Unreachable("The task's events could not be followed any more.")
        return max(wait, jitter(min(SLOWEST, 0.5 * 2**self._failures)) if self._failures > 1 else 0.1)

    def _close(self) -> Iterator[TaskEvent]:
        if self._data:
            event = _event_of(self._event, json.loads("\n".join(self._data)))
            self._last = self._id or self._last
            self._failures = 0
            self.ended = event.ended and event.kind not in WHOLE
            yield event
        self._event, self._id, self._data = "message", "", []

    def _clear(self) -> None:
        """What was half-way is forgotten: it comes again whole."""
        self._event, self._id, self._data, self._rest = "message", "", [], ""


def _event_of(kind: str, told: dict[str, Any]) -> TaskEvent:
    if kind not in WHOLE:
        return TaskEvent.of({"kind": kind, **told})
    task = Task.of(told)
    return TaskEvent(kind, task.progress, task.status, task.current_agent, task=task)
