from typing import Any

import pytest
from sqlalchemy import text

from backend.language_models.kept_answers import key_of
from backend.language_models.questions import Answer, Message, Question, Role, Usage
from db import model_memory
from db.database import close_database, transaction
from tests.backend.language_models.questions_of_tests import answer_of, budget, question
from tests.conftest import forget_settings
from tests.model_server import Act, ModelServer, failing

pytestmark = pytest.mark.usefixtures("database")

KEPT: dict[str, Any] = {"cache_seconds": 60, "cache_scope": "user 1"}


def test_the_same_question_of_the_same_customer_is_asked_once(model_server: ModelServer) -> None:
    first, second = (answer_of(question("hello", **KEPT)) for _ in range(2))
    assert model_server.calls == 1
    assert (first.cached, second.cached) == (False, True)
    assert (second.content, second.usage) == ("hello", Usage())


def test_by_default_nothing_is_kept(model_server: ModelServer) -> None:
    for _ in range(2):
        answer_of(question("hello", cache_scope="user 1"))
    assert model_server.calls == 2


def test_the_house_may_keep_all_answers_for_a_while(model_server: ModelServer) -> None:
    for _ in range(2):
        answer_of(question("hello", cache_scope="user 1"), answer_cache_seconds=60)
    assert model_server.calls == 1


def test_no_answer_crosses_customers(model_server: ModelServer) -> None:
    for scope in ("user 1", "user 2", "", ""):
        answer_of(question("hello", cache_seconds=60, cache_scope=scope))
    assert model_server.calls == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "openai:gpt-test"},
        {"messages": (Message(role=Role.SYSTEM, content="hello"),)},
        {"temperature": 0.1},
        {"max_tokens": 5},
        {"extra": {"seed": 1}},
        {"output_schema": {"type": "string"}},
        {"cache_scope": "user 2"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_makes_another_answer_makes_another_key(changed: dict[str, Any]) -> None:
    asked = question("hello", **KEPT)
    assert key_of(asked) != key_of(asked.model_copy(update=changed))


def test_how_long_it_may_take_or_is_kept_does_not() -> None:
    asked = question("hello", **KEPT)
    assert key_of(asked) == key_of(asked.model_copy(update={"cache_seconds": 1.0, "timeout_seconds": 1.0}))


def test_the_order_of_extra_fields_does_not() -> None:
    one, other = question("hello", extra={"a": 1, "b": 2}), question("hello", extra={"b": 2, "a": 1})
    assert key_of(one) == key_of(other)


def test_an_answer_is_forgotten_after_its_time(model_server: ModelServer) -> None:
    answer_of(question("hello", **KEPT))
    with transaction() as session:
        session.execute(text("UPDATE model_answers SET expires_at = clock_timestamp()"))
    assert not answer_of(question("hello", **KEPT)).cached
    assert model_server.calls == 2


def test_what_was_validated_and_called_is_kept_with_it(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer='{"a": [1, null]}'))
    for _ in range(2):
        answer = answer_of(question("hello", output_schema={"type": "object"}, **KEPT))
    assert (answer.cached, answer.parsed) == (True, {"a": [1, None]})


def test_a_fallbacks_answer_is_not_kept(model_server: ModelServer) -> None:
    model_server.script("echo", failing(404))
    asked = question("hello", fallback_models=("openai:gpt-test",), **KEPT)
    assert answer_of(asked).fallback
    assert answer_of(asked).model == "compatible:echo"


def test_an_answer_that_no_column_holds_is_given_all_the_same(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer="a\x00b", times=None))
    assert [answer_of(question("hello", **KEPT)).content for _ in range(2)] == ["a\x00b"] * 2


def test_a_kept_answer_is_told_to_who_waits_for_partial_text(model_server: ModelServer) -> None:
    answer_of(question("hello", **KEPT))
    parts: list[str] = []
    answer_of(question("hello", **KEPT), budget(), parts.append)
    assert parts == ["hello"]
    assert model_server.calls == 1


def test_without_the_database_the_model_is_asked(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    forget_settings()
    assert answer_of(question("hello", **KEPT)).content == "hello"
    close_database()


def test_expired_answers_are_removed_the_oldest_first_so_many_at_once() -> None:
    for number, seconds in enumerate((60.0, -3.0, -2.0, -1.0)):
        model_memory.keep_answer(f"key {number}", {"content": "…"}, seconds)
    with transaction() as session:
        assert model_memory.forget_expired(session, 2) == 2
    with transaction() as session:
        left = session.scalars(text("SELECT key FROM model_answers ORDER BY key")).all()
    assert left == ["key 0", "key 3"]


def test_an_answer_is_the_same_after_it_was_kept() -> None:
    asked: Question = question("hello", **KEPT)
    kept = Answer(content="it's “so”", model=asked.model, parsed=[1.5], finish_reason="length")
    model_memory.keep_answer(key_of(asked), kept.model_dump(mode="json"), 60)
    assert model_memory.recall_answer(key_of(asked)) == kept.model_dump(mode="json")
