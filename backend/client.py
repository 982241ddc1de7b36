"""A customer of our own HTTP API, in the order in which a customer calls it. It knows no database and no broker."""

import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httpx

POLL_SECONDS = 0.2  # a person sees no difference below this
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "EXPIRED"})


class RequestRefused(Exception):
    """The API said no; the message holds its sentence and what it advises."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that arrived whole: its checksum was compared."""

    path: Path
    size: int


class Customer:
    """One signed-in customer. Values come back as the API's JSON."""

    def __init__(self, base_url: str) -> None:
        # a proxy of the machine is not asked: this client is for addresses of one's own
        self._http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def register(self, email: str, password: str) -> int:
        """Open an account and sign in; the new customer's id."""
        tokens = self.ask("POST", "/auth/register", {"email": email, "password": password})
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return int(tokens["user_id"])

    def submit(self, tool_id: str, file: Path) -> str:
        """Create the task, upload its one file and queue it; the task's id."""
        task_id: str = self.ask("POST", "/tasks", {"tool_id": tool_id})["task_id"]
        self._upload(task_id, file)
        self.ask("POST", f"/tasks/{task_id}/process", {})
        return task_id

    def follow(self, task_id: str, seconds: float) -> Iterator[dict[str, Any]]:
        """The task again and again until it has ended. Raises TimeoutError."""
        deadline = monotonic() + seconds
        pause = Event()
        while (task := self.ask("GET", f"/tasks/{task_id}"))["status"] not in ENDED:
            yield task
            if monotonic() > deadline:
                raise TimeoutError(f"Task {task_id} is still {task['status']} after {seconds:g} s.")
            pause.wait(POLL_SECONDS)
        yield task

    def download_outputs(self, task_id: str, directory: Path) -> list[Download]:
        directory.mkdir(parents=True, exist_ok=True)
        return [self._download(output, directory) for output in self.ask("GET", f"/tasks/{task_id}/outputs")["outputs"]]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request, its JSON. Raises RequestRefused."""
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            said = " ".join(str(problem[key]) for key in ("detail", "next_action") if problem.get(key))
            raise RequestRefused(f"{method} {path} → {answer.status_code}: {said or answer.text[:500]}")
        return answer.json()

    def _upload(self, task_id: str, file: Path) -> None:
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        announced = {"filename": file.name, "content_type": content_type, "size": file.stat().st_size}
        links = self.ask("POST", f"/tasks/{task_id}/upload-urls", {"files": {"primary": announced}})
        link = links["uploads"]["primary"]
        with file.open("rb") as body:
            form = {"file": (file.name, body, content_type)}
            answer = httpx.post(link["url"], data=link["fields"], files=form, timeout=300, trust_env=False)
        if answer.is_error:
            raise RequestRefused(f"The file store refused {file.name}: {answer.status_code} {answer.text[:500]}")

    @staticmethod
    def _download(output: dict[str, Any], directory: Path) -> Download:
        body = httpx.get(output["url"], timeout=300, trust_env=False).raise_for_status().content
        if hashlib.sha256(body).hexdigest() != output["sha256"]:
            raise RequestRefused(f"{output['name']} arrived, but its checksum is another than the manifest's.")
        path = directory / Path(output["name"]).name
        path.write_bytes(body)
        return Download(path, len(body))
