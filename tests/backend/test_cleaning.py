from collections.abc import Iterable
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from sqlalchemy import event, select
from stored_tasks import INPUT, TRUTH, ZOMBIES, ended, names_of, put
from typer.testing import CliRunner

from backend import cleaning
from backend.cli import app
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.keys import input_key
from db import deletion, retention, task_store
from db.database import engine, transaction
from db.models import CLOCK, Task, TaskItem
from db.retention import Kept, Stage
from tests import builders

pytestmark = pytest.mark.usefixtures("database")
INPUTS_OVER, OUTPUTS_OVER = timedelta(days=7, minutes=2), timedelta(days=30, hours=1, minutes=2)


def clean(storage: Storage, seconds: float = 50) -> dict[Stage, int]:
    return {stage: tasks for stage, tasks in cleaning.clean(storage, Kept.by(get_settings()), seconds).items() if tasks}


def delete(task: Task) -> None:
    with transaction() as session:
        deletion.delete(session, task.id, task.user_id)


def test_after_a_week_the_inputs_go_and_what_no_row_names(storage_bucket: Storage) -> None:
    task, young = ended(storage_bucket, INPUTS_OVER), ended(storage_bucket, timedelta(days=6))
    put(storage_bucket, task, *ZOMBIES)
    assert clean(storage_bucket) == {Stage.INPUTS: 1}
    assert names_of(storage_bucket, task) == TRUTH - {INPUT}
    assert names_of(storage_bucket, young) == TRUTH
    assert builders.read(task.id).inputs_cleaned_at is not None
    assert clean(storage_bucket) == {}


