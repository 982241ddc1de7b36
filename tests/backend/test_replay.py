"""`agensium replay` over real rows and real files."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

import transformers.replay
from backend.cli import app
from backend.cli_replay import moment
from backend.clock import now
from backend.errors import AgentCrashed, UnreadableFile, WorkerLost
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.keys import input_key
from db import accounts, endings, ledger, retries
from db.database import close_database, transaction
from db.endings import Ending
from db.models import CLOCK, Task, User
from db.retention import Kept
from db.retries import Resubmission
from tests import builders
from transformers.catalog import tool_for

UNDELIVERED = set(builders.PRICES) - {"unified-profiler"}
REST = sum(step.price for step in tool_for(builders.TOOL).steps if step.id in UNDELIVERED)  # as of today


def run(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["replay", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output.splitlines()


@pytest.fixture(autouse=True)
def store(database: str, storage_bucket: Storage) -> Iterator[Storage]:
    return storage_bucket


def failed(store: Storage, user_id: int | None = None, error: type[Exception] = WorkerLost) -> Task:
    """A task whose profiler had delivered, with its file in the store."""
    claim = builders.claimed_task(user_id)
    key = input_key(claim.user_id, claim.task_id, "primary", "a.csv")
    store.put_bytes(key, b"a\n1\n", "text/csv")
    found = store.head(key)
    assert found is not None
    file = {"filename": "a.csv", "key": key, "content_type": "text/csv", "size": 4, "etag": found.etag}
    builders.change(claim.task_id, inputs={"primary": [file]})
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        endings.settle(session, claim, Ending(verdict=error().verdict))  # type: ignore[attr-defined]
    return builders.read(claim.task_id)


def retries_of(task: Task) -> list[Task]:
    with transaction() as session:
        return list(session.scalars(select(Task).where(Task.retry_of == task.id)))


def balance(user_id: int) -> int:
    with transaction() as session:
        return ledger.balance(session, user_id)


def test_without_a_filter_nothing_is_replayed(store: Storage) -> None:
    task = failed(store)
    for arguments in (
        [], ["--dry-run"], ["--limit", "5"], ["--status", "failed"], ["--until", "1m"],
        ["--status", "failed", "--until", "1m", "--limit", "5"],
    ):  # fmt: skip
        code, lines = run(*arguments)
        assert (code, lines[0].startswith("Name at least one of --error-code")) == (1, True)
    assert retries_of(task) == []


def test_a_dry_run_shows_each_task_and_changes_nothing(store: Storage) -> None:
    task = failed(store)
    before = balance(task.user_id)
    code, (heading, line, counts) = run("--since", "1h", "--dry-run")
    assert code == 0
    assert heading.split() == ["task", "tool", "error", "ended", "taken", "credits"]
    ended = f"{task.finished_at:%Y-%m-%d %H:%M:%S}".split()
    assert line.split() == [
        str(task.id), "profile-my-data", "WORKER_LOST", *ended, "1", str(REST), "would", "be", "made",
    ]  # fmt: skip
    assert counts == "replay: 1 tasks, dry run, nothing changed: 1 would be made, 0 skipped"
    assert (retries_of(task), balance(task.user_id)) == ([], before)


def test_a_replay_retries_each_task_once(store: Storage) -> None:
    first, second = failed(store), failed(store)
    before = balance(first.user_id)
    code, (_, *lines, counts) = run("--error-code", "WORKER_LOST")
    assert (code, counts) == (0, "replay: 2 tasks, 2 made, 0 skipped")
    for task, line in zip((first, second), lines, strict=True):
        (made,) = retries_of(task)
        assert (made.status, line.startswith(str(task.id)), line.endswith(f"made: {made.id}")) == ("QUEUED", True, True)
    assert balance(first.user_id) == before - REST
    assert run("--since", "1h")[1][-1] == "replay: 0 tasks, 0 made, 0 skipped"


def test_an_operator_sees_what_a_retry_took_over(store: Storage) -> None:
    task = failed(store)
    run("--since", "1h")
    (made,) = retries_of(task)
    shown = CliRunner().invoke(app, ["task", str(made.id)]).output
    assert f"  retry_of {task.id}\n" in shown
    assert "step unified-profiler: DELIVERED by an earlier task in 12 ms\n" in shown


def test_what_cannot_be_retried_is_skipped_with_the_reason_and_the_others_go_on(store: Storage) -> None:
    poor = builders.customer(100)
    broke, fileless, gone = failed(store, poor), failed(store), failed(store)
    builders.submitted_task(poor, prices={"score-risk": balance(poor)})
    store.delete([fileless.inputs["primary"][0]["key"]])
    builders.change(gone.id, tool_id="gone")
    fine = failed(store)
    for arguments in (["--dry-run"], []):
        code, (_, *lines, counts) = run("--since", "1h", *arguments)
        said = {line.split()[0]: line for line in lines}
        assert code == 0
        assert "skipped: INSUFFICIENT_CREDITS: There are not enough credits" in said[str(broke.id)]
        assert f" {REST} " in said[str(broke.id)], "it says what it would have held"
        assert "skipped: RESULTS_EXPIRED: 'a.csv' is no longer kept." in said[str(fileless.id)]
        assert "skipped: UNKNOWN_TOOL" in said[str(gone.id)]
        assert counts.endswith("made, 3 skipped")
    assert [len(retries_of(task)) for task in (broke, fileless, gone, fine)] == [0, 0, 0, 1]


def test_a_dry_run_counts_what_the_tasks_before_would_hold(store: Storage) -> None:
    user = builders.customer()
    failed(store, user)
    failed(store, user)
    builders.submitted_task(user, prices={"score-risk": balance(user) - REST})
    for arguments in (["--dry-run"], []):
        lines = run("--since", "1h", *arguments)[1]
        assert lines[-1].endswith("made, 1 skipped")


def test_the_filters_and_the_limit_narrow_it(store: Storage) -> None:
    mine, lost = failed(store), failed(store, error=AgentCrashed)
    old = failed(store)
    builders.change(old.id, finished_at=CLOCK - timedelta(days=3))
    with transaction() as session:
        email = session.get_one(User, mine.user_id).email
    chosen = {
        ("--user", email): {mine},
        ("--error-code", "AGENT_CRASHED"): {lost},
        ("--since", "2h"): {mine, lost},
        ("--since", "7d", "--until", "1d"): {old},
        ("--since", "7d", "--until", (now() - timedelta(days=1)).isoformat()): {old},
        ("--tool", "profile-my-data"): {mine, lost, old},
        ("--since", "7d", "--limit", "1"): {old},
        ("--since", "7d", "--status", "cancelled"): set(),
    }
    for arguments, tasks in chosen.items():
        lines = run(*arguments, "--dry-run")[1]
        assert {uuid.UUID(line.split()[0]) for line in lines[1:-1]} == {task.id for task in tasks}, arguments


def test_a_retry_that_ends_meanwhile_is_not_retried_by_the_same_replay(store: Storage) -> None:
    from db.retries import Wanted
    from transformers.replay import replay

    task = failed(store)
    done = []
    for one in replay(store, Wanted(), limit=5, dry_run=False):
        done.append(one.task.id)
        assert one.made is not None
        builders.change(one.made, status="FAILED", finished_at=CLOCK)
    assert done == [task.id]


def test_a_task_that_its_customer_retries_meanwhile_is_skipped(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the page that was read and the lock."""
    task = failed(store)
    resubmission_for = transformers.replay.resubmission_for

    def meanwhile(*asked: Any) -> Resubmission:
        asked_for = resubmission_for(*asked)
        with transaction() as session:
            made = retries.create(session, task.user_id, asked_for, Kept.by(get_settings()))
        builders.change(made.id, status="FAILED", finished_at=CLOCK)
        return asked_for

    monkeypatch.setattr(transformers.replay, "resubmission_for", meanwhile)
    _, (_, line, counts) = run("--since", "1h")
    assert "skipped: INVALID_TASK_STATE: The task has a retry already." in line
    assert (counts, len(retries_of(task))) == ("replay: 1 tasks, 0 made, 1 skipped", 1)


