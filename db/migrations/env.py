"""Alembic's way in: `db.schema.migrate` and `alembic_config` give the address.

Each migration is a transaction of its own, and what it finished stays finished. It gives way to whoever is at work: a
lock that it does not get at once it tries for again later (db/schema.py), since everybody else would wait behind it.
"""

from itertools import count
from threading import Event

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from backend.logs import log
from db import vector_models, webhook_models  # noqa: F401 (their tables belong to the metadata)
from db.models import Base

# Two starters at once (two API processes of a first deploy) must not both migrate.
MIGRATION_LOCK = 0x6167_656E_7369_756D
LOOK_SECONDS = 0.1
SAID_AFTER = 20  # looks; most migrations take less

# A migration may wait for two tables one after the other, holding the first: together a second, half of what a
# station waits for a row and a third of a lease (db/database.py). Building an index takes as long as it takes.
LIMITS = {
    "lock_timeout": "500ms",
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


def run() -> None:
    options = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    engine = create_engine(
        context.config.attributes["url"],
        poolclass=pool.NullPool,
        connect_args={"options": options, "application_name": "agensium-migrate"},
    )
    with engine.connect() as connection:
        _be_the_only_one(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def _be_the_only_one(connection: Connection) -> None:
    """As long as the connection lasts. Asked for again and again: an index that is built would wait for who waits."""
    mine = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=MIGRATION_LOCK)
    for look in count():
        with connection.begin():
            if connection.scalar(mine):
                return
        if look == SAID_AFTER:
            log().info("somebody else migrates this database; it is waited for")
        Event().wait(LOOK_SECONDS)


run()
