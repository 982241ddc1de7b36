"""One piece of the product's work in a process of its own, as warm as the product's child: `alone`.

The process is `python -m scores.alone request answer`. What is measured: its seconds and CPU seconds without what a
warm child has imported before, and the most memory that it ever had, also where it failed or did not end.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.clock import monotonic
from scores.one import peak_kilobytes
from scores.public_data import ROOT
from scores.workshop import CHILD_MEMORY, read
from transformers.catalog import tool_for
from transformers.operations import DUCKDB_SHARE, warm_up
from transformers.tables import Table
from transformers.tool import AgentContext, Delivery

SAMPLED_EVERY = 0.05  # seconds: as often as the product's supervisor looks


class Request(BaseModel):
    """An agent of a tool on tables by role; without an agent, a file (`source`) to be read."""

    folder: Path
    tool: str = "profile-my-data"
    agent: str | None = None
    tables: dict[str, Table] = {}
    parameters: dict[str, Any] = {}
    original: Table | None = None
    source: Path | None = None
    earlier: list[Delivery] = []


class Ran(BaseModel):
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    table: Table | None = None
    delivery: Delivery | None = None
    failure: str = ""


def alone(request: Request, timeout: float = 300.0) -> Ran:
    asked, answer = request.folder / "request.json", request.folder / "answer.json"
    asked.write_text(request.model_dump_json(), encoding="utf-8")
    answer.unlink(missing_ok=True)
    errors = request.folder / "errors.txt"
    with errors.open("w", encoding="utf-8") as stderr:
        command = [sys.executable, "-m", "scores.alone", str(asked), str(answer)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr)
        peak, ended = _watched(child, timeout)
    if not answer.exists():
        said = [line for line in errors.read_text(encoding="utf-8").splitlines() if line and not line.startswith(" ")]
        why = next(
            (line for line in said[::-1] if "Error" in line or "Exception" in line), f"ended with {child.returncode}"
        )
        return Ran(peak_mb=peak, seconds=timeout, failure=why[:200] if ended else f"no end after {timeout:.0f} s")
    ran = Ran.model_validate_json(answer.read_bytes())
    return ran.model_copy(update={"peak_mb": max(peak, ran.peak_mb)})


def _watched(child: "subprocess.Popen[bytes]", timeout: float) -> tuple[float, bool]:
    """The peak seen from outside, and whether the child ended of itself."""
    peak, deadline = 0.0, monotonic() + timeout
    while child.poll() is None:
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            peak = max(peak, _peak(f"/proc/{child.pid}/status"))
        if monotonic() > deadline:
            child.kill()
            child.wait()
            return peak, False
        with suppress(subprocess.TimeoutExpired):
            child.wait(SAMPLED_EVERY)
    return peak, True


def main(asked: str, answer: str) -> None:
    request = Request.model_validate_json(Path(asked).read_bytes())
    warm_up()
    began, cpu = monotonic(), _cpu()
    table, delivery = _done(request)
    ran = Ran(seconds=monotonic() - began, cpu_seconds=_cpu() - cpu, peak_mb=own_peak(), table=table, delivery=delivery)
    Path(answer).write_text(ran.model_dump_json(), encoding="utf-8")


def _done(request: Request) -> tuple[Table | None, Delivery | None]:
    if request.agent is None:
        assert request.source is not None
        return read(request.source, request.folder), None
    tool = tool_for(request.tool)
    step = tool.step(request.agent)
    assert step is not None
    context = AgentContext(
        tables=request.tables,
        parameters=step.agent.parameters(**request.parameters),
        scratch=request.folder,
        memory_bytes=int(CHILD_MEMORY * DUCKDB_SHARE),
        original=request.original,
        source=request.source,
        earlier=tuple(request.earlier),
        forms={one.id: one.agent.parameters() for one in tool.steps},
    )
    delivery = Delivery.of(step.agent.run(context))
    return delivery.table, delivery


def _cpu() -> float:
    times = os.times()
    return times.user + times.system


def own_peak() -> float:
    """Megabytes of this very program: rusage also remembers what the process was before it became this program."""
    with suppress(FileNotFoundError):
        return _peak("/proc/self/status")
    return peak_kilobytes() / 1024


def _peak(status: str) -> float:
    [line] = [line for line in Path(status).read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
