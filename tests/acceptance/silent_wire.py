"""A TCP proxy whose connections can go silent: they stay open and nothing comes through any more, as when a router
forgets them. New connections work.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from backend.ports import LOOPBACK


class SilentWire:
    """`port` leads to `target`, a port of the loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()  # of the connections made so far
        self._open.set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._connected, LOOPBACK, 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()

    def silence(self) -> None:
        """Nothing more comes through the connections there are."""
        self._loop.call_soon_threadsafe(self._silence)

    def _silence(self) -> None:
        self._open.clear()
        self._open = asyncio.Event()
        self._open.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(LOOPBACK, self._target)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.ensure_future(self._pass_on(source, sink, self._open))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
        try:
            while data := await source.read(65536):
                await is_open.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()

    def run(self) -> None:
        self._loop.run_forever()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


@contextmanager
def silent_wire(target: int) -> Iterator[SilentWire]:
    wire = SilentWire(target)
    thread = threading.Thread(target=wire.run)
    thread.start()
    try:
        yield wire
    finally:
        wire.stop()
        thread.join()
