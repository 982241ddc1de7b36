import asyncio
from contextlib import nullcontext
from pathlib import Path

import pytest
from waiting_stage import MemoryJournal, ScriptedModels, Stage

from backend.errors import ClaimLost, DatabaseUnavailable, ModelRefused, ModelUnavailable, TimeLimit
from backend.language_models.questions import Answer
from transformers.agents import generate_items
from transformers.agents.generate_items import GenerateItemsParameters
from transformers.inference.items import PlacedItem
from transformers.tool import Delivery
from transformers.waiting_agent import ItemResult


def stage(folder: Path, positions: range, **models: ScriptedModels) -> Stage:
    return Stage(folder, journal=MemoryJournal(positions), **models)


def run(stage: Stage, *, last_try: bool = False, form: GenerateItemsParameters | None = None) -> Delivery:
    """The chunk of the journal's positions, each item saying its own."""
    chunk = stage.folder / "items.jsonl"
    items = [PlacedItem(position=n, custom_id=f"id-{n}", user_message=f"say {n}") for n in stage.journal.positions]
    chunk.write_text("".join(item.model_dump_json(exclude_none=True) + "\n" for item in items))
    context = stage.context(form or GenerateItemsParameters(), files={"items": chunk}, last_try=last_try)
    return asyncio.run(generate_items.run(context))


def test_every_item_is_asked_once_and_written_down_many_at_a_time(tmp_path: Path) -> None:
    here = stage(tmp_path, range(100, 400), models=ScriptedModels(seconds=0.001))
    delivered = run(here)
    assert sorted(here.journal.items) == list(range(100, 400))
    assert {item.answer["content"] for item in here.journal.items.values() if item.answer} == {
        f"echo: say {n}" for n in range(100, 400)
    }
    assert len(here.models.asked) == 300
    assert here.models.most_at_once == 10
    assert len(here.journal.writes) < 10
    assert delivered.result.summary_metrics["ok"] == 300
    assert here.progress[-1] == 1.0


def test_what_is_in_the_journal_is_not_asked_again(tmp_path: Path) -> None:
    here = stage(tmp_path, range(5))
    here.journal.items = {n: ItemResult(position=n, name=f"id-{n}", answer={}) for n in (0, 3)}
    run(here)
    assert [question.messages[-1].content for question in here.models.asked] == ["say 1", "say 2", "say 4"]
    run(here)
    assert len(here.models.asked) == 3


def test_one_bad_item_fails_no_other(tmp_path: Path) -> None:
    here = stage(tmp_path, range(3))
    here.models.acts["say 1"] = ModelRefused(detail="400: too long")
    delivered = run(here)
    bad = here.journal.items[1]
    assert (bad.error_code, bad.error_message, bad.answer) == ("MODEL_REFUSED", str(ModelRefused()), None)
    assert [here.journal.items[n].is_ok for n in range(3)] == [True, False, True]
    assert delivered.result.summary_metrics["failed"] == 1


def test_what_may_pass_is_left_for_a_later_try_when_all_else_is_written(tmp_path: Path) -> None:
    here = stage(tmp_path, range(4))
    here.models.acts |= {"say 0": ModelUnavailable(retry_after=3), "say 2": ModelRefused()}
    with pytest.raises(ModelUnavailable) as passing:
        run(here)
    assert passing.value.retry_after == 3
    assert sorted(here.journal.items) == [1, 2, 3]


def test_at_the_last_try_it_is_the_items_error(tmp_path: Path) -> None:
    here = stage(tmp_path, range(2))
    here.models.acts["say 0"] = ModelUnavailable()
    run(here, last_try=True)
    assert here.journal.items[0].error_code == "MODEL_UNAVAILABLE"
    assert here.journal.items[1].is_ok


@pytest.mark.parametrize("last_try", [True, False])
def test_a_model_that_is_silent_is_not_asked_a_thousand_times(tmp_path: Path, *, last_try: bool) -> None:
    here = stage(tmp_path, range(1000))
    here.models.acts |= {f"say {n}": ModelUnavailable() for n in range(1000)}
    with nullcontext() if last_try else pytest.raises(ModelUnavailable):
        run(here, last_try=last_try)
    assert len(here.models.asked) <= 3 * here.calls_at_once
    assert len(here.journal.items) == (len(here.models.asked) if last_try else 0)


@pytest.mark.parametrize("fault", [ClaimLost(), DatabaseUnavailable()])
def test_whoever_may_not_write_stops_asking(tmp_path: Path, fault: Exception) -> None:
    here = stage(tmp_path, range(500), models=ScriptedModels(seconds=0.02))
    here.journal.fault = fault  # type: ignore[assignment]
    with pytest.raises(type(fault)):
        run(here)
    assert len(here.models.asked) < 200


def test_the_tasks_own_limit_is_no_items_error(tmp_path: Path) -> None:
    here = stage(tmp_path, range(3))
    here.models.acts["say 1"] = TimeLimit()
    with pytest.raises(TimeLimit):
        run(here, last_try=True)
    assert 1 not in here.journal.items


def test_who_is_stopped_writes_what_is_answered(tmp_path: Path) -> None:
    here = stage(tmp_path, range(1000), models=ScriptedModels(seconds=0.005))
    here.calls_at_once = 1
    chunk = tmp_path / "items.jsonl"
    items = [PlacedItem(position=n, custom_id=f"id-{n}", user_message=f"say {n}") for n in range(1000)]
    chunk.write_text("".join(item.model_dump_json(exclude_none=True) + "\n" for item in items))

    async def stopped() -> None:
        task = asyncio.create_task(generate_items.run(here.context(GenerateItemsParameters(), files={"items": chunk})))
        while len(here.models.asked) < 5:  # noqa: ASYNC110 (the models know nothing of who waits)
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    assert sorted(here.journal.items) == list(range(len(here.models.asked) - 1))


def test_an_item_outweighs_the_form(tmp_path: Path) -> None:
    item = PlacedItem(
        position=0, custom_id="a", user_message="Why?", temperature=0.1, max_tokens=5, extra={"top_p": 0.5}, system="S"
    )
    form = GenerateItemsParameters(
        model="openai:big", system="form's", temperature=1, max_tokens=100, extra={"top_p": 1, "seed": 3}
    )
    asked = generate_items.question_of(item, form, "compatible:echo")
    assert (asked.model, asked.temperature, asked.max_tokens) == ("openai:big", 0.1, 5)
    assert asked.extra == {"top_p": 0.5, "seed": 3}
    assert [message.content for message in asked.messages] == ["S", "Why?"]


def test_the_answer_is_kept_whole(tmp_path: Path) -> None:
    here = stage(tmp_path, range(1))
    here.models.acts["say 0"] = Answer(content="{}", parsed={"a": [1]}, model="m", finish_reason="length")
    run(here)
    assert here.journal.items[0].answer == {
        "content": "{}", "parsed": {"a": [1]}, "model": "m", "finish_reason": "length", "tool_calls": [],
        "fallback": False, "cached": False, "usage": {"calls": 0, "input_tokens": 0, "output_tokens": 0},
    }  # fmt: skip
