"""The machine: a full disk, a clock that jumps, an API that dies before it answers, deploys, a crowd of conductors."""

import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from backend.chaos.deployment import GaveUp, until
from backend.chaos.fault import Fault, Skipped
from backend.chaos.stage import Stage
from backend.clock import monotonic
from backend.processes import Process
from db.events import EventKind

WORK_PATIENCE = 90.0  # seconds until a worker has taken one of many tasks, on a loaded machine too
LEAST_WAIT = 0.6  # seconds between orders for it
MORE_DEPLOYS = 3
TOO_LONG = 10.0  # an agent's seconds, more than a draining worker waits for a checkpoint
DAY = 86_400
CLOCKS = Path(__file__).with_name("wrong_clock")  # its sitecustomize shifts the clock of whoever finds it


def fill_disk(stage: Stage) -> str:
    """Scratch is a small disk of its own where we may mount one; elsewhere the agents may not write a byte."""
    if stage.small_disk is None:
        return _on_limited_files(stage)
    ballast = stage.small_disk / "ballast"
    _fill(ballast)
    stage.order()
    try:
        until(stage.hiccuped, "a task hiccuped on the full disk")
    finally:
        ballast.unlink()
    return "the tmpfs under scratch was full: tasks were put off, and completed when it had room"


def _fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def _on_limited_files(stage: Stage) -> str:
    if sys.platform != "linux":
        raise Skipped("neither a small disk can be mounted nor a process be limited here")
    agents = [agent for worker in stage.deployment.workers for agent in stage.deployment.agents_of(worker)]
    for agent in agents:
        agent.rlimit(psutil.RLIMIT_FSIZE, (0, 0))
    until(stage.hiccuped, "a task hiccuped because its agent could write nothing")
    for agent in agents:
        with suppress(psutil.NoSuchProcess):
            agent.kill()
    return "no disk may be mounted here; agents with RLIMIT_FSIZE 0 were put off, and completed in new processes"


def jump_clock(stage: Stage) -> str:
    """One worker's wall clock jumps a day ahead, then a day back, while it works."""
    says = stage.deployment.directory / "clock-shift"
    says.write_text("0")
    path = os.pathsep.join([str(CLOCKS), stage.deployment.environment["PYTHONPATH"]])
    worker = stage.deployment.start_worker({"PYTHONPATH": path, "AGENSIUM_CLOCK_SHIFT": str(says)})
    try:
        for shift in (DAY, -DAY):
            _give_work(stage, worker, stage.form.agent_seconds)
            says.write_text(str(shift))
            stage.ended()
    finally:
        worker.kill()
    return "leases, order and back-off use the database's clock: a day ahead and a day behind changed nothing"


def kill_api(stage: Stage) -> str:
    """Killed while requests are under way: some were committed and never answered."""
    api, deployment, before = stage.deployment.api, stage.deployment, stage.customer.repeats
    with ThreadPoolExecutor(1, thread_name_prefix="ordering") as thread:
        stopping = threading.Event()
        ordered = thread.submit(_order_until, stage, stopping)
        for _ in range(stage.form.api_kills):
            count = len(stage.customer.orders)
            until(lambda least=count + 2: len(stage.customer.orders) >= least, "orders go on")  # type: ignore[misc]
            psutil.Process(api.pid).kill()
            api.kill()
            api.start()
            deployment.await_api()
        stopping.set()
        ordered.result()
    repeats, orders = stage.customer.repeats - before, len(stage.customer.orders)
    if not repeats:
        raise GaveUp("no request had to be repeated: nobody was asking when the API was killed")
    return f"killed {stage.form.api_kills} times; {repeats} requests were repeated, {orders} orders gave {orders} tasks"


def _order_until(stage: Stage, stopping: threading.Event) -> None:
    while not stopping.is_set():
        stage.order(4, seconds=0)


def roll(stage: Stage) -> str:
    """Deploy after deploy: as many new workers come as there are, then the old ones are told to go by SIGTERM."""
    drains = _deploys(stage, stage.form.rolling_restarts)
    for _ in range(MORE_DEPLOYS):  # all tasks ended while their workers drained: an agent that cannot
        if stage.happened(EventKind.HANDED_BACK):
            break
        drains += _deploys(stage, 1, seconds=TOO_LONG)
    handed_back = stage.happened(EventKind.HANDED_BACK)
    if not handed_back:
        raise GaveUp(f"none of {len(drains)} draining workers handed a task back")
    return (
        f"{len(drains)} workers drained, the slowest in {max(drains):.1f} s; {handed_back} times a task was handed back"
    )


def _deploys(stage: Stage, restarts: int, seconds: float | None = None) -> list[float]:
    """So many restarts at least, of workers that have work; how long each drained."""
    length = stage.form.drained_agent if seconds is None else seconds
    going: list[tuple[Process, Future[float]]] = []
    with ThreadPoolExecutor(2 * stage.form.workers, thread_name_prefix="draining") as threads:
        while len(going) < restarts:
            olds = [worker for worker in stage.deployment.workers if worker not in [one for one, _ in going]]
            for _ in olds:
                stage.deployment.begin_worker()
            stage.await_workers()
            for old in olds:
                _give_work(stage, old, length)
                going.append((old, threads.submit(_drained, old, stage.form.longest_drain)))
        return [ended.result() for _, ended in going]


def _give_work(stage: Stage, worker: Process, seconds: float) -> None:
    """Order until this worker has a task too; which worker takes one is nobody's to say."""
    deadline = monotonic() + WORK_PATIENCE
    while monotonic() < deadline:
        stage.order(2, seconds=seconds)
        with suppress(GaveUp):
            until(lambda: bool(stage.at_work_in(worker)), "the worker has work", max(seconds, LEAST_WAIT))
            return
    raise GaveUp(f"a worker took no task within {WORK_PATIENCE:g} s")


def _drained(worker: Process, longest: float) -> float:
    """Seconds from SIGTERM to its end."""
    began = monotonic()
    psutil.Process(worker.pid).terminate()
    if not worker.ends_within(2 * longest):
        worker.kill()
    seconds = monotonic() - began
    if seconds > longest:
        raise GaveUp(f"a worker ended {seconds:.1f} s after SIGTERM")
    return seconds


def crowd(stage: Stage) -> str:
    """More conductors than one, started at the same moment, all hungry for rounds."""
    deployment = stage.deployment
    more = [deployment.begin_worker() for _ in range(stage.form.more_conductors)]
    stage.order()
    for worker in more:
        deployment.await_worker(worker)
    stage.order()
    stage.ended()
    count = len(deployment.workers)
    for worker in more:
        worker.kill()
    return f"{count} conductors at once admitted, rang and rescued without treading on each other"


MACHINE_FAULTS = (
    Fault("disk full", "no room on the workers' scratch disk", fill_disk),
    Fault("clock jumps", "a worker's wall clock jumps a day ahead and a day back", jump_clock),
    Fault("API killed", "SIGKILL of the API between commit and answer, again and again", kill_api),
    Fault("rolling restarts", "SIGTERM, one worker after the other, under load", roll),
    Fault("many conductors", "several workers started at the same moment", crowd),
)
