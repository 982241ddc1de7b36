"""Partial text for those who follow a task: told a few times a second, however small its pieces come."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

from backend.errors import writable
from backend.language_models.streams import Restarted

TOLD_EVERY = 0.2  # seconds: at most five events a second
LONGEST = 4000  # characters of one event; what is longer goes in several


class TextTeller:
    """`take` what comes; each event has its text, and `at`, where in the answer it begins, in characters.

    An event at 0 begins the answer, anew where there were others before: what these said is void.
    """

    def __init__(self, tell: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        self._tell = tell
        self._waiting = ""
        self._told = 0
        self._some, self._over = asyncio.Event(), asyncio.Event()

    def take(self, text: str) -> None:
        if isinstance(text, Restarted):
            self._waiting, self._told = "", 0
        self._waiting += writable(text)
        self._some.set()

    async def __aenter__(self) -> Self:
        self._telling = asyncio.create_task(self._tell_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """The rest is told, unless there will be no answer."""
        if kind is not None:
            self._telling.cancel()
        self._over.set()
        self._some.set()
        await asyncio.wait((self._telling,))
        if kind is None:
            self._telling.result()

    async def _tell_on(self) -> None:
        while self._waiting or not self._over.is_set():
            await self._some.wait()
            self._some.clear()
            await self._tell_waiting()
            try:
                await asyncio.wait_for(self._over.wait(), TOLD_EVERY)
            except TimeoutError:
                continue

    async def _tell_waiting(self) -> None:
        text, at = self._waiting[:LONGEST], self._told
        self._waiting, self._told = self._waiting[LONGEST:], at + len(text)
        if text:
            await self._tell({"text": text, "at": at})
        if self._waiting:
            self._some.set()
