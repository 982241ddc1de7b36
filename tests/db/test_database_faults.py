import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from backend.metrics.of_doors import DatabaseFault
from backend.metrics.tally import TALLY
from db.database import DATABASE_ERRORS, statement, transaction
from db.faults import fault_of
from tests.metrics import value


def counted(fault: DatabaseFault) -> float:
    return value(TALLY.read(), "agensium_database_errors_total", {0: fault})


def wrapped(error: psycopg.Error) -> SQLAlchemyError:
    return DBAPIError.instance(None, None, error, psycopg.Error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (psycopg.errors.DeadlockDetected(), DatabaseFault.CONFLICT),
        (psycopg.errors.QueryCanceled(), DatabaseFault.TIMEOUT),
        (psycopg.errors.LockNotAvailable(), DatabaseFault.TIMEOUT),
        (psycopg.errors.AdminShutdown(), DatabaseFault.UNREACHABLE),
        (psycopg.errors.TooManyConnections(), DatabaseFault.POOL),
        (psycopg.errors.UniqueViolation(), None),
        (psycopg.errors.UndefinedTable(), DatabaseFault.OTHER),
        (psycopg.OperationalError("the connection is lost"), DatabaseFault.UNREACHABLE),
    ],
    ids=lambda value: getattr(value, "value", type(value).__name__),
)
def test_each_error_has_its_reason(error: psycopg.Error, fault: DatabaseFault | None) -> None:
    assert fault_of(error) == fault
    assert fault_of(wrapped(error)) == fault


def test_a_pool_without_a_free_connection_is_named() -> None:
    assert fault_of(NoConnectionFree()) is DatabaseFault.POOL


@pytest.mark.usefixtures("database")
def test_a_transaction_and_a_single_statement_count_what_made_them_fail() -> None:
    TALLY.take()
    with pytest.raises(DATABASE_ERRORS):
        too_long()
    with pytest.raises(DATABASE_ERRORS), statement() as single:
        single.first("SELECT nobody_knows_this()", {})
    assert counted(DatabaseFault.TIMEOUT) == 1
    assert counted(DatabaseFault.OTHER) == 1


def too_long() -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = '10ms'"))
        session.execute(text("SELECT pg_sleep(1)"))
