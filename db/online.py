"""What migrations do to tables that are in use: indexes and rules for rows without keeping a writer waiting.

Each ends the migration's transaction: PostgreSQL builds CONCURRENTLY only outside of one, and within one a lock would
last while rows are read. So everything in such a migration is said so that it may be said again (`if_not_exists`): it
is, when it was broken off.
"""

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import text

# A build waits for whoever is at work, and nobody waits behind it: so it may take its time (db/migrations/env.py).
PATIENTLY = "SET lock_timeout = 0"
_THERE = text("SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname = :name")
_BROKEN_OFF = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def build_index(name: str, table: str, columns: Sequence[str], *, where: str | None = None, **more: Any) -> None:
    """An index while its table is read and written. What a build that was broken off left behind is built anew.

    `columns` as SQL says them, such as `finished_at DESC`; `more` is Alembic's. An index that is whole stays.
    """
    columns_said = [column if column.isidentifier() else text(column) for column in columns]
    with op.get_context().autocommit_block():
        op.execute(PATIENTLY)
        if op.get_bind().scalar(_BROKEN_OFF, {"name": name}):
            op.drop_index(name, postgresql_concurrently=True)
        op.create_index(
            name, table, columns_said, if_not_exists=True, postgresql_concurrently=True,
            postgresql_where=None if where is None else text(where), **more,
        )  # fmt: skip
        op.execute("RESET lock_timeout")


def drop_index(name: str) -> None:
    """An index that nobody reads by any more: in a migration after the code that did is gone."""
    with op.get_context().autocommit_block():
        op.execute(PATIENTLY)
        op.drop_index(name, if_exists=True, postgresql_concurrently=True)
        op.execute("RESET lock_timeout")


def add_check(name: str, table: str, condition: str) -> None:
    """A rule that every new row keeps from now on; then those that are there are looked at."""
    with op.get_context().autocommit_block():
        if not op.get_bind().scalar(_THERE, {"table": table, "name": name}):
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(PATIENTLY)
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.execute("RESET lock_timeout")
