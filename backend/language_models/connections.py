"""The clients of one process, opened in each event loop that asks, at its first question.

A threads pool has a loop for each slot, and no client may be used from two. A loop that ends as asyncio.run and
asyncio.Runner end it closes its clients itself: they live in an asynchronous generator. One that was closed without a
word is forgotten.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator

from backend.language_models.calls import Call, Lane, StreamingLane
from backend.language_models.chat_completions import ChatCompletions, open_session
from backend.language_models.names import OPENAI_LIKE, Provider, endpoint
from backend.settings import Settings

LEAN_LIBRARY = "aiohttp"
PROVIDERS_LIBRARY = "backend.language_models.provider_lane"  # pydantic-ai and the providers' own: 1 to 2 s


class Connections:
    """One loop's clients."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.turns = asyncio.Semaphore(settings.model_calls_at_once)
        self._session = open_session(settings.model_calls_at_once)
        self._lean: dict[Provider, ChatCompletions] = {}
        self._rich: dict[Provider, StreamingLane] = {}

    def lean(self, provider: Provider) -> ChatCompletions:
        found = self._lean.get(provider)
        if found is None:
            found = self._lean[provider] = ChatCompletions(endpoint(self._settings, provider), self._session)
        return found

    async def rich(self, provider: Provider) -> StreamingLane:
        """The lane of pydantic-ai; loaded off the loop, for others wait on it."""
        if provider not in self._rich:
            lane = await asyncio.to_thread(importlib.import_module, PROVIDERS_LIBRARY)
            at_once = self._settings.model_calls_at_once
            self._rich.setdefault(provider, lane.ProviderLane(provider, endpoint(self._settings, provider), at_once))
        return self._rich[provider]

    async def lane(self, call: Call) -> Lane:
        provider = call.model.provider
        return self.lean(provider) if provider in OPENAI_LIKE else await self.rich(provider)

    async def close(self) -> None:
        await self._session.close()
        for lane in self._rich.values():
            await lane.close()


class ConnectionsByLoop:
    """Of any thread; each asks for the clients of the loop that it runs in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: dict[asyncio.AbstractEventLoop, tuple[Connections, AsyncGenerator[Connections]]] = {}

    async def here(self) -> Connections:
        held = self._held.get(asyncio.get_running_loop())
        return held[0] if held is not None else await self._open()

    async def close(self) -> None:
        """Those of this loop."""
        held = self._held.get(asyncio.get_running_loop())
        if held is not None:
            await held[1].aclose()

    async def _open(self) -> Connections:
        await asyncio.to_thread(importlib.import_module, LEAN_LIBRARY)
        loop = asyncio.get_running_loop()
        if loop not in self._held:  # nobody else's question came meanwhile; from here on nothing waits
            for closed in [other for other in list(self._held) if other.is_closed()]:
                self._held.pop(closed, None)
            living = self._living(loop)
            self._held[loop] = (await anext(living), living)
        return self._held[loop][0]

    async def _living(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Connections]:
        connections = Connections(self._settings)
        try:
            yield connections
        finally:
            self._held.pop(loop, None)
            await connections.close()
