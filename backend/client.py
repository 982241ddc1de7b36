"""A customer of our own HTTP API, in the order in which a customer calls it. It knows no database and no broker."""

import hashlib
import mimetypes
from collections.abc import Callable, Iterator, Mapping
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
    """The API said no; the message holds its sentence and what it advises. `status` is HTTP's, `code` is ours."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Download:
    """A file that arrived whole: its checksum was compared."""

    path: Path
    size: int


class Customer:
    """One signed-in customer. Values come back as the API's JSON.

    `permit` is asked about each address that the API hands out, the file store's, and raises where it may not be used.
    """

    def __init__(self, base_url: str, permit: Callable[[str], None] | None = None) -> None:
        self._permit = permit or (lambda _url: None)
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
        self.use_secret(tokens["access_token"])
        return int(tokens["user_id"])

    def use_secret(self, secret: str) -> None:
        """Sign in with an access token or an API key."""
        self._http.headers["Authorization"] = f"Bearer {secret}"

    def submit(
        self, tool_id: str, file: Path, *, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> str:
        """Create the task, upload its one file and queue it; the task's id. Repeated with its `key` it is done once."""
        task_id = self.create(tool_id, parameters=parameters, key=key)
        self.upload(task_id, file)
        self.process(task_id, key=key)
        return task_id

    def create(self, tool_id: str, *, parameters: Mapping[str, Any] | None = None, key: str | None = None) -> str:
        asked = {"tool_id": tool_id, "parameters": dict(parameters or {})}
        task_id: str = self.ask("POST", "/tasks", asked, key=key)["task_id"]
        return task_id

    def process(self, task_id: str, *, key: str | None = None) -> None:
        self.ask("POST", f"/tasks/{task_id}/process", {}, key=key)

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

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """One request, its JSON; `key` is its Idempotency-Key. Raises RequestRefused."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._http.request(method, path, json=body, headers=headers)
        if answer.is_error:
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            said = " ".join(str(problem[key]) for key in ("detail", "next_action") if problem.get(key))
            sentence = f"{method} {path} → {answer.status_code}: {said or answer.text[:500]}"
            raise RequestRefused(sentence, answer.status_code, str(problem.get("error_code", "")))
        return answer.json()

    def upload(self, task_id: str, file: Path) -> None:
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        announced = {"filename": file.name, "content_type": content_type, "size": file.stat().st_size}
        links = self.ask("POST", f"/tasks/{task_id}/upload-urls", {"files": {"primary": announced}})
        link = links["uploads"]["primary"]
        self._permit(link["url"])
        with file.open("rb") as body:
            form = {"file": (file.name, body, content_type)}
            answer = httpx.post(link["url"], data=link["fields"], files=form, timeout=300, trust_env=False)
        if answer.is_error:
            sentence = f"The file store refused {file.name}: {answer.status_code} {answer.text[:500]}"
            raise RequestRefused(sentence, answer.status_code)

    @staticmethod
    def _download(output: dict[str, Any], directory: Path) -> Download:
        body = httpx.get(output["url"], timeout=300, trust_env=False).raise_for_status().content
        if hashlib.sha256(body).hexdigest() != output["sha256"]:
            raise RequestRefused(f"{output['name']} arrived, but its checksum is another than the manifest's.")
        path = directory / Path(output["name"]).name
        path.write_bytes(body)
        return Download(path, len(body))
