import asyncio
import base64
import struct
import subprocess
import sys
import threading
from typing import Any

import pytest
from pydantic import SecretStr

from backend.clock import monotonic
from backend.errors import ModelRefused, ModelUnavailable
from backend.language_models import tries
from backend.language_models.door import LanguageModels
from backend.language_models.questions import Answer, Usage
from tests.backend.language_models.questions_of_tests import answer_of, ask, budget, embed, question, settings
from tests.model_server import BROKEN_JSON, Act, Drop, ModelServer, failing, vector_of
from tests.waiting import eventually

KEY = "sk-of-the-tests-1234567890"


def test_a_question_is_answered_with_what_was_used(model_server: ModelServer) -> None:
    answer = answer_of(question("two words"))
    assert (answer.content, answer.model, answer.finish_reason) == ("two words", "compatible:echo", "stop")
    assert answer.usage == Usage(calls=1, input_tokens=2, output_tokens=2)
    assert (answer.fallback, answer.cached) == (False, False)


class TestTries:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 529])
    def test_a_status_that_passes_is_tried_again(self, model_server: ModelServer, status: int) -> None:
        model_server.script("hello", failing(status, times=2))
        assert answer_of(question("hello")).content == "hello"
        assert model_server.calls == 3

    @pytest.mark.parametrize(
        "act", [Act(drop=Drop.BEFORE), Act(drop=Drop.BODY), Act(body=BROKEN_JSON)], ids=["before", "body", "broken"]
    )
    def test_so_is_an_answer_that_did_not_arrive(self, model_server: ModelServer, act: Act) -> None:
        model_server.script("hello", act)
        assert answer_of(question("hello")).content == "hello"
        assert model_server.calls == 2

    def test_so_is_a_call_that_took_too_long(self, model_server: ModelServer) -> None:
        model_server.script("hello", Act(hangs=True))
        assert answer_of(question("hello", timeout_seconds=0.5)).content == "hello"
        assert model_server.calls == 2

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
    def test_what_does_not_pass_is_asked_once(self, model_server: ModelServer, status: int) -> None:
        model_server.script("hello", failing(status, times=None))
        with pytest.raises((ModelRefused, ModelUnavailable)):
            answer_of(question("hello"))
        assert model_server.calls == 1

    def test_after_three_the_model_is_unavailable_and_says_when_to_come_back(self, model_server: ModelServer) -> None:
        model_server.script("hello", failing(503, times=None, retry_after="0.05"))
        with pytest.raises(ModelUnavailable) as caught:
            answer_of(question("hello"))
        assert model_server.calls == 3
        assert caught.value.retry_after == 0.05

    def test_retry_after_is_a_waits_least(self, model_server: ModelServer) -> None:
        model_server.script("hello", failing(429, retry_after="0.3"))
        began = monotonic()
        answer_of(question("hello"))
        assert monotonic() - began >= 0.3

    def test_the_longest_wait_doubles_up_to_its_cap(
        self, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[float] = []
        monkeypatch.setattr(tries, "jitter", lambda ceiling: drawn.append(ceiling) or 0.0)
        monkeypatch.setattr(tries, "TRIES", 6)
        model_server.script("hello", failing(500, times=5))
        answer_of(question("hello"), retry_base_seconds=2.0, retry_cap_seconds=10.0)
        assert drawn == [2, 4, 8, 10, 10]

    def test_a_step_shares_one_budget_of_retries(self, model_server: ModelServer) -> None:
        model_server.script("hello", failing(500, times=None))
        spend = budget(retries=3)
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                answer_of(question("hello"), spend)
        assert model_server.calls == 3 + 2 + 1

    def test_no_wait_goes_beyond_the_budgets_end(self, model_server: ModelServer) -> None:
        model_server.script("hello", failing(429, retry_after="60"))
        began = monotonic()
        with pytest.raises(ModelUnavailable) as caught:
            answer_of(question("hello"), budget(seconds=5))
        assert monotonic() - began < 4
        assert caught.value.retry_after == 60

    def test_no_call_does(self, model_server: ModelServer) -> None:
        model_server.script("hello", Act(hangs=True, times=None))
        began = monotonic()
        with pytest.raises(ModelUnavailable):
            answer_of(question("hello"), budget(seconds=0.3))
        assert monotonic() - began < 3

    def test_a_steps_end_is_not_held_against_the_model(self, model_server: ModelServer) -> None:
        model_server.script("hello", Act(hangs=True))

        async def twice(models: LanguageModels) -> Answer:
            with pytest.raises(ModelUnavailable):
                await models.ask(question("hello"), budget(seconds=0.2))
            return await models.ask(question("hello"), budget())

        assert ask(twice, model_breaker_failures=1).content == "hello"

    def test_a_cancelled_question_ends_at_once(self, model_server: ModelServer) -> None:
        model_server.script("hello", Act(hangs=True, times=None))

        async def cancelled(models: LanguageModels) -> None:
            asking = asyncio.create_task(models.ask(question("hello"), budget()))
            await asyncio.to_thread(eventually, lambda: model_server.calls == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

        ask(cancelled)
        assert model_server.calls == 1


class TestFallbacks:
    MODELS = ("compatible:first", "compatible:second", "compatible:third")

    def answer(self, *fallbacks: str, **more: Any) -> Answer:
        asked = question("hello", "compatible:first", fallback_models=fallbacks, **more)
        return answer_of(asked, models=self.MODELS)

    @pytest.mark.parametrize(("status", "calls"), [(503, 3), (401, 1), (403, 1), (404, 1)])
    def test_the_next_model_answers_for_one_that_does_not(
        self, model_server: ModelServer, status: int, calls: int
    ) -> None:
        model_server.script("first", failing(status, times=None))
        answer = self.answer("compatible:second", "compatible:third")
        assert (answer.model, answer.fallback) == ("compatible:second", True)
        assert model_server.models == {"first": calls, "second": 1}

    def test_they_are_asked_in_their_order(self, model_server: ModelServer) -> None:
        for model in ("first", "second"):
            model_server.script(model, failing(404, times=None))
        answer = self.answer("compatible:second", "compatible:third")
        assert (answer.model, answer.fallback) == ("compatible:third", True)

    @pytest.mark.parametrize("status", [400, 422])
    def test_a_question_at_fault_is_put_to_nobody_else(self, model_server: ModelServer, status: int) -> None:
        model_server.script("first", failing(status, times=None))
        with pytest.raises(ModelRefused):
            self.answer("compatible:second")
        assert model_server.models == {"first": 1}

    def test_a_400_that_means_the_model_is_not_there_is_none(self, model_server: ModelServer) -> None:
        body = b'{"error": {"message": "no such model", "code": "model_not_found"}}'
        model_server.script("first", Act(status=400, body=body, times=None))
        assert self.answer("compatible:second").model == "compatible:second"

    @pytest.mark.usefixtures("model_server")
    def test_a_model_that_is_not_offered_falls_to_the_next(self) -> None:
        asked = question("hello", "openai:dear", fallback_models=("compatible:second",))
        assert answer_of(asked, models=self.MODELS).model == "compatible:second"

    def test_when_none_answers_every_reason_is_told(self, model_server: ModelServer) -> None:
        model_server.script("first", failing(503, times=None))
        model_server.script("second", failing(401, times=None))
        with pytest.raises(ModelUnavailable) as caught:
            self.answer("compatible:second")
        assert "compatible:first: 503" in caught.value.detail
        assert "compatible:second: 401" in caught.value.detail


class TestSecrets:
    @pytest.mark.parametrize("status", [400, 401, 500])
    def test_a_key_that_the_provider_repeats_is_cut_out(self, model_server: ModelServer, status: int) -> None:
        body = f'{{"error": {{"message": "Incorrect API key: {KEY}, bearer {KEY}"}}}}'.encode()
        model_server.script("gpt-test", Act(status=status, body=body, times=None))
        with pytest.raises((ModelRefused, ModelUnavailable)) as caught:
            answer_of(question("hello", "openai:gpt-test"))
        told = f"{caught.value!r} {caught.value} {caught.value.detail} {caught.value.verdict} {caught.value.__cause__}"
        assert KEY not in told
        assert "Incorrect" in caught.value.detail

    def test_the_providers_words_are_not_for_customers(self, model_server: ModelServer) -> None:
        model_server.script("hello", Act(status=400, body=b"a stack trace of theirs", times=None))
        with pytest.raises(ModelRefused) as caught:
            answer_of(question("hello"))
        assert "stack trace" not in caught.value.verdict.message
        assert "stack trace" in caught.value.detail

    @pytest.mark.usefixtures("model_server")
    def test_nothing_shows_a_key(self) -> None:
        models = LanguageModels(settings(), shared=False)
        assert KEY not in f"{models!r} {vars(models)} {settings()!r}"


class TestWithoutKeys:
    def test_without_any_model_the_reason_is_told(self) -> None:
        models = LanguageModels(settings(models=()), shared=False)
        assert models.offered() == ()
        assert models.why_unavailable() == "No language model is set up: set MODELS and the key of its provider."

    def test_a_question_is_unavailable_with_the_reason_inside(self) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            answer_of(question("hello", "openai:gpt"), models=("openai:gpt",))
        assert "OPENAI_API_KEY" in caught.value.detail
        assert "OPENAI_API_KEY" not in str(caught.value)

    def test_who_makes_vectors_answers_no_questions(self) -> None:
        with pytest.raises(ModelUnavailable, match="did not answer"):
            answer_of(question("hello", "local:hashing-64"))

    def test_who_answers_questions_may_make_no_vectors(self) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            embed("anthropic:claude", ["a text"], anthropic_api_key=SecretStr("a key"))
        assert "make no vectors" in caught.value.detail

    def test_a_local_server_needs_no_key(self, model_server: ModelServer) -> None:
        asked = question("hello", "openai:gpt-test")
        assert answer_of(asked).content == "hello"
        answer_of(question("hello"), compatible_api_key=SecretStr("mine"))
        assert "authorization" in model_server.headers[0].lower()
        assert "mine" in model_server.headers[1]

    def test_the_door_opens_without_any_client_library(self) -> None:
        code = (
            "import sys, backend.doors; from backend.settings import Settings;"
            "m = backend.doors.LanguageModels(Settings(_env_file=None)); m.why_unavailable('openai:gpt');"
            "print({n.partition('.')[0] for n in sys.modules}"
            " & {'aiohttp', 'openai', 'anthropic', 'google', 'pydantic_ai', 'httpx2', 'jsonschema', 'numpy'})"
        )
        assert (
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"
        )


class TestLoops:
    def test_two_slots_ask_at_once_each_in_its_own_loop(self, model_server: ModelServer) -> None:
        model_server.delay = 0.05
        models, answers = LanguageModels(settings(), shared=False), []

        async def many() -> None:
            answers.extend(await asyncio.gather(*(models.ask(question("hello"), budget()) for _ in range(20))))

        threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.content for answer in answers] == ["hello"] * 40

    @pytest.mark.usefixtures("model_server")
    def test_a_loop_that_ended_leaves_nothing(self) -> None:
        models = LanguageModels(settings(), shared=False)
        for _ in range(3):
            asyncio.run(models.ask(question("hello"), budget()))
        assert models._connections._held == {}

    @pytest.mark.usefixtures("model_server")
    def test_a_loop_that_was_closed_without_a_word_is_forgotten(self) -> None:
        models = LanguageModels(settings(), shared=False)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(models.ask(question("hello"), budget()))
        loop.run_until_complete(models.close())
        loop.close()
        asyncio.run(models.ask(question("hello"), budget()))
        assert loop not in models._connections._held

    def test_no_more_calls_are_under_way_than_are_allowed(self, model_server: ModelServer) -> None:
        model_server.delay = 0.1

        async def many(models: LanguageModels) -> None:
            await asyncio.gather(*(models.ask(question("hello"), budget()) for _ in range(30)))

        ask(many, model_calls_at_once=7)
        assert model_server.most_at_once == 7

    def test_a_server_that_blinks_costs_no_question(self, model_server: ModelServer) -> None:
        model_server.script("echo", Act(drop=Drop.BEFORE, delay=0.02, times=30))

        async def many(models: LanguageModels) -> list[Answer]:
            return await asyncio.gather(*(models.ask(question("hello"), budget(retries=100)) for _ in range(30)))

        assert [answer.content for answer in ask(many)] == ["hello"] * 30

    def test_who_waits_for_a_turn_waits_no_longer_than_its_step(self, model_server: ModelServer) -> None:
        model_server.script("long", Act(hangs=True, times=None))

        async def behind_another(models: LanguageModels) -> None:
            long = asyncio.create_task(models.ask(question("long"), budget()))
            await asyncio.to_thread(eventually, lambda: model_server.calls == 1)
            with pytest.raises(ModelUnavailable):
                await models.ask(question("short"), budget(seconds=0.2))
            long.cancel()

        began = monotonic()
        ask(behind_another, model_calls_at_once=1)
        assert monotonic() - began < 10

    def test_waiting_for_a_turn_is_not_the_calls_time(self, model_server: ModelServer) -> None:
        model_server.delay = 1.0

        async def many(models: LanguageModels) -> None:
            await asyncio.gather(*(models.ask(question("hello", timeout_seconds=2.5), budget()) for _ in range(3)))

        ask(many, model_calls_at_once=1)
        assert model_server.calls == 3


class TestVectors:
    @pytest.mark.usefixtures("model_server")
    def test_they_come_in_the_order_of_their_texts(self) -> None:
        texts = [f"text number {number}" for number in range(200)]
        embedded = embed("openai:embedder", texts)
        assert embedded.vectors == [vector_of(text) for text in texts]
        assert embedded.usage == Usage(calls=3, input_tokens=600)

    def test_a_failure_that_passes_is_tried_again(self, model_server: ModelServer) -> None:
        model_server.script("embedder", failing(503, retry_after="0"))
        assert embed("compatible:embedder", ["a text"]).vectors == [vector_of("a text")]

    def test_packed_vectors_are_read_too(self, model_server: ModelServer) -> None:
        packed = base64.b64encode(struct.pack("<3f", 0.5, -1.0, 2.0)).decode()
        model_server.script("embedder", Act(body=f'{{"data": [{{"index": 0, "embedding": "{packed}"}}]}}'.encode()))
        assert embed("compatible:embedder", ["a text"]).vectors == [[0.5, -1.0, 2.0]]

    def test_one_batch_that_fails_ends_the_others(self, model_server: ModelServer) -> None:
        model_server.script("bad", failing(400, times=None))
        model_server.script("good", Act(hangs=True, times=None))
        with pytest.raises(ModelRefused):
            embed("compatible:embedder", ["good"] * 96 + ["bad"])

    def test_too_few_vectors_are_no_answer(self, model_server: ModelServer) -> None:
        model_server.script("embedder", Act(body=b'{"data": []}', times=None))
        with pytest.raises(ModelUnavailable):
            embed("compatible:embedder", ["a text"])
        assert model_server.calls == 3

    def test_the_local_embedder_needs_no_network(self) -> None:
        embedded = embed("local:hashing-64", ["a text", "another"])
        assert [len(vector) for vector in embedded.vectors] == [64, 64]

    def test_of_no_texts_there_are_none(self, model_server: ModelServer) -> None:
        assert embed("compatible:embedder", []).vectors == []
        assert model_server.calls == 0
