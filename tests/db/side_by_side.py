"""Two sessions at once: things started together, things that wait for one another's locks, and a word of SQL."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier, Event
from time import monotonic
from typing import Any

from sqlalchemy import text

from db.database import Session, private_transactions, transaction

PATIENCE = 10.0  # seconds until a test that waits gives up


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Start them at one moment, each in its own thread; what each returned or raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(PATIENCE)
        return outcome(act)

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Exception as error:  # noqa: BLE001 (the caller judges it)
        return error


@contextmanager
def in_thread(act: Callable[[], Any]) -> Iterator[Future[Any]]:
    """The act runs beside the block; the block ends when it has."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(act)


def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        Event().wait(0.002)


def until_somebody_waits_for_a_lock() -> None:
    until(lambda: sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0)


@contextmanager
def private() -> Iterator[Callable[[], AbstractContextManager[Session]]]:
    """Transactions on one connection of their own, which is closed afterwards."""
    begin = private_transactions()
    try:
        yield begin
    finally:
        begin.__self__.kw["bind"].dispose()  # type: ignore[attr-defined]


def sql(statement: str, **values: Any) -> Any:
    """The first value of a statement's answer, in a transaction of its own; None where it answers nothing."""
    with transaction() as session:
        return said(session, statement, **values)


def said(session: Session, statement: str, **values: Any) -> Any:
    result = session.execute(text(statement), values)
    return result.scalar() if result.returns_rows else None
