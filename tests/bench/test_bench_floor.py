import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from bench.asked import Call, Kind, counted, written_down
from bench.bare import _connected, _Line
from db.database import statement, transaction
from db.prebuilt import Prebuilt

CLOCK = Prebuilt("UPDATE admission_clock SET v = :v RETURNING v")
FIRST, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)  # the same in every process, for the names of tests


def test_what_is_sent_alone_and_what_is_sent_in_a_transaction_is_told_apart(database: str) -> None:
    calls: list[Call] = []
    with transaction() as session:  # what SQLAlchemy asks of a new connection is no task's
        CLOCK.first(session, {"v": 2})
    with written_down(calls):
        with transaction() as session:
            CLOCK.first(session, {"v": 3})
        with statement() as single:
            CLOCK.first(single, {"v": 4})
    assert [call.kind for call in calls] == [Kind.SQL, Kind.COMMIT, Kind.ALONE]
    assert counted(calls) == {"commits": 1, "statements alone": 1, "statements in a transaction": 1}


def test_it_is_asked_again_as_it_was_asked_of_another_task(database: str, tmp_path: Path) -> None:
    kept: list[tuple[Any, ...]] = []
    storage: Any = SimpleNamespace(put_bytes=lambda *what: kept.append(what))
    with _connected(autocommit=False) as transactions, _connected(autocommit=True) as alone:
        line = _Line(storage, transactions, alone, tmp_path)
        line.issue(Call(Kind.ALONE, "UPDATE admission_clock SET v = 5"), FIRST, OTHER)
        with psycopg.connect(transactions.info.dsn, password=transactions.info.password) as another:
            assert another.execute("SELECT v FROM admission_clock").fetchone() == (5.0,), "it waits for no commit"
        line.issue(Call(Kind.STORE, "put_bytes", (f"tasks/{FIRST}/report", b"{}", "text")), FIRST, OTHER)
    assert kept == [(f"tasks/{OTHER}/report", b"{}", "text")]


@pytest.mark.parametrize("value", [FIRST, str(FIRST), [FIRST], {"key": f"tasks/{FIRST}"}])
def test_wherever_the_task_is_named_it_is_the_other(value: Any) -> None:
    from bench.bare import _instead

    assert str(FIRST) not in str(_instead(value, FIRST, OTHER))
