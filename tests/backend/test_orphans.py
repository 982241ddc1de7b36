import uuid
from datetime import timedelta

import pytest
from stored_tasks import INPUT, MANIFEST, REPORT, RESULT, TABLE, TRUTH, ZOMBIES, ended, home_of, names_of, put
from typer.testing import CliRunner

from backend import orphan_report, orphans
from backend.cli import app
from backend.orphans import Comparison, Why
from backend.storage.door import Storage
from db import deletion
from db.database import transaction
from db.models import CLOCK
from tests import builders

pytestmark = pytest.mark.usefixtures("database")
AT_ONCE = timedelta(0)


def found(storage: Storage, *, mend: bool = False) -> dict[str, Why]:
    """Everything, however young, by key."""
    compared = Comparison(storage, mend=mend, settled=AT_ONCE, abandoned=AT_ONCE)
    return {finding.key: finding.why for finding in compared.findings()}


def test_a_house_in_order_has_no_orphans(storage_bucket: Storage) -> None:
    ended(storage_bucket)
    running = builders.claimed_task()
    put(storage_bucket, running, *TRUTH, *ZOMBIES)
    announced = builders.created_task()
    builders.change(announced.id, inputs={"primary": [{"key": home_of(announced) + INPUT, "size": 1}]})
    assert found(storage_bucket) == {}


def test_each_kind_of_orphan_is_found_and_mended(storage_bucket: Storage) -> None:
    kept = ended(storage_bucket)
    put(storage_bucket, kept, *ZOMBIES)
    cleaned = ended(storage_bucket, inputs_cleaned_at=CLOCK, outputs_cleaned_at=CLOCK)
    halfway = ended(storage_bucket, inputs_cleaned_at=CLOCK)
    nobodys = f"users/1/tasks/{uuid.uuid4()}/steps/1/a/result.json"
    misplaced = f"users/{kept.user_id + 1000}/tasks/{kept.id}/outputs/1/report.json"
    foreign = ("users/readme.txt", "backups/users/1/tasks/a")
    for key in (nobodys, misplaced, *foreign):
        storage_bucket.put_bytes(key, b"x", "text/plain")
    wrong = {
        **dict.fromkeys((nobodys, misplaced), Why.NO_TASK),
        **{home_of(kept) + name: Why.UNNAMED for name in ZOMBIES},
        **{home_of(cleaned) + name: Why.AFTER_CLEANING for name in TRUTH},
        home_of(halfway) + INPUT: Why.AFTER_CLEANING,
    }
    assert found(storage_bucket) == wrong
    assert found(storage_bucket, mend=True) == wrong
    assert found(storage_bucket) == {}
    assert names_of(storage_bucket, kept) == TRUTH
    assert names_of(storage_bucket, halfway) == TRUTH - {INPUT}
    assert all(storage_bucket.head(key) for key in foreign), "keys that are not of our making are left alone"


def test_what_a_customer_sent_is_no_orphan_before_the_inputs_are_cleaned(storage_bucket: Storage) -> None:
    """The row keeps the parameters, not their file; and of a role that is announced again, the last file alone."""
    sent = ("inputs/parameters/parameters.json", "inputs/primary/announced-before.csv")
    kept, cleaned = ended(storage_bucket), ended(storage_bucket, inputs_cleaned_at=CLOCK)
    put(storage_bucket, kept, *sent)
    put(storage_bucket, cleaned, *sent)
    wrong = {home_of(cleaned) + name: Why.AFTER_CLEANING for name in (INPUT, *sent)}
    assert found(storage_bucket, mend=True) == wrong
    assert names_of(storage_bucket, kept) == TRUTH | set(sent)


def test_what_is_young_may_yet_get_its_row(storage_bucket: Storage) -> None:
    put(storage_bucket, ended(storage_bucket), *ZOMBIES)
    assert list(Comparison(storage_bucket, mend=True).findings()) == []


def test_what_only_a_retry_names_is_no_orphan(storage_bucket: Storage) -> None:
    original = ended(storage_bucket)
    with transaction() as session:
        deletion.delete(session, original.id, original.user_id)
    builders.change(original.id, inputs_cleaned_at=CLOCK, outputs_cleaned_at=CLOCK)
    inputs = {"primary": [{"filename": "a.csv", "key": home_of(original) + INPUT, "size": 1}]}
    retry = builders.submitted_task(original.user_id, retry_of=original.id)
    builders.change(retry.id, inputs=inputs)
    assert set(found(storage_bucket)) == {home_of(original) + name for name in TRUTH - {INPUT}}


def test_a_deleted_task_is_left_to_the_janitor(storage_bucket: Storage) -> None:
    task = ended(storage_bucket)
    with transaction() as session:
        deletion.delete(session, task.id, task.user_id)
    assert found(storage_bucket) == {}


