"""How often a station goes to PostgreSQL and back, BEGIN, COMMIT and ping among it: libpq itself writes it down."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from db.database import engine, transaction

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="psycopg lets libpq write down what it sends there only")
WARM = 7  # psycopg prepares a statement when it is said for the sixth time: one more round trip, once a connection


@contextmanager
def round_trips() -> Iterator[list[str]]:
    """What PostgreSQL was told in the block, one entry a round trip, over connections that are open already."""
    said: list[str] = []
    with transaction() as session:
        session.connection()  # it is there, and was used just now
    with tempfile.TemporaryFile() as heard:

        def trace(connection: Any, *_: object) -> None:
            connection.pgconn.trace(os.dup(heard.fileno()))

        def untrace(connection: Any, *_: object) -> None:
            connection.pgconn.untrace()

        event.listen(engine(), "checkout", trace, insert=True)
        event.listen(engine(), "checkin", untrace, insert=True)
        try:
            yield said
        finally:
            event.remove(engine(), "checkout", trace)
            event.remove(engine(), "checkin", untrace)
            heard.seek(0)
            said += _trips(heard.read().decode(errors="replace").splitlines())


def _trips(lines: list[str]) -> list[str]:
    """Each ends with ReadyForQuery; what was asked is the first line of it."""
    trips: list[str] = []
    asked = ""
    for line in lines:
        parts = line.split("\t", 4)
        if len(parts) > 3 and parts[1] == "F":
            asked = asked or " ".join(parts[3:])
        if len(parts) > 3 and parts[1] == "B" and parts[3] == "ReadyForQuery":
            trips.append(asked)
            asked = ""
    return trips


def trips_of(act: Callable[[], Any]) -> list[str]:
    with round_trips() as said:
        act()
    return said
