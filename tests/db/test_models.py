import pytest
from side_by_side import sql
from sqlalchemy.exc import IntegrityError

from db.models import MOVES, TERMINAL, Task, TaskStatus, sources_of
from tests import builders


def test_every_status_has_its_line_in_the_table_of_moves() -> None:
    assert set(MOVES) == set(TaskStatus)


def test_every_status_but_the_first_can_be_reached() -> None:
    reached, at = set(), {TaskStatus.CREATED}
    while at:
        reached |= at
        at = {onward for status in at for onward in MOVES[status]} - reached
    assert reached == set(TaskStatus)


def test_nothing_leads_out_of_a_terminal_status() -> None:
    assert {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.EXPIRED} == TERMINAL
    assert not any(MOVES[status] for status in TERMINAL)


def test_a_status_that_is_not_terminal_can_be_cancelled() -> None:
    assert set(sources_of(TaskStatus.CANCELLED)) == set(TaskStatus) - TERMINAL


def test_nothing_leads_back_to_created() -> None:
    assert sources_of(TaskStatus.CREATED) == []


def test_the_lease_is_in_no_index_so_that_beats_stay_hot() -> None:
    indexed = sql("SELECT string_agg(indexdef, '; ') FROM pg_indexes WHERE tablename = 'tasks'")
    assert "sort_at" in indexed
    for column in ("lease_until", "progress", "last_event", "current_agent"):
        assert column not in indexed


@pytest.mark.parametrize(
    "columns",
    [{"status": "RUNNING"}, {"progress": 100.5}, {"progress": -1}, {"open_children": -1}, {"user_id": 10**12}],
    ids=str,
)
def test_the_database_itself_refuses_a_row_that_cannot_be(columns: dict[str, object]) -> None:
    task = builders.created_task()
    with pytest.raises(IntegrityError):
        builders.change(task.id, **columns)


@pytest.mark.parametrize(
    "values",
    [
        "(:user, NULL, '', 'GRANT', 0)",
        "(:user, NULL, '', 'GRANT', -5)",
        "(:user, NULL, 'a', 'HOLD', 5)",
        "(:user, :task, '', 'GRANT', 5)",
        "(:user, :task, 'a', 'GIFT', 5)",
        "(:user, :task, 'a', 'HOLD', 5), (:user, :task, 'a', 'HOLD', 5)",
        "(:user, :task, NULL, 'HOLD', 5)",
    ],
)
def test_the_database_itself_refuses_an_entry_that_cannot_be(values: str) -> None:
    task = builders.created_task()
    statement = f"INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount) VALUES {values}"
    with pytest.raises(IntegrityError):
        sql(statement, user=task.user_id, task=task.id)


def test_a_wallet_cannot_go_below_nothing() -> None:
    user = builders.customer(credits=10)
    with pytest.raises(IntegrityError):
        sql("UPDATE credit_wallets SET balance = balance - 11 WHERE user_id = :user", user=user)


def test_there_is_one_admission_clock() -> None:
    with pytest.raises(IntegrityError):
        sql("INSERT INTO admission_clock (id) VALUES (2)")


def test_a_new_row_is_created_and_has_done_nothing() -> None:
    task: Task = builders.created_task()
    assert (task.status, task.epoch, task.progress, task.open_children) == (TaskStatus.CREATED, 0, 0, 0)
    assert task.queue == "default"
