import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from db import checkpoints, children, deletion, files, retention, task_store, verification
from db.claims import Claim
from db.database import transaction
from db.endings import Ending, settle
from db.files import NamedKeys
from db.models import CLOCK, Task, TaskStatus
from db.retention import GRACE, Kept, Stage
from tests import builders

KEPT = Kept(
    inputs=timedelta(days=7),
    outputs=timedelta(days=30),
    upload_links=timedelta(minutes=15),
    download_links=timedelta(hours=1),
)
INPUTS_OVER = timedelta(days=7, minutes=2)
OUTPUTS_OVER = timedelta(days=30, hours=1, minutes=2)


def ended_task(ago: timedelta = timedelta(0), **columns: Any) -> Task:
    """A COMPLETED task of so long ago."""
    claim = builders.claimed_task()
    complete(claim)
    return builders.change(claim.task_id, finished_at=CLOCK - ago, **columns)


def complete(claim: Claim) -> None:
    with transaction() as session:
        settle(session, claim, Ending("success", f"{prefix(claim)}outputs/{claim.epoch}/manifest.json"))


def prefix(of: Claim | Task) -> str:
    return f"users/{of.user_id}/tasks/{of.id if isinstance(of, Task) else of.task_id}/"


def due(stage: Stage, kept: Kept = KEPT) -> list[uuid.UUID]:
    with transaction() as session:
        return [doomed.task_id for doomed in retention.due(session, stage, kept)]


def mark(stage: Stage, *tasks: Task) -> None:
    with transaction() as session:
        retention.mark_cleaned(session, stage, KEPT, [task.id for task in tasks])


def named(task_id: uuid.UUID) -> NamedKeys:
    with transaction() as session:
        return files.named_keys(session, [task_id])[task_id]


def delete(task: Task) -> None:
    with transaction() as session:
        deletion.delete(session, task.id, task.user_id)


def inputs_of(task_or_prefix: str) -> Mapping[str, Any]:
    return {"primary": [{"filename": "secret name.csv", "key": f"{task_or_prefix}inputs/primary/a.csv", "size": 70}]}


def test_inputs_are_due_a_week_after_the_end_and_the_rest_a_month() -> None:
    ended_task(timedelta(days=6, hours=23))
    week = ended_task(INPUTS_OVER)
    month = ended_task(OUTPUTS_OVER)
    assert due(Stage.INPUTS) == [month.id, week.id], "oldest first"
    assert due(Stage.OUTPUTS) == [month.id]
    assert due(Stage.DELETED) == []


def test_what_runs_is_never_due_however_old() -> None:
    old = CLOCK - timedelta(days=400)
    for task in (builders.created_task(), builders.submitted_task(), builders.read(builders.claimed_task().task_id)):
        builders.change(task.id, created_at=old, queued_at=old, started_at=old)
    assert [due(stage) for stage in Stage] == [[]] * len(Stage)


def test_an_expired_tasks_uploads_are_due_like_any_other() -> None:
    task = builders.created_task(created_at=CLOCK - timedelta(days=9))
    with transaction() as session:
        task_store.expire(session, timedelta(hours=24), 100)
    builders.change(task.id, finished_at=CLOCK - INPUTS_OVER)
    assert due(Stage.INPUTS) == [task.id]


def test_a_new_setting_acts_on_old_rows() -> None:
    task = ended_task(timedelta(days=2))
    shorter = Kept(timedelta(days=1), timedelta(days=1), KEPT.upload_links, KEPT.download_links)
    assert due(Stage.INPUTS) == []
    assert due(Stage.INPUTS, shorter) == due(Stage.OUTPUTS, shorter) == [task.id]


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    tasks = [ended_task(INPUTS_OVER + timedelta(minutes=number)) for number in range(5)]
    builders.change(tasks[1].id, finished_at=tasks[2].finished_at)
    seen, after = [], None
    while True:
        with transaction() as session:
            page = retention.due(session, Stage.INPUTS, KEPT, after=after, limit=2)
        if not page:
            break
        seen += [doomed.task_id for doomed in page]
        after = page[-1]
    assert len(seen) == 5
    assert set(seen) == {task.id for task in tasks}


@pytest.mark.parametrize("how", ["by age", "by wish"])
def test_a_small_artifact_goes_with_the_outputs_of_its_task(how: str) -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler", inline='{"result": {}}')
    complete(claim)
    task = builders.change(claim.task_id, finished_at=CLOCK - OUTPUTS_OVER)
    if how == "by wish":
        delete(task)
    else:
        mark(Stage.INPUTS, task)
        assert small_artifact(task) == {"result": {}}
        mark(Stage.OUTPUTS, task)
    assert small_artifact(task) is None


def small_artifact(task: Task) -> object:
    with transaction() as session:
        return checkpoints.of_task(session, task.id)["unified-profiler"].inline


