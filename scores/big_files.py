"""The memory of every agent on a big file: each in its own process, chained as in its tool, under the product's limits.

An agent that fails or does not end in time counts with the memory it had, and its note says so; the next one works on
what the last one that delivered has left. Each tool has a time of its own, so that all of them take fifteen minutes at
most; an agent whose turn does not come is told as well.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from backend.clock import monotonic
from scores.alone import Ran, Request, alone
from scores.measure import Measure, Score
from scores.orders import SEED, write_orders
from scores.workshop import read, scratch
from transformers.catalog import tools
from transformers.chain import Chain
from transformers.tables import Table
from transformers.tool import PRIMARY, Step, Tool

BAR = 400.0  # MB: what the product gives an agent's process
ROWS, DATASET = 2_650_000, "orders 2.65M × 18 (500 MB)"
BIG_ROWS, BIG_DATASET = 5_500_000, "orders 5.5M × 18 (1.04 GB)"
BASELINE_ROWS = 300_000
PATIENCE = 150.0  # seconds an agent has: twice what the slowest takes on a quiet machine
TOOL_SECONDS: Mapping[str, float] = {"profile-my-data": 160.0, "clean-my-data": 400.0, "master-my-data": 320.0}
OTHER_SECONDS = 80.0  # of any other tool, and of the gigabyte
SHORTEST = 5.0  # seconds: with less an agent need not begin
PARAMETERS: Mapping[str, Mapping[str, Any]] = {  # what an agent cannot work without
    "survivorship-resolver": {"match_key_columns": ["order_id"]},
    "golden-record-builder": {"match_key_weights": {"order_id": 1.0}},
    "duplicate-resolver": {"key_columns": ["order_id"]},
}


def tool_measures() -> Iterator[Measure]:
    for tool_id, tool in tools().items():
        if tool_id.endswith("-my-data"):
            yield Measure(f"big-{tool_id}", partial(each_agent, tool))


def each_agent(tool: Tool) -> Iterator[Score]:
    with scratch() as folder:
        source = write_orders(folder / "orders.csv", ROWS)
        chain = Chain(tool, dict(_tables(tool, source, folder)))
        ended, until = 0, monotonic() + TOOL_SECONDS.get(tool.id, OTHER_SECONDS)
        for step in tool.steps:
            ran = _in_turn(step, chain, source, folder, until - monotonic())
            ended += not ran.failure
            yield _score(DATASET, step.id, ran)
        yield Score(dataset=DATASET, metric=f"share of {tool.id} that ended", ours=ended / len(tool.steps), bar=1.0)


def _in_turn(step: Step, chain: Chain, source: Path, folder: Path, left: float) -> Ran:
    if left < SHORTEST:
        return Ran(failure="its turn did not come: the tool's time was over")
    ran = alone(_request(step, chain, source, folder), min(PATIENCE, left))
    if ran.delivery:
        chain.take(ran.delivery)
    return ran


def _tables(tool: Tool, source: Path, folder: Path) -> Iterator[tuple[str, Table]]:
    yield PRIMARY, read(source, folder)
    if tool.role("baseline"):
        other = write_orders(folder / "baseline.csv", BASELINE_ROWS, SEED + 1)
        yield "baseline", read(other, folder, "baseline")


def _request(step: Step, chain: Chain, source: Path, folder: Path) -> Request:
    own = folder / f"{len(chain.earlier)}-{step.id}"
    own.mkdir()
    return Request(
        folder=own,
        tool=chain.tool.id,
        agent=step.id,
        tables=chain.tables,
        parameters=dict(PARAMETERS.get(step.id, {})),
        original=chain.read[PRIMARY],
        source=source,
        earlier=chain.earlier,
    )


def _score(dataset: str, who: str, ran: Ran) -> Score:
    note = f"{ran.seconds:.0f} s, {ran.cpu_seconds:.0f} s of CPU; load {psutil.getloadavg()[0]:.0f}"
    return Score(
        dataset=dataset,
        metric=f"peak MB of {who}",
        ours=ran.peak_mb,
        bar=None if ran.failure else BAR,  # a peak is no verdict on what did not end
        less_is_better=True,
        seed=SEED,
        note=f"ended early ({ran.failure})" if ran.failure else note,
    )


def a_gigabyte() -> Iterator[Score]:
    with scratch() as folder:
        source = write_orders(folder / "orders.csv", BIG_ROWS)
        intake = alone(Request(folder=folder, source=source), OTHER_SECONDS)
        yield _score(BIG_DATASET, "intake", intake)
        if intake.table:
            own = folder / "profile"
            own.mkdir()
            request = Request(folder=own, agent="unified-profiler", tables={PRIMARY: intake.table})
            yield _score(BIG_DATASET, "unified-profiler", alone(request, OTHER_SECONDS))


MEASURES = (*tool_measures(), Measure("big-gigabyte", a_gigabyte))
