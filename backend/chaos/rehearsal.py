"""The tool that is rehearsed under faults: three cheap agents of a given length, whose results depend on data alone.

Workers under test get it through EXTRA_TOOLS, as a customer's own tool would come. Each agent has a price of its own,
so that a charge tells which agent it was for.
"""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta

from pydantic import Field

from backend.clock import monotonic
from transformers.findings import AgentResult
from transformers.tool import MEBIBYTE, PRIMARY, TABULAR, Agent, AgentContext, AgentParameters, InputRole, Step, Tool

EXTRA_TOOLS = "backend.chaos.rehearsal:REHEARSAL"
SIGN_OF_LIFE_SECONDS = 0.1


class RehearsalParameters(AgentParameters):
    """How long the agent works, and how much memory it holds meanwhile; neither changes its result."""

    seconds: float = Field(0.0, ge=0)
    mebibytes: int = Field(0, ge=0)
    silent: bool = False


def read(context: AgentContext) -> AgentResult:
    return _rehearse("read", context)


def weigh(context: AgentContext) -> AgentResult:
    return _rehearse("weigh", context)


def judge(context: AgentContext) -> AgentResult:
    return _rehearse("judge", context)


def _rehearse(agent_id: str, context: AgentContext) -> AgentResult:
    form: RehearsalParameters = context.parameters
    held = b"\x01" * (form.mebibytes * MEBIBYTE)
    _work(context, form)
    digest = hashlib.sha256(f"{agent_id}\n".encode())
    with context.database() as database:
        for row in database.execute('SELECT * FROM "primary"').fetchall():
            digest.update(repr(row).encode())
    metrics = {"rows": context.primary.rows, "sha256": digest.hexdigest()}
    del held
    return AgentResult(agent_id=agent_id, agent_name=agent_id.title(), summary_metrics=metrics)


def _work(context: AgentContext, form: RehearsalParameters) -> None:
    pause, ends = threading.Event(), monotonic() + form.seconds
    while (left := ends - monotonic()) > 0:
        if not form.silent:
            context.report_progress(1 - left / form.seconds)
        pause.wait(min(left, SIGN_OF_LIFE_SECONDS))


def _step(agent_id: str, run: Callable[[AgentContext], AgentResult], price: int) -> Step:
    agent = Agent(agent_id, agent_id.title(), "Works for a while and says what it read.", RehearsalParameters, run)
    return Step(agent, price=price)


REHEARSAL = Tool(
    id="rehearsal",
    name="Rehearsal",
    description="Three agents whose results are known beforehand, for agensium verify chaos.",
    roles=(InputRole(PRIMARY, TABULAR, max_bytes=MEBIBYTE, required=True),),
    steps=(_step("read", read, 10), _step("weigh", weigh, 20), _step("judge", judge, 30)),
    time_limit=timedelta(minutes=5),
)
