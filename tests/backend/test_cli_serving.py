from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from backend.cli import app
from celery_queue import flower_start

RUNNER = CliRunner()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    told: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda what, **how: told.update(how, what=what))
    return told


def test_the_api_stays_on_this_machine_and_believes_no_proxy_elsewhere(served: dict[str, Any]) -> None:
    assert RUNNER.invoke(app, ["api"]).exit_code == 0
    assert (served["what"], served["host"], served["port"]) == ("backend.main:app", "127.0.0.1", 8000)
    assert served["forwarded_allow_ips"] == "127.0.0.1"


def test_the_api_takes_no_headers_without_end(served: dict[str, Any]) -> None:
    assert RUNNER.invoke(app, ["api"]).exit_code == 0
    assert served["http"] == "h11"


def test_the_api_is_one_process_whatever_the_environment_says(
    served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert RUNNER.invoke(app, ["api", "--host", "0.0.0.0", "--grace", "3"]).exit_code == 0  # noqa: S104 (nobody listens)
    assert (served["workers"], served["timeout_graceful_shutdown"]) == (1, 3)
    assert served["forwarded_allow_ips"] == "127.0.0.1"


@pytest.mark.parametrize("said", [None, "", "name", "name:", ":password"])
def test_flower_does_not_start_without_a_name_and_a_password(said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWER_BASIC_AUTH", raising=False)
    if said is not None:
        monkeypatch.setenv("FLOWER_BASIC_AUTH", said)
    monkeypatch.setattr(flower_start, "run", lambda *_: pytest.fail("it started"))
    ended = RUNNER.invoke(app, ["flower"])
    assert ended.exit_code == 1
    assert "FLOWER_BASIC_AUTH" in ended.output


def test_flower_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWER_BASIC_AUTH", "agensium:a-password")
    told: list[str] = []
    monkeypatch.setattr(flower_start.app, "start", told.extend)
    assert RUNNER.invoke(app, ["flower"]).exit_code == 0
    assert told == ["flower", "--address=127.0.0.1", "--port=5555"]
