"""The watchers of `python -m bench.follow`, in a process of their own: raw sockets, so that they are not what is slow.

Reads its orders as JSON from standard input, and writes what it found to standard output.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

CONNECT_AT_ONCE = 20
COME_BACK_SECONDS = 0.05  # a browser waits for the stream's `retry`; the bar is about what is lost, not about waiting


@dataclass
class Watcher:
    """One client: where it has got to, and how late each event was."""

    port: int
    task_id: str
    token: str
    seen: list[int] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    ended: bool = False
    resyncs: int = 0
    drops: int = 0
    refused: list[int] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None

    async def follow(self) -> None:
        """To the task's end, coming back as often as the connection is lost."""
        while not self.ended:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._stream()
            if not self.ended:
                await asyncio.sleep(COME_BACK_SECONDS)

    def drop(self) -> bool:
        """Without a word, as a train does in a tunnel."""
        if self.writer is None or self.ended:
            return False
        self.writer.transport.abort()
        self.drops += 1
        return True

    async def _stream(self) -> None:
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            self.writer.write(self._request())
            status = int((await reader.readuntil(b"\n")).split()[1])
            while (await reader.readuntil(b"\n")).strip():
                pass
            if status == 204:
                self.ended = True
            elif status == 200:
                await self._read(reader)
            else:
                self.refused.append(status)
        finally:
            self.writer.close()
            self.writer = None

    def _request(self) -> bytes:
        seen = f"Last-Event-ID: {self.seen[-1]}\r\n" if self.seen else ""
        who = f"Host: bench\r\nAuthorization: Bearer {self.token}\r\n"
        return f"GET /tasks/{self.task_id}/events HTTP/1.1\r\n{who}{seen}\r\n".encode()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        text = b""
        while (size := int(await reader.readuntil(b"\n"), 16)) > 0:
            text += (await reader.readexactly(size + 2))[:-2]
            *blocks, text = text.split(b"\n\n")
            arrived = time.time()
            for block in blocks:
                self._take(block, arrived)

    def _take(self, block: bytes, arrived: float) -> None:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if line and not line.startswith(b":"))
        event = fields.get(b"event", b"").decode()
        if event in {"snapshot", "resync"}:
            self.resyncs += event == "resync"
            self.seen = [int(fields[b"id"])]
        elif b"id" in fields:
            self.seen.append(int(fields[b"id"]))
            data = json.loads(fields[b"data"])
            self.late.append(arrived - datetime.fromisoformat(data["at"]).timestamp())
            self.progress.append(data["progress"])
            self.ended = event in {"completed", "failed", "cancelled", "expired"}
        elif event == "progress":
            self.progress.append(json.loads(fields[b"data"])["progress"])


async def run(orders: dict[str, object]) -> dict[str, object]:
    """Connect all, say so, drop as ordered, and judge when all tasks have ended."""
    watchers = [Watcher(int(str(orders["port"])), *pair) for pair in orders["watchers"]]  # type: ignore[attr-defined]
    following = []
    for watcher in watchers:
        following.append(asyncio.create_task(watcher.follow()))
        if len(following) % CONNECT_AT_ONCE == 0:
            await asyncio.sleep(0.1)
    while not all(watcher.seen for watcher in watchers):  # noqa: ASYNC110 (a thousand of them, once)
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    loop, calm = asyncio.get_running_loop(), []
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()  # "drop": the calm part is over
    for watcher in watchers:
        calm += watcher.late
        watcher.late = []
    dropped = await _drop_some(watchers, int(str(orders["drops"])), float(str(orders["drop_seconds"])))
    print("dropped", flush=True)
    await asyncio.wait_for(asyncio.gather(*following), 60)
    return _judged(watchers, calm, dropped)


async def _drop_some(watchers: list[Watcher], count: int, seconds: float) -> int:
    chance, dropped = random.Random(5), 0
    while dropped < count:
        dropped += chance.choice(watchers).drop()
        await asyncio.sleep(seconds / count)
    return dropped


def _judged(watchers: list[Watcher], calm: list[float], dropped: int) -> dict[str, object]:
    steps = [step for watcher in watchers for step in pairwise(watcher.seen)]
    sinking = sum(after < before for watcher in watchers for before, after in pairwise(watcher.progress))
    return {
        "watchers": len(watchers),
        "deliveries": len(calm),
        **{f"{name}_ms": value for name, value in _percentiles(calm)},
        **{f"{name}_ms_while_dropping": value for name, value in _percentiles([x for w in watchers for x in w.late])},
        "dropped": dropped,
        "lost": sum(max(0, after - before - 1) for before, after in steps),
        "doubled_or_out_of_order": sum(after <= before for before, after in steps),
        "progress_went_down": sinking,
        "resyncs": sum(watcher.resyncs for watcher in watchers),
        "refused": sum(len(watcher.refused) for watcher in watchers),
        "without_a_last_event": sum(not watcher.ended for watcher in watchers),
        "last_seen": {watcher.task_id: watcher.seen[-1] for watcher in watchers},
    }


def _percentiles(seconds: list[float]) -> Iterator[tuple[str, float]]:
    ordered = sorted(seconds) or [0.0]
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        yield name, round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


if __name__ == "__main__":
    found = asyncio.run(run(json.loads(sys.stdin.readline())))
    print(json.dumps(found), flush=True)
