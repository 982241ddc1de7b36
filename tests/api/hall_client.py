"""The front hall as a customer meets it: the real app over the real database and file store, without a socket between.

`Trial` is a tool whose limits are small enough to be reached.
"""

import asyncio
import itertools
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import Field

from api.credentials import access_token
from api.dependencies import file_store
from backend.main import create_app
from backend.storage.door import Storage
from db import accounts
from db.database import transaction
from transformers.findings import AgentResult
from transformers.tool import PRIMARY, Agent, AgentContext, AgentParameters, InputRole, Step, Tool

NOBODYS_PASSWORD_HASH = "no hash, so nobody signs in with it"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the file store is on the loopback; loading ours takes 30 ms
CSV = b"a,b\n1,2\n3,4\n"
_numbers = itertools.count(1)


class TrialParameters(AgentParameters):
    top: int = Field(3, ge=1, le=10, description="How many to show.")
    label: str = ""


def never_run(context: AgentContext) -> AgentResult:
    raise AssertionError("the front hall runs no agent")


def _agent(agent_id: str, *roles: str) -> Agent:
    return Agent(agent_id, agent_id.title(), "For trial.", TrialParameters, never_run, roles=roles)


TRIAL = Tool(
    id="trial",
    name="Trial",
    description="For trial.",
    roles=(
        InputRole(PRIMARY, ("csv", "parquet"), max_bytes=1000, required=True),
        InputRole("baseline", ("csv",), max_bytes=1000),
    ),
    steps=(
        Step(_agent("counter", PRIMARY), price=30),
        Step(_agent("comparer", PRIMARY, "baseline"), price=40, required=False),
        Step(_agent("rater", PRIMARY), price=25),
    ),
)


_apps: list[FastAPI] = []  # of halls that are closed


def app_without_memory() -> FastAPI:
    """As it is at its start; its routes are kept where it has some: an app's first request, which solves them, takes
    30 ms.
    """
    new = create_app()
    app = _apps.pop() if _apps else new
    app.state, app._surroundings = new.state, new._surroundings
    app.middleware_stack = None
    app.dependency_overrides.clear()
    return app


class Hall:
    """A synchronous client; `together` sends requests at one moment."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._runner = asyncio.Runner()
        self._app = app_without_memory()
        self._app.dependency_overrides[file_store] = lambda: storage
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://hall")
        self._browser = httpx.AsyncClient(verify=NO_CERTIFICATES)

    def upload(self, form: Mapping[str, Any], filename: str, body: bytes) -> httpx.Response:
        """Send a file to its form, as a browser does."""
        file = {"file": (filename, body)}
        return self._runner.run(self._browser.post(form["url"], data=form["fields"], files=file))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **options))

    def together(self, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.request(m, path, **options) for m, path, options in requests))

        return self._runner.run(all_of_them())

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self._browser.aclose())
        self._runner.close()
        _apps.append(self._app)


@dataclass(frozen=True)
class Customer:
    """Somebody who is signed in."""

    hall: Hall
    id: int
    email: str
    headers: Mapping[str, str]

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.send("POST", path, json=json, **options)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        return self.hall.send(method, path, headers={**self.headers, **(headers or {})}, **options)

    def balance(self) -> int:
        return self.get("/credits").json()["balance"]

    def create(self, **asked: Any) -> str:
        answer = self.post("/tasks", {"tool_id": TRIAL.id, **asked})
        assert answer.status_code == 201, answer.text
        return answer.json()["task_id"]

    def announce(self, task_id: str, role: str = PRIMARY, filename: str = "data.csv", size: int = len(CSV)) -> Any:
        files = {role: {"filename": filename, "content_type": "text/csv", "size": size}}
        return self.post(f"/tasks/{task_id}/upload-urls", {"files": files})

    def upload(self, task_id: str, role: str = PRIMARY, filename: str = "data.csv", body: bytes = CSV) -> None:
        form = self.announce(task_id, role, filename).json()["uploads"][role]
        sent = self.hall.upload(form, filename, body)
        assert sent.status_code == 204, sent.text

    def ready(self, **asked: Any) -> str:
        """A task whose primary file has arrived."""
        task_id = self.create(**asked)
        self.upload(task_id)
        return task_id

    def queued(self, **asked: Any) -> str:
        task_id = self.ready(**asked)
        answer = self.process(task_id)
        assert answer.status_code == 202, answer.text
        return task_id

    def process(self, task_id: str, **headers: str) -> httpx.Response:
        return self.post(
            f"/tasks/{task_id}/process", headers={name.replace("_", "-"): v for name, v in headers.items()}
        )


def new_customer(hall: Hall, *, balance: int = 500, admin: bool = False) -> Customer:
    email = f"customer-{next(_numbers)}-{uuid.uuid4().hex[:8]}@example.com"
    with transaction() as session:
        user = accounts.register(session, email, NOBODYS_PASSWORD_HASH, balance)
        if admin:
            accounts.make_admin(session, user.id)
    return Customer(hall, user.id, email, {"Authorization": f"Bearer {access_token(user.id, 0)}"})


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem's body, checked to be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "detail", "error_code", "next_action", "context", "request_id"}
    assert body["next_action"]
    return body