def test_what_failed_by_the_customers_fault_is_left_out_unless_it_is_named(store: Storage) -> None:
    theirs, ours = [failed(store, error=UnreadableFile) for _ in range(3)], failed(store)
    assert run("--since", "1h", "--limit", "1")[1][-1] == "replay: 1 tasks, 1 made, 0 skipped"
    assert len(retries_of(ours)) == 1
    run("--tool", "profile-my-data")
    assert [retries_of(task) for task in theirs] == [[], [], []]
    run("--error-code", "UNREADABLE_FILE")
    assert [len(retries_of(task)) for task in theirs] == [1, 1, 1]


def test_when_all_were_skipped_the_exit_code_says_so(store: Storage) -> None:
    gone = failed(store)
    builders.change(gone.id, tool_id="gone")
    assert [run("--since", "1h", *dry)[0] for dry in (["--dry-run"], [])] == [1, 1]
    failed(store)
    assert [run("--since", "1h", *dry)[0] for dry in (["--dry-run"], [])] == [0, 0]
    builders.change(gone.id, deleted_at=CLOCK)
    assert run("--since", "1h")[0] == 0, "there was nothing to do"


@pytest.mark.parametrize("arguments", [("--since", "1h"), ("--user", "a@example.com")], ids=["since", "user"])
def test_a_database_that_is_away_is_a_sentence(
    store: Storage, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    get_settings.cache_clear()
    code, lines = run(*arguments)
    assert (code, lines[-1].startswith("The database did not answer.")) == (1, True)


def test_a_store_that_is_away_ends_the_replay_with_a_sentence(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def away(_self: Storage, _key: str) -> None:
        raise EndpointConnectionError(endpoint_url="http://store")

    task = failed(store)
    monkeypatch.setattr(Storage, "head", away)
    code, lines = run("--since", "1h")
    assert (code, lines[-2], lines[-1].startswith("The file store did not answer.")) == (
        1, "replay: 0 tasks, 0 made, 0 skipped", True,
    )  # fmt: skip
    assert retries_of(task) == []


def test_an_unknown_account_is_a_sentence(store: Storage) -> None:
    with transaction() as session:
        assert accounts.by_email(session, "nobody@example.com") is None
    code, lines = run("--user", "nobody@example.com")
    assert (code, lines[0].startswith("There is no such user.")) == (1, True)


def test_a_moment_is_so_long_ago_or_a_time() -> None:
    assert moment("2025-11-21T09:30") == datetime(2025, 11, 21, 9, 30, tzinfo=UTC)
    assert moment("2025-11-21T09:30+02:00") == datetime(2025, 11, 21, 7, 30, tzinfo=UTC)
    for words, ago in {"30m": timedelta(minutes=30), "2h": timedelta(hours=2), "7d": timedelta(days=7)}.items():
        assert abs(now() - ago - moment(words)) < timedelta(seconds=5)
    for words in ("yesterday", "2 h", "", "h"):
        with pytest.raises(typer.BadParameter):
            moment(words)
