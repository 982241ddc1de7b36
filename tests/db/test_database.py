import gc
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from side_by_side import private, said, sql, until
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from backend.errors import ErrorClass
from backend.settings import get_settings
from backend.verdicts import verdict_for
from db import database
from db.database import (
    DATABASE_ERRORS,
    STATION_LIMITS,
    DatabaseError,
    close_database,
    patient_transaction,
    statement,
    transaction,
)
from db.prebuilt import Prebuilt
from tests import builders
from tests.round_trips import on_linux, trips_of

PID = "SELECT pg_backend_pid()"


CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :mine AND pid <> pg_backend_pid()
"""


@pytest.fixture(autouse=True)
def _a_pool_of_its_own(database: str) -> None:
    close_database()


def test_a_block_that_ends_is_committed() -> None:
    with transaction() as session:
        said(session, "UPDATE admission_clock SET v = 7")
    assert sql("SELECT v FROM admission_clock") == 7


def test_a_block_that_raises_leaves_nothing_and_its_connection_is_good_again() -> None:
    def fail() -> None:
        with transaction() as session:
            said(session, "UPDATE admission_clock SET v = 7")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sql("SELECT v FROM admission_clock") == 0


def test_a_block_whose_sql_fails_leaves_nothing() -> None:
    def fail() -> None:
        with transaction() as session:
            said(session, "UPDATE admission_clock SET v = 7")
            said(session, "SELECT 1 / 0")

    with pytest.raises(DatabaseError):
        fail()
    assert sql("SELECT v FROM admission_clock") == 0


@pytest.mark.parametrize(("name", "limit"), [*STATION_LIMITS.items(), ("TimeZone", "UTC"), ("jit", "off")])
def test_every_connection_has_the_limits_of_a_station(name: str, limit: str) -> None:
    assert sql(f"SHOW {name}") == limit
    with private() as begin, begin() as session:
        assert said(session, f"SHOW {name}") == limit


def test_a_proof_has_no_limit_and_may_not_write() -> None:
    with patient_transaction() as session:
        for name in ("statement_timeout", "transaction_timeout"):
            assert said(session, f"SHOW {name}") == "0"
        said(session, "SELECT pg_sleep(6.5)")
    for name in ("statement_timeout", "transaction_timeout"):
        assert sql(f"SHOW {name}") == STATION_LIMITS[name], "the connection's next user is a station again"
    with pytest.raises(DatabaseError, match="read-only"), patient_transaction() as session:
        said(session, "UPDATE admission_clock SET v = 7")


def test_the_limits_of_a_station_let_go_before_a_lease_runs_out() -> None:
    assert STATION_LIMITS["idle_in_transaction_session_timeout"] == "2s"
    assert STATION_LIMITS["lock_timeout"] == "2s"


def test_who_waits_too_long_for_a_row_gives_up() -> None:
    task = builders.created_task()
    lock = "SELECT id FROM tasks WHERE id = :id FOR UPDATE"
    with transaction() as holder, transaction() as waiting:
        said(holder, lock, id=task.id)
        said(waiting, "SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(DBAPIError, match="lock timeout"):
            said(waiting, lock, id=task.id)
        waiting.rollback()


def test_a_private_transaction_goes_through_when_everybody_else_keeps_theirs() -> None:
    with ExitStack() as everybody:
        pids = {said(everybody.enter_context(transaction()), PID) for _ in range(10)}
        with private() as begin, begin() as session:
            said(session, "UPDATE admission_clock SET v = 7")
            assert said(session, PID) not in pids
    assert sql("SELECT v FROM admission_clock") == 7


def test_a_connection_that_was_cut_is_replaced_before_it_is_used() -> None:
    first = sql(PID)
    with private() as begin, begin() as session:
        said(session, "SELECT pg_terminate_backend(:pid, 1000)", pid=first)
    assert sql(PID) != first


def test_ping_says_when_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    database.ping()
    close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    get_settings.cache_clear()
    with pytest.raises(DatabaseError):
        database.ping()
    close_database()


def test_a_closed_database_is_opened_anew_at_the_next_use() -> None:
    first = sql(PID)
    close_database()
    with private() as begin, begin() as session:
        until_gone = said(session, "SELECT pg_terminate_backend(:pid)", pid=first)
    assert sql(PID) != first
    assert until_gone is False  # it had left by itself


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_opens_its_own_connection_and_leaves_its_parents_alone() -> None:
    mine = sql(PID)
    childs = _asked_in_a_forked_child(lambda: int(sql(PID)))
    assert childs not in {0, mine}
    assert sql(PID) == mine


def _asked_in_a_forked_child(pid_of_connection: Callable[[], int]) -> int:
    """The child's own connection, 0 if it could open none. It ends without a word to what its parent opened."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads; the child execs nothing
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(pid_of_connection()).encode())
            gc.collect()
        finally:
            os._exit(0)
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            return int(answer.read() or "0")
    finally:
        os.waitpid(child, 0)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_address_is_said_to_each_library_in_its_way(scheme: str) -> None:
    url = f"{scheme}://user:p%40ss@127.0.0.1:5433/name"
    assert database.sqlalchemy_url(url) == "postgresql+psycopg://user:p%40ss@127.0.0.1:5433/name"
    assert database.libpq_url(url) == "postgresql://user:p%40ss@127.0.0.1:5433/name"


