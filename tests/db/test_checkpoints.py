import pytest
from side_by_side import sql, together
from sqlalchemy import select

from backend.errors import ClaimLost
from db import checkpoints, ledger
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import statement, transaction
from db.models import CreditEntry, EntryKind, StepStatus, TaskStatus
from tests import builders
from tests.builders import PRICES, delivered_step, failed_step
from tests.round_trips import on_linux, trips_of


def record(claim: Claim, step: Checkpoint, *, amount: int = 30, progress: float = 50) -> None:
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=amount, progress=progress, next_agent="score-risk")


def captured() -> list[tuple[str, int]]:
    with transaction() as session:
        wanted = select(CreditEntry.agent_id, CreditEntry.amount).where(CreditEntry.kind == EntryKind.CAPTURE)
        return [(row.agent_id, row.amount) for row in session.execute(wanted)]


@on_linux
def test_a_checkpoint_is_one_round_trip() -> None:
    claim = builders.claimed_task()

    def record_alone() -> None:
        with statement() as session:
            checkpoints.record(
                session, claim, delivered_step("unified-profiler"), amount=30, progress=1, next_agent=None
            )  # fmt: skip

    assert len(trips_of(record_alone)) == 1
    assert captured() == [("unified-profiler", 30)]


def test_a_delivered_step_is_written_down_captured_and_told() -> None:
    claim = builders.claimed_task()
    record(claim, delivered_step("unified-profiler"), progress=33)

    with transaction() as session:
        step = checkpoints.of_task(session, claim.task_id)["unified-profiler"]
    assert (step.status, step.epoch, step.duration_ms) == (StepStatus.DELIVERED, claim.epoch, 12)
    assert (step.artifact_key, step.artifact_size) == ("steps/unified-profiler/result.json", 2)
    assert captured() == [("unified-profiler", 30)]
    row = builders.read(claim.task_id)
    assert (row.progress, row.current_agent, row.status) == (33, "score-risk", TaskStatus.PROCESSING)
    assert builders.story(row.id)[-1] == "step_delivered"
    told = sql("SELECT data FROM task_events WHERE task_id = :id ORDER BY seq DESC LIMIT 1", id=row.id)
    assert told == {"agent_id": "unified-profiler", "progress": 33, "credits": 30}


def test_a_capture_moves_nothing_in_the_wallet() -> None:
    claim = builders.claimed_task()
    with transaction() as session:
        before = ledger.balance(session, claim.user_id)
    record(claim, delivered_step("unified-profiler"))
    with transaction() as session:
        assert ledger.balance(session, claim.user_id) == before


def test_a_step_is_captured_once_however_often_it_is_recorded() -> None:
    claim = builders.claimed_task()
    for _ in range(3):
        record(claim, delivered_step("unified-profiler"))
    assert captured() == [("unified-profiler", 30)]
    assert sql("SELECT count(*) FROM task_steps") == 1


def test_a_step_recorded_by_many_at_once_is_captured_once_and_numbered_without_a_gap() -> None:
    claim = builders.claimed_task()
    answers = together(*[lambda: record(claim, delivered_step("unified-profiler"))] * 6)
    assert answers == [None] * 6
    assert captured() == [("unified-profiler", 30)]
    assert builders.story(claim.task_id) == ["created", "queued", "started"] + ["step_delivered"] * 6


def test_a_step_that_failed_costs_nothing_and_says_why() -> None:
    claim = builders.claimed_task()
    record(claim, failed_step("score-risk"))
    assert captured() == []
    with transaction() as session:
        step = checkpoints.of_task(session, claim.task_id)["score-risk"]
    assert (step.status, step.artifact_key, step.error_code) == (StepStatus.FAILED, None, "BAD_PARAMETERS")
    assert step.error_detail == "where it was"
    assert builders.story(claim.task_id)[-1] == "step_failed"
    told = sql("SELECT data FROM task_events WHERE task_id = :id ORDER BY seq DESC LIMIT 1", id=claim.task_id)
    assert (told["error_code"], told["message"]) == ("BAD_PARAMETERS", "A parameter is not valid.")
    assert told["credits"] == 0


def test_a_step_that_failed_before_can_be_delivered_later() -> None:
    claim = builders.claimed_task()
    record(claim, failed_step("score-risk"))
    record(claim, delivered_step("score-risk"), amount=20)
    with transaction() as session:
        step = checkpoints.of_task(session, claim.task_id)["score-risk"]
    assert (step.status, step.error_code, step.error_message) == (StepStatus.DELIVERED, None, None)
    assert step.error_detail is None
    assert captured() == [("score-risk", 20)]


def test_a_step_without_a_price_is_recorded_without_an_entry() -> None:
    claim = builders.claimed_task()
    record(claim, delivered_step("unified-profiler"), amount=0)
    assert captured() == []
    assert sql("SELECT count(*) FROM task_steps") == 1


def test_progress_never_goes_down() -> None:
    claim = builders.claimed_task()
    for progress in (60, 20):
        record(claim, delivered_step("unified-profiler"), progress=progress)
    assert builders.read(claim.task_id).progress == 60


def test_a_checkpoint_sets_what_was_counted_at_its_step_to_nothing() -> None:
    claim = builders.claimed_task(hiccups=3, crashes=2, losses=4)
    record(claim, delivered_step("unified-profiler"))
    row = builders.read(claim.task_id)
    assert (row.hiccups, row.crashes, row.losses) == (0, 0, 0)


def test_a_childs_capture_names_the_root_that_holds_the_credits() -> None:
    parent, (child,) = builders.waiting_parent(children_count=1)
    record(builders.claimed_child(child), delivered_step("unified-profiler"))
    assert sql("SELECT task_id FROM credit_entries WHERE kind = 'CAPTURE'") == parent.task_id
    assert sql("SELECT task_id FROM task_steps") == child.id


def test_who_lost_the_claim_records_nothing() -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, epoch=2)
    with pytest.raises(ClaimLost):
        record(claim, delivered_step("unified-profiler"))
    assert captured() == []
    assert sql("SELECT count(*) FROM task_steps") == 0
    assert builders.story(claim.task_id) == ["created", "queued", "started"]


def test_steps_are_read_in_the_order_in_which_they_finished() -> None:
    claim = builders.claimed_task()
    for agent in reversed(PRICES):
        record(claim, delivered_step(agent))
    with transaction() as session:
        assert list(checkpoints.of_task(session, claim.task_id)) == list(reversed(PRICES))
