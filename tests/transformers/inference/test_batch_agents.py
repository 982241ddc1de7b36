import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from waiting_stage import MemoryJournal, Stage

from backend.errors import NoAnswers
from backend.language_models.questions import Usage
from transformers.agents import collect_answers, split_items
from transformers.agents.collect_answers import CollectAnswersParameters
from transformers.agents.generate_items import read_chunk
from transformers.agents.split_items import SplitItemsParameters, chunk_size_of
from transformers.batch_inference_transformer import BATCH_INFERENCE
from transformers.tool import AgentContext, Delivery, GivenFile, LocalFile
from transformers.waiting_agent import ItemResult


def split(folder: Path, items: int, done: frozenset[int] = frozenset(), size: int | None = None) -> Delivery:
    folder.mkdir(exist_ok=True)
    path = folder / "items.input"
    path.write_text(json.dumps([{"custom_id": f"id-{n}", "user_message": f"say {n}"} for n in range(items)]))
    context = AgentContext(
        tables={},
        parameters=SplitItemsParameters(chunk_size=size),
        scratch=folder,
        memory_bytes=10**8,
        files={"items": (LocalFile(role="items", name="mine.json", path=path),)},
        done=done,
    )
    return split_items.run(context)


def plans_of(delivery: Delivery) -> list[tuple[int, int, list[int]]]:
    """First position, items, and the positions in the chunk's file."""
    paths = {file.name: file.path for file in delivery.files}
    return [
        (
            plan.first,
            plan.items,
            [item.position for item in read_chunk(paths[plan.files["items"][0]].read_bytes().splitlines())],
        )
        for wave in delivery.waves
        for plan in wave
    ]


def positions_in(chunk: Path) -> list[int]:
    return [item.position for item in read_chunk(chunk.read_bytes().splitlines())]


def test_the_chunks_are_the_batch_in_its_order(tmp_path: Path) -> None:
    delivery = split(tmp_path, 25, size=10)
    assert delivery.items == 25
    assert plans_of(delivery) == [
        (0, 10, list(range(10))), (10, 10, list(range(10, 20))), (20, 5, list(range(20, 25))),
    ]  # fmt: skip
    assert not any(file.is_output for file in delivery.files)


def test_a_retry_plans_only_what_is_not_done(tmp_path: Path) -> None:
    delivery = split(tmp_path, 25, done=frozenset(range(25)) - {3, 4, 19}, size=2)
    assert plans_of(delivery) == [(3, 2, [3, 4]), (19, 1, [19])]
    assert delivery.items == 25


def test_where_all_is_done_no_child_is_planned(tmp_path: Path) -> None:
    assert split(tmp_path, 3, done=frozenset(range(3))).waves == ()


def test_however_small_chunks_are_wanted_there_are_no_more_than_one_transaction_makes(tmp_path: Path) -> None:
    delivery = split(tmp_path, 450, size=1)
    assert [items for _first, items, _positions in plans_of(delivery)] == [3] * 150


@pytest.mark.parametrize(
    ("items", "slots", "size"),
    [(1, 1, 50), (400, 2, 100), (401, 2, 150), (10_000, 1, 2500), (10_000, 2, 2500), (10_000, 16, 350)],
)
def test_a_chunk_is_worth_its_handing_out_and_leaves_others_their_turn(items: int, slots: int, size: int) -> None:
    assert chunk_size_of(items, slots) == size


def collect(folder: Path, items: dict[int, ItemResult], of: int = 4) -> tuple[Delivery, list[dict[str, Any]]]:
    given = folder / "items.json"
    given.write_text(json.dumps([{"custom_id": f"id-{n}", "user_message": f"say {n}"} for n in range(of)]))
    here = Stage(folder, journal=MemoryJournal(range(of), items=items))
    context = here.context(CollectAnswersParameters(), files={"items": given})
    delivery = asyncio.run(collect_answers.run(context))
    (file,) = delivery.files
    return delivery, [json.loads(line) for line in file.path.read_bytes().splitlines()]


def answered(position: int) -> ItemResult:
    used = Usage(calls=1, input_tokens=10, output_tokens=position)
    answer = {"content": f"é\u2028{position}", "model": "m", "usage": used.model_dump()}
    return ItemResult(position=position, name=f"id-{position}", answer=answer, usage=used)


def failed(position: int, code: str = "MODEL_REFUSED") -> ItemResult:
    return ItemResult(position=position, name=f"id-{position}", error_code=code, error_message="No.")


def test_the_answers_come_in_the_order_of_submission_each_ok_or_its_error(tmp_path: Path) -> None:
    delivery, lines = collect(tmp_path, {3: answered(3), 0: answered(0), 1: failed(1)})
    assert [(line["custom_id"], line["position"], line["ok"]) for line in lines] == [
        ("id-0", 0, True), ("id-1", 1, False), ("id-2", 2, False), ("id-3", 3, True),
    ]  # fmt: skip
    assert [line["content"] for line in lines] == ["é\u20280", None, None, "é\u20283"]
    assert lines[1]["error"] == {"code": "MODEL_REFUSED", "message": "No."}
    assert lines[2]["error"]["code"] == "NOT_ASKED"
    assert lines[0]["error"] is None
    assert len({frozenset(line) - {"position"} for line in lines}) == 1, "each line has the same keys"
    result = delivery.result
    assert result.status == "partial"
    assert result.summary_metrics == {
        "total": 4, "ok": 2, "failed": 2, "success_rate": 0.5, "calls": 2, "input_tokens": 20, "output_tokens": 3,
    }  # fmt: skip
    assert {error["code"]: error["count"] for error in result.data["errors"]} == {"MODEL_REFUSED": 1, "NOT_ASKED": 1}
    assert result.issue_summary.total_issues == 2


def test_a_batch_that_went_well_says_so(tmp_path: Path) -> None:
    delivery, lines = collect(tmp_path, {n: answered(n) for n in range(4)})
    assert delivery.result.status == "success"
    assert (len(lines), delivery.result.alerts, delivery.result.summary_metrics["success_rate"]) == (4, (), 1.0)


def test_where_not_one_item_went_well_the_batch_failed_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoAnswers) as failure:
        collect(tmp_path, {0: failed(0, "X"), 1: failed(1), 2: failed(2)})
    assert str(failure.value) == "None of the 4 items was answered. 2 times MODEL_REFUSED: No."
    assert failure.value.context["errors"] == {"MODEL_REFUSED": 2, "X": 1, "NOT_ASKED": 1}


def test_the_bound_is_of_what_is_still_to_be_asked() -> None:
    body = json.dumps([{"user_message": "x" * 100, "max_tokens": 7}, {"user_message": "y" * 50}]).encode()
    given = {"items": [GivenFile("a.json", len(body), lambda: body)]}
    step = BATCH_INFERENCE.step("generate")
    assert step is not None
    assert step.bound is not None
    form = step.agent.parameters.model_validate({"max_tokens": 20, "system": "four"})
    whole = step.bound(form, given, frozenset())
    assert whole == Usage(calls=2, input_tokens=100 + 50 + 2 * 4 + 4 * 16, output_tokens=27)
    assert step.bound(form, given, frozenset({0})) == Usage(calls=1, input_tokens=50 + 4 + 2 * 16, output_tokens=20)