def test_what_was_cleaned_is_not_due_again() -> None:
    week, month = ended_task(INPUTS_OVER), ended_task(OUTPUTS_OVER)
    mark(Stage.INPUTS, week)
    mark(Stage.OUTPUTS, month)
    assert [due(stage) for stage in Stage] == [[]] * len(Stage)
    row = builders.read(month.id)
    assert row.inputs_cleaned_at is not None
    assert row.outputs_cleaned_at is not None
    assert builders.read(week.id).outputs_cleaned_at is None


@pytest.mark.parametrize("distance", [1, 3])
def test_a_retry_keeps_the_files_it_stands_on_at_every_distance(distance: int) -> None:
    original = ended_task(OUTPUTS_OVER)
    last = original
    for _ in range(distance):
        last = ended_task(OUTPUTS_OVER, retry_of=last.id)
    running = builders.claimed_task(last.user_id, retry_of=last.id)
    assert due(Stage.INPUTS) == due(Stage.OUTPUTS) == []
    complete(running)
    assert due(Stage.INPUTS) == due(Stage.OUTPUTS) == [], "the retry ended just now: its own time begins"
    builders.change(running.task_id, finished_at=CLOCK - INPUTS_OVER)
    assert set(due(Stage.INPUTS)) > {original.id, last.id}
    assert due(Stage.OUTPUTS) == []
    builders.change(running.task_id, finished_at=CLOCK - OUTPUTS_OVER)
    assert original.id in due(Stage.OUTPUTS)


def test_a_deleted_retry_needs_nothing_and_a_deleted_original_waits_for_its_retry() -> None:
    original = ended_task()
    retry = builders.submitted_task(original.user_id, retry_of=original.id)
    delete(original)
    assert due(Stage.DELETED) == []
    delete(retry)
    assert set(due(Stage.DELETED)) == {original.id, retry.id}


def test_a_childs_files_are_kept_for_its_parent_and_for_the_parents_retry() -> None:
    parent, (child, _) = builders.waiting_parent()
    complete(builders.claimed_child(child))
    builders.change(child.id, finished_at=CLOCK - OUTPUTS_OVER)
    assert due(Stage.OUTPUTS) == [], "the parent has yet to collect"
    with transaction() as session:
        task_store.cancel(session, parent.task_id, parent.user_id)
    builders.change(parent.task_id, finished_at=CLOCK - OUTPUTS_OVER)
    assert child.id in due(Stage.OUTPUTS)
    builders.submitted_task(parent.user_id, retry_of=parent.task_id)
    assert due(Stage.OUTPUTS) == []


def test_named_are_the_manifests_folder_the_artifacts_folders_and_the_inputs() -> None:
    claim = builders.claimed_task()
    home = prefix(claim)
    builders.change(claim.task_id, inputs=inputs_of(home))
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        session.execute(task_steps_key(), {"key": f"{home}steps/1/unified-profiler/result.json", "task": claim.task_id})
    complete(claim)
    keys = named(claim.task_id)
    for wanted in ("inputs/primary/a.csv", "outputs/1/report.html", "steps/1/unified-profiler/table.parquet"):
        assert keys.name(home + wanted), wanted
    for left in ("inputs/primary/b.csv", "outputs/2/report.html", "steps/1/score-risk/result.json", "steps/1/x"):
        assert not keys.name(home + left), left
    assert keys.expected == {
        f"{home}inputs/primary/a.csv", f"{home}outputs/1/manifest.json", f"{home}steps/1/unified-profiler/result.json",
    }  # fmt: skip
    mark(Stage.INPUTS, builders.read(claim.task_id))
    assert not named(claim.task_id).name(f"{home}inputs/primary/a.csv")
    mark(Stage.OUTPUTS, builders.read(claim.task_id))
    assert named(claim.task_id) == NamedKeys()


def task_steps_key() -> Any:
    from sqlalchemy import text

    return text("UPDATE task_steps SET artifact_key = :key WHERE task_id = :task")


def test_what_a_retry_took_over_is_named_by_it_when_its_own_task_is_done_with() -> None:
    original = ended_task(outputs_cleaned_at=CLOCK, inputs_cleaned_at=CLOCK)
    retry = builders.claimed_task(original.user_id, retry_of=original.id)
    builders.change(retry.task_id, inputs=inputs_of(prefix(original)))
    builders.deliver(retry, "unified-profiler")
    taken = f"{prefix(original)}steps/1/unified-profiler/result.json"
    with transaction() as session:
        session.execute(task_steps_key(), {"key": taken, "task": retry.task_id})
    assert named(original.id).objects == {taken, f"{prefix(original)}inputs/primary/a.csv"}


def test_an_announced_file_that_was_never_submitted_is_named_and_not_expected() -> None:
    task = builders.created_task()
    builders.change(task.id, inputs=inputs_of(prefix(task)))
    assert named(task.id).objects
    assert not named(task.id).expected


