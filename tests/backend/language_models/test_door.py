
import pytest

from backend.errors import ModelRefused, ModelUnavailable
from backend.language_models.questions import Usage
from tests.backend.language_models.questions_of_tests import answer_of, embed, question
from tests.model_server import ModelServer, failing, vector_of


def test_a_question_is_answered_with_what_was_used(model_server: ModelServer) -> None:
    answer = answer_of(question("two words"))
    assert (answer.content, answer.model, answer.finish_reason) == ("two words", "compatible:echo", "stop")
    assert answer.usage == Usage(calls=1, input_tokens=2, output_tokens=2)
    assert not (answer.fallback or answer.cached)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 529])
def test_what_passes_is_tried_again(model_server: ModelServer, status: int) -> None:
    model_server.script("hello", failing(status, times=2))
    assert answer_of(question("hello")).content == "hello"
    assert model_server.calls == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_does_not_pass_is_asked_once(model_server: ModelServer, status: int) -> None:
    model_server.script("hello", failing(status, times=None))
    with pytest.raises((ModelRefused, ModelUnavailable)):
        answer_of(question("hello"))
    assert model_server.calls == 1


def test_after_three_tries_the_model_is_unavailable(model_server: ModelServer) -> None:
    model_server.script("hello", failing(503, times=None, retry_after="0.05"))
    with pytest.raises(ModelUnavailable) as caught:
        answer_of(question("hello"))
    assert model_server.calls == 3
    assert caught.value.retry_after == 0.05


def test_vectors_come_in_the_order_of_their_texts(model_server: ModelServer) -> None:
    texts = [f"text number {number}" for number in range(200)]
    embedded = embed("openai:embedder", texts)
    assert embedded.vectors == [vector_of(text) for text in texts]
    assert embedded.usage == Usage(calls=3, input_tokens=600)
