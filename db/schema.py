"""Bringing a database to the newest migration. Apart from database.py, so that only who migrates loads Alembic."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from backend.clock import jitter, monotonic
from backend.errors import AgensiumError
from backend.logs import log
from backend.settings import get_settings
from db.database import libpq_url, sqlalchemy_url

MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE_SECONDS = 600.0  # longer than a station by far; what blocks for longer, a person should look at
_IN_THE_WAY = """
    SELECT concat_ws(' ', 'process', pid, application_name, 'since', date_trunc('second', xact_start))
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '1s'
    ORDER BY xact_start LIMIT 3
"""


class MigrationBlocked(AgensiumError):
    """A transaction of somebody else's held a table for as long as a migration tried."""

    next_action = "Run it again when that is over; what was finished stays finished."


def migrate(url: str, patience: float = PATIENCE_SECONDS) -> None:
    """Bring the database at `url` to the newest migration, while it is in use.

    A migration that does not get its lock within half a second lets everybody else pass and tries again.

    Raises:
        MigrationBlocked: after `patience` seconds of that; with who was in the way. What was finished stays.
    """
    for pause in _pauses(patience):
        try:
            command.upgrade(alembic_config(url), "head")
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise
            log().warning("a migration gave way", again_in=round(pause, 1), in_the_way=_in_the_way(url))
            Event().wait(pause)
        else:
            return
    raise MigrationBlocked(
        f"The database is not at the newest migration: for {patience:.0f} seconds somebody held a table. "
        f"In the way: {'; '.join(_in_the_way(url)) or 'nobody any more'}."
    )


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(url)
    return config


def _pauses(patience: float) -> Iterator[float]:
    """Half a second to twenty, longer each time, until the patience is spent."""
    until, longest = monotonic() + patience, 1.0
    while monotonic() < until:
        yield longest / 2 + jitter(longest / 2)
        longest = min(20.0, longest * 1.5)


def _in_the_way(url: str) -> list[str]:
    """Who has had a transaction open for a while, the longest first; nobody where PostgreSQL does not say."""
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=get_settings().database_connect_timeout) as connection:
            return [row[0] for row in connection.execute(_IN_THE_WAY)]
    except psycopg.Error:
        return []
