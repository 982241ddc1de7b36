"""What a station did, counted when it is committed: of a transaction that is undone nothing is.

So each ending, each credit is counted once, by the process that committed it, whoever asked for it.
"""

from sqlalchemy import event
from sqlalchemy.orm import Session

from backend.metrics.kinds import Counter, Histogram
from backend.metrics.of_tasks import CREDITS, ENDED, MOVES, RUN, CreditKind
from db.prebuilt import Single, Station

_NOTED = "noted"  # in Session.info
Note = tuple[Counter | Histogram, tuple[str, ...], float]


def count(station: Station, metric: Counter, *labels: str, by: float = 1.0) -> None:
    """A single statement is committed by itself, and its answer is there."""
    _note(station, (metric, labels, by))


def observe(station: Station, metric: Histogram, value: float, *labels: str) -> None:
    _note(station, (metric, labels, value))


def move(station: Station, tool_id: str, kind: str, moves: int = 1) -> None:
    count(station, MOVES, tool_id, kind, by=moves)


def ending(station: Station, tool_id: str, status: str, error_code: str | None) -> None:
    """Of a task that a customer submitted, not of its parts."""
    count(station, ENDED, tool_id, status.lower(), error_code or "")


def run(station: Station, tool_id: str, seconds: float) -> None:
    observe(station, RUN, seconds, tool_id)


def credits_moved(station: Station, kind: CreditKind, amount: int) -> None:
    if amount:
        count(station, CREDITS, kind.value, by=amount)


def _note(station: Station, note: Note) -> None:
    if isinstance(station, Single):
        _write(note)
    else:
        station.info.setdefault(_NOTED, []).append(note)


def _write(note: Note) -> None:
    metric, labels, value = note
    if isinstance(metric, Counter):
        metric.count(*labels, by=value)
    else:
        metric.observe(value, *labels)


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    for note in session.info.pop(_NOTED, ()):
        _write(note)


@event.listens_for(Session, "after_rollback")
def _undone(session: Session) -> None:
    session.info.pop(_NOTED, None)
