"""The way to PostgreSQL: one engine a process, and the only two commits in the house.

`transaction()` is for a station of several statements: its BEGIN and COMMIT are round trips of their own. `statement()`
is for one that is a single statement, which PostgreSQL commits by itself. Every connection carries its own time-outs,
so that a frozen process cannot hold a row (DESIGN §5.2). A child that was forked never uses what its parent opened.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session as Session  # noqa: PLC0414 (the other rooms know it from here)
from sqlalchemy.orm import sessionmaker

from backend import traces
from backend.settings import get_settings
from backend.tls import postgres_tls
from db.faults import counting_faults
from db.pooled import ping_when_in_doubt
from db.prebuilt import Single

DatabaseError = SQLAlchemyError  # what any of this room's functions may raise, for rooms that know no SQLAlchemy
# A peer that vanished without a word is noticed within a lease or two, not by TCP's own two hours. Where the system
# has no tcp_user_timeout, libpq passes it over.
ALIVE = {"keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 5000}
DATABASE_ERRORS = (SQLAlchemyError, psycopg.Error)

# A station is a few milliseconds of work. Whoever holds a transaction longer is frozen or lost, and must let go
# before a lease (3 s) runs out. PostgreSQL 17 brought transaction_timeout.
STATION_LIMITS = {
    "idle_in_transaction_session_timeout": "2s",
    "lock_timeout": "2s",
    "statement_timeout": "5s",
    "transaction_timeout": "6s",
}


def sqlalchemy_url(url: str) -> str:
    """The same address, said to SQLAlchemy: any `postgres…` scheme becomes psycopg 3, verified."""
    return _verified(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def libpq_url(url: str) -> str:
    """The same address, said to psycopg itself."""
    return _verified(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _verified(url: str) -> URL:
    """With TLS, and a certificate that is proven, to any other machine, unless the address says how it wants it."""
    found = make_url(url)
    return found.update_query_dict(postgres_tls(hosts_of(found), found.query))


def hosts_of(url: URL) -> tuple[str, ...]:
    """All that libpq is told to connect to, by name and by number: by the address or, where it says neither, by the
    environment. One empty name for a Unix socket.
    """
    said = (url.query.get("host", url.host or ""), url.query.get("hostaddr", ""))
    if not any(said):
        said = (os.environ.get("PGHOST", ""), os.environ.get("PGHOSTADDR", ""))
    named = ",".join(one if isinstance(one, str) else ",".join(one) for one in said if one)
    return tuple(named.split(","))


def new_engine(url: str, pool_size: int = 5) -> Engine:
    """An engine whose every connection has the limits of a station."""
    options = " ".join(f"-c {name}={value}" for name, value in STATION_LIMITS.items())
    made = create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_use_lifo=True,  # the one that was used last: it needs no ping, and its statements are prepared
        hide_parameters=True,  # an error's text goes to logs and rows; the values are customers' and ours
        connect_args={
            "options": f"-c TimeZone=UTC -c jit=off {options}",
            "connect_timeout": get_settings().database_connect_timeout,
            "application_name": f"agensium-{os.getpid()}",
            **ALIVE,
        },
    )
    ping_when_in_doubt(made)
    return made


@lru_cache(maxsize=1)
def engine() -> Engine:
    """This process' engine, opened at first use."""
    settings = get_settings()
    return new_engine(settings.database_url.get_secret_value(), settings.database_pool_size)


@lru_cache(maxsize=1)
def SessionLocal() -> sessionmaker[Session]:  # noqa: N802 (the field's name for it)
    return sessionmaker(engine(), expire_on_commit=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end of the block, or rolls back when it raises."""
    with (
        counting_faults(),
        traces.door("transaction", db__system__name="postgresql"),
        SessionLocal().begin() as session,
    ):
        yield session


@contextmanager
def statement() -> Iterator[Single]:
    """For a station that is one statement: all of it is committed when its answer comes, or nothing.

    What raises afterwards undoes nothing: only for a statement that writes nothing where it is to be refused. The
    limits, the pool and the errors are those of a transaction; psycopg prepares the statement at its sixth use on a
    connection, as any other. (A pooler between us and PostgreSQL must know prepared statements of the protocol.)
    """
    try:
        with (
            counting_faults(),
            traces.door("statement", db__system__name="postgresql"),
            closing(engine().raw_connection()) as pooled,
        ):
            connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
            connection.autocommit = True
            try:
                yield Single(connection)
            finally:
                if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                    connection.autocommit = False
                else:  # its server is gone, or an answer is still on its way
                    pooled.invalidate()
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


@contextmanager
def patient_transaction() -> Iterator[Session]:
    """Reading only, for as long as it takes: a proof over whole tables is no station, and holds nobody's row."""
    with transaction() as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1min'"))  # it freezes nobody
        session.execute(text("SET LOCAL transaction_timeout = 0"))
        session.execute(text("SET LOCAL statement_timeout = 0"))
        yield session


# Said in a statement of its transaction: the commit does not wait for the disk. A crash of PostgreSQL may forget it,
# never what was committed after it in the usual way; so it is for what would only be done once more.
MAY_BE_FORGOTTEN = "set_config('synchronous_commit', 'off', true)"


def must_last(session: Session) -> None:
    """Takes MAY_BE_FORGOTTEN back."""
    session.execute(text("SET LOCAL synchronous_commit = on"))


def impatient(session: Session) -> None:
    """In this transaction a locked row is an error at once, for who has others to look after."""
    session.execute(text("SET LOCAL lock_timeout = '100ms'"))


def ping() -> None:
    """Raise DatabaseError unless the database answers."""
    with transaction() as session:
        session.execute(text("SELECT 1"))


def house(session: Session) -> str:
    """Tells this database from every other, for what several of them may share."""
    mine = text("SELECT system_identifier || '/' || current_database() FROM pg_control_system()")
    return str(session.scalar(mine))


@contextmanager
def transactions_at(url: str) -> Iterator[Callable[[], AbstractContextManager[Session]]]:
    """Transactions on another database than this process' own, for the length of the block."""
    other = new_engine(url)
    try:
        yield sessionmaker(other, expire_on_commit=False).begin
    finally:
        other.dispose()


def private_transactions() -> Callable[[], AbstractContextManager[Session]]:
    """Transactions on a connection that nobody else can keep busy; for beats."""
    url = get_settings().database_url.get_secret_value()
    return sessionmaker(new_engine(url, pool_size=1), expire_on_commit=False).begin


def close_database() -> None:
    """Close what this process holds; the next use opens anew."""
    if engine.cache_info().currsize:
        engine().dispose()
    forget_database()


def forget_database() -> None:
    """Drop the engine without a word to its connections: they belong to another process or database."""
    if engine.cache_info().currsize:
        engine().dispose(close=False)
    engine.cache_clear()
    SessionLocal.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_database)
