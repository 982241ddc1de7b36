import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from backend.cli import app
from backend.doors import get_doors
from backend.ports import free_port
from backend.settings import get_settings
from backend.storage.door import Storage
from db import accounts, checkpoints, database, ledger, verification
from db.database import close_database, transaction
from tests import builders
from tests.conftest import forget_settings


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.fixture
def ada(database: str) -> int:
    with transaction() as session:
        return accounts.register(session, "ada@example.com", "no hash").id


def test_an_operator_names_an_administrator(ada: int) -> None:
    assert run("make-admin", "ada@example.com") == (0, "ada@example.com is an administrator now.\n")
    with transaction() as session:
        assert accounts.named(session, user_id=ada).role == accounts.ADMIN


def test_an_operator_grants_credits_with_a_reason(ada: int) -> None:
    assert run("grant", "ada@example.com", "70", "--note", "Invoice 7") == (0, "ada@example.com has 70 credits now.\n")
    with transaction() as session:
        (entry,) = ledger.entries(session, ada)
        assert (entry.kind, entry.amount, entry.note) == ("GRANT", 70, "Invoice 7")


def test_an_operator_sees_and_changes_a_customers_share(ada: int) -> None:
    said = "ada@example.com has weight {} and at most {} tasks at once.\n"
    assert run("lane", "ada@example.com") == (0, said.format(1, 1000))
    assert run("lane", "ada@example.com", "--weight", "2.5") == (0, said.format(2.5, 1000))
    assert run("lane", "ada@example.com", "--cap", "0") == (0, said.format(2.5, 0))
    assert run("lane", "ada@example.com", "--weight", "0")[0] == 2, "a lane without a share would never move"
    assert run("lane", "nobody@example.com")[0] == 1


@pytest.mark.parametrize("command", [("make-admin", "nobody@example.com"), ("grant", "nobody@example.com", "1")])
def test_an_unknown_account_is_a_sentence_and_not_a_traceback(database: str, command: tuple[str, ...]) -> None:
    code, said = run(*command)
    assert code == 1
    assert said.startswith("There is no such user.")


@pytest.mark.parametrize("amount", ["0", "-5", "many"])
def test_credits_are_granted_in_whole_positive_numbers(ada: int, amount: str) -> None:
    assert run("grant", "--", "ada@example.com", amount)[0] == 2
    with transaction() as session:
        assert ledger.balance(session, ada) == 0


def test_migrating_twice_is_harmless(database: str) -> None:
    for _ in range(2):
        assert run("migrate") == (0, "The database is at the newest migration.\n")


def test_a_bucket_is_made_where_it_is_missing_in_any_region(
    database: str, storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{get_settings().s3_bucket}-made"
    monkeypatch.setenv("S3_BUCKET", name)
    monkeypatch.setenv("S3_REGION", "eu-central-1")
    forget_settings()
    code, said = run("migrate", "--make-bucket")
    assert (code, said.splitlines()[-1]) == (0, f"The bucket {name} is there.")
    get_doors().storage.check()


def test_a_bucket_that_cannot_be_made_is_a_sentence(
    database: str, storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    forget_settings()
    code, said = run("migrate", "--make-bucket")
    assert code == 1
    assert f"The bucket {get_settings().s3_bucket} could not be made: Could not connect" in said


def test_a_right_ledger_is_proven(ada: int) -> None:
    assert run("verify", "ledger") == (0, "verify ledger: 0 breaches\n")
    assert run("verify", "states") == (0, "verify states: 0 breaches\n")


def test_a_wrong_ledger_is_named_and_fails(ada: int) -> None:
    with transaction() as session:
        session.execute(text("UPDATE credit_wallets SET balance = balance + 1"))
    code, said = run("verify", "ledger")
    assert code == 1
    assert f"user {ada}: it does not hold that a wallet's balance is its grants" in said


def test_a_rule_that_many_rows_break_is_counted_as_at_least(ada: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        builders.customer()
    with transaction() as session:
        session.execute(text("UPDATE credit_wallets SET balance = balance + 1"))
    monkeypatch.setattr(verification, "SHOWN", 3)
    code, said = run("verify", "ledger")
    assert (code, said.splitlines()[-1]) == (1, "verify ledger: at least 3 breaches")
    monkeypatch.setattr(verification, "SHOWN", 4)
    assert run("verify", "ledger")[1].splitlines()[-1] == "verify ledger: 4 breaches"


@pytest.mark.parametrize("what", ["ledger", "states"])
def test_what_could_not_be_proven_is_not_a_breach(database: str, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    get_settings.cache_clear()
    code, said = run("verify", what)
    assert code == 2
    assert said.startswith(f"verify {what}: it could not be proven. The database did not answer. ")
    assert "connection failed" in said
    assert "Traceback" not in said


def test_a_proof_that_takes_longer_than_a_station_is_finished(ada: int, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = "SELECT 'never' FROM pg_sleep(1.5) AS slept WHERE slept IS NULL"
    monkeypatch.setitem(database.STATION_LIMITS, "statement_timeout", "1s")
    close_database()
    monkeypatch.setattr(verification, "RULES", {"ledger": {"it takes long": longer}})
    assert run("verify", "ledger") == (0, "verify ledger: 0 breaches\n")


def test_an_operator_sees_where_a_task_stood(database: str) -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        step = builders.failed_step("score-risk")
        checkpoints.record(session, claim, step, amount=0, progress=60, next_agent=None)
    builders.change(
        claim.task_id, error_code="NO_PROGRESS", error_message="No progress.", error_detail="at \x1b[2J row"
    )
    code, said = run("task", str(claim.task_id))
    assert code == 0
    for words in (
        f"task {claim.task_id} of user {claim.user_id}: profile-my-data", "PROCESSING, 60 %", "claims 1",
        "hiccups 0, crashes 0, losses 0", "step unified-profiler: DELIVERED by claim 1 in 12 ms",
        "step score-risk: FAILED", "  BAD_PARAMETERS: A parameter is not valid.\n  | where it was",
        "  NO_PROGRESS: No progress.\n  | at \ufffd[2J row", " started ", " step_failed ",
    ):  # fmt: skip
        assert words in said, said


def test_a_task_that_is_not_there_is_a_sentence(database: str) -> None:
    code, said = run("task", "00000000-0000-0000-0000-000000000000")
    assert (code, said.startswith("There is no such task.")) == (1, True)
