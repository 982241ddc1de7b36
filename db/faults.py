"""What the database refused, by reason: counted for each transaction that it made fail."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from backend.metrics.of_doors import DATABASE_FAULTS, DatabaseFault

NO_CONNECTION_LEFT = "53300"  # of the server's own
_TIMEOUTS = ("57014", "55P03", "25P03", "25P04")  # of a statement, a lock, an idle transaction, a transaction
_NOT_ITS_OWN = ("22", "23")  # a value that does not fit, a key that is there already: who asked knows what to do


@contextmanager
def counting_faults() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        fault = fault_of(error)
        if fault is not None:
            DATABASE_FAULTS.count(fault)
        raise


def fault_of(error: SQLAlchemyError | psycopg.Error) -> DatabaseFault | None:
    """None where the database did what it should."""
    if isinstance(error, NoConnectionFree):
        return DatabaseFault.POOL
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return DatabaseFault.OTHER
    code = cause.sqlstate
    if code is None:
        return DatabaseFault.UNREACHABLE if isinstance(cause, psycopg.OperationalError) else DatabaseFault.OTHER
    return _by_code(code)


def _by_code(code: str) -> DatabaseFault | None:
    if code.startswith(_NOT_ITS_OWN):
        return None
    if code in _TIMEOUTS:
        return DatabaseFault.TIMEOUT
    if code == NO_CONNECTION_LEFT:
        return DatabaseFault.POOL
    if code.startswith(("08", "57P")):  # the connection's, and a server that ends or begins
        return DatabaseFault.UNREACHABLE
    return DatabaseFault.CONFLICT if code.startswith("40") else DatabaseFault.OTHER
