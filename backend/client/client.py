"""The client: one signed-in customer of the API, in the order of a task's life.

    with AgensiumClient("https://agensium.example.com", api_key="ag_…") as agensium:
        task = agensium.submit("profile-my-data", "customers.csv")
        for event in agensium.follow(task.task_id):
            print(event.kind, event.progress)
        agensium.download(task.task_id, "results")

What goes wrong is raised from the error tree (refusals.py). What may pass is tried again.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from backend.client.exchanges import STREAM_TIMEOUT, answer_of, request_of
from backend.client.flows import PASSING, TRIES, Answer, Ask, Flow, Order, Pause, retry_after
from backend.client.following import Following
from backend.client.model_calls import ModelCalls
from backend.client.model_flows import ModelFlows
from backend.client.options import PRIMARY, File, given_source, given_sources
from backend.client.refusals import Unreachable, refusal
from backend.client.values import ApiKey, CreditEntry, Download, Output, Task, TaskEvent

T = TypeVar("T")


class AgensiumClient(ModelCalls):
    """`api_key` may be left out until `sign_in` or `use_secret`. Many threads may use one."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        tries: int = TRIES,
        permit: Callable[[str], None] = lambda _url: None,
        trust_env: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._flows = ModelFlows(tries, permit)
        self._http = httpx.Client(base_url=base_url, timeout=timeout, transport=transport, trust_env=trust_env)
        self._secret: Mapping[str, str] = {}
        if api_key is not None:
            self.use_secret(api_key)

    def use_secret(self, secret: str) -> None:
        """Sign in with an API key or an access token."""
        self._secret = {"Authorization": f"Bearer {secret}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # accounts

    def register(self, email: str, password: str) -> int:
        """Open an account and sign in; the new customer's id."""
        return self._signed_in("/auth/register", email, password)

    def sign_in(self, email: str, password: str) -> int:
        """For some minutes; a program rather makes itself an API key. The customer's id."""
        return self._signed_in("/auth/login", email, password)

    def balance(self) -> int:
        """Credits that may still be spent."""
        return self._run(self._flows.balance())

    def entries(self) -> list[CreditEntry]:
        """All movements of credits, newest first."""
        return self._run(self._flows.entries())

    def api_keys(self) -> list[ApiKey]:
        return self._run(self._flows.api_keys())

    def create_api_key(self, name: str, *, scope: str | None = None, expires_in_days: int | None = None) -> ApiKey:
        """Its `key` is shown this once. The scope: read, run or manage."""
        return self._run(self._flows.create_api_key(name, scope, expires_in_days))

    def revoke_api_key(self, key_id: str) -> None:
        self._run(self._flows.revoke_api_key(key_id))

    # tools

    def tools(self) -> list[Mapping[str, Any]]:
        """What can be asked for, with prices and the parameters' JSON Schema."""
        return (self._run(self._flows.ask("GET", "/tools")))["tools"]  # type: ignore[no-any-return]

    def tool(self, tool_id: str) -> Mapping[str, Any]:
        return self._run(self._flows.ask("GET", f"/tools/{tool_id}"))

    # a task, in the order of its life

    def submit(
        self,
        tool_id: str,
        file: File | None = None,
        *,
        files: Mapping[str, File | Sequence[File]] | None = None,
        agents: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        priority: int = 0,
        key: str | None = None,
        through_api: bool = False,
    ) -> Task:
        """Create a task, upload `file` as primary and `files` by role, and queue it; credits are held.

        A role that takes several files is given a list of them.

        Repeated with its `key` it is done once. `parameters` are by agent. `through_api`: for who cannot reach the file
        store.
        """
        sources = given_sources(file, files or {})
        order = Order(tool_id, agents, parameters, priority, key)
        return self._run(self._flows.submit(order, sources, through_api=through_api))

    def create(
        self,
        tool_id: str,
        *,
        agents: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        priority: int = 0,
        key: str | None = None,
    ) -> Task:
        """Nothing is charged yet; upload and process come next, within a day."""
        return self._run(self._flows.create(Order(tool_id, agents, parameters, priority, key)))

    def upload(
        self, task_id: str, file: File | Sequence[File], *, role: str = PRIMARY, through_api: bool = False
    ) -> None:
        """Replaces an earlier file of that role; of one that takes several, those of the same names."""
        self._run(self._flows.upload(task_id, given_source(file), role, through_api=through_api))

    def quote(self, task_id: str) -> Mapping[str, Any]:
        """Rows, time, memory and credits, before anything is held."""
        return self._run(self._flows.ask("POST", f"/tasks/{task_id}/quote"))

    def process(self, task_id: str, *, key: str | None = None) -> None:
        """Queue it: the credits of the agents that will run are held."""
        self._run(self._flows.process(task_id, key))

    def task(self, task_id: str) -> Task:
        return self._run(self._flows.task(task_id))

    def tasks(self, *, status: str | None = None, tool_id: str | None = None, limit: int | None = None) -> list[Task]:
        """Newest first, without their steps; all, or the newest `limit`."""
        wanted = {name: value for name, value in (("status", status), ("tool_id", tool_id)) if value}
        return self._run(self._flows.listed("/tasks", "tasks", Task, wanted, limit))

    def wait(self, task_id: str, timeout_s: float = 3600.0) -> Task:
        """The task once it has ended, however it ended.

        Raises:
            TaskTimedOut: it has not; it goes on.
        """
        return self._run(self._flows.wait(task_id, timeout_s))

    def report(self, task_id: str) -> Mapping[str, Any]:
        """Of a task that has not completed, what its agents have delivered so far."""
        return self._run(self._flows.ask("GET", f"/tasks/{task_id}/report"))

    def outputs(self, task_id: str) -> list[Output]:
        return self._run(self._flows.outputs(task_id))

    def download(
        self,
        task_id: str,
        directory: Path | str,
        *,
        names: Sequence[str] | None = None,
        through_api: bool = False,
    ) -> list[Download]:
        """All files, or those of `names`; each is there under its name only once it arrived whole."""
        return self._run(self._flows.download(task_id, Path(directory), names, through_api=through_api))

    def cancel(self, task_id: str) -> Task:
        """What was delivered is paid, the rest is back at once."""
        return Task.of(self._run(self._flows.ask("POST", f"/tasks/{task_id}/cancel")))

    def retry(self, task_id: str) -> Task:
        """The new task that goes on where this one stopped."""
        return Task.of(self._run(self._flows.ask("POST", f"/tasks/{task_id}/retry")))

    def delete(self, task_id: str) -> None:
        """With its files; a task that has not ended is cancelled first."""
        self._run(self._flows.ask("DELETE", f"/tasks/{task_id}"))

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """Any other route: its JSON."""
        return self._run(self._flows.ask(method, path, body, params=params, key=key))

    def follow(self, task_id: str, *, last_event_id: str | None = None) -> Iterator[TaskEvent]:
        """What happens to the task, from a snapshot to its last event; a stream that breaks is gone on with.

        Each event comes once, in order, and progress never goes down.

        Raises:
            Unreachable: no stream came about any more.
        """
        following = Following(task_id, last_event_id)
        while not following.ended:
            with suppress(httpx.TransportError):  # what broke off half-way is asked for again
                yield from self._stream(following)
            if not following.ended:
                _pause(following.pause())

    def _stream(self, following: Following) -> Iterator[TaskEvent]:
        with request_of(self._http, following.request(), self._secret, timeout=STREAM_TIMEOUT) as request:
            answer = self._http.send(request, stream=True)
        try:
            if answer.is_error:
                self._refuse_stream(following, answer)
                return
            following.opened(answer.status_code)
            for text in answer.iter_text():
                yield from following.feed(text)
                if following.ended:
                    return
        finally:
            answer.close()

    def _refuse_stream(self, following: Following, answer: httpx.Response) -> None:
        """What may pass is asked for again."""
        following.asked_to_wait(retry_after(answer.headers))
        error = refusal(answer.status_code, answer.headers.get("content-type", ""), answer.read(), "following")
        if not isinstance(error, Unreachable) and answer.status_code not in PASSING:
            raise error

    # how a flow is run

    def _signed_in(self, path: str, email: str, password: str) -> int:
        tokens = self._run(self._flows.signed_in(path, email, password))
        self.use_secret(tokens["access_token"])
        return int(tokens["user_id"])

    def _run(self, flow: Flow[T]) -> T:
        answer: Answer | None = None
        error: Unreachable | None = None
        while True:
            try:
                step = flow.throw(error) if error else flow.send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            answer, error = None, None
            if isinstance(step, Pause):
                _pause(step.seconds)
                continue
            try:
                answer = self._perform(step)
            except httpx.TransportError as failure:
                error = Unreachable(f"{step.words} was not answered: {type(failure).__name__}.")

    def _perform(self, ask: Ask) -> Answer:
        with request_of(self._http, ask, self._secret) as request:
            answer = self._http.send(request, stream=True)
        try:
            if ask.target is None or answer.is_error:
                return answer_of(answer, answer.read())
            digest, size = hashlib.sha256(), 0
            with ask.target.open("wb") as file:
                for chunk in answer.iter_bytes():
                    digest.update(chunk)
                    size += file.write(chunk)
            return Answer(answer.status_code, answer.headers, sha256=digest.hexdigest(), size=size)
        finally:
            answer.close()


def _pause(seconds: float) -> None:
    """In the customer's own thread."""
    Event().wait(seconds)
