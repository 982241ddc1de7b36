import pytest
from sqlalchemy import text

from db import model_memory
from db.database import transaction

NAME = "openai:gpt"
pytestmark = pytest.mark.usefixtures("database")


def cooled_down() -> None:
    model_memory.open_breaker(NAME, failures=10, seconds=30)
    with transaction() as session:
        session.execute(text("UPDATE model_breakers SET open_until = clock_timestamp()"))


def test_a_breaker_is_open_for_so_long() -> None:
    model_memory.open_breaker(NAME, failures=10, seconds=30)
    assert 29 < model_memory.open_breakers()[NAME].cools_for <= 30


def test_no_call_has_the_right_to_probe_before() -> None:
    model_memory.open_breaker(NAME, failures=10, seconds=30)
    assert not model_memory.take_probe(NAME, 5)


def test_after_it_one_call_has() -> None:
    cooled_down()
    assert [model_memory.take_probe(NAME, 5) for _ in range(3)] == [True, False, False]
    assert 4 < model_memory.open_breakers()[NAME].probed_for <= 5


def test_a_probe_that_was_never_heard_of_again_makes_room_for_the_next() -> None:
    cooled_down()
    assert model_memory.take_probe(NAME, 0)
    assert model_memory.take_probe(NAME, 5)


def test_who_opens_it_again_gives_up_its_probe() -> None:
    cooled_down()
    model_memory.take_probe(NAME, 5)
    model_memory.open_breaker(NAME, failures=11, seconds=30)
    again = model_memory.open_breakers()[NAME]
    assert again.cools_for > 29
    assert again.probed_for == 0


def test_a_breaker_that_was_closed_is_open_for_nobody() -> None:
    model_memory.open_breaker(NAME, failures=10, seconds=30)
    model_memory.close_breaker(NAME)
    assert model_memory.open_breakers() == {}
    assert not model_memory.take_probe(NAME, 5)


def test_an_answer_is_kept_for_so_long_and_replaced_by_a_newer_one() -> None:
    model_memory.keep_answer("a key", {"content": "old"}, 60)
    model_memory.keep_answer("a key", {"content": "new"}, 60)
    model_memory.keep_answer("another", {"content": "gone"}, 0)
    assert model_memory.recall_answer("a key") == {"content": "new"}
    assert model_memory.recall_answer("another") is None
