"""A pooled connection is asked whether it is there only where that is in doubt: a ping is a round trip of its own.

In doubt is one that nobody used for a while, or on whose socket something lies that nobody asked for: a server that
stops, or ends one session, says so and closes (`terminating connection …`), and to look there asks nobody. What
vanishes without a word within that while is noticed by the statement itself: its error is TRANSIENT.
"""

import selectors
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.clock import monotonic

UNDOUBTED_SECONDS = 1.0  # less than a peer that is gone takes to be noticed by any other means (database.ALIVE)
_USED = "used"


def ping_when_in_doubt(engine: Engine) -> None:
    """One that does not answer is replaced before it is used, and with it all that are as old."""

    def returned(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = monotonic()

    def taken(connection: "psycopg.Connection[Any]", entry: ConnectionPoolEntry, _fairy: object) -> None:
        used = entry.info.get(_USED)  # None: it was opened just now
        if used is not None and (monotonic() - used > UNDOUBTED_SECONDS or _has_heard(connection)):
            _ping(engine, connection)

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)


def _has_heard(connection: "psycopg.Connection[Any]") -> bool:
    """True where the server has said something since the last answer, or has closed."""
    if connection.closed:
        return True
    with selectors.DefaultSelector() as waiting:
        waiting.register(connection.fileno(), selectors.EVENT_READ)
        return bool(waiting.select(0))


def _ping(engine: Engine, connection: "psycopg.Connection[Any]") -> None:
    try:
        engine.dialect.do_ping(cast("DBAPIConnection", connection))
    except psycopg.Error as error:
        raise InvalidatePoolError(str(error)) from error
