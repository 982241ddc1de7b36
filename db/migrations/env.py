"""Alembic's way in: `db.schema.migrate` and `alembic_config` give the address."""

from alembic import context
from sqlalchemy import create_engine, pool

from db import vector_models, webhook_models  # noqa: F401 (their tables belong to the metadata)
from db.models import Base

# Two starters at once (two API processes of a first deploy) must not both migrate.
MIGRATION_LOCK = 0x6167_656E_7369_756D


def run() -> None:
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # a change that waits for somebody's long query would keep everybody else waiting behind it: rather try again
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
        context.run_migrations()


run()
