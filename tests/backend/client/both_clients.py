"""One face for both clients, so that each test is run on either: the asynchronous one in a runner of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from backend.client import AgensiumClient, AsyncAgensiumClient, TaskEvent

Answering = Callable[[httpx.Request], httpx.Response]


class Face:
    """Calls are those of the client; `followed` is the whole stream."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        self._runner = asyncio.Runner() if kind == "async" else None
        self._client: Any = (AsyncAgensiumClient if self._runner else AgensiumClient)(url, "ag_key", **options)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if self._runner is None or name == "use_secret":
            return call
        runner = self._runner
        return lambda *args, **named: runner.run(call(*args, **named))

    def followed(self, task_id: str, **named: Any) -> list[TaskEvent]:
        if self._runner is None:
            return list(self._client.follow(task_id, **named))

        async def all_of_them() -> list[TaskEvent]:
            return [event async for event in self._client.follow(task_id, **named)]

        return self._runner.run(all_of_them())

    def end(self) -> None:
        if self._runner is None:
            self._client.close()
        else:
            self._runner.run(self._client.close())
            self._runner.close()
