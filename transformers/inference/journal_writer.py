"""Writes finished items down while others are being asked: many in one statement, soon after they were answered."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from backend.errors import AgensiumError
from transformers.waiting_agent import ItemResult, Journal

# So long may an answer lie in memory alone, where a killed worker loses it; ten statements a second and slot are few.
GATHERED_SECONDS = 0.1


class JournalWriter:
    """`write` runs beside those who ask, until it is closed; it ends early when the claim is lost."""

    def __init__(self, journal: Journal, on_written: Callable[[int], None]) -> None:
        self._journal = journal
        self._on_written = on_written  # how many there are by now
        self._finished: list[ItemResult] = []
        self._written = 0
        self._some = asyncio.Event()
        self._closed = asyncio.Event()

    def add(self, item: ItemResult) -> None:
        self._finished.append(item)
        self._some.set()

    def close(self) -> None:
        """No more will come; what is here is still written."""
        self._closed.set()
        self._some.set()

    async def write(self) -> None:
        """Whoever is stopped writes what is finished, if it still may.

        Raises:
            ClaimLost, DatabaseUnavailable
        """
        try:
            while self._finished or not self._closed.is_set():
                await self._some.wait()
                self._some.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), GATHERED_SECONDS)
                await self._flush()
        except asyncio.CancelledError:
            with suppress(AgensiumError):
                await self._flush()
            raise

    async def _flush(self) -> None:
        items, self._finished = self._finished, []
        if items:
            await self._journal.record(items)
            self._written += len(items)
            self._on_written(self._written)