@pytest.mark.parametrize(
    ("ago", "gone"), [(timedelta(days=29, hours=23), False), (timedelta(days=30, seconds=2), True)]
)
def test_results_are_gone_when_their_time_is_over_before_they_are_cleaned(ago: timedelta, gone: bool) -> None:
    task = ended_task(ago)
    with transaction() as session:
        assert retention.results_are_gone(session, task, KEPT) is gone
    assert due(Stage.OUTPUTS) == [], "a link that was signed a moment ago is good for an hour"


def test_results_are_gone_when_they_are_cleaned_and_inputs_when_those_are() -> None:
    task = ended_task()
    running = builders.submitted_task()
    with transaction() as session:
        assert not retention.inputs_are_gone(session, task, KEPT)
        assert not retention.results_are_gone(session, running, KEPT)
    mark(Stage.INPUTS, task)
    with transaction() as session:
        assert retention.inputs_are_gone(session, task, KEPT)
        assert not retention.results_are_gone(session, task, KEPT)
    mark(Stage.OUTPUTS, task)
    with transaction() as session:
        assert retention.results_are_gone(session, task, KEPT)


def test_a_deleted_running_task_is_cancelled_paid_for_what_was_delivered_and_out_of_sight() -> None:
    owner = builders.customer(credits=100)
    claim = builders.claimed_task(owner)
    builders.deliver(claim, "unified-profiler")
    delete(builders.read(claim.task_id))
    task = builders.read(claim.task_id)
    assert (task.status, task.epoch) == (TaskStatus.CANCELLED, claim.epoch + 1)
    assert task.deleted_at is not None
    with transaction() as session:
        assert task_store.page(session, owner) == []
        with pytest.raises(task_store.TaskNotFound):
            task_store.get(session, task.id, owner)
        assert task_store.get(session, task.id, owner, also_deleted=True).id == task.id
        for rules in (verification.LEDGER, verification.STATES):
            assert verification.breaches(session, rules) == []


def test_a_deletion_leaves_nothing_of_the_customers_on_the_rows_but_sizes() -> None:
    task = ended_task(parameters={"a": {"secret": 1}}, error_message="secret", error_detail="secret")
    builders.change(task.id, inputs=inputs_of(prefix(task)) | {"empty": []})
    with transaction() as session:
        session.get_one(Task, task.id)
        events_say_secret(session, task.id)
    delete(task)
    row = builders.read(task.id)
    assert (row.parameters, row.error_message, row.error_detail) == ({}, None, None)
    assert row.inputs == {"primary": [{"size": 70}], "empty": []}
    with transaction() as session:
        from db import events

        assert "secret" not in str([event.data for event in events.after(session, task.id, 0)])
        assert verification.breaches(session, verification.STATES) == []


def events_say_secret(session: Any, task_id: uuid.UUID) -> None:
    from sqlalchemy import text

    said = """UPDATE task_events SET data = '{"message": "secret"}' WHERE task_id = :id AND seq = 1"""
    session.execute(text(said), {"id": task_id})


def test_a_parent_takes_its_children_along_and_a_child_cannot_go_alone() -> None:
    parent, (first, second) = builders.waiting_parent()
    complete(builders.claimed_child(first))
    with pytest.raises(deletion.Conflict):
        delete(second)
    delete(builders.read(parent.task_id))
    family = [builders.read(task_id) for task_id in (parent.task_id, first.id, second.id)]
    assert all(task.deleted_at is not None for task in family)
    assert [task.status for task in family] == ["CANCELLED", "COMPLETED", "CANCELLED"]
    with transaction() as session:
        assert len(children.page(session, parent.task_id, None, 100)) == 2
    assert len(due(Stage.DELETED)) == 3


def test_a_deleted_task_is_cleaned_at_once_and_again_when_nobody_can_upload_any_more() -> None:
    task = ended_task()
    delete(task)
    assert due(Stage.DELETED) == [task.id]
    mark(Stage.DELETED, task)
    assert due(Stage.DELETED) == []
    assert builders.read(task.id).outputs_cleaned_at is None
    builders.change(task.id, deleted_at=CLOCK - KEPT.upload_links - GRACE - timedelta(seconds=1))
    assert due(Stage.DELETED) == [task.id]
    mark(Stage.DELETED, task)
    assert due(Stage.DELETED) == []
    assert builders.read(task.id).outputs_cleaned_at is not None


def test_a_task_deleted_while_its_inputs_were_cleaned_is_still_to_be_cleaned() -> None:
    task = ended_task(INPUTS_OVER)
    delete(task)
    mark(Stage.INPUTS, task)
    assert due(Stage.DELETED) == [task.id]


def test_two_cleanings_at_once_do_not_wait_for_each_other() -> None:
    task = ended_task(INPUTS_OVER)
    with transaction() as first:
        retention.mark_cleaned(first, Stage.INPUTS, KEPT, [task.id])
        mark(Stage.INPUTS, task)
