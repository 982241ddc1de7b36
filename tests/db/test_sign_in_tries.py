from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from side_by_side import in_thread, private, said, until_somebody_waits_for_a_lock
from sqlalchemy import text

from backend.errors import TooManyRequests
from db import sign_in_tries
from db.database import transaction
from db.sign_in_tries import Counted, Patience

pytestmark = pytest.mark.usefixtures("database")
PATIENCE = Patience(free=3, first=100, longest=6000, forgotten=100_000)  # more than a test takes, however busy
ADA = [Counted("ada", PATIENCE)]


def wait(counts: list[Counted]) -> float:
    """Counts a try; 0, or the seconds that it is put off for."""
    try:
        with transaction() as session:
            sign_in_tries.count(session, counts)
    except TooManyRequests as refused:
        return refused.retry_after or 0
    return 0


def passes(seconds: float) -> None:
    with transaction() as session:
        by = timedelta(seconds=seconds)
        session.execute(text("UPDATE sign_in_tries SET open_at = open_at - :by, tried_at = tried_at - :by"), {"by": by})


def succeed(counts: list[Counted], known: str) -> None:
    with transaction() as session:
        sign_in_tries.succeeded(session, counts, known)


def test_the_first_failures_cost_nothing_and_then_each_costs_twice_as_much() -> None:
    assert [wait(ADA) for _ in range(4)] == [0, 0, 0, 0]
    waits = []
    for _ in range(4):
        waits.append(round(wait(ADA), -2))
        passes(waits[-1])
        assert wait(ADA) == 0
    assert waits == [100, 200, 400, 800]


def test_the_wait_has_an_end() -> None:
    with transaction() as session:
        session.execute(text("INSERT INTO sign_in_tries (who, failures) VALUES ('ada', 100000)"))
    wait(ADA)
    assert 5900 < wait(ADA) <= 6000


def test_a_refused_try_makes_nobodys_wait_longer() -> None:
    for _ in range(6):
        wait(ADA)
    first = wait(ADA)
    assert all(wait(ADA) <= first for _ in range(5))


def test_failures_are_forgotten_one_after_the_other() -> None:
    for _ in range(4):
        wait(ADA)
    passes(250_000)
    assert [wait(ADA) for _ in range(2)] == [0, 0]
    assert [wait(ADA) > 0 for _ in range(2)] == [False, True]


def test_who_was_right_has_not_failed() -> None:
    for _ in range(20):
        assert wait(ADA) == 0
        succeed(ADA, "ada")


def test_what_was_never_judged_is_no_failure() -> None:
    for _ in range(20):
        assert wait(ADA) == 0
        with transaction() as session:
            sign_in_tries.take_back(session, ADA)


def test_who_was_right_waits_for_another_try_holding_nothing_that_it_needs() -> None:
    """Else the two wait for each other, whose digests lie so."""
    counts = [Counted("a pair", PATIENCE), Counted("the network", PATIENCE)]
    wait(counts)
    with private() as begin, begin() as other:
        said(other, "SELECT failures FROM sign_in_tries WHERE who = 'a pair' FOR UPDATE")
        with in_thread(lambda: succeed(counts, "a pair")) as right:
            until_somebody_waits_for_a_lock()
            said(other, "SELECT failures FROM sign_in_tries WHERE who = 'the network' FOR UPDATE NOWAIT")
            other.rollback()
            right.result(10)


def test_of_many_at_one_moment_no_more_go_through_than_one_after_the_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        through = sum(found == 0 for found in pool.map(lambda _: wait(ADA), range(40)))
    assert 1 <= through <= 4


def test_one_count_that_is_full_refuses_the_try_and_the_others_do_not_count_it() -> None:
    bob = Counted("bob", PATIENCE)
    for _ in range(4):
        wait(ADA)
    assert wait([*ADA, bob]) > 0
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM sign_in_tries WHERE who = 'bob'")) == 0


def test_strangers_do_not_hold_up_who_has_signed_in_from_there() -> None:
    home, abroad = Counted("ada from home", PATIENCE), Counted("ada from abroad", PATIENCE)
    succeed([home], known=home.who)
    for number in range(5):
        wait([Counted(f"ada from {number}", PATIENCE), Counted("ada", PATIENCE)])
    assert wait([home, Counted("ada", PATIENCE, spared_by=home.who)]) == 0
    assert wait([abroad, Counted("ada", PATIENCE, spared_by=abroad.who)]) > 0


def test_what_counts_nothing_any_more_is_forgotten() -> None:
    wait(ADA)
    succeed([Counted("home", PATIENCE)], known="home")
    passes(3 * 24 * 3600)
    with transaction() as session:
        sign_in_tries.forget_old(session)
        assert session.scalars(text("SELECT who FROM sign_in_tries")).all() == ["home"]
