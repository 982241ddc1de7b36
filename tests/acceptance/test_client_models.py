"""The client's model calls against a real house and a scripted model."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from backend.client import TIMED_OUT, AgensiumClient, AsyncAgensiumClient, Source, TaskTimedOut
from backend.errors import ModelRefused, TaskNotFound
from tests.acceptance.house import PATIENCE, House
from tests.model_server import Act, ModelServer, failing

PASSWORD = "a long and private sentence"
RETURNS = Source(
    "returns.txt", content=b"An order is returned within thirty days, in its own box, to the shop it came from."
)
OPENING = Source("opening.txt", content=b"The shop is open on weekdays from nine to six, and closed on Sunday.")


@pytest.fixture
def client(models_house: House) -> Iterator[AgensiumClient]:
    with AgensiumClient(models_house.api_url) as found:
        found.register(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        yield found


def test_generate_is_answered_and_charged_for_its_use(client: AgensiumClient) -> None:
    before = client.balance()

    found = client.generate("Say it again.", timeout_s=PATIENCE)

    assert (found.content, found.model, found.usage.calls) == ("Say it again.", "compatible:echo", 1)
    paid = client.task(found.task_id).credits
    assert paid.captured == 2  # a call, and less than a thousand tokens
    assert client.balance() == before - paid.captured
    assert client.get_result(found.task_id).value["content"] == "Say it again."


def test_a_refused_question_is_an_error_and_a_slow_one_goes_on(client: AgensiumClient, models: ModelServer) -> None:
    models.script("never", failing(400, None))
    models.script("slowly", Act(answer="", delay=1.5))

    with pytest.raises(ModelRefused):
        client.generate("never", timeout_s=PATIENCE)
    with pytest.raises(TaskTimedOut) as caught:
        client.generate("slowly", timeout_s=0.1)

    task_id = caught.value.context["task_id"]
    assert client.get_result(task_id).ready is False
    assert [one.status for one in client.wait_parallel([task_id], 0)] == [TIMED_OUT]
    [ended] = client.wait_parallel([task_id], PATIENCE)
    assert ended.done
    assert client.get_result(task_id).value["content"] == ""


def test_waiting_for_a_task_that_is_not_there_is_an_error(client: AgensiumClient) -> None:
    with pytest.raises(TaskNotFound):
        client.wait_parallel([str(uuid.uuid4())], PATIENCE)


def test_a_batch_comes_back_in_order_with_what_failed_and_is_retried(
    client: AgensiumClient, models: ModelServer
) -> None:
    models.script("bad", failing(400))

    found = client.parallel_batch([f"question {n}" for n in range(30)] + ["bad"], timeout_s=PATIENCE)

    assert [item.position for item in found.items] == list(range(31))
    assert [item.content for item in found.ok] == [f"question {n}" for n in range(30)]
    assert [item.error.code for item in found.failed if item.error] == ["MODEL_REFUSED"]
    assert found.task.outcome == "partial"
    assert [child.status for child in client.children(found.task.task_id)] == ["COMPLETED"] * len(
        client.children(found.task.task_id)
    )

    calls = models.calls
    again = client.wait(client.retry(found.task.task_id).task_id, PATIENCE)
    assert again.outcome == "success"
    assert models.calls == calls + 1
    assert len(client.items(again.task_id, status="ok")) == 31


def test_documents_are_found_again_by_what_they_say(client: AgensiumClient) -> None:
    client.ingest_document([RETURNS, OPENING], "handbook", metadata={"language": "en"}, timeout_s=PATIENCE)

    hits = client.search("handbook", "How is an order returned?", filters={"language": "en"})

    assert hits[0].document == "returns.txt"
    assert {hit.document for hit in hits} == {"returns.txt", "opening.txt"}
    assert client.search("handbook", "How?", filters={"language": "fr"}) == []


def test_a_pipeline_gives_each_steps_result(client: AgensiumClient) -> None:
    steps = [
        {"name": "first", "prompt_template": "About {{ input.topic }}"},
        {"name": "second", "prompt_template": "{{ first.output }}, again", "after": ["first"]},
    ]

    found = client.pipeline(steps, {"topic": "bees"}, timeout_s=PATIENCE)

    assert {name: step["output"] for name, step in found.results.items()} == {
        "first": "About bees", "second": "About bees, again",
    }  # fmt: skip
    assert (found.success_count, found.total_count, found.success_rate) == (2, 2, 1.0)


def test_an_asynchronous_program_asks_several_at_once(models_house: House) -> None:
    async def ask() -> list[str]:
        async with AsyncAgensiumClient(models_house.api_url) as client:
            await client.register(f"{uuid.uuid4().hex}@example.com", PASSWORD)
            found = await asyncio.gather(*(client.generate(f"number {n}", timeout_s=PATIENCE) for n in range(3)))
            return [one.content for one in found]

    assert asyncio.run(ask()) == ["number 0", "number 1", "number 2"]
