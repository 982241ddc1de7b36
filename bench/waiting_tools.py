"""Tools whose one agent waits instead of computing, so that a slot is busy and the machine is not; for EXTRA_TOOLS.

CLOCK says when it began; AT_ONCE does not even wait.
"""

import asyncio
from collections.abc import Awaitable, Callable

from backend.clock import now
from transformers.findings import AgentResult
from transformers.tool import Agent, AgentParameters, Delivery, Step, Tool
from transformers.waiting_agent import WaitingContext

NAP_SECONDS = 0.2
LONG_NAP_SECONDS = 2.0
EXTRA_TOOLS = ",".join(f"bench.waiting_tools:{name}" for name in ("CLOCK", "NAP", "LONG_NAP", "AT_ONCE"))


class NoParameters(AgentParameters):
    """Nothing can be chosen."""


async def tell_the_time(_context: WaitingContext) -> Delivery:
    began = round(now().timestamp() * 1e6)
    await asyncio.sleep(NAP_SECONDS)  # the row still says when it was admitted and rung: its end forgets that
    return _delivery("clock", microseconds=began)


async def do_nothing(_context: WaitingContext) -> Delivery:
    return _delivery("at-once")


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
AT_ONCE = _tool("at-once", do_nothing)
LONG_NAP = _tool("long-nap", nap_long)
