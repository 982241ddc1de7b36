"""A supervisor for tests, and the same as a process of its own that a test may freeze:

python -m tests.transformers.supervising <folder> <act>      says the child's number, "computing", then how it ended
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import AgensiumError
from tests.probe_tools import Act, ProbeParameters, run_first
from transformers.agent_process import AgentProcess, Limits
from transformers.findings import AgentResult
from transformers.operations import AgentRequest, NamedForm, name_of
from transformers.stop_signal import StopSignal
from transformers.tables import SOURCE_ROW, Table
from transformers.tool import Delivery

GENEROUS = Limits(deadline=float("inf"), no_progress_seconds=60, memory_bytes=2**31)
COMPUTING_SECONDS = 0.7  # from a warm call to the middle of it
LEASE_SECONDS = 2.0


def a_table(folder: Path) -> Table:
    path = folder / "primary.parquet"
    pq.write_table(pa.table({"a": ["1", "2"], SOURCE_ROW: [1, 2]}), path)
    return Table(role="primary", name="a.csv", path=path, format="csv", rows=2, columns=("a",), size_bytes=8)


@asynccontextmanager
async def supervised(folder: Path) -> AsyncIterator[AgentProcess]:
    process = AgentProcess(folder / "slot")
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


def request(table: Table, **parameters: object) -> AgentRequest:
    return AgentRequest(
        run=name_of(run_first),
        agent_id="first",
        forms={"first": NamedForm(name=name_of(ProbeParameters), values=parameters)},
        tables={"primary": table},
        scratch=table.path.parent,
        memory_bytes=2**28,
    )


async def call(
    process: AgentProcess,
    asked: AgentRequest,
    limits: Limits = GENEROUS,
    stop: StopSignal | None = None,
    **more: object,
) -> AgentResult:
    """What the agent found."""
    if stop is None:
        stop = StopSignal(drain_seconds=0.2)
        stop.attach()
    delivery = await process.call("run_agent", asked, Delivery, folder=asked.scratch, limits=limits, stop=stop, **more)
    return delivery.result


def run(story: Callable[[AgentProcess], Awaitable[None]], folder: Path) -> None:
    async def tell() -> None:
        async with supervised(folder) as process:
            await story(process)

    asyncio.run(tell())


class WarmChild:
    """A slot's child and the loop it is watched in, for many slots one after the other: its imports take 0.4 s."""

    def __init__(self, scratch: Path) -> None:
        self.runner = asyncio.Runner()
        self.process = AgentProcess(scratch)

    def close(self) -> None:
        self.runner.run(self.process.kill())
        self.runner.close()


def run_warm(story: Callable[[AgentProcess], Awaitable[None]], child: WarmChild) -> None:
    """With a child that others had before, or a new one where they killed theirs. Its birth is no part of it."""

    async def tell() -> None:
        await child.process.start()
        await story(child.process)

    child.runner.run(tell())


async def lone(folder: Path, act: str) -> None:
    table = a_table(folder)
    async with supervised(folder) as process:
        await call(process, request(table))
        print(process.pid, flush=True)
        if act == "idle":
            print("idle", flush=True)
            await asyncio.sleep(COMPUTING_SECONDS)
            act = Act.DELIVER
        stop = StopSignal(drain_seconds=1, lease_seconds=LEASE_SECONDS if act == Act.STALL else float("inf"))
        stop.attach()
        wanted = request(table, act=act, seconds=60, marker=str(folder / "marker"))
        running = asyncio.ensure_future(call(process, wanted, stop=stop))
        await asyncio.sleep(COMPUTING_SECONDS)
        print("computing", flush=True)
        try:
            print((await running).status, process.pid, flush=True)
        except AgensiumError as error:
            print(type(error).__name__, flush=True)


if __name__ == "__main__":
    asyncio.run(lone(Path(sys.argv[1]), sys.argv[2]))