def test_after_a_month_all_goes_however_many_objects(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.storage.listing.DELETE_LIMIT", 3)
    task = ended(storage_bucket, OUTPUTS_OVER)
    put(storage_bucket, task, *ZOMBIES)
    assert clean(storage_bucket) == {Stage.OUTPUTS: 1}
    assert names_of(storage_bucket, task) == set()


def test_the_items_of_many_batches_go_in_more_than_one_transaction(
    storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "ITEMS_AT_ONCE", 3)
    batches = [ended(storage_bucket, OUTPUTS_OVER) for _ in range(2)]
    young = ended(storage_bucket)
    commits: list[object] = []
    with transaction() as session:
        for task in (*batches, young):
            session.add_all(TaskItem(task_id=task.id, position=number, name=str(number)) for number in range(4))
    note = commits.append
    event.listen(engine(), "commit", note)
    assert clean(storage_bucket) == {Stage.OUTPUTS: 2}
    event.remove(engine(), "commit", note)
    with transaction() as session:
        assert set(session.scalars(select(TaskItem.task_id))) == {young.id}
    assert all(builders.read(task.id).outputs_cleaned_at is not None for task in batches)
    assert len(commits) >= 4


def test_a_deleted_tasks_files_go_at_once_and_a_late_upload_with_the_second_look(storage_bucket: Storage) -> None:
    task = ended(storage_bucket)
    delete(task)
    assert clean(storage_bucket) == {Stage.DELETED: 1}
    assert names_of(storage_bucket, task) == set()
    put(storage_bucket, task, INPUT)
    assert clean(storage_bucket) == {}
    builders.change(task.id, deleted_at=CLOCK - timedelta(minutes=17))
    assert clean(storage_bucket) == {Stage.DELETED: 1}
    assert names_of(storage_bucket, task) == set()
    assert clean(storage_bucket) == {}


def test_a_task_that_runs_keeps_all_it_has(storage_bucket: Storage) -> None:
    claim = builders.claimed_task(created_at=CLOCK - timedelta(days=99))
    put(storage_bucket, claim, *TRUTH, *ZOMBIES)
    assert clean(storage_bucket) == {}
    assert names_of(storage_bucket, claim) == TRUTH | set(ZOMBIES)


def test_what_a_retry_took_over_stays_for_as_long_as_it_needs_it(storage_bucket: Storage) -> None:
    original = ended(storage_bucket, OUTPUTS_OVER)
    retry = builders.submitted_task(original.user_id, retry_of=original.id)
    assert clean(storage_bucket) == {}
    delete(original)
    assert clean(storage_bucket) == {}
    assert names_of(storage_bucket, original) == TRUTH
    delete(retry)
    assert clean(storage_bucket) == {Stage.DELETED: 2}
    assert names_of(storage_bucket, original) == set()


class Store(Storage):
    """A store that fails as it is told."""

    fault: Exception | None = None
    only_for = "users/"
    deletions = 0

    def delete(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        self.deletions += 1
        if self.fault is not None and any(self.only_for in key for key in wanted):
            raise self.fault
        super().delete(wanted)


def test_a_store_that_is_away_is_asked_once_and_nothing_is_marked(storage_bucket: Storage) -> None:
    tasks = [ended(storage_bucket, OUTPUTS_OVER) for _ in range(3)]
    store = Store(get_settings())
    store.fault = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    with pytest.raises(EndpointConnectionError):
        clean(store)
    assert store.deletions == 1
    assert [builders.read(task.id).outputs_cleaned_at for task in tasks] == [None] * 3
    store.fault = None
    assert clean(store) == {Stage.OUTPUTS: 3}


def test_what_was_removed_before_the_store_went_away_is_marked(storage_bucket: Storage) -> None:
    first, second = ended(storage_bucket, 2 * OUTPUTS_OVER), ended(storage_bucket, OUTPUTS_OVER)
    store = Store(get_settings())
    store.fault, store.only_for = EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), str(second.id)
    with pytest.raises(EndpointConnectionError):
        clean(store)
    assert builders.read(first.id).outputs_cleaned_at is not None
    assert builders.read(second.id).outputs_cleaned_at is None


def test_one_tasks_files_that_are_refused_do_not_hold_up_the_others(storage_bucket: Storage) -> None:
    refused, fine = ended(storage_bucket, 2 * OUTPUTS_OVER), ended(storage_bucket, OUTPUTS_OVER)
    store = Store(get_settings())
    denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    store.fault, store.only_for = ClientError(denied, "DeleteObjects"), str(refused.id)  # type: ignore[arg-type]
    assert clean(store)[Stage.OUTPUTS] == 1
    assert names_of(store, fine) == set()
    assert builders.read(refused.id).outputs_cleaned_at is None


def test_a_cleaning_stops_when_its_time_is_over_and_the_next_goes_on(storage_bucket: Storage) -> None:
    tasks = [ended(storage_bucket, OUTPUTS_OVER) for _ in range(2)]
    assert clean(storage_bucket, seconds=-1) == {}
    assert clean(storage_bucket) == {Stage.OUTPUTS: 2}
    assert all(names_of(storage_bucket, task) == set() for task in tasks)


def test_no_transaction_is_open_while_the_store_is_asked(storage_bucket: Storage) -> None:
    open_now: list[int] = []
    event.listen(engine(), "begin", lambda _: open_now.append(1))
    for over in ("commit", "rollback"):
        event.listen(engine(), over, lambda _: open_now.pop())

    class Watching(Store):
        def delete(self, keys: Iterable[str]) -> None:
            super().delete(keys)
            assert not open_now

    ended(storage_bucket, OUTPUTS_OVER)
    ended(storage_bucket, INPUTS_OVER)
    assert sum(clean(Watching(get_settings())).values()) == 3 - 1


@pytest.fixture
def _logs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's own stderr is closed afterwards."""
    monkeypatch.setattr("backend.logs.configure_logs", lambda: None)


@pytest.mark.usefixtures("_logs_as_they_are")
def test_the_command_says_what_it_did(storage_bucket: Storage) -> None:
    ended(storage_bucket, OUTPUTS_OVER)
    assert CliRunner().invoke(app, ["clean"]).output == "outputs: 1 tasks\n"
    assert CliRunner().invoke(app, ["clean"]).output == "Nothing was due.\n"


@pytest.mark.usefixtures("_logs_as_they_are")
def test_the_command_says_when_the_store_is_away(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(storage_bucket, OUTPUTS_OVER)

    def away(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://10.1.2.3")

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "list", away)
        done = CliRunner().invoke(app, ["clean"])
    assert done.exit_code == 1
    assert "The file store did not answer." in done.output


@pytest.mark.parametrize("how", ["cancelled", "expired", "deleted"])
def test_parts_that_nobody_put_together_go_with_the_end_of_their_task(storage_bucket: Storage, how: str) -> None:
    running, ending = ready_task(storage_bucket), ready_task(storage_bucket)
    builders.change(ending.id, created_at=CLOCK - timedelta(hours=25))
    with transaction() as session:
        if how == "cancelled":
            task_store.cancel(session, ending.id, ending.user_id)
        elif how == "deleted":
            deletion.delete(session, ending.id, ending.user_id)
        else:
            assert task_store.expire(session, timedelta(hours=24), 100) == 1
    assert retention_due() is True

    assert clean(storage_bucket) == {Stage.DELETED if how == "deleted" else Stage.UPLOADS: 1}

    left = [upload.key for upload in storage_bucket.list_unfinished_uploads("")]
    assert left == [input_key(running.user_id, running.id, "primary", "big.csv")]
    assert "upload_id" not in str(builders.read(ending.id).inputs)
    assert clean(storage_bucket) == {}


def ready_task(storage: Storage) -> Task:
    """A CREATED task with an upload in parts that is under way."""
    task = builders.created_task()
    key = input_key(task.user_id, task.id, "primary", "big.csv")
    upload = storage.begin_upload(key, "text/csv")
    storage.put_part(upload, 1, b"x")
    file = {"filename": "big.csv", "key": key, "content_type": "text/csv", "size": 9, "upload_id": upload.upload_id}
    return builders.change(task.id, inputs={"primary": [file]})


def retention_due() -> bool:
    with transaction() as session:
        return retention.anything_due(session, Kept.by(get_settings()))
