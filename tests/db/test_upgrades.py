"""From the first migration to the newest with rows in every table, while the house is in use."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from migration_watch import Watch, broken, contract, watching
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine, pool, text
from upgrading import Upgrade, climb, fresh, revisions, write_as_of

from backend.devstack import Stack
from db.database import libpq_url, sqlalchemy_url, transactions_at
from db.schema import alembic_config
from db.verification import LEDGER, STATES, breaches

_TOLD = SQL("SELECT count({}) FROM {}")
REVISIONS = [script.revision for script in revisions()]
HEAD = REVISIONS[-1]


@pytest.fixture(scope="module")
def upgraded(stack: Stack) -> Iterator[Upgrade]:
    """A database at the newest migration that was filled at each."""
    with fresh(stack.postgres, "agensium_upgraded") as url:
        yield climb(url)


def allowed(revision: str) -> dict[str, str]:
    """What a migration may do all the same, and why: `ALLOWED = {finding: reason}` in its file."""
    return next(getattr(script.module, "ALLOWED", {}) for script in revisions() if script.revision == revision)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_migration_does_nothing_that_a_house_in_use_would_not_bear(upgraded: Upgrade, revision: str) -> None:
    assert upgraded.statements[revision]
    assert sorted(upgraded.findings[revision]) == sorted(allowed(revision))
    assert all(allowed(revision).values())


@pytest.mark.parametrize("revision", REVISIONS)
def test_no_migration_loses_a_row(upgraded: Upgrade, revision: str) -> None:
    assert upgraded.lost[revision] == {}


@pytest.mark.parametrize("rules", [LEDGER, STATES], ids=["ledger", "states"])
def test_what_rows_of_every_age_say_is_proven_at_the_newest(upgraded: Upgrade, rules: Any) -> None:
    with transactions_at(upgraded.url) as begin, begin() as session:
        assert breaches(session, rules) == []


def test_at_the_newest_there_is_what_the_models_describe(upgraded: Upgrade) -> None:
    command.check(alembic_config(upgraded.url))


def test_every_table_and_every_column_had_something_to_lose(upgraded: Upgrade) -> None:
    """Who adds a column adds what its code writes: tests/db/vintages."""
    with psycopg.connect(libpq_url(upgraded.url)) as connection:
        empty = [
            f"{table}.{column}"
            for table, column in sorted(contract(connection).columns)
            if table != "alembic_version"
            and not connection.execute(_TOLD.format(*map(Identifier, (column, table)))).fetchall()[0][0]
        ]
    assert empty == []


def test_rows_of_every_age_are_there(upgraded: Upgrade) -> None:
    with psycopg.connect(libpq_url(upgraded.url)) as connection:
        ages = connection.execute("SELECT array_agg(DISTINCT substr(email, 2, 4)) FROM users").fetchall()[0][0]
        states = connection.execute("SELECT count(DISTINCT status) FROM tasks").fetchall()[0][0]
    assert sorted(ages) == REVISIONS
    assert states == 8


PLANTED = {
    "CREATE INDEX ix_planted ON tasks (tool_id)": "tasks: its rows are read while it is locked (ShareLock)",
    "ALTER TABLE tasks ADD COLUMN planted timestamptz DEFAULT clock_timestamp()": "tasks: written anew",
    "ALTER TABLE tasks ADD COLUMN planted uuid DEFAULT gen_random_uuid()": "tasks: written anew",
    "ALTER TABLE task_steps ALTER COLUMN duration_ms TYPE bigint": "task_steps: written anew",
    "ALTER TABLE tasks ALTER COLUMN cost SET NOT NULL": None,  # it is so already
    "ALTER TABLE users ADD CONSTRAINT planted CHECK (email <> '')": (
        "users: its rows are read while it is locked (AccessExclusiveLock)"
    ),
    "ALTER TABLE users ADD CONSTRAINT planted UNIQUE (password_hash, email)": (
        "users: its rows are read while it is locked (AccessExclusiveLock)"
    ),
    "ALTER TABLE task_steps ADD CONSTRAINT planted FOREIGN KEY (task_id) REFERENCES tasks (id)": (
        "task_steps: its rows are read while it is locked (ShareRowExclusiveLock)"
    ),
    "ALTER TABLE users ADD CONSTRAINT c CHECK (email <> '') NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c": (
        "users: its rows are read while it is locked (AccessExclusiveLock)"
    ),
    "CREATE TABLE a (t uuid REFERENCES tasks, u bigint REFERENCES users, e bigint REFERENCES credit_entries)": (
        "credit_entries, tasks, users: all kept locked at once"
    ),
    "ALTER TABLE tasks DROP COLUMN outcome": "tasks.outcome: gone",
    "ALTER TABLE tasks RENAME COLUMN outcome TO result": "tasks.outcome: gone",
    "DROP TABLE lanes": "lanes.cap: gone",
    "ALTER TABLE agent_paces ALTER COLUMN largest_mebibytes DROP DEFAULT": (
        "agent_paces.largest_mebibytes: changed under code that knows it as it was"
    ),
    "ALTER TABLE lanes ADD planted int NOT NULL DEFAULT 1; ALTER TABLE lanes ALTER planted DROP DEFAULT": (
        "lanes.planted: asked of code that does not know it"
    ),
    "ALTER TABLE users ADD CONSTRAINT planted CHECK (role <> 'owner') NOT VALID": (
        "users: constraint planted refuses what the code before may write"
    ),
    "CREATE UNIQUE INDEX planted ON lanes (user_id, cap)": (
        "lanes: unique index planted refuses what the code before may write"
    ),
    "CREATE TABLE planted (id int PRIMARY KEY, user_id bigint REFERENCES users)": None,
    "ALTER TABLE tasks ADD COLUMN planted int NOT NULL DEFAULT 0": None,
    "ALTER TABLE tasks ADD COLUMN planted text": None,
    "ALTER TABLE tasks ADD planted int; ALTER TABLE tasks ADD CONSTRAINT c CHECK (planted > 0) NOT VALID": None,
}


@pytest.mark.parametrize("planted", [sql for sql, harm in PLANTED.items() if harm])
def test_a_planted_harm_is_seen(upgraded: Upgrade, planted: str) -> None:
    assert PLANTED[planted] in seen_of(upgraded.url, planted)


@pytest.mark.parametrize("harmless", [sql for sql, harm in PLANTED.items() if harm is None])
def test_what_harms_nobody_is_not_refused(upgraded: Upgrade, harmless: str) -> None:
    assert seen_of(upgraded.url, harmless) == []


def test_a_whole_table_that_is_changed_at_once_is_seen(upgraded: Upgrade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migration_watch.MOST_ROWS", 10)
    assert seen_of(upgraded.url, "UPDATE tasks SET priority = 1") == [
        "tasks: too many rows are changed in one transaction"
    ]


@pytest.mark.parametrize(
    "planted", ["CREATE INDEX planted ON tasks (id)", "UPDATE tasks SET priority = 1", "VACUUM tasks"]
)
def test_outside_of_a_transaction_is_done_only_what_is_meant_for_it(upgraded: Upgrade, planted: str) -> None:
    watch = Watch(["tasks"])
    with psycopg.connect(libpq_url(upgraded.url), autocommit=True) as connection:
        watch.after(connection, planted)
    assert watch.findings == [f"outside of a transaction: {planted}"]


def seen_of(url: str, planted: str) -> list[str]:
    """What the watch says of a migration that does this, which is undone."""
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection, connection.begin() as begun:
        driver: Any = connection.connection.driver_connection
        before = contract(driver)
        watch = Watch([table for table, _ in before.columns])
        with watching("agensium_upgraded", watch):
            for statement in planted.split("; "):
                connection.execute(text(statement))
        found = [*watch.findings, *broken(before, contract(driver))]
        begun.rollback()
    return found


def test_code_of_every_age_writes_into_the_newest(stack: Stack, upgraded: Upgrade) -> None:
    """Old code runs beside new code for as long as a deploy takes."""
    with fresh(stack.postgres, "agensium_of_today") as url:
        command.upgrade(alembic_config(url), "head")
        write_as_of(url, HEAD)
        with transactions_at(url) as begin, begin() as session:
            assert [*breaches(session, LEDGER), *breaches(session, STATES)] == []
