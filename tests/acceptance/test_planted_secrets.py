"""A deployment whose secrets can be told apart is made to work, to fail and to crash; then all it left is searched.

DESIGN §5.8, and point 4 of the bar: no secret in a log, a row, a message, a report, an answer, a command line, a trace.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest
import redis

from backend.devstack import Stack
from backend.product import CELERY, WORKER
from tests.acceptance.house import ROOT, House
from tests.acceptance.planted import (
    Secrets,
    kept_in_redis,
    objects_of,
    of_a_deployment,
    planted,
    processes_below,
    rows_of,
)
from tests.conftest import new_database
from tests.model_server import Act, ModelServer
from tests.trace_collector import Collector, collecting
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
NOWHERE = "127.0.0.1:1"
MARY = "mary-of-the-planted"  # an address of a person is in no log and in no trace
# What a customer is told once, in the answer that makes it.
TOLD_ONCE = ("/auth/register", "/auth/login", "/auth/refresh", "/auth/api-keys", "/webhooks", "/upload-urls")


class Stage:
    """The deployment, its secrets, and everything that was heard of it."""

    def __init__(self, house: House, found: Secrets, collector: Collector) -> None:
        self.house = house
        self.secrets = found
        self.collector = collector
        self.answers: list[tuple[str, str]] = []
        self.messages: list[str] = []
        self.command_lines: list[str] = []
        self.childrens_environments: list[str] = []
        self.remote_control = ""
        house._http.event_hooks["response"] = [self._hear]

    def _hear(self, answer: httpx.Response) -> None:
        answer.read()
        self.answers.append((answer.request.url.path, answer.text))

    def customer_comes(self) -> None:
        house, mine = self.house, self.secrets.customers
        account = {"email": f"{MARY}@example.com", "password": planted("Password")}
        mine["password"] = account["password"]
        house.post("/auth/register", account)
        wrong = {**account, "password": planted("WrongPassword")}
        mine["wrong password"] = wrong["password"]
        assert house.request("POST", "/auth/login", wrong).status_code == 401
        tokens = house.post("/auth/login", account)
        mine |= {"access token": tokens["access_token"], "refresh token": tokens["refresh_token"]}
        tokens = house.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        mine |= {"second access token": tokens["access_token"], "second refresh token": tokens["refresh_token"]}
        house._http.headers.update({"Authorization": f"Bearer {tokens['access_token']}", "Idempotency-Key": "once"})
        mine["api key"] = house.post("/auth/api-keys", {"name": "nightly"})["key"]
        hook = house.post("/webhooks", {"url": f"http://{NOWHERE}/hook"})
        mine["webhook secret"] = hook["secret"].removeprefix("whsec_")
        del house._http.headers["Idempotency-Key"]
        mine["address of a hook"] = planted("Hook")
        refused = house.request("POST", "/webhooks", {"url": f"https://mary:{mine['address of a hook']}@example.com/"})
        assert refused.status_code == 422
        house._http.headers["X-API-Key"] = mine["api key"]
        house.get("/tasks?limit=1")
        del house._http.headers["X-API-Key"]

    def tasks_run_fail_and_crash(self, models: ModelServer) -> None:
        house = self.house
        well = house.submit("probe")
        form = house.post("/tasks", {"tool_id": "probe"})["task_id"]
        files = {"primary": {"filename": "a.csv", "content_type": "text/csv", "size": 9}}
        links = house.post(f"/tasks/{form}/upload-urls", {"files": files})
        self.secrets.customers["signature of a link"] = links["uploads"]["primary"]["fields"]["x-amz-signature"]
        said = {"error": {"message": f"Incorrect API key provided: {self.secrets.deployment['ModelKey']}"}}
        models.script("tell me", Act(status=401, body=json.dumps(said).encode(), times=None))
        asked = {"generate": {"prompt": "tell me", "model": "compatible:echo"}}
        refused = house.post("/tasks", {"tool_id": "generate-text", "parameters": asked})["task_id"]
        house.post(f"/tasks/{refused}/process", {})
        crashed, ours = (house.submit("probe", parameters={"first": {"act": act}}) for act in ("crash", "bug"))
        assert {house.ended(one)["status"] for one in (refused, crashed, ours)} == {"FAILED"}
        assert house.ended(well)["status"] == "COMPLETED"
        for one in (well, refused, crashed):
            house.request("GET", f"/tasks/{one}/report", {})
            house.request("GET", f"/tasks/{one}/outputs", {})

    def the_world_is_away(self) -> None:
        """Processes of the same deployment, whose database, broker or file store does not answer."""
        house, key = self.house, self.secrets.deployment
        away = {
            "no-database": {"DATABASE_URL": f"postgresql://somebody:{key['Database']}@{NOWHERE}/agensium"},
            "no-broker": {"REDIS_URL": f"redis://somebody:{key['Redis']}@{NOWHERE}/0"},
        }
        begun = []
        for name, environment in away.items():
            worker = house.process(name, *WORKER, "--pool=solo", "--loglevel=DEBUG", environment=environment)
            worker.start()
            begun.append(worker)
        try:
            for worker, word in zip(begun, (b"no wake-ups", b"Cannot connect"), strict=True):
                eventually(lambda log=worker.log, word=word: word in log.read_bytes(), 40)  # type: ignore[misc]
        finally:
            for worker in begun:
                worker.kill()

    def look_at_processes(self) -> None:
        house = self.house
        for process in processes_below(house.api.pid, house.worker.pid):
            with suppress(psutil.Error):
                line = process.cmdline()
                self.command_lines.append(" ".join(line))
                if "transformers.agent_child" in line:
                    self.childrens_environments.append(str(process.environ()))
        for question in ("conf", "stats"):
            asked = [sys.executable, "-m", *CELERY[:2], "celery_queue.broker_app", "inspect", question, "--json"]
            answer = subprocess.run(asked, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=False)
            self.remote_control += answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def stage(stack: Stack, models: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("planted")
    deployment, settings = of_a_deployment(stack, new_database(stack, "planted"))
    models.forget()
    with collecting() as collector:
        settings = {**models.environment(), **collector.environment(), **settings, "LOG_LEVEL": "DEBUG"}
        house = House(stack, "prefork", directory, more=settings)
        house.database_url = settings["DATABASE_URL"]
        house.worker_command = (*WORKER, "--loglevel=DEBUG")
        stage = Stage(house, Secrets(deployment), collector)
        try:
            with heard_in_redis(stack, stage.messages):
                house.open()
                stage.customer_comes()
                stage.tasks_run_fail_and_crash(models)
                stage.look_at_processes()
                stage.the_world_is_away()
            yield stage
        finally:
            house.close()


class heard_in_redis:  # noqa: N801 (a block)
    """Every command that Redis is given meanwhile; it hides what AUTH brings by itself."""

    def __init__(self, stack: Stack, heard: list[str]) -> None:
        self._client = redis.Redis.from_url(stack.redis_url, socket_timeout=None)  # it may be still for long
        self._monitor = self._client.monitor()
        self._heard = heard
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> None:
        self._monitor.__enter__()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._client.echo("over")
        self._thread.join(10)
        self._monitor.__exit__(None, None, None)
        self._client.close()

    def _listen(self) -> None:
        for command in self._monitor.listen():
            self._heard.append(str(command["command"]))
            if command["command"].startswith("ECHO"):
                return


def leaks(stage: Stage, found: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, set[str]]:
    looked_at = [(where, stage.secrets.found_in(text)) for where, text in found]
    assert looked_at, "nothing was looked at"
    return {where: names for where, names in looked_at if names}


def test_a_search_finds_what_is_there_in_every_dress(stage: Stage) -> None:
    key = stage.secrets.deployment["ModelKey"]
    for shown in (key, f"Basic {httpx.BasicAuth('a', key)._auth_header}", json.dumps([key]), key.encode().hex()):
        assert stage.secrets.found_in(shown) == {"ModelKey"}


def test_no_log_of_any_process_holds_a_secret(stage: Stage) -> None:
    logs = [(path.name, path.read_text()) for path in stage.house.directory.glob("*.log")]
    assert {name for name, _ in logs} >= {"api.log", "worker0.log", "no-database.log", "no-broker.log"}
    assert leaks(stage, logs) == {}
    assert [name for name, text in logs if MARY in text] == []


def test_no_row_holds_a_secret(stage: Stage) -> None:
    assert leaks(stage, rows_of(stage.house.database_url)) == {}


def test_nothing_in_redis_and_no_message_through_it_holds_a_secret(stage: Stage) -> None:
    prefix = stage.house.environment["CELERY_KEY_PREFIX"]
    assert any("process_analysis" in message for message in stage.messages)
    assert leaks(stage, [("a message", message) for message in stage.messages]) == {}
    assert leaks(stage, kept_in_redis(stage.house.stack, prefix)) == {}


@pytest.mark.usefixtures("stage")
def test_no_report_and_no_other_object_holds_a_secret(stage: Stage) -> None:
    assert leaks(stage, objects_of(stage.house.stack)) == {}


def test_no_answer_holds_a_secret_but_the_one_that_makes_it(stage: Stage) -> None:
    for path, answer in stage.answers:
        told = stage.secrets.found_in(answer)
        assert told & stage.secrets.deployment.keys() == set(), path
        assert "password" not in told, path
        assert "wrong password" not in told, path
        assert not told or path.endswith(TOLD_ONCE), (path, told)


def test_no_command_line_and_no_childs_environment_holds_a_secret(stage: Stage) -> None:
    assert len(stage.childrens_environments) >= 1
    assert leaks(stage, [("argv", line) for line in stage.command_lines]) == {}
    assert leaks(stage, [("environment", text) for text in stage.childrens_environments]) == {}


def test_celerys_remote_control_tells_no_secret(stage: Stage) -> None:
    assert "worker_concurrency" in stage.remote_control
    assert '"broker"' in stage.remote_control
    assert leaks(stage, [("inspect", stage.remote_control)]) == {}


def test_no_trace_holds_a_secret(stage: Stage) -> None:
    assert any(span.failed for span in stage.collector.spans)
    bodies: list[Any] = [("a trace", body.decode("latin-1")) for body in stage.collector.bodies]
    assert leaks(stage, bodies) == {}
    assert not any(MARY in text for _, text in bodies)
