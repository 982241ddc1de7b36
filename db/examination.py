"""What `agensium doctor` asks the database: facts, no verdicts. It reads only."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.clock import half_way, now
from backend.settings import get_settings
from db.database import ALIVE, STATION_LIMITS, hosts_of, libpq_url
from db.schema import MIGRATIONS

TROUBLESOME = (  # of PostgreSQL's settings
    "fsync", "full_page_writes", "synchronous_commit", "autovacuum", "max_connections",
    "superuser_reserved_connections", "shared_buffers", "default_transaction_read_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """The database's server as one session meets it. `ahead_seconds`: this machine's clock beside its own.

    `limits`: those of a station that this session does not have, though it asked for them.
    """

    version: int  # 170002
    settings: Mapping[str, str]  # sizes in bytes
    is_standby: bool
    ahead_seconds: float
    encrypted: bool
    pgvector: str | None  # its version
    pgvector_available: str | None
    revision: str | None
    limits: Sequence[str]
    connections: int
    api_processes: int  # that have a connection now, and are no worker's


@dataclass(frozen=True, slots=True)
class Faults:
    """`idle`: sessions that hold a transaction and do nothing, the longest in seconds."""

    invalid_indexes: Sequence[str]
    unvacuumed: Sequence[str]
    idle: int
    idle_seconds: float


_SERVER = text("""
    SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), clock_timestamp(),
        (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
        (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'),
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        (SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'agensium-lookout')
""")
_SETTINGS = text("""
    SELECT name, CASE unit WHEN '8kB' THEN (setting::bigint * 8192)::text ELSE setting END AS value
    FROM pg_settings WHERE name = ANY(:names)
""")
_LIMITS = text("SELECT name, setting || coalesce(unit, '') AS value FROM pg_settings WHERE name = ANY(:names)")
_INVALID = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready) ORDER BY 1")
_UNVACUUMED = text("""
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND 'autovacuum_enabled=false' = ANY(reloptions) AND relnamespace = 'public'::regnamespace
    ORDER BY 1
""")
_IDLE = text("""
    SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0) FROM pg_stat_activity
    WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - CAST(:longer AS interval)
""")


def server(session: Session) -> Server:
    asked_at = now()
    row = session.execute(_SERVER).one()
    told_at = half_way(asked_at)
    return Server(
        version=row[0],
        settings={row.name: row.value for row in session.execute(_SETTINGS, {"names": list(TROUBLESOME)})},
        is_standby=row[1],
        ahead_seconds=(told_at - _aware(row[2])).total_seconds(),
        encrypted=_driver(session).pgconn.ssl_in_use,
        pgvector=row[3],
        pgvector_available=row[4],
        revision=_revision(session),
        limits=_lost_limits(session),
        connections=row[5],
        api_processes=row[6],
    )


def faults(session: Session, idle_longer_than: timedelta) -> Faults:
    idle, longest = session.execute(_IDLE, {"longer": idle_longer_than}).one()
    return Faults(
        invalid_indexes=session.scalars(_INVALID).all(),
        unvacuumed=session.scalars(_UNVACUUMED).all(),
        idle=idle,
        idle_seconds=float(longest),
    )


def hears_itself(seconds: float) -> bool:
    """True where a NOTIFY reaches who listens: not behind a pooler that lends connections by the transaction.

    Raises psycopg.Error.
    """
    channel = f"agensium_doctor_{uuid.uuid4().hex}".encode()
    with _alone() as listener, _alone() as teller:
        listener.execute(b"LISTEN " + channel)
        teller.execute(b"NOTIFY " + channel)
        return any(True for _ in listener.notifies(timeout=seconds, stop_after=1))


def newest_revision() -> str:
    """The newest migration that this code knows."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def knows_revision(revision: str) -> bool:
    """False for one that only newer code has."""
    return revision in {found.revision for found in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def sslmode(url: str) -> str:
    """How the connection is made, after our own rule for what the address leaves open."""
    said = make_url(libpq_url(url)).query.get("sslmode", "prefer")
    return said if isinstance(said, str) else said[-1]


def hosts(url: str) -> Sequence[str]:
    return hosts_of(make_url(url))


def reason(error: Exception) -> str:
    """One line of what PostgreSQL or its client says; it names host and account, never a password."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(told).split())


def _alone() -> "psycopg.Connection[Any]":
    settings = get_settings()
    return psycopg.connect(
        libpq_url(settings.database_url.get_secret_value()),
        autocommit=True,
        connect_timeout=settings.database_connect_timeout,
        application_name="agensium-doctor",
        **ALIVE,  # type: ignore[arg-type]
    )


def _driver(session: Session) -> "psycopg.Connection[Any]":
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _revision(session: Session) -> str | None:
    if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _lost_limits(session: Session) -> Sequence[str]:
    asked = dict(STATION_LIMITS)
    had = {row.name: row.value for row in session.execute(_LIMITS, {"names": list(asked)})}
    return [name for name in asked if had.get(name, "0ms") == "0ms"]


def _aware(at: datetime) -> datetime:
    assert at.tzinfo is not None
    return at
