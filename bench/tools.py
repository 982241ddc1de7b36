"""Tools whose agents hardly do anything, or only compute: what is left is the house. For EXTRA_TOOLS."""

from collections.abc import Callable
from typing import Any

from bench import waiting_tools
from bench.fibonacci import fibonacci
from transformers.findings import AgentResult
from transformers.tool import (
    MEBIBYTE,
    PRIMARY,
    TABULAR,
    Agent,
    AgentContext,
    AgentParameters,
    InputRole,
    Step,
    Tool,
)

FIBONACCI = 33  # of which each of FIBO's agents takes the number: a quarter of a second of pure Python
EXTRA_TOOLS = ",".join(
    [*(f"bench.tools:{name}" for name in ("FORTY", "FIBO", "FIVE", "NOOP")), waiting_tools.EXTRA_TOOLS]
)


class NoParameters(AgentParameters):
    """Nothing can be chosen."""


def run_light(context: AgentContext) -> AgentResult:
    """Says who it is: the least that an agent may leave."""
    return _said(context)


def run_fibonacci(context: AgentContext) -> AgentResult:
    return _said(context, fibonacci=fibonacci(FIBONACCI))


def _said(context: AgentContext, **metrics: int) -> AgentResult:
    return AgentResult(agent_id=context.agent_id, agent_name=context.agent_id.title(), summary_metrics=metrics)


def _steps(count: int, run: Callable[[Any], Any] = run_light, roles: tuple[str, ...] = ()) -> tuple[Step, ...]:
    return tuple(
        Step(
            Agent(
                id=f"step-{number}",
                name=f"Step {number}",
                description="One of many like it.",
                parameters=NoParameters,
                run=run,
                roles=roles,
            ),
            price=1,
        )
        for number in range(1, count + 1)
    )


FORTY = Tool("forty", "Forty", "Forty light agents, one after the other.", (), _steps(40))
FIBO = Tool("fibo", "Fibonacci", "Ten agents that compute.", (), _steps(10, run_fibonacci))
FIVE = Tool(
    "five",
    "Five",
    "Five tiny agents on a tiny table.",
    (InputRole(PRIMARY, TABULAR, max_bytes=MEBIBYTE, required=True),),
    _steps(5, roles=(PRIMARY,)),
)
NOOP = Tool("noop", "Nothing", "One agent that does nothing.", (), _steps(1))

# Known only where bench.noop_worker routes it: there is nothing to run.
NOTHING = Tool("nothing", "Nothing at all", "No agents.", (), ())
