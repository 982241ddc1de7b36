"""How an event stream is written: one block of text an event, as browsers' EventSource reads it.

retry: 1000                              first; how soon to come back when the stream breaks
event: snapshot | resync                 the whole task, with the number of the last event that it contains
event: <kind>, id: <number>              one of the task's events, in order and without a gap
event: text, id: <number>                a stretch of an answer while it is written: plain words, never markup
event: progress                          between events; it has no number, for it is not repeated
: keep-alive                             so that nobody in between takes the stream for dead
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.schemas import ItemCounts, Told
from db.events import LEADS_TO, EventKind, public
from db.models import TERMINAL, TaskStatus
from db.watching import Happened, Standing

RETRY = b"retry: 1000\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it is sent; the progress and agent that it told."""

    seq: int
    text: bytes
    last: bool  # nothing comes after it
    progress: float
    current_agent: str | None


class EventView(Told):
    """One event. `progress` and `current_agent` are those of the moment in which it was sent."""

    seq: int
    kind: str
    at: datetime
    task_id: str
    status: TaskStatus | None
    progress: float
    current_agent: str | None
    data: dict[str, Any]


class ProgressView(Told):
    progress: float
    current_agent: str | None
    items: ItemCounts | None = None  # of a batch


def line_of(happened: Happened, standing: Standing) -> Line:
    status = LEADS_TO.get(EventKind(happened.kind)) if happened.kind in set(EventKind) else None
    last = status in TERMINAL
    view = EventView(
        seq=happened.seq,
        kind=happened.kind,
        at=happened.at,
        task_id=str(standing.task_id),
        status=status,
        progress=round(standing.progress, 1),
        current_agent=None if last else standing.current_agent,
        data=public(happened.data),
    )
    text = block(happened.kind, view, happened.seq)
    return Line(happened.seq, text, last, view.progress, view.current_agent)


def block(event: str, view: Told, seq: int | None = None) -> bytes:
    """JSON has no line break in it, so one `data:` line holds it."""
    number = "" if seq is None else f"id: {seq}\n"
    return f"event: {event}\n{number}data: {view.model_dump_json()}\n\n".encode()
