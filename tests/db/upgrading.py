"""A house that is as old as the first migration and full of rows, brought up one migration at a time.

`tests/db/vintages/NNNN.sql` is what the code of that migration writes beside what its elders wrote. After each step all
of them write once more: as the new code does, and as the old code does that still runs beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from alembic import command
from alembic.script import ScriptDirectory
from migration_watch import Watch, broken, contract, watching
from psycopg import sql

from backend.embedded import EmbeddedPostgres
from db.database import libpq_url
from db.schema import alembic_config

VINTAGES = Path(__file__).parent / "vintages"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


@dataclass
class Upgrade:
    """What was seen on the way up."""

    url: str
    findings: dict[str, list[str]] = field(default_factory=dict)  # migration → what a house in use would not bear
    statements: dict[str, list[str]] = field(default_factory=dict)
    lost: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)  # its tables: rows before, after


def revisions() -> list[Any]:
    """Every migration, the first one first."""
    return list(reversed(list(ScriptDirectory.from_config(alembic_config("postgresql://")).walk_revisions())))


def climb(url: str, last: str = "head") -> Upgrade:
    """From nothing to that migration, with rows of every age."""
    seen = Upgrade(url)
    for script in revisions():
        _step(seen, script.revision)
        if script.revision == last:
            break
    return seen


def _step(seen: Upgrade, revision: str) -> None:
    before, counted, watch = _state(seen.url)
    with watching(seen.url.rpartition("/")[2], watch):
        command.upgrade(alembic_config(seen.url), revision)
    after, recounted, _ = _state(seen.url)
    seen.findings[revision] = [*watch.findings, *broken(before, after)] if counted else []
    seen.statements[revision] = watch.statements
    seen.lost[revision] = {name: (n, recounted.get(name, 0)) for name, n in counted.items() if recounted.get(name) != n}
    write_as_of(seen.url, revision)


def _state(url: str) -> tuple[Any, dict[str, int], Watch]:
    with psycopg.connect(libpq_url(url)) as connection:
        names = [name for (name,) in connection.execute(_TABLES)]
        counted = {
            name: connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchall()[0][0]
            for name in names
        }
        return contract(connection), counted, Watch(names)


def write_as_of(url: str, revision: str) -> None:
    """The rows of this migration's code and of all before it, under this migration's name."""
    with psycopg.connect(libpq_url(url)) as connection:
        for file in sorted(VINTAGES.glob("*.sql")):
            if file.stem <= revision:
                connection.execute(cast("LiteralString", file.read_text(encoding="utf-8").replace("{v}", revision)))


@contextmanager
def fresh(postgres: EmbeddedPostgres, name: str, template: str = "template1") -> Iterator[str]:
    """A database for the block; its address."""
    url = postgres.create_database(name, template=template)
    try:
        yield url
    finally:
        with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
