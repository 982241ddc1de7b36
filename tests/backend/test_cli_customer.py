"""The customer's commands: what they ask, print and exit with. Against a real house: tests/acceptance/test_shell.py."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from backend import cli_session
from backend.cli import app
from backend.cli_screen import duration
from backend.client import AgensiumClient

STEP = {"agent_id": "counter", "agent_name": "Counter", "state": "delivered", "price": 30, "duration_ms": 812}
TASK = {"task_id": "t1", "tool_id": "profile-my-data", "status": "QUEUED", "progress": 0.0, "steps": [STEP]}
DONE = TASK | {"status": "COMPLETED", "progress": 100.0, "outcome": "success"}
FAILED = TASK | {
    "status": "FAILED",
    "error": {"error_code": "UNREADABLE_FILE", "message": "Row 3 cannot be read.", "next_action": "Mend it."},
}
Answering = Callable[[httpx.Request], httpx.Response]
Shell = Callable[..., Result]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.setenv("AGENSIUM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("AGENSIUM_URL", raising=False)
    monkeypatch.setenv("AGENSIUM_API_KEY", "ag_key")

    def run(*words: str, answering: Answering | None = None, typed: str | None = None) -> Result:
        transport = httpx.MockTransport(answering or (lambda _: httpx.Response(500)))
        client = partial(AgensiumClient, transport=transport, tries=1)
        monkeypatch.setattr(cli_session, "AgensiumClient", client)
        monkeypatch.setattr("backend.cli_customer.AgensiumClient", client)
        return CliRunner().invoke(app, words, input=typed)

    return run


def always(body: Any, status: int = 200) -> Answering:
    return lambda _: httpx.Response(status, json=body)


def events(*blocks: tuple[str, dict[str, Any]]) -> bytes:
    return "".join(f"event: {kind}\nid: 1\ndata: {json.dumps(data)}\n\n" for kind, data in blocks).encode()


def living(last: dict[str, Any]) -> Answering:
    """A task that is submitted, followed and ends as `last`."""
    unsubmitted: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/upload-urls"):
            link = {"method": "POST", "url": "http://store/b", "fields": {}}
            return httpx.Response(200, json={"uploads": {"primary": link, "baseline": link}})
        if path.endswith("/events"):
            ending = {"kind": last["status"].lower(), "seq": 4, "status": last["status"], "progress": last["progress"]}
            return httpx.Response(200, content=events(("snapshot", TASK), (ending["kind"], ending)))
        if path == "/tasks":
            unsubmitted.add("t1")
        if path.endswith("/process"):
            unsubmitted.clear()
        return httpx.Response(200, json=TASK | {"status": "CREATED"} if unsubmitted else last)

    return answer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("name\nAda\n")
    return path


def test_submit_prints_the_tasks_id_and_nothing_else(shell: Shell, file: Path) -> None:
    result = shell("submit", "profile-my-data", str(file), answering=living(TASK))
    assert (result.exit_code, result.stdout) == (0, "t1\n")


def test_submit_hands_on_what_was_asked_for(shell: Shell, file: Path) -> None:
    asked: list[httpx.Request] = []
    house = living(TASK)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return house(request)

    words = ("-p", "counter.top=5", "-p", "counter.label=a b", "--agent", "counter", "--file", f"baseline={file}")
    result = shell("submit", "profile-my-data", str(file), *words, "--priority", "3", "--key", "k", answering=answer)
    assert result.exit_code == 0, result.output
    created = json.loads(asked[1].content)  # the first asked for the tool's roles
    assert created["parameters"] == {"counter": {"top": 5, "label": "a b"}}
    assert (created["agents"], created["priority"]) == (["counter"], 3)
    assert asked[1].headers["idempotency-key"] == "k"
    assert [json.loads(r.content)["files"].keys() for r in asked if r.url.path.endswith("upload-urls")] == [
        {"primary": 0}.keys(), {"baseline": 0}.keys(),
    ]  # fmt: skip


def test_several_files_go_as_a_list_to_the_tools_own_role(shell: Shell, file: Path, tmp_path: Path) -> None:
    another = tmp_path / "another.csv"
    another.write_text("name\nBob\n")
    announced: list[Any] = []
    house = living(TASK)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/tools/shelf":
            return httpx.Response(200, json={"inputs": [{"role": "documents", "many": True}, {"role": "parameters"}]})
        if request.url.path.endswith("/upload-urls"):
            announced.append(json.loads(request.content)["files"])
            link = {"method": "POST", "url": "http://store/b", "fields": {}}
            return httpx.Response(200, json={"uploads": {"documents": [link, link]}})
        return house(request)

    assert shell("submit", "shelf", str(file), str(another), answering=answer).exit_code == 0
    [files] = announced
    assert [one["filename"] for one in files["documents"]] == ["people.csv", "another.csv"]


def test_a_tool_may_need_no_file(shell: Shell) -> None:
    result = shell("submit", "generate-text", "-p", "generate.prompt=Why?", answering=living(TASK))
    assert (result.exit_code, result.stdout) == (0, "t1\n")


@pytest.mark.parametrize("words", [("-p", "top=5"), ("-p", "counter.top"), ("--file", "baseline")])
def test_what_is_typed_wrongly_is_wrong_usage(shell: Shell, file: Path, words: tuple[str, str]) -> None:
    assert shell("submit", "profile-my-data", str(file), *words).exit_code == 2


@pytest.mark.parametrize(("last", "code"), [(DONE, 0), (FAILED, 1), (TASK | {"status": "CANCELLED"}, 1)])
def test_watching_leaves_with_how_the_task_ended(shell: Shell, file: Path, last: dict[str, Any], code: int) -> None:
    result = shell("submit", "profile-my-data", str(file), "--watch", answering=living(last))
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Counter" in result.stderr
    assert "0.8 s" in result.stderr


def test_a_failed_task_says_why_and_what_to_do(shell: Shell) -> None:
    result = shell("watch", "t1", answering=living(FAILED))
    assert "Row 3 cannot be read. Mend it." in result.stderr


def test_watching_for_programs_is_one_line_of_json_an_event(shell: Shell) -> None:
    result = shell("watch", "t1", "--json", answering=living(DONE))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["snapshot", "completed"]
    assert (lines[0]["task"]["task_id"], lines[-1]["status"]) == ("t1", "COMPLETED")


def test_waiting_is_silent_and_its_time_out_has_a_code_of_its_own(shell: Shell) -> None:
    result = shell("wait", "t1", "--timeout", "0", answering=always(TASK))
    assert (result.exit_code, result.stdout) == (5, "")
    assert shell("wait", "t1", answering=always(DONE)).stdout == "t1 completed\n"
    assert shell("wait", "t1", answering=always(FAILED)).exit_code == 1


def test_tasks_are_listed_for_people_and_for_programs(shell: Shell) -> None:
    page = always({"tasks": [DONE, FAILED], "next": None})
    shown = shell("tasks", answering=page).stdout
    assert "completed success" in shown
    assert "failed UNREADABLE_FILE" in shown
    assert [one["status"] for one in json.loads(shell("tasks", "--json", answering=page).stdout)] == [
        "COMPLETED", "FAILED",
    ]  # fmt: skip


def test_several_tasks_are_cancelled_at_once(shell: Shell) -> None:
    result = shell("cancel", "t1", "t1", answering=always(TASK | {"status": "CANCELLED"}))
    assert result.stdout == "t1 cancelled\nt1 cancelled\n"


def test_one_that_cannot_be_cancelled_does_not_keep_the_others(shell: Shell) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/t2/" in request.url.path:
            return httpx.Response(409, json={"error_code": "TASK_NOT_CANCELLABLE", "detail": "It has ended."})
        return httpx.Response(200, json=TASK | {"status": "CANCELLED"})

    result = shell("cancel", "t1", "t2", "t1", answering=answer)
    assert (result.exit_code, result.stdout) == (3, "t1 cancelled\nt1 cancelled\n")
    assert "t2: It has ended." in result.stderr


def test_a_note_is_text_whatever_it_holds(shell: Shell) -> None:
    entry = {"id": 1, "kind": "GRANT", "amount": 5, "note": "refund [/ticket 12]", "created_at": "2025-11-21T09:30:00Z"}
    answer = always({"balance": 5, "entries": [entry], "next": None})
    assert "refund [/ticket 12]" in shell("credits", "--entries", answering=answer).stdout


def test_a_key_that_was_revoked_already_can_be_forgotten(shell: Shell, tmp_path: Path) -> None:
    cli_session.remember(cli_session.SignedIn("http://127.0.0.1:9", "ag_mine", "k1"))
    refused = always({"error_code": "NOT_AUTHENTICATED", "detail": "No."}, 401)
    assert shell("logout", answering=refused).exit_code == 0
    assert cli_session.remembered() is None


def test_a_retry_prints_the_new_tasks_id(shell: Shell) -> None:
    assert shell("retry", "t0", answering=always(TASK)).stdout == "t1\n"


def test_credits_and_keys_are_shown(shell: Shell) -> None:
    assert shell("credits", answering=always({"balance": 470})).stdout == "470 credits\n"
    assert json.loads(shell("credits", "--json", answering=always({"balance": 470})).stdout) == {"balance": 470}
    key = {"id": "k1", "name": "nightly", "prefix": "4f1c", "created_at": "2025-11-21T09:30:00Z"}
    assert shell("keys", answering=always({"api_keys": [key]})).stdout == "k1  ag_4f1c_…  manage  nightly\n"
    ends = key | {"scope": "read", "expires_at": "2026-02-19T09:30:00Z"}
    shown = "k1  ag_4f1c_…  read    nightly  until 2026-02-19\n"
    assert shell("keys", answering=always({"api_keys": [ends]})).stdout == shown
    assert (
        shell("keys", "new", "nightly", answering=always(key | {"key": "ag_4f1c_secret"})).stdout == "ag_4f1c_secret\n"
    )
    asked: list[httpx.Request] = []
    made = httpx.Response(201, json=key | {"key": "ag_4f1c_secret"})
    shell("keys", "new", "nightly", "--scope", "run", "--days", "90", answering=lambda r: asked.append(r) or made)
    assert json.loads(asked[-1].content) == {"name": "nightly", "scope": "run", "expires_in_days": 90}
    assert shell("keys", "revoke", "k1", answering=lambda _: httpx.Response(204)).exit_code == 0


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (
            httpx.Response(404, json={"error_code": "TASK_NOT_FOUND", "detail": "No.", "next_action": "Look."}),
            3,
            "No. Look.",
        ),
        (httpx.Response(503), 4, "was answered with 503"),
        (httpx.ConnectError("down"), 4, "was not answered"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_a_code(shell: Shell, answer: Any, code: int, said: str) -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = shell("wait", "t1", answering=answering)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_who_is_not_signed_in_is_told_how(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENSIUM_API_KEY")
    result = shell("tasks")
    assert result.exit_code == 3
    assert "agensium login EMAIL" in result.stderr


def test_signing_in_keeps_a_key_that_only_its_owner_can_read(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AGENSIUM_API_KEY")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path} {request.headers.get('authorization', '')}".strip())
        if request.url.path == "/auth/login":
            assert json.loads(request.content)["password"] == "a long sentence"
            return httpx.Response(200, json={"access_token": "token", "user_id": 1})
        if request.url.path == "/auth/api-keys":
            return httpx.Response(201, json={"id": "k1", "name": "shell", "prefix": "p", "key": "ag_p_secret"})
        return httpx.Response(200, json={"balance": 470, "tasks": [], "next": None})

    url = "http://127.0.0.1:9"
    result = shell("login", "ada@example.com", "--url", url, answering=answer, typed="a long sentence\n")
    assert result.exit_code == 0, result.output
    kept = tmp_path / "config" / "credentials.json"
    assert json.loads(kept.read_text()) == {"url": url, "api_key": "ag_p_secret", "key_id": "k1"}
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "ag_p_secret" not in result.output
    assert shell("tasks", answering=answer).exit_code == 0
    assert asked[-1] == "GET /tasks Bearer ag_p_secret"
    assert shell("logout", answering=answer).exit_code == 0
    assert asked[-1] == "DELETE /auth/api-keys/k1 Bearer ag_p_secret"
    assert not kept.exists()


def test_a_key_is_not_sent_to_another_address(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_session.remember(cli_session.SignedIn("http://127.0.0.1:9", "ag_mine", "k1"))
    monkeypatch.delenv("AGENSIUM_API_KEY")
    monkeypatch.setenv("AGENSIUM_URL", "http://elsewhere.example")
    assert shell("tasks").exit_code == 3


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (8.26, "8.3 s"), (42.4, "42 s"), (60, "1 min 0 s"), (3599.9, "60 min 0 s")]
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
