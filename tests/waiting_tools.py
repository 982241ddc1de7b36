"""Tools whose agents wait instead of computing: to see steps side by side, children and money by use.

The agents say what they do in `SEEN`, which is this process' own: they run in a TrialSlot.
"""

import asyncio
from collections import Counter
from typing import Any

from pydantic import Field

from backend.errors import BadRequest, ModelUnavailable
from backend.language_models.questions import Usage
from transformers.findings import AgentResult
from transformers.tool import (
    Agent,
    AgentParameters,
    ChildPlan,
    Delivery,
    Forms,
    Step,
    Tariff,
    Tool,
)
from transformers.waiting_agent import ItemResult, WaitingContext

SEEN: Counter[str] = Counter()
TARIFF = Tariff(per_call=1, per_thousand_tokens=1)
MOST = Usage(calls=1, input_tokens=9_000)


class OneParameters(AgentParameters):
    fail: str = ""
    tokens: int = 500
    say: tuple[str, ...] = ()
    seconds: float = 0.0


class GraphParameters(AgentParameters):
    steps: dict[str, OneParameters] = Field(default_factory=dict)
    after: dict[str, tuple[str, ...]] = Field(default_factory=dict)


def most(_form: Any, _given: Any, _done: Any) -> Usage:
    return MOST


def result(name: str, **data: Any) -> AgentResult:
    return AgentResult(agent_id=name, agent_name=name, data=data)


async def one(context: WaitingContext) -> Delivery:
    form: OneParameters = context.parameters
    name = context.scratch.name
    SEEN[name] += 1
    for word in form.say:
        await context.tell({"text": word})
    await asyncio.sleep(form.seconds)
    if form.fail == "user":
        raise BadRequest("It cannot be done.")
    if form.fail == "bug":
        raise KeyError("an error that nobody foresaw")
    if form.fail == "away":
        raise ModelUnavailable
    seen = {earlier: delivery.result.data for earlier, delivery in context.earlier.items()}
    return Delivery(result=result(name, seen=seen), usage=Usage(calls=1, input_tokens=form.tokens))


def agent(agent_id: str, run: Any = one, parameters: type[AgentParameters] = OneParameters) -> Agent:
    return Agent(agent_id, agent_id, "Waits.", parameters, run, roles=())


ASK = Tool("ask", "Ask", "One agent that is paid by use.", (), (Step(agent("one"), tariff=TARIFF, bound=most),))


def unfolded(forms: Forms) -> tuple[Step, ...]:
    form = forms["graph"]
    assert isinstance(form, GraphParameters)
    return tuple(
        Step(
            agent(name), required=False, tariff=TARIFF, bound=most, after=form.after.get(name, ()), form=given,
        )
        for name, given in form.steps.items()
    )  # fmt: skip


GRAPH = Tool(
    "graph", "Graph", "Steps as the customer wants them.", (), (Step(agent("graph", one, GraphParameters)),),
    unfold=unfolded,
)  # fmt: skip


class PlanParameters(AgentParameters):
    items: int = 6
    chunk: int = 2
    gate: bool = False
    bad: tuple[int, ...] = ()


async def plan(context: WaitingContext) -> Delivery:
    form: PlanParameters = context.parameters
    SEEN["plan"] += 1
    stretches = [ChildPlan(first=at, items=form.chunk) for at in range(0, form.items, form.chunk)]
    waves = (tuple(stretches[:1]), tuple(stretches[1:])) if form.gate else (tuple(stretches),)
    return Delivery(result=result("plan"), waves=waves, items=form.items)


async def work(context: WaitingContext) -> Delivery:
    bad = context.forms["plan"].bad  # type: ignore[attr-defined]
    done = await context.journal.done()
    for position in context.journal.positions:
        if position in done:
            continue
        SEEN[f"item {position}"] += 1
        failed = {"error_code": "BAD", "error_message": "Bad."} if position in bad else {"answer": {"n": position}}
        usage = Usage(calls=1, input_tokens=100)
        await context.journal.record([ItemResult(position=position, name=str(position), usage=usage, **failed)])
    return Delivery(result=result("work"))


async def collect(context: WaitingContext) -> Delivery:
    found = [item async for item in context.journal.every()]
    ok = [item.position for item in found if item.is_ok]
    told = result("collect", ok=ok, failed=[item.position for item in found if not item.is_ok])
    return Delivery(result=told.model_copy(update={"status": "success" if len(ok) == len(found) else "partial"}))


BATCH = Tool(
    "batch",
    "Batch",
    "Children that work on items.",
    (),
    (
        Step(agent("plan", plan, PlanParameters), fans_out=True),
        Step(agent("work", work), in_children=True, tariff=Tariff(per_thousand_tokens=1), bound=most),
        Step(agent("collect", collect)),
    ),
)
