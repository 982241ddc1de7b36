"""The client for programs that run on asyncio; call by call the same as client.py.

async with AsyncAgensiumClient("https://agensium.example.com", api_key="ag_…") as agensium:
    task = await agensium.submit("profile-my-data", "customers.csv")
    async for event in agensium.follow(task.task_id):
        print(event.kind, event.progress)
    await agensium.download(task.task_id, "results")
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from backend.client.async_model_calls import AsyncModelCalls
from backend.client.exchanges import STREAM_TIMEOUT, answer_of, request_of
from backend.client.flows import PASSING, TRIES, Answer, Ask, Flow, Order, Pause, retry_after
from backend.client.following import Following
from backend.client.model_flows import ModelFlows
from backend.client.options import PRIMARY, File, given_source, given_sources
from backend.client.refusals import Unreachable, refusal
from backend.client.values import ApiKey, CreditEntry, Download, Output, Task, TaskEvent

T = TypeVar("T")


class AsyncAgensiumClient(AsyncModelCalls):
    """`api_key` may be left out until `sign_in` or `use_secret`."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        tries: int = TRIES,
        permit: Callable[[str], None] = lambda _url: None,
        trust_env: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._flows = ModelFlows(tries, permit)
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout, transport=transport, trust_env=trust_env)
        self._secret: Mapping[str, str] = {}
        if api_key is not None:
            self.use_secret(api_key)

    def use_secret(self, secret: str) -> None:
        """Sign in with an API key or an access token."""
        self._secret = {"Authorization": f"Bearer {secret}"}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    # accounts

    async def register(self, email: str, password: str) -> int:
        """Open an account and sign in; the new customer's id."""
        return await self._signed_in("/auth/register", email, password)

    async def sign_in(self, email: str, password: str) -> int:
        """For some minutes; a program rather makes itself an API key. The customer's id."""
        return await self._signed_in("/auth/login", email, password)

    async def balance(self) -> int:
        """Credits that may still be spent."""
        return await self._run(self._flows.balance())

    async def entries(self) -> list[CreditEntry]:
        """All movements of credits, newest first."""
        return await self._run(self._flows.entries())

    async def api_keys(self) -> list[ApiKey]:
        return await self._run(self._flows.api_keys())

    async def create_api_key(
        self, name: str, *, scope: str | None = None, expires_in_days: int | None = None
    ) -> ApiKey:
        """Its `key` is shown this once. The scope: read, run or manage."""
        return await self._run(self._flows.create_api_key(name, scope, expires_in_days))

    async def revoke_api_key(self, key_id: str) -> None:
        await self._run(self._flows.revoke_api_key(key_id))

    # tools

    async def tools(self) -> list[Mapping[str, Any]]:
        """What can be asked for, with prices and the parameters' JSON Schema."""
        return (await self._run(self._flows.ask("GET", "/tools")))["tools"]  # type: ignore[no-any-return]

    async def tool(self, tool_id: str) -> Mapping[str, Any]:
        return await self._run(self._flows.ask("GET", f"/tools/{tool_id}"))

    # a task, in the order of its life

    async def submit(
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
        return await self._run(self._flows.submit(order, sources, through_api=through_api))

    async def create(
        self,
        tool_id: str,
        *,
        agents: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        priority: int = 0,
        key: str | None = None,
    ) -> Task:
        """Nothing is charged yet; upload and process come next, within a day."""
        return await self._run(self._flows.create(Order(tool_id, agents, parameters, priority, key)))

    async def upload(
        self, task_id: str, file: File | Sequence[File], *, role: str = PRIMARY, through_api: bool = False
    ) -> None:
        """Replaces an earlier file of that role; of one that takes several, those of the same names."""
        await self._run(self._flows.upload(task_id, given_source(file), role, through_api=through_api))

    async def quote(self, task_id: str) -> Mapping[str, Any]:
        """Rows, time, memory and credits, before anything is held."""
        return await self._run(self._flows.ask("POST", f"/tasks/{task_id}/quote"))

    async def process(self, task_id: str, *, key: str | None = None) -> None:
        """Queue it: the credits of the agents that will run are held."""
        await self._run(self._flows.process(task_id, key))

    async def task(self, task_id: str) -> Task:
        return await self._run(self._flows.task(task_id))

    async def tasks(
        self, *, status: str | None = None, tool_id: str | None = None, limit: int | None = None
    ) -> list[Task]:
        """Newest first, without their steps; all, or the newest `limit`."""
        wanted = {name: value for name, value in (("status", status), ("tool_id", tool_id)) if value}
        return await self._run(self._flows.listed("/tasks", "tasks", Task, wanted, limit))

    async def wait(self, task_id: str, timeout_s: float = 3600.0) -> Task:
        """The task once it has ended, however it ended.

        Raises:
            TaskTimedOut: it has not; it goes on.
        """
        return await self._run(self._flows.wait(task_id, timeout_s))

    async def report(self, task_id: str) -> Mapping[str, Any]:
        """Of a task that has not completed, what its agents have delivered so far."""
        return await self._run(self._flows.ask("GET", f"/tasks/{task_id}/report"))

    async def outputs(self, task_id: str) -> list[Output]:
        return await self._run(self._flows.outputs(task_id))

    async def download(
        self,
        task_id: str,
        directory: Path | str,
        *,
        names: Sequence[str] | None = None,
        through_api: bool = False,
    ) -> list[Download]:
        """All files, or those of `names`; each is there under its name only once it arrived whole."""
        return await self._run(self._flows.download(task_id, Path(directory), names, through_api=through_api))

    async def cancel(self, task_id: str) -> Task:
        """What was delivered is paid, the rest is back at once."""
        return Task.of(await self._run(self._flows.ask("POST", f"/tasks/{task_id}/cancel")))

    async def retry(self, task_id: str) -> Task:
        """The new task that goes on where this one stopped."""
        return Task.of(await self._run(self._flows.ask("POST", f"/tasks/{task_id}/retry")))

    async def delete(self, task_id: str) -> None:
        """With its files; a task that has not ended is cancelled first."""
        await self._run(self._flows.ask("DELETE", f"/tasks/{task_id}"))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """Any other route: its JSON."""
        return await self._run(self._flows.ask(method, path, body, params=params, key=key))

    async def follow(self, task_id: str, *, last_event_id: str | None = None) -> AsyncIterator[TaskEvent]:
        """What happens to the task, from a snapshot to its last event; a stream that breaks is gone on with.

        Each event comes once, in order, and progress never goes down.

        Raises:
            Unreachable: no stream came about any more.
        """
        following = Following(task_id, last_event_id)
        while not following.ended:
            with suppress(httpx.TransportError):  # what broke off half-way is asked for again
                async for event in self._stream(following):
                    yield event
            if not following.ended:
                await asyncio.sleep(following.pause())

    async def _stream(self, following: Following) -> AsyncIterator[TaskEvent]:
        with request_of(self._http, following.request(), self._secret, timeout=STREAM_TIMEOUT) as request:
            answer = await self._http.send(request, stream=True)
        try:
            if answer.is_error:
                await self._refuse_stream(following, answer)
                return
            following.opened(answer.status_code)
            async for text in answer.aiter_text():
                for event in following.feed(text):
                    yield event
                if following.ended:
                    return
        finally:
            await answer.aclose()

    async def _refuse_stream(self, following: Following, answer: httpx.Response) -> None:
        """What may pass is asked for again."""
        following.asked_to_wait(retry_after(answer.headers))
        error = refusal(answer.status_code, answer.headers.get("content-type", ""), await answer.aread(), "following")
        if not isinstance(error, Unreachable) and answer.status_code not in PASSING:
            raise error

    # how a flow is run

    async def _signed_in(self, path: str, email: str, password: str) -> int:
        tokens = await self._run(self._flows.signed_in(path, email, password))
        self.use_secret(tokens["access_token"])
        return int(tokens["user_id"])

    async def _run(self, flow: Flow[T]) -> T:
        answer: Answer | None = None
        error: Unreachable | None = None
        while True:
            try:
                step = flow.throw(error) if error else flow.send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            answer, error = None, None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                answer = await self._perform(step)
            except httpx.TransportError as failure:
                error = Unreachable(f"{step.words} was not answered: {type(failure).__name__}.")

    async def _perform(self, ask: Ask) -> Answer:
        with request_of(self._http, ask, self._secret) as request:
            answer = await self._http.send(request, stream=True)
        try:
            if ask.target is None or answer.is_error:
                return answer_of(answer, await answer.aread())
            digest, size = hashlib.sha256(), 0
            with ask.target.open("wb") as file:
                async for chunk in answer.aiter_bytes():
                    digest.update(chunk)
                    size += await asyncio.to_thread(file.write, chunk)
            return Answer(answer.status_code, answer.headers, sha256=digest.hexdigest(), size=size)
        finally:
            await answer.aclose()
