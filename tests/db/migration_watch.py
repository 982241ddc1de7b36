"""Looks on while a migration runs, and says what an installation that is in use would not bear.

It asks PostgreSQL, not the words of the migration: which locks a statement holds, whose rows it read under them, whose
files were written anew. Only what runs outside of a transaction, whose locks are gone at once, is judged by its words.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine, event

# Writers wait for these; the first also lets no reader pass.
BLOCKING = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
MOST_TABLES = 2  # for which one after the other a migration may wait: db/migrations/env.py has the sum
MOST_ROWS = 1000  # changed in one transaction: they stay locked until its end
OUTSIDE = re.compile(
    r"\s*(CREATE (UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX \w+ CONCURRENTLY|SET |RESET |SELECT "
    r"|ALTER INDEX \S+ RENAME|ALTER TABLE \S+ VALIDATE CONSTRAINT|ALTER TABLE \S+ ADD CONSTRAINT .* NOT VALID)",
    re.IGNORECASE,
)

_TABLES = """
    SELECT c.relname, c.relfilenode, coalesce(x.seq_tup_read, 0) + coalesce(x.idx_tup_fetch, 0),
        coalesce(x.n_tup_upd, 0) + coalesce(x.n_tup_del, 0),
        ARRAY(SELECT mode FROM pg_locks l WHERE l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted)
    FROM pg_class c LEFT JOIN pg_stat_xact_user_tables x ON x.relid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
"""
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) IS NOT NULL
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace
"""
_RULES = """
    SELECT c.relname, 'constraint ' || conname,
        ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))
    FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT c.relname, 'unique index ' || i.relname,
        ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey))
    FROM pg_index
    JOIN pg_class c ON c.oid = indrelid JOIN pg_class i ON i.oid = indexrelid
    WHERE indisunique AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@dataclass(frozen=True)
class Table:
    """One table as a statement leaves it: counts are those of the connection so far."""

    file: int
    read: int
    changed: int
    locks: frozenset[str]


@dataclass(frozen=True)
class Contract:
    """What running code relies upon: columns (type, not null, has a default), and what refuses which rows."""

    columns: dict[tuple[str, str], tuple[str, bool, bool]]
    rules: dict[tuple[str, str], list[str]]


def contract(connection: psycopg.Connection[Any]) -> Contract:
    columns = {
        (table, name): (kind, required, given) for table, name, kind, required, given in connection.execute(_COLUMNS)
    }
    return Contract(columns, {(table, rule): names for table, rule, names in connection.execute(_RULES)})


def broken(before: Contract, after: Contract) -> list[str]:
    """What code that knows only `before` would stumble over in `after`."""
    tables = {table for table, _ in before.columns}
    gone = [f"{table}.{name}: gone" for table, name in before.columns if (table, name) not in after.columns]
    found = list(gone)
    for (table, name), (kind, required, given) in after.columns.items():
        was = before.columns.get((table, name))
        if was is None and table in tables and required and not given:
            found.append(f"{table}.{name}: asked of code that does not know it")
        elif was is not None and was != (kind, required, given):
            found.append(f"{table}.{name}: changed under code that knows it as it was")
    new_rules = [
        (table, rule)
        for (table, rule), names in after.rules.items()
        if (table, rule) not in before.rules and any((table, name) in before.columns for name in names)
    ]
    return [*found, *(f"{table}: {rule} refuses what the code before may write" for table, rule in sorted(new_rules))]


class Watch:
    """Judges every statement of one connection."""

    def __init__(self, existing: Sequence[str]) -> None:
        self.existing = frozenset(existing)
        self.findings: list[str] = []
        self.statements: list[str] = []
        self._before: dict[str, Table] = {}

    def before(self, connection: psycopg.Connection[Any]) -> None:
        if not connection.autocommit:
            self._before = self._look(connection)

    def after(self, connection: psycopg.Connection[Any], statement: str) -> None:
        self.statements.append(statement)
        if connection.autocommit:
            self._say([] if OUTSIDE.match(statement) else [f"outside of a transaction: {' '.join(statement.split())}"])
            return
        now = self._look(connection)
        for name, table in now.items():
            self._say(_harm(name, self._before[name], table))
        blocked = [name for name, table in now.items() if table.locks & set(BLOCKING)]
        if len(blocked) > MOST_TABLES:
            self._say([f"{', '.join(sorted(blocked))}: all kept locked at once"])

    def _look(self, connection: psycopg.Connection[Any]) -> dict[str, Table]:
        rows = connection.execute(_TABLES)
        return {
            name: Table(file, read, changed, frozenset(locks))
            for name, file, read, changed, locks in rows
            if name in self.existing
        }

    def _say(self, findings: Sequence[str]) -> None:
        self.findings += [finding for finding in findings if finding not in self.findings]


def _harm(name: str, before: Table, after: Table) -> Iterator[str]:
    lock = next((lock for lock in BLOCKING if lock in after.locks), None)
    if after.file != before.file:
        yield f"{name}: written anew"
    elif lock and after.read > before.read:
        yield f"{name}: its rows are read while it is locked ({lock})"
    if after.changed - before.changed > MOST_ROWS:
        yield f"{name}: too many rows are changed in one transaction"


@contextmanager
def watching(database: str, watch: Watch) -> Iterator[None]:
    """Every statement that this process sends to the database of that name."""

    def ours(connection: Any) -> psycopg.Connection[Any] | None:
        return connection.connection.driver_connection if connection.engine.url.database == database else None

    def before(connection: Any, *_: Any) -> None:
        if driver := ours(connection):
            watch.before(driver)

    def after(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if driver := ours(connection):
            watch.after(driver, statement)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)