def test_an_upload_that_was_never_finished_is_aborted(storage_bucket: Storage) -> None:
    task = ended(storage_bucket)
    client, bucket, key = storage_bucket._client, storage_bucket.bucket, home_of(task) + TABLE
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")
    young = Comparison(storage_bucket, abandoned=timedelta(days=36_500))  # moto says of each that it began in 2010
    assert list(young.findings()) == [], "it may be under way"
    assert found(storage_bucket) == {key: Why.UNFINISHED}
    assert found(storage_bucket, mend=True) == {key: Why.UNFINISHED}
    assert found(storage_bucket) == {}
    assert names_of(storage_bucket, task) == TRUTH


def test_rows_that_name_what_is_not_there_are_found(storage_bucket: Storage) -> None:
    partly, wholly = ended(storage_bucket), ended(storage_bucket)
    storage_bucket.delete(home_of(partly) + name for name in (RESULT, REPORT))
    storage_bucket.delete(home_of(wholly) + name for name in TRUTH)
    wrong = [home_of(partly) + RESULT, *(home_of(wholly) + name for name in (INPUT, RESULT, MANIFEST))]
    assert found(storage_bucket) == dict.fromkeys(wrong, Why.MISSING)


def test_it_goes_on_over_any_number_of_tasks(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "TASKS_AT_ONCE", 2)
    tasks = [ended(storage_bucket) for _ in range(5)]
    for task in tasks:
        put(storage_bucket, task, ZOMBIES[0])
    storage_bucket.delete(home_of(tasks[4]) + name for name in (*TRUTH, ZOMBIES[0]))
    seen = found(storage_bucket)
    assert sum(why is Why.UNNAMED for why in seen.values()) == 4
    assert sum(why is Why.MISSING for why in seen.values()) == 3


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["orphans", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def _however_young(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(storage: Storage, *, mend: bool) -> Comparison:
        return Comparison(storage, mend=mend, settled=AT_ONCE, abandoned=AT_ONCE)

    monkeypatch.setattr(orphan_report, "Comparison", compared)


@pytest.mark.usefixtures("_however_young")
def test_the_command_lists_what_it_found_and_fails_until_it_is_mended(storage_bucket: Storage) -> None:
    task = ended(storage_bucket)
    put(storage_bucket, task, *ZOMBIES)
    code, said = run()
    assert code == 1
    assert f"{home_of(task)}{ZOMBIES[0]} (1 bytes): its task has ended and no row names it" in said
    assert "--mend removes them" in said
    assert "orphans: 2 found, 0 removed, 2 left" in said
    code, said = run("--mend")
    assert code == 0
    assert f"removed {home_of(task)}{ZOMBIES[0]}" in said
    assert "orphans: 2 found, 2 removed, 0 left" in said
    assert run() == (0, "orphans: 0 found, 0 removed, 0 left\n")


@pytest.mark.usefixtures("_however_young")
def test_what_is_lost_cannot_be_mended_and_it_says_so(storage_bucket: Storage) -> None:
    storage_bucket.delete([home_of(ended(storage_bucket)) + MANIFEST])
    code, said = run("--mend")
    assert code == 1
    assert "cannot be mended: the object is lost" in said
    assert "orphans: 1 found, 0 removed, 1 left" in said


def strangers(storage: Storage, number: int) -> list[str]:
    """Two objects each of so many tasks that no row knows."""
    prefixes = [f"users/1/tasks/{uuid.uuid4()}/outputs/1/" for _ in range(number)]
    keys = [prefix + name for prefix in prefixes for name in ("report.json", "manifest.json")]
    for key in keys:
        storage.put_bytes(key, b"x", "text/plain")
    return keys


@pytest.mark.usefixtures("_however_young")
@pytest.mark.parametrize(("known", "unknown"), [(0, 1), (1, 11)], ids=["knows-none", "knows-few"])
def test_a_database_that_knows_few_of_the_tasks_mends_nothing(
    storage_bucket: Storage, known: int, unknown: int
) -> None:
    for _ in range(known):
        put(storage_bucket, ended(storage_bucket), *ZOMBIES)
    keys = strangers(storage_bucket, unknown)
    for answer in ((), ("--yes-remove", str(len(keys) + 1))):
        code, said = run("--mend", *answer)
        assert code == 1
        assert f"first look: {len(keys)} objects ({len(keys)} bytes) to be removed: its task does not exist" in said
        assert f"Of the {known + unknown} tasks with files, this database does not know {unknown}." in said
        assert "Is DATABASE_URL the right one?" in said
        assert len(list(storage_bucket.list("users/"))) == len(keys) + known * len((*TRUTH, *ZOMBIES))
    code, said = run("--mend", "--yes-remove", str(len(keys)))
    assert code == 0
    assert f"orphans: {len(keys) + 2 * known} found, {len(keys) + 2 * known} removed, 0 left" in said


@pytest.mark.usefixtures("_however_young")
def test_a_few_unknown_tasks_among_others_are_mended_without_a_question(storage_bucket: Storage) -> None:
    ended(storage_bucket)
    keys = strangers(storage_bucket, 10)
    code, said = run("--mend")
    assert (code, [key for key in keys if storage_bucket.head(key)]) == (0, []), said