# ── one statement ────────────────────────────────────────────────────────────────────────────────────────────────

TICK = Prebuilt("UPDATE admission_clock SET v = v + :by RETURNING v")


def tick(by: float = 1) -> float:
    with statement() as session:
        ticked = TICK.first(session, {"by": by})
    assert ticked is not None
    return float(ticked[0])


def test_a_statement_is_committed_when_it_is_answered() -> None:
    assert (tick(3), tick(4)) == (3, 7)
    assert sql("SELECT v FROM admission_clock") == 7


def test_a_prebuilt_statement_is_part_of_a_transaction_as_well() -> None:
    def fail() -> None:
        with transaction() as session:
            assert TICK.first(session, {"by": 5}) == (5,)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sql("SELECT v FROM admission_clock") == 0


def test_a_second_statement_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"), statement() as session:  # noqa: PT012 (twice is the point)
        TICK.first(session, {"by": 1})
        TICK.first(session, {"by": 1})
    assert sql("SELECT v FROM admission_clock") == 1


def test_a_statement_that_fails_raises_as_a_transaction_and_its_connection_is_good_again() -> None:
    first = sql(PID)
    with pytest.raises(DataError, match="division by zero"), statement() as session:
        Prebuilt("SELECT 1 / :none").first(session, {"none": 0})
    assert sql(PID) == first


def test_a_statement_whose_server_goes_away_is_a_hiccup_and_the_next_one_has_another_connection() -> None:
    first = sql(PID)
    with pytest.raises(OperationalError) as gone, statement() as session:
        Prebuilt("SELECT pg_terminate_backend(pg_backend_pid())").first(session, {})
    assert verdict_for(gone.value).error_class is ErrorClass.TRANSIENT
    assert tick() == 1
    assert sql(PID) != first


def test_a_database_that_is_not_there_is_said_as_by_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    get_settings.cache_clear()
    with pytest.raises(OperationalError):
        tick()
    close_database()


@pytest.mark.parametrize(("name", "limit"), STATION_LIMITS.items())
def test_a_statement_has_the_limits_of_a_station(name: str, limit: str) -> None:
    with statement() as session:
        assert Prebuilt(f"SHOW {name}").first(session, {}) == (limit,)


def test_after_a_statement_its_connection_begins_transactions_again() -> None:
    with suppress(KeyError), transaction() as session:
        assert tick(2) == 2
        said(session, "UPDATE admission_clock SET v = 7")
        raise KeyError
    assert sql("SELECT v FROM admission_clock") == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_statement_of_a_forked_child_leaves_its_parents_connection_alone() -> None:
    mine = sql(PID)
    childs = _asked_in_a_forked_child(_pid_of_a_statement)
    assert childs not in {0, mine}
    assert _pid_of_a_statement() == mine


def _pid_of_a_statement() -> int:
    with statement() as session:
        answer = Prebuilt(PID).first(session, {})
    return answer[0] if answer else 0


def test_what_is_under_way_when_connections_are_cut_is_a_hiccup_and_what_was_answered_is_there() -> None:
    answered, errors, enough = [], [], threading.Event()

    def work() -> None:
        while not enough.is_set():
            try:
                answered.append(tick())
            except DATABASE_ERRORS as error:
                errors.append(error)

    with private() as begin, ThreadPoolExecutor(3) as threads:
        working = [threads.submit(work) for _ in range(3)]
        try:
            for cut in range(1, 6):
                until(lambda least=50 * cut: len(answered) > least)
                with begin() as session:
                    said(session, CUT, mine=f"agensium-{os.getpid()}")
        finally:
            enough.set()
    assert [one.result() for one in working] == [None] * 3
    assert {verdict_for(error).error_class for error in errors} <= {ErrorClass.TRANSIENT}
    assert len(errors) < len(answered)
    assert len(answered) <= sql("SELECT v FROM admission_clock") <= len(answered) + len(errors)


# ── round trips ──────────────────────────────────────────────────────────────────────────────────────────────────


@on_linux
def test_a_statement_is_one_round_trip() -> None:
    assert len(trips_of(tick)) == 1


@on_linux
def test_a_transaction_of_one_statement_is_three_round_trips() -> None:
    assert len(trips_of(lambda: sql(PID))) == 3


@on_linux
def test_a_connection_is_asked_whether_it_is_there_when_it_was_not_used_for_a_while() -> None:
    assert len(trips_of(lambda: sql(PID), undoubted_seconds=-1)) == 4


def test_a_statement_that_was_said_often_is_prepared() -> None:
    for _ in range(6):
        tick()
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE admission_clock%'"
    assert sql(prepared) == 1


def test_all_pooled_connections_are_replaced_after_a_restart_of_postgresql() -> None:
    with transaction() as one, transaction() as other:
        pids = [said(one, PID), said(other, PID)]
    with private() as begin, begin() as session:
        for pid in pids:
            said(session, "SELECT pg_terminate_backend(:pid, 1000)", pid=pid)
    with transaction() as one, transaction() as other:
        assert {said(one, PID), said(other, PID)}.isdisjoint(pids)
    assert tick() == 1
