"""A request's body on its way to the file store: by parts, in bounded memory, and without a trace if it breaks off.

A part is sent in a thread while the next one comes in, so a body holds two parts at most (10 MiB) and a slow customer
holds no thread. What fits one part is one plain PUT. A process takes so many bodies at once, and one customer's a share
of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from backend.clock import monotonic
from backend.errors import BadRequest, TooManyUploads
from backend.storage.door import Storage
from backend.storage.objects import OpenUpload, UploadedPart

PART_BYTES = 5 * 2**20  # S3's least; its most parts, 10,000 of them, are 48 GiB
SILENCE_SECONDS = 60.0  # without a byte: whoever sent it has gone
LEAST_RATE = 16 * 1024  # bytes a second from then on: a byte a minute would keep a place for days
SENDS_AT_ONCE = 8  # threads; the rest of the hall keeps its own

BODIES_AT_ONCE = 32  # 320 MiB of memory
OF_ONE_CUSTOMER = 8
T = TypeVar("T")
_limiter: RunVar[CapacityLimiter] = RunVar("_limiter")


_bodies: Counter[int] = Counter()  # by customer; touched in the event loop alone


@contextmanager
def a_place_for(user_id: int) -> Iterator[None]:
    """For one body of the customer's.

    Raises:
        TooManyUploads
    """
    if _bodies[user_id] >= OF_ONE_CUSTOMER or _bodies.total() >= BODIES_AT_ONCE:
        raise TooManyUploads
    _bodies[user_id] += 1
    try:
        yield
    finally:
        _bodies[user_id] -= 1
        if not _bodies[user_id]:
            del _bodies[user_id]


@dataclass(frozen=True, slots=True)
class Destination:
    key: str
    content_type: str


class StreamedUpload:
    """Use as a context. Whatever ends it before `finish`, nothing is left in the store."""

    def __init__(self, storage: Storage, to: Destination) -> None:
        self._storage, self._to = storage, to
        self._buffer = bytearray()
        self._upload: OpenUpload | None = None
        self._parts: list[UploadedPart] = []
        self._sending: asyncio.Task[None] | None = None
        self._finished = False
        self.size = 0

    async def add(self, chunk: bytes) -> None:
        """Returns when there is room for more."""
        self._buffer += chunk
        self.size += len(chunk)
        if len(self._buffer) >= PART_BYTES:
            await self._send()

    async def finish(self) -> None:
        """The object is there when this returns."""
        if self._upload is None:
            body = bytes(self._buffer)
            await _in_thread(lambda: self._storage.put_bytes(self._to.key, body, self._to.content_type))
        else:
            await self._finish_parts(self._upload)
        self._finished = True

    async def _finish_parts(self, upload: OpenUpload) -> None:
        if self._buffer:
            await self._send()
        await self._sent()
        await _in_thread(lambda: self._storage.finish_upload(upload, self._parts))

    async def _send(self) -> None:
        """Only one part is under way at a time."""
        await self._sent()
        if self._upload is None:
            self._upload = await _in_thread(lambda: self._storage.begin_upload(self._to.key, self._to.content_type))
        part, self._buffer = self._buffer, bytearray()
        self._sending = asyncio.create_task(self._put(self._upload, part))

    async def _put(self, upload: OpenUpload, part: bytearray) -> None:
        number = len(self._parts) + 1
        self._parts.append(await _in_thread(lambda: self._storage.put_part(upload, number, part)))

    async def _sent(self) -> None:
        if self._sending is not None:
            await self._sending
            self._sending = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._upload is None or self._finished:
            return
        upload = self._upload
        with CancelScope(shield=True):  # also when the request itself was cancelled
            if self._sending is not None:
                # a thread cannot be stopped, and a part that came after the abort would stay
                await asyncio.gather(self._sending, return_exceptions=True)
            await _in_thread(lambda: self._storage.abort_upload(upload))


async def lively(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body, chunk by chunk. What the store takes is no delay of the customer's.

    Raises:
        BadRequest: nothing came for SILENCE_SECONDS, or after these less than LEAST_RATE on average.
    """
    chunks, received, waited = aiter(body), 0, 0.0
    while True:
        asked_at = monotonic()
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise BadRequest(f"Nothing came for {SILENCE_SECONDS:.0f} seconds; send the file again.") from None
        received, waited = received + len(chunk), waited + monotonic() - asked_at
        if received < LEAST_RATE * (waited - SILENCE_SECONDS):
            raise BadRequest("The file comes too slowly; send it again over a quicker line.")
        yield chunk


async def _in_thread(work: Callable[[], T]) -> T:
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = CapacityLimiter(SENDS_AT_ONCE)
        _limiter.set(limiter)
    return await run_sync(work, limiter=limiter)
