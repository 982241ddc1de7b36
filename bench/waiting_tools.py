"""Tools whose one agent waits instead of computing, so that a slot is busy and the machine is not; for EXTRA_TOOLS.

CLOCK does not even wait: it says when it began.
"""

import asyncio
from collections.abc import Awaitable, Callable

from backend.clock import now
from transformers.findings import AgentResult
from transformers.tool import Agent, AgentParameters, Delivery, Step, Tool
from transformers.waiting_agent import WaitingContext

NAP_SECONDS = 0.2
LONG_NAP_SECONDS = 2.0
EXTRA_TOOLS = ",".join(f"bench.waiting_tools:{name}" for name in ("CLOCK", "NAP", "LONG_NAP"))


class NoParameters(AgentParameters):
    """Nothing can be chosen."""


async def tell_the_time(_context: WaitingContext) -> Delivery:
    return _delivery("clock", microseconds=round(now().timestamp() * 1e6))


async def nap(_context: WaitingContext) -> Delivery:
    await asyncio.sleep(NAP_SECONDS)
    return _delivery("nap")


async def nap_long(_context: WaitingContext) -> Delivery:
    await asyncio.sleep(LONG_NAP_SECONDS)
    return _delivery("long-nap")


def _delivery(agent_id: str, **metrics: int) -> Delivery:
    return Delivery(result=AgentResult(agent_id=agent_id, agent_name=agent_id.title(), summary_metrics=metrics))


def _tool(tool_id: str, run: Callable[[WaitingContext], Awaitable[Delivery]]) -> Tool:
    agent = Agent(tool_id, tool_id.title(), "Waits.", NoParameters, run, roles=())
    return Tool(tool_id, tool_id.title(), "One agent that waits.", (), (Step(agent, price=1),))


CLOCK = _tool("clock", tell_the_time)
NAP = _tool("nap", nap)
LONG_NAP = _tool("long-nap", nap_long)
