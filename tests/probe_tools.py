"""A tool whose agents do as they are told: what the tests run when they want to see a step hang, crash or fail.

Workers under test get it through EXTRA_TOOLS=tests.probe_tools:HURRIED, as a customer's own tool would come.
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from backend.errors import UnreadableFile
from transformers.findings import AgentResult
from transformers.tool import MEBIBYTE, PRIMARY, TABULAR, Agent, AgentContext, AgentParameters, InputRole, Step, Tool

EXTRA_TOOLS = "tests.probe_tools:HURRIED"


class Act(StrEnum):
    DELIVER = "deliver"
    WAIT = "wait"  # sleeps, with signs of life
    SPIN = "spin"  # computes without a word
    GRIND = "grind"  # one C call that keeps the interpreter's lock
    QUERY = "query"  # one long question to DuckDB
    SPAWN = "spawn"  # starts a process of its own, writes its number to `marker`, then stalls and crashes
    STALL = "stall"  # sleeps without a word
    DIVE = "dive"  # prints, then sleeps without a word at the bottom of a deep stack
    HOARD = "hoard"  # takes memory until it is stopped
    CRASH = "crash"  # the process dies
    CRASH_ONCE = "crash_once"  # … but not when `marker` exists, which it makes
    BLAME = "blame"  # says that the customer's data is at fault
    BUG = "bug"  # raises what no agent should
    EXHAUST = "exhaust"  # raises MemoryError
    SHOUT = "shout"  # prints without end for a while


class ProbeParameters(AgentParameters):
    act: Act = Act.DELIVER
    seconds: float = Field(1.0, ge=0)
    marker: str = ""
    mebibytes: int = Field(0, ge=0, description="Enough for a hoarder; 0: never.")


def probe(agent_id: str) -> Agent:
    return Agent(
        id=agent_id,
        name=agent_id.title(),
        description="Does as it is told.",
        parameters=ProbeParameters,
        run={"first": run_first, "second": run_second, "third": run_third}[agent_id],
    )


def run_first(context: AgentContext) -> AgentResult:
    return _run("first", context)


def run_second(context: AgentContext) -> AgentResult:
    return _run("second", context)


def run_third(context: AgentContext) -> AgentResult:
    return _run("third", context)


def _run(agent_id: str, context: AgentContext) -> AgentResult:
    form: ProbeParameters = context.parameters
    ACTS[form.act](context, form)
    metrics = {"rows": context.primary.rows, "environment": sorted(os.environ)}
    return AgentResult(agent_id=agent_id, agent_name=agent_id.title(), summary_metrics=metrics)


def _wait(context: AgentContext, form: ProbeParameters) -> None:
    ends = time.monotonic() + form.seconds
    while (left := ends - time.monotonic()) > 0:
        context.report_progress(1 - left / form.seconds)
        time.sleep(0.05)  # noqa: TID251 (an agent at work)


def _spin(_context: AgentContext, form: ProbeParameters) -> None:
    ends = time.monotonic() + form.seconds
    while time.monotonic() < ends:
        sum(range(10_000))


def _grind(_context: AgentContext, form: ProbeParameters) -> None:
    sum(range(round(form.seconds * 80_000_000)))  # about as many a second


def _query(context: AgentContext, _form: ProbeParameters) -> None:
    with context.database() as db:
        db.execute("SELECT sum(hash(a.range * b.range)) FROM range(1000000) a, range(1000000) b").fetchall()


def _stall(_context: AgentContext, form: ProbeParameters) -> None:
    time.sleep(form.seconds)  # noqa: TID251 (an agent that hangs)


def _dive(context: AgentContext, form: ProbeParameters, depth: int = 200) -> None:
    if depth:
        _dive(context, form, depth - 1)
    else:
        print("diving " * 1000, flush=True)
        _stall(context, form)


def _hoard(_context: AgentContext, form: ProbeParameters) -> None:
    hoard = []
    ends = time.monotonic() + form.seconds
    while time.monotonic() < ends and not (form.mebibytes and len(hoard) * 8 >= form.mebibytes):
        hoard.append(bytearray(8 * MEBIBYTE))
        time.sleep(0.005)  # noqa: TID251 (the watcher is to see it grow)


def _crash(_context: AgentContext, _form: ProbeParameters) -> None:
    os._exit(9)


def _crash_once(context: AgentContext, form: ProbeParameters) -> None:
    marker = Path(form.marker)
    if not marker.exists():
        marker.touch()
        _crash(context, form)


def _spawn(context: AgentContext, form: ProbeParameters) -> None:
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(form.marker).write_text(str(helper.pid))
    _stall(context, form)
    _crash(context, form)


def _blame(_context: AgentContext, _form: ProbeParameters) -> None:
    raise UnreadableFile("Row 3 cannot be read.", detail="the probe said so")


def _bug(_context: AgentContext, _form: ProbeParameters) -> None:
    raise ZeroDivisionError("secret internals")


def _exhaust(_context: AgentContext, _form: ProbeParameters) -> None:
    raise MemoryError


def _shout(_context: AgentContext, form: ProbeParameters) -> None:
    ends = time.monotonic() + form.seconds
    while time.monotonic() < ends:
        print("shouting " * 1000, flush=True)


ACTS = {
    Act.DELIVER: lambda _context, _form: None,
    Act.WAIT: _wait,
    Act.SPIN: _spin,
    Act.GRIND: _grind,
    Act.QUERY: _query,
    Act.SPAWN: _spawn,
    Act.STALL: _stall,
    Act.DIVE: _dive,
    Act.HOARD: _hoard,
    Act.CRASH: _crash,
    Act.CRASH_ONCE: _crash_once,
    Act.BLAME: _blame,
    Act.BUG: _bug,
    Act.EXHAUST: _exhaust,
    Act.SHOUT: _shout,
}

PROBE = Tool(
    id="probe",
    name="Probe",
    description="Three agents that do as they are told; the third may fail.",
    roles=(InputRole(PRIMARY, TABULAR, max_bytes=MEBIBYTE, required=True),),
    steps=(
        Step(probe("first"), price=10),
        Step(probe("second"), price=20),
        Step(probe("third"), price=30, required=False),
    ),
    time_limit=timedelta(minutes=2),
)

# In a house each limit is met within seconds, by the probe alone: the real tools keep theirs on a busy machine, too.
HURRIED = replace(PROBE, time_limit=timedelta(seconds=15), no_progress_after=timedelta(seconds=4))
