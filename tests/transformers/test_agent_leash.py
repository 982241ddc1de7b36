"""A supervisor that stands still: its computing child is ended by its guard, and so is all that the child started."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from supervising import GENEROUS, a_table, call, request, run

from backend.clock import monotonic
from backend.errors import AgentCrashed, ClaimLost
from tests.probe_tools import Act
from tests.waiting import eventually
from transformers.agent_process import AgentProcess, _Call
from transformers.stop_signal import StopReason, StopSignal

ROOT = Path(__file__).parents[2]
SLACK = 1.5  # seconds; this machine runs other tests too

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")


class LoneSupervisor:
    """A supervisor in a process of its own; `child` is the number of its child."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.child = int(self.hear())

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def awake(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def supervisor_of(act: str, folder: Path) -> Iterator[LoneSupervisor]:
    command = [sys.executable, "-m", "tests.transformers.supervising", str(folder), act]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield LoneSupervisor(process)
        finally:
            process.kill()


def gone(pid: int) -> bool:
    """A frozen parent cannot bury its child: a zombie computes no more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    "act", [Act.GRIND, *(pytest.param(act, marks=pytest.mark.long) for act in (Act.SPIN, Act.QUERY))]
)
def test_the_computing_child_of_a_frozen_supervisor_is_gone_within_a_second(act: Act, tmp_path: Path) -> None:
    with supervisor_of(act, tmp_path) as supervisor:
        assert supervisor.hear() == "computing"
        assert not gone(supervisor.child)
        supervisor.freeze()
        began = monotonic()
        eventually(lambda: gone(supervisor.child))
        assert monotonic() - began < 1 + SLACK
        supervisor.awake()
        assert supervisor.hear() == "WorkerStalled", "the agent is not to blame"


def test_a_supervisor_that_awakes_after_its_lease_asks_first_whether_the_task_is_still_its_own(tmp_path: Path) -> None:
    with supervisor_of(Act.STALL, tmp_path) as supervisor:
        assert supervisor.hear() == "computing"
        supervisor.freeze()
        eventually(lambda: gone(supervisor.child))
        threading.Event().wait(2.5)
        supervisor.awake()
        assert supervisor.hear() == "HandBack"


def test_a_lost_claim_comes_before_the_end_of_its_child(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(a_table(tmp_path)))
        stop = StopSignal(drain_seconds=1)
        stop.attach()
        stop.stop(StopReason.CANCELLED)
        assert process._child is not None
        process._child.process.kill()
        with pytest.raises(ClaimLost):
            await process._why_it_ended(process._child, _Call(GENEROUS, stop, lambda _: None, last_word=0))

    run(story, tmp_path)


def test_an_idle_child_lives_on_under_a_frozen_supervisor(tmp_path: Path) -> None:
    with supervisor_of("idle", tmp_path) as supervisor:
        assert supervisor.hear() == "idle"
        supervisor.freeze()
        threading.Event().wait(2.5)
        assert not gone(supervisor.child)
        supervisor.awake()
        assert supervisor.hear() == "computing"
        assert supervisor.hear() == f"success {supervisor.child}"


@pytest.mark.parametrize("act", [Act.GRIND, Act.SPAWN])
def test_when_the_supervisor_is_killed_nothing_of_its_child_is_left(act: Act, tmp_path: Path) -> None:
    with supervisor_of(act, tmp_path) as supervisor:
        assert supervisor.hear() == "computing"
        family = [supervisor.child]
        if act is Act.SPAWN:
            family.append(int((tmp_path / "marker").read_text()))
        supervisor.process.kill()
        began = monotonic()
        eventually(lambda: all(gone(pid) for pid in family))
        assert monotonic() - began < 1 + SLACK


def test_a_loop_that_hangs_for_half_a_second_does_no_harm(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        table = a_table(tmp_path)
        running = asyncio.ensure_future(call(process, request(table, act=Act.WAIT, seconds=2)))
        while not running.done():
            await asyncio.sleep(0.3)
            threading.Event().wait(0.5)
        assert (await running).status == "success"

    run(story, tmp_path)


def test_an_agent_that_keeps_the_interpreters_lock_under_a_living_supervisor_is_left_alone(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        assert (await call(process, request(a_table(tmp_path), act=Act.GRIND, seconds=1.2))).status == "success"

    run(story, tmp_path)


def test_what_a_crashed_child_had_started_ends_with_it(tmp_path: Path) -> None:
    marker = tmp_path / "marker"

    async def story(process: AgentProcess) -> None:
        with pytest.raises(AgentCrashed):
            await call(process, request(a_table(tmp_path), act=Act.SPAWN, seconds=0, marker=str(marker)))
        eventually(lambda: gone(int(marker.read_text())))

    run(story, tmp_path)


def test_a_child_that_dies_between_two_calls_is_replaced(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        table = a_table(tmp_path)
        await call(process, request(table))
        assert process._child is not None
        os.kill(process._child.process.pid, signal.SIGKILL)
        await process._child.process.wait()
        assert (await call(process, request(table))).status == "success"

    run(story, tmp_path)


def test_a_child_without_a_guard_is_replaced(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        table = a_table(tmp_path)
        await call(process, request(table))
        assert process._child is not None
        first = process.pid
        process._child.leash._guard.kill()
        await process._child.leash._guard.wait()
        assert (await call(process, request(table))).status == "success"
        assert process.pid not in {None, first}
        assert len(guards()) == 1

    run(story, tmp_path)


def test_no_guard_is_left_when_its_child_is_killed(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(a_table(tmp_path)))
        assert guards()
        await process.kill()
        assert not guards()

    run(story, tmp_path)


def guards() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if any("agent_guard" in word for word in child.cmdline())]
