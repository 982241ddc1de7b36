import json
import subprocess
import sys
import threading
from collections.abc import Iterable

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from backend.cli import app
from backend.clock import monotonic
from backend.doctor import broker, telling
from backend.doctor.checks import CHECKS
from backend.doctor.examination import examine
from backend.doctor.finding import Area, Check, Finding, Severity, Ward, exit_code
from backend.settings import Settings, get_settings
from celery_queue import examination
from tests.conftest import forget_settings
from tests.waiting import eventually

SETTINGS = Settings(_env_file=None)
WELL = Ward(Area.MODELS).ok("It is well.")
BAD = Ward(Area.BROKER).wrong("It is not.", "Mend it.")
DIM = Ward(Area.STORAGE).unknown("Nobody knows.", "Ask.")


def says(*findings: Finding) -> Check:
    return Check(findings[0].area, lambda _: findings, 5)


def test_every_area_has_a_check() -> None:
    assert {check.area for check in CHECKS} == set(Area)


def test_findings_come_in_the_order_of_the_checks_however_long_each_takes() -> None:
    second = threading.Event()

    def late(_: Settings) -> Iterable[Finding]:
        second.wait(5)
        yield BAD

    def early(_: Settings) -> Iterable[Finding]:
        second.set()
        yield WELL

    checks = (Check(Area.BROKER, late, 5), Check(Area.MODELS, early, 5))
    assert examine(SETTINGS, checks=checks) == [BAD, WELL]
    assert examine(SETTINGS, [Area.MODELS], checks) == [WELL]


def test_who_does_not_answer_is_given_up_and_hides_nobody() -> None:
    frozen, began = threading.Event(), monotonic()

    def never(_: Settings) -> Iterable[Finding]:
        frozen.wait(30)
        return ()

    found = examine(SETTINGS, checks=(Check(Area.DATABASE, never, 0.1), says(WELL)))
    frozen.set()
    assert [one.severity for one in found] == [Severity.UNKNOWN, Severity.OK]
    assert "did not end within" in found[0].seen
    assert monotonic() - began < 10


def test_a_check_that_breaks_is_unknown_and_hides_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def breaks(_: Settings) -> Iterable[Finding]:
        raise ZeroDivisionError

    found = examine(SETTINGS, checks=(Check(Area.DATABASE, breaks, 5), says(WELL)))
    assert [one.severity for one in found] == [Severity.UNKNOWN, Severity.OK]
    eventually(lambda: [one.exc_type for one in told] == [ZeroDivisionError])


@pytest.mark.parametrize(
    ("findings", "code"), [((WELL,), 0), ((WELL, BAD, DIM), 1), ((WELL, DIM), 2), ((), 0)],
    ids=["well", "wrong", "unknown", "nothing"],
)  # fmt: skip
def test_the_exit_code_says_whether_something_is_wrong_or_unseen(findings: tuple[Finding, ...], code: int) -> None:
    assert exit_code(findings) == code


def test_no_secret_is_repeated_whoever_told_it(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(
        _env_file=None, database_url=SecretStr("postgresql://a:pg%2Fword@h/b"), redis_url="rediss://:red-word@h/0",
        aws_secret_access_key=SecretStr("aws-word"), openai_api_key=SecretStr("sk-word"),
    )  # fmt: skip
    words = ("pg%2Fword", "pg/word", "red-word", "aws-word", "sk-word")
    gossip = Ward(Area.BROKER).wrong(f"They said {words}", f"Look at {settings.redis_url}")
    telling.tell([gossip], settings)
    told = capsys.readouterr().out + telling.as_json([gossip], settings)
    assert "They said" in told
    assert not [word for word in words if word in told]


def test_the_command_tells_by_area_and_as_json_and_exits_by_what_it_found(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "LISTENED_SECONDS", 0.1)
    monkeypatch.setattr(examination, "ASKED_SECONDS", 0.1)
    told = CliRunner().invoke(app, ["doctor", "--only", "workers", "--only", "broker"])
    assert told.exit_code == 1
    assert told.output.index("\nbroker\n") < told.output.index("\nworkers\n")
    assert "No live worker takes from the queue default" in told.output
    as_json = CliRunner().invoke(app, ["doctor", "--only", "models", "--json"])
    assert as_json.exit_code == 0
    assert {one["area"] for one in json.loads(as_json.output)["findings"]} == {"models"}
    assert CliRunner().invoke(app, ["doctor", "--only", "everything"]).exit_code == 2


def test_settings_with_which_no_process_starts_are_told_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SECRET_KEY", "too-short-a-secret")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "many")
    forget_settings()
    try:
        told = CliRunner().invoke(app, ["doctor"])
    finally:
        monkeypatch.undo()
        forget_settings()
        get_settings()
    assert told.exit_code == 1
    assert "DATABASE_POOL_SIZE" in told.output
    assert "too-short-a-secret" not in told.output


def test_help_loads_no_service(database: str) -> None:
    loaded = (
        "import sys, backend.cli; print([m for m in ('sqlalchemy', 'boto3', 'celery', 'redis') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "[]\n"
