import pytest

from backend.errors import AnswerInvalid, ModelUnavailable
from backend.language_models.questions import Answer, Usage
from backend.language_models.streams import RESTARTED
from tests.backend.language_models.questions_of_tests import answer_of, budget, question
from tests.model_server import Act, Drop, ModelServer, failing


def told(prompt: str, **more: object) -> tuple[Answer, list[str]]:
    """The answer, and what was told on the way."""
    parts: list[str] = []
    return answer_of(question(prompt, **more), budget(), parts.append), parts


def test_the_text_comes_in_parts_and_whole(model_server: ModelServer) -> None:
    answer, parts = told("one two three four")
    assert (answer.content, "".join(parts)) == ("one two three four", "one two three four")
    assert len(parts) > 1
    assert answer.usage == Usage(calls=1, input_tokens=4, output_tokens=4)
    assert model_server.requests[0]["stream"] is True


@pytest.mark.parametrize("cut", [Drop.STREAM, Drop.STREAMS_END])
def test_a_stream_that_was_cut_begins_anew_and_says_so(model_server: ModelServer, cut: Drop) -> None:
    model_server.script("one", Act(drop=cut))
    answer, parts = told("one two three four")
    assert answer.content == "one two three four"
    assert [part is RESTARTED for part in parts].count(True) == 1
    after = parts[next(place for place, part in enumerate(parts) if part is RESTARTED) + 1 :]
    assert "".join(after) == "one two three four"
    assert model_server.calls == 2


def test_a_failure_before_the_first_word_is_no_new_beginning(model_server: ModelServer) -> None:
    model_server.script("one", failing(503), Act(drop=Drop.BEFORE))
    _, parts = told("one two")
    assert RESTARTED not in parts
    assert model_server.calls == 3


def test_a_stream_that_is_always_cut_is_no_answer(model_server: ModelServer) -> None:
    model_server.script("one", Act(drop=Drop.STREAM, times=None))
    with pytest.raises(ModelUnavailable):
        told("one two three four")
    assert model_server.calls == 3


def test_a_fallbacks_text_is_a_new_beginning(model_server: ModelServer) -> None:
    model_server.script("echo", Act(drop=Drop.STREAM, times=None))
    answer, parts = told("one two three four", fallback_models=("openai:gpt-test",))
    assert answer.fallback
    assert [part is RESTARTED for part in parts].count(True) == 3


def test_a_repair_is_a_new_beginning(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer="not it"), Act(answer="[1]"))
    answer, parts = told("one", output_schema={"type": "array"})
    assert answer.parsed == [1]
    assert [part for part in parts if part is RESTARTED or part == "[1]"] == [RESTARTED, "[1]"]


def test_what_listens_may_stop_the_question(model_server: ModelServer) -> None:
    def stop(_: str) -> None:
        raise AnswerInvalid

    with pytest.raises(AnswerInvalid):
        answer_of(question("one two"), budget(), stop)
    assert model_server.calls == 1


def test_who_only_joins_what_comes_is_not_harmed() -> None:
    assert f"{RESTARTED}a" == "a"
