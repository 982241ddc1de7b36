"""How often a station goes to PostgreSQL and back, BEGIN, COMMIT and ping among it: libpq itself writes it down."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import event

from db import pooled
from db.database import engine, transaction

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="psycopg lets libpq write down what it sends there only")
_PREPARING = 'Parse  "_pg3'  # psycopg's, when a statement is said for the sixth time: once a connection, so not counted


@contextmanager
def round_trips(undoubted_seconds: float = 60.0) -> Iterator[list[str]]:
    """What PostgreSQL was told in the block, one entry a round trip, over connections that are open already.

    However long a busy machine left them idle, none is in doubt.
    """
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
            with patch.object(pooled, "UNDOUBTED_SECONDS", undoubted_seconds):
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
            trips += [] if asked.startswith(_PREPARING) else [asked]
            asked = ""
    return trips


def trips_of(act: Callable[[], Any], undoubted_seconds: float = 60.0) -> list[str]:
    with round_trips(undoubted_seconds) as said:
        act()
    return said
