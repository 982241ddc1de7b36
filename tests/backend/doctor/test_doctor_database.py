import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from judged import judged, said, severities
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from backend.devstack import Stack
from backend.doctor import clocks
from backend.doctor import database as doctor
from backend.doctor.finding import Severity
from backend.ports import free_port
from db import database as memory
from db import examination
from db.database import STATION_LIMITS, close_database, libpq_url, sqlalchemy_url
from db.examination import Server
from tests.conftest import forget_settings, new_database

WRONG, ADVICE, OK = Severity.WRONG, Severity.ADVICE, Severity.OK
NAME = "doctor_patient"


@pytest.fixture(scope="module")
def patient_database(stack: Stack) -> str:
    """One that these tests may spoil, and mend again."""
    return new_database(stack, NAME)


def meant(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    close_database()
    monkeypatch.setenv("DATABASE_URL", url)
    forget_settings()


@pytest.fixture
def patient(patient_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["psycopg.Connection[Any]"]:
    """This process' settings mean the database; a connection to do harm with."""
    meant(patient_database, monkeypatch)
    with psycopg.connect(libpq_url(patient_database), autocommit=True) as connection:
        yield connection
    close_database()
    forget_settings()


def test_the_embedded_database_is_well_but_for_what_it_gives_up_on_purpose(patient: object) -> None:
    found = judged(doctor.look)
    assert severities(found, WRONG, ADVICE, Severity.UNKNOWN) == [
        "fsync is off: a crash of its machine may leave the whole database unreadable.",
        "full_page_writes is off: a crash of its machine may leave pages half written.",
    ]
    assert said(found, OK, f"It is at the newest migration, {examination.newest_revision()}.")
    assert said(found, OK, "What is notified is heard.")
    assert said(found, OK, "pgvector")
    assert said(found, OK, "This machine's clock agrees")


def test_a_database_a_migration_behind_or_ahead_is_told_from_one_that_is_right(
    patient: "psycopg.Connection[Any]",
) -> None:
    newest = examination.newest_revision()
    try:
        patient.execute("UPDATE alembic_version SET version_num = '0002'")
        assert said(judged(doctor.look), WRONG, f"It is at migration 0002; this code needs {newest}.")
        patient.execute("UPDATE alembic_version SET version_num = 'of-next-year'")
        assert said(judged(doctor.look), ADVICE, "newer code migrated it")
    finally:
        patient.execute("UPDATE alembic_version SET version_num = %s", [newest])


def test_an_empty_database_lacks_migrations_and_pgvector(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    meant(stack.postgres.create_database("doctor_empty"), monkeypatch)
    try:
        found = judged(doctor.look)
    finally:
        close_database()
        forget_settings()
    assert said(found, WRONG, "No migration was run")
    assert said(found, WRONG, "pgvector is installed and not made.")


def test_an_index_that_is_not_valid_and_a_table_that_nobody_vacuums_are_named(
    patient: "psycopg.Connection[Any]",
) -> None:
    spoilt = "UPDATE pg_index SET indisvalid = %s WHERE indexrelid = 'ix_tasks_newest'::regclass"
    patient.execute(spoilt, [False])
    patient.execute("ALTER TABLE task_events SET (autovacuum_enabled = false)")
    try:
        found = judged(doctor.look)
    finally:
        patient.execute(spoilt, [True])
        patient.execute("ALTER TABLE task_events RESET (autovacuum_enabled)")
    assert said(found, WRONG, "The index ix_tasks_newest is not valid")
    assert said(found, WRONG, "Autovacuum is off for task_events.")


def test_a_session_that_holds_a_transaction_and_sleeps_is_told_of(
    patient: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "IDLE_TOO_LONG", timedelta(0))
    with patient.transaction():
        patient.execute("SELECT 1")
        assert said(judged(doctor.look), ADVICE, "hold a transaction and do nothing")


def test_more_processes_than_connections_is_advice(patient: object) -> None:
    found = judged(doctor.look)
    assert said(found, OK, "the 0 processes that are here")
    server = a_server()
    assert said(list(doctor._connections(server, 9, 5)), ADVICE, "the 9 processes that are here may open up to 108.")
    crowded = dataclasses.replace(server, connections=95)
    assert said(list(doctor._connections(crowded, 1, 5)), WRONG, "95 of 97 connections are taken: soon one is refused.")


def test_a_pooler_that_drops_our_limits_is_found_out(patient_database: str) -> None:
    engine = create_engine(sqlalchemy_url(patient_database))  # with no limits, as after such a pooler
    with Session(engine) as session:
        server = examination.server(session)
    engine.dispose()
    assert set(server.limits) == set(STATION_LIMITS)
    assert said(list(doctor._pooler(server, heard=True)), WRONG, "Sessions do not get the limits that they ask for")


def test_who_does_not_hear_what_is_notified_is_behind_a_pooler(
    patient: object, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who listens in one database hears nothing of another's, as nobody does behind a pooler by the transaction."""
    monkeypatch.setattr(doctor, "HEARD_SECONDS", 0.2)
    urls = iter([stack.database_url, libpq_url(stack.postgres.url_of(NAME))])
    monkeypatch.setattr(examination, "_alone", lambda: psycopg.connect(libpq_url(next(urls)), autocommit=True))
    assert said(judged(doctor.look), WRONG, "NOTIFY is not heard")


@pytest.mark.parametrize("port", ["closed", "open"])
def test_a_database_that_refuses_us_is_said_within_seconds_and_without_the_password(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    number = free_port() if port == "closed" else stack.postgres.port
    meant(f"postgresql://postgres:not-the-password@127.0.0.1:{number}/agensium", monkeypatch)
    try:
        (found,) = judged(doctor.look)
    finally:
        close_database()
        forget_settings()
    assert found.severity is WRONG
    assert ("refused" if port == "closed" else "password authentication failed") in found.seen
    assert "not-the-password" not in found.seen
    assert memory.engine.cache_info().currsize == 0


@pytest.mark.usefixtures("patient")
def test_a_server_too_old_for_our_limits_refuses_the_connection_and_its_age_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(memory.STATION_LIMITS, "timeout_of_the_next_century", "1s")
    monkeypatch.setattr(doctor, "NEWEST_LIMIT", "timeout_of_the_next_century")
    (found,) = judged(doctor.look)
    assert found.severity is WRONG
    assert found.seen.startswith("It is older than PostgreSQL 17:")
    assert found.change == doctor.TOO_OLD


def a_server(**changes: Any) -> Server:
    settings = {"max_connections": "100", "superuser_reserved_connections": "3", "fsync": "on"}
    given = {
        "version": 180_001, "settings": settings, "is_standby": False, "ahead_seconds": 0.0, "encrypted": True,
        "pgvector": "0.8", "pgvector_available": "0.8", "revision": "0001", "limits": (), "connections": 9,
        "api_processes": 1,
    }  # fmt: skip
    return Server(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 160_004}, "It is PostgreSQL 16."),
        ({"is_standby": True}, "It can only be read."),
        ({"settings": {"default_transaction_read_only": "on"}}, "It can only be read."),
        ({"settings": {"synchronous_commit": "off"}}, "synchronous_commit is off"),
        ({"settings": {"autovacuum": "off"}}, "autovacuum is off"),
    ],
    ids=["old", "standby", "read-only", "commit", "vacuum"],
)
def test_a_server_that_cannot_do_what_is_needed_is_wrong(changes: dict[str, Any], words: str) -> None:
    assert said(list(doctor._server(a_server(**changes))), WRONG, words)


@pytest.mark.parametrize(
    ("encrypted", "url", "severity"),
    [
        (True, "postgresql://a@db.example.com/b", OK),
        (True, "postgresql://a@db.example.com/b?sslmode=require", ADVICE),
        (False, "postgresql://a@10.0.0.7/b?sslmode=disable", ADVICE),
        (False, "postgresql://a@8.8.8.8/b?sslmode=disable", WRONG),
        (False, "postgresql://a@127.0.0.1/b", None),
    ],
    ids=["verified", "unproven", "plain within", "plain across the Internet", "loopback"],
)
def test_how_the_connection_is_made_is_judged_by_where_it_goes(
    encrypted: bool, url: str, severity: Severity | None
) -> None:
    found = list(doctor._way_there(a_server(encrypted=encrypted), url))
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert not any((urlsplit(url).username or "") + "@" in one.seen for one in found)


@pytest.mark.parametrize(("ahead", "severity"), [(0.4, OK), (-1.9, OK), (5.0, ADVICE), (-61.0, WRONG)])
def test_a_clock_is_judged_by_how_far_it_is_off(ahead: float, severity: Severity) -> None:
    found = clocks.compared(doctor.WARD, "the database's", ahead)
    assert found.severity is severity
    assert ("ahead of" in found.seen) is (ahead > 2)
