"""The whole product as processes (backend/chaos/deployment.py), and a customer with an HTTP client."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from backend import administration
from backend.chaos.deployment import PATIENCE as PATIENCE  # noqa: PLC0414 (the tests know it from here)
from backend.chaos.deployment import Deployment
from backend.devstack import Stack
from backend.product import CELERY
from db.database import close_database
from tests.conftest import forget_settings, new_database
from tests.probe_tools import EXTRA_TOOLS

ROOT = Path(__file__).parents[2]
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "EXPIRED"}
TABLE = b"name,age\nAda,36\nGrace,85\n"

# Short limits, so that a test sees each of them in seconds; those of time are the tool's (probe_tools.py).
LIMITS = {
    "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "450000",
    "DRAIN_SECONDS": "1",
    "RETRY_BASE_SECONDS": "0.2",
    "ACCESS_TOKEN_MINUTES": "600",  # a slow machine's run is longer than a session
}
LOOK_SECONDS = 0.1  # between two questions: each costs the API as much as the test


def rebind() -> None:
    """This process' own doors lead to the database that the settings name now."""
    close_database()
    forget_settings()


class House(Deployment):
    """One deployment with a database and a Redis prefix of its own, and somebody who registers."""

    def __init__(
        self,
        stack: Stack,
        pool: str,
        directory: Path,
        *,
        broker_in_files: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> None:
        settings = {
            **LIMITS,
            "REDIS_URL": "" if broker_in_files else stack.redis_url,
            "SIGNUP_CREDITS": "10000",
            "EXTRA_TOOLS": EXTRA_TOOLS,
            "FLOWER_UNAUTHENTICATED_API": "true",
            "PYTHONWARNINGS": "default",
            "WEBHOOKS_TO_LOOPBACK": "true",
            **(more or {}),
        }
        database_url = new_database(stack, f"house_{pool}_{uuid.uuid4().hex[:6]}")
        super().__init__(stack, pool, directory, database_url, settings)
        if pool == "solo":  # as it is typed on Windows; the other pools' workers are started as our own entry does
            self.worker_command = (*CELERY, "worker", "--without-gossip", "--without-mingle")
        self._http = httpx.Client(base_url=self.api_url, timeout=20)

    def open(self, workers: int = 1) -> None:
        super().open(workers)
        account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse battery staple"}
        token = self._http.post("/auth/register", json=account).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """Open it; after the block it is proven and closed. Where the block fails, its own error is what is told."""
        try:
            self.open()
            yield self
            self.prove()
        finally:
            self.close()

    def prove(self) -> None:
        """After all that was done to it: charged = delivered, and no row in an impossible state."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", self.database_url)
            rebind()
            found = [finding for what in ("ledger", "states") for finding in administration.verify(what)]
        rebind()
        assert len(found) > 2
        assert [finding for finding in found if finding.breaches] == []

    def close(self) -> None:
        self._http.close()
        super().close()

    def agent_children(self) -> set[int]:
        """The processes in which agents compute."""
        return {agent.pid for agent in self.agents_of(self.worker)}

    # the customer

    def submit(self, tool_id: str = "probe", *, body: bytes = TABLE, name: str = "people.csv", **task: Any) -> str:
        """Create, upload, process: the three calls of every customer; the task's id."""
        created = self.post("/tasks", {"tool_id": tool_id, **task})
        task_id: str = created["task_id"]
        files = {"primary": {"filename": name, "content_type": "text/csv", "size": len(body)}}
        link = self.post(f"/tasks/{task_id}/upload-urls", {"files": files})["uploads"]["primary"]
        httpx.post(link["url"], data=link["fields"], files={"file": (name, body, "text/csv")}).raise_for_status()
        queued = self.post(f"/tasks/{task_id}/process", {})
        assert queued["status"] == "queued"
        return task_id

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def request(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._http.request(method, path, json=body)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.request("POST", path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/tasks/{task_id}")
        return found

    def wait(self, task_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not until(task := self.task(task_id)):
            assert time.monotonic() < deadline, f"gave up on {task}\n{self.log()[-6000:]}"
            time.sleep(LOOK_SECONDS)  # noqa: TID251 (polling with a deadline)
        return task

    def ended(self, task_id: str) -> dict[str, Any]:
        return self.wait(task_id, lambda task: task["status"] in TERMINAL)

    def at_agent(self, task_id: str, agent: str) -> dict[str, Any]:
        """Wait until the agent is at work."""
        return self.wait(task_id, lambda task: task["status"] == "PROCESSING" and task["current_agent"] == agent)

    def entries(self, task_id: str) -> dict[tuple[str, str], int]:
        """The task's movements of credits by kind and agent; a doubled one fails."""
        mine = [entry for entry in self.get("/credits/entries")["entries"] if entry["task_id"] == task_id]
        found = {(entry["kind"], entry["agent_id"]): entry["amount"] for entry in mine}
        assert len(found) == len(mine), mine
        return found
