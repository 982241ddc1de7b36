"""A migration gives way to who is at work, goes on where it was broken off, and keeps no writer waiting for long."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

import psycopg
import pytest
import structlog
from alembic import command
from side_by_side import in_thread, outcome, until
from sqlalchemy import Engine, event
from test_migrations import schema
from upgrading import fresh, revisions, write_as_of

from backend.devstack import Stack
from db.database import libpq_url
from db.schema import MigrationBlocked, alembic_config, migrate

HEAD = revisions()[-1].revision
BEFORE_A_COLUMN = "0004"  # 0005 adds one to the tasks
STALL = 2.0  # seconds: what a station waits for a lock; a migration waits for two half a second each
MANY = 200_000
OUTSIDE = re.compile("CONCURRENTLY|VALID")  # what is done outside of a transaction, and stays


@pytest.fixture
def fourth(stack: Stack) -> Iterator[str]:
    """A database as it was at BEFORE_A_COLUMN, with rows."""
    with fresh(stack.postgres, "agensium_fourth") as url:
        command.upgrade(alembic_config(url), BEFORE_A_COLUMN)
        write_as_of(url, BEFORE_A_COLUMN)
        yield url


@dataclass
class Writer:
    """Writes into the tasks as beats do, one statement after the other."""

    url: str
    over: Event = field(default_factory=Event)
    longest: float = 0.0
    written: int = 0

    def write(self) -> None:
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            while not self.over.wait(0.005):
                begun = monotonic()
                connection.execute("UPDATE tasks SET lease_until = clock_timestamp() WHERE status = 'PROCESSING'")
                self.longest = max(self.longest, monotonic() - begun)
                self.written += 1


@contextmanager
def writing(url: str) -> Iterator[Writer]:
    writer = Writer(url)
    with in_thread(writer.write) as written:
        try:
            until(lambda: writer.written > 0 or written.done())
            yield writer
        finally:
            writer.over.set()
    written.result()


@contextmanager
def reading(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who reads the tasks in one long transaction, as pg_dump does."""
    with psycopg.connect(libpq_url(url), application_name="long-reader") as connection:
        connection.execute("SELECT count(*) FROM tasks")
        yield connection
        connection.rollback()


def test_a_migration_lets_writers_pass_while_a_long_reader_is_in_its_way(fourth: str) -> None:
    there = Event()
    with structlog.testing.capture_logs() as logs, writing(fourth) as writer:
        with in_thread(lambda: there.wait() and migrate(fourth)) as migrated, reading(fourth):
            there.set()
            until(lambda: len(gave_way(logs)) > 1 or migrated.done())
            assert not migrated.done()
        migrated.result()
    assert writer.longest < STALL
    assert "long-reader" in str(gave_way(logs)[-1])
    assert revision_of(fourth) == HEAD


def test_a_migration_that_never_gets_its_lock_says_who_held_it(fourth: str) -> None:
    with reading(fourth):
        refused = outcome(lambda: migrate(fourth, patience=1.5))
    assert isinstance(refused, MigrationBlocked)
    assert "long-reader" in str(refused)
    assert revision_of(fourth) == BEFORE_A_COLUMN


def gave_way(logs: Any) -> list[Any]:
    return [line for line in logs if line["event"] == "a migration gave way"]


def revision_of(url: str) -> str:
    with psycopg.connect(libpq_url(url)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchall()[0][0])


class BrokenOff(Exception):
    """As if the migrator had been killed."""


def test_broken_off_after_any_act_that_stays_a_migration_goes_on_when_it_is_run_again(
    stack: Stack, database: str
) -> None:
    """An index that was broken off is there and does not count: it is built anew."""
    with fresh(stack.postgres, "agensium_broken_off") as url:
        broken_off = 0
        with breaking_off(after=lambda: broken_off) as told:
            while isinstance(ended := outcome(lambda: command.upgrade(alembic_config(url), "head")), BrokenOff):
                broken_off += 1
                spoil(url, told[-1])
        assert ended is None
        assert broken_off > 10
        assert revision_of(url) == HEAD
        assert schema(url) == schema(database)
        with psycopg.connect(libpq_url(url)) as connection:
            assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchall() == [(0,)]


@contextmanager
def breaking_off(after: Callable[[], int]) -> Iterator[list[str]]:
    """Raises BrokenOff at the act outside of a transaction that comes next after so many; those that were met."""
    told: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if OUTSIDE.search(statement) and statement not in told and len(told) == after():
            told.append(statement)
            raise BrokenOff

    event.listen(Engine, "after_cursor_execute", look)
    try:
        yield told
    finally:
        event.remove(Engine, "after_cursor_execute", look)


def spoil(url: str, statement: str) -> None:
    """What a build leaves behind that was ended half-way."""
    if begun := re.match(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\w+)", statement.strip()):
        with psycopg.connect(libpq_url(url)) as connection:
            connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [begun[1]])


@pytest.mark.long
def test_two_hundred_thousand_tasks_are_brought_up_while_they_are_written(stack: Stack) -> None:
    with fresh(stack.postgres, "agensium_many") as url:
        command.upgrade(alembic_config(url), "0001")
        write_as_of(url, "0001")
        multiply(url)
        with writing(url) as writer:
            begun = monotonic()
            migrate(url)
            took = monotonic() - begun
        print(f"{MANY} tasks: migrated in {took:.1f} s, {writer.written} writes, longest {writer.longest:.3f} s")
        assert writer.written > 10 * took  # it was not kept out
        assert writer.longest < STALL


def multiply(url: str) -> None:
    """Tasks that have ended, each with two steps and their entries."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(f"""
            INSERT INTO tasks
            (id, user_id, tool_id, status, agents, inputs, progress, outcome, manifest_key, finished_at)
            SELECT gen_random_uuid(), 1, 'two', 'COMPLETED', '{{first,second}}', inputs, 100, 'success', 'm', now()
            FROM (SELECT inputs FROM tasks LIMIT 1) model, generate_series(1, {MANY})""")
        connection.execute("""
            INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, duration_ms, peak_memory_bytes)
            SELECT id, agent, 1, 'DELIVERED', md5(agent), 12, 4e7 FROM tasks, unnest(agents) agent
            WHERE manifest_key = 'm'""")
