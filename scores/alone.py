"""`python -m scores.alone agent request`: one agent in a process of its own, as warm as the product's child.

Its answer, a line of JSON: seconds and CPU seconds of the agent, the peak of the process in megabytes, and the table
that it left, if any. Seconds exclude what the warm child has imported before.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from pydoc import locate
from typing import Any

from pydantic import BaseModel, TypeAdapter

from backend.clock import monotonic
from scores.one import peak_kilobytes
from scores.public_data import ROOT
from scores.workshop import CHILD_MEMORY, run
from transformers.operations import warm_up
from transformers.tables import Table
from transformers.tool import Agent

TABLES = TypeAdapter(dict[str, Table])


class Ran(BaseModel):
    seconds: float
    cpu_seconds: float
    peak_mb: float
    table: Table | None = None


class Failed(Exception):
    """The agent's process ended badly; the message is the last line it wrote."""


def alone(
    agent: str, tables: Mapping[str, Table], folder: Path, *, timeout: float | None = None, **parameters: Any
) -> Ran:
    """`agent` is a name that `locate` finds, such as transformers.agents.score_risk.AGENT. Raises Failed."""
    request = folder / "request.json"
    dumped = TABLES.dump_python(dict(tables), mode="json")
    request.write_text(json.dumps({"tables": dumped, "folder": str(folder), "parameters": parameters}))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "scores.alone", agent, str(request)],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Failed(f"no end after {timeout} s") from error
    if done.returncode:
        raise Failed(next((line for line in done.stderr.splitlines()[::-1] if "Error" in line or "Exc" in line), ""))
    return Ran.model_validate_json(done.stdout.splitlines()[-1])


def main(name: str, request: str) -> None:
    asked = json.loads(Path(request).read_text())
    agent, tables = locate(name), TABLES.validate_python(asked["tables"])
    assert isinstance(agent, Agent)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warm_up()
    began, cpu = monotonic(), _cpu()
    delivery = run(agent, tables, Path(asked["folder"]), memory=CHILD_MEMORY, **asked["parameters"])
    ran = Ran(seconds=monotonic() - began, cpu_seconds=_cpu() - cpu, peak_mb=peak_megabytes(), table=delivery.table)
    out.write(ran.model_dump_json() + "\n")
    out.flush()


def _cpu() -> float:
    times = os.times()
    return times.user + times.system


def peak_megabytes() -> float:
    """Of this very program: rusage also remembers what the process was before it became this program."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return peak_kilobytes() / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
