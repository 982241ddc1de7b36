"""Processes that die or stand still: the agent, the slot, the worker, the conductor's process."""

import psutil

from backend.chaos.deployment import GaveUp, family, until
from backend.chaos.fault import Fault, Skipped
from backend.chaos.stage import AtWork, Stage
from backend.clock import monotonic
from db.models import TaskStatus

BIG = 200  # MiB that an agent holds when it is killed
SEEN_BIG = 300  # with the 100 to 200 MiB that a warm agent has anyway
TOO_BIG = 600  # MiB, over the limit of the rehearsal's workers


def kill_agent(stage: Stage) -> str:
    victim = stage.busy()[0]
    victim.agent.kill()
    return f"{_again(stage, victim)} after the agent died"


def kill_slot(stage: Stage) -> str:
    if stage.deployment.pool != "prefork":
        raise Skipped(f"on {stage.deployment.pool} the slots are threads of the worker")
    victim = stage.busy()[0]
    psutil.Process(victim.slot_pid).kill()
    return f"{_again(stage, victim)} after the slot died; the worker lives"


def kill_worker(stage: Stage) -> str:
    victim = stage.busy()[0]
    victim.worker.kill()
    return f"{_again(stage, victim)} after the worker and all its processes died"


def kill_conductor(stage: Stage) -> str:
    """On prefork its children are not killed with it: they are to see that they are alone."""
    victim = stage.busy()[0]
    orphans = family(victim.worker.pid)
    psutil.Process(victim.worker.pid).kill()
    began = monotonic()
    until(lambda: not any(_lives(orphan) for orphan in orphans), "the dead worker's children ended")
    return f"its {len(orphans)} children ended by themselves within {monotonic() - began:.2f} s"


def kill_all_workers(stage: Stage) -> str:
    stage.busy()
    for worker in stage.deployment.workers:
        worker.kill()
    stage.order(2)
    stage.rest_workers()
    return "orders were taken with no worker alive; new workers finished everything"


def freeze_worker(stage: Stage) -> str:
    victim = stage.busy()[0]
    victim.worker.pause()
    try:
        passed = _rescued_and_ended_elsewhere(stage, victim)
    finally:
        victim.worker.resume()
    _awake_but_harmless(stage, victim)
    return f"another worker finished its task; awake after {passed:.1f} s, it let go of the stale claim and lived on"


def freeze_slot(stage: Stage) -> str:
    """The supervisor stands still while its agent computes on."""
    order = stage.customer.order(stage.specimens[0], {"weigh": {"seconds": stage.form.freeze}})
    victim = _working_on(stage, order.task_id)
    supervisor = psutil.Process(victim.slot_pid)
    supervisor.suspend()
    try:
        until(lambda: _epoch(stage, victim) > victim.epoch, "another slot took the task over")
    finally:
        supervisor.resume()
    _awake_but_harmless(stage, victim)
    return "another slot took the task over; awake again, the supervisor let go of the stale claim"


def cancel_frozen(stage: Stage) -> str:
    order = stage.customer.order(stage.specimens[0], {"weigh": {"seconds": 2.0}})
    victim = _working_on(stage, order.task_id)
    victim.worker.pause()
    try:
        began = monotonic()
        cancelled = stage.customer.cancel(order)
        answered = monotonic() - began
    finally:
        victim.worker.resume()
    if not cancelled:
        raise GaveUp(f"task {order.task_id} was not cancelled")
    stage.customer.expect(order, frozenset({"CANCELLED"}))
    _awake_but_harmless(stage, victim)
    return f"cancelled {1000 * answered:.0f} ms after the request; awake again, the worker let go of it"


def outgrow_memory(stage: Stage) -> str:
    form = {"weigh": {"seconds": 5.0, "mebibytes": TOO_BIG}}
    order = stage.customer.order(stage.specimens[0], form, frozenset({"MEMORY_LIMIT"}))
    stage.ended([order])
    return "that task FAILED with MEMORY_LIMIT and paid for its first agent; its neighbours completed"


def kill_big_agent(stage: Stage) -> str:
    form = {"weigh": {"seconds": 1.0, "mebibytes": BIG}}
    order = stage.customer.order(stage.specimens[0], form)
    found: list[AtWork] = []

    def big() -> bool:
        found[:] = [one for one in stage.at_work() if str(one.task_id) == order.task_id]
        return any(_resident(one.agent) > SEEN_BIG << 20 for one in found)

    until(big, f"that task's agent holds {BIG} MiB")
    found[0].agent.kill()
    return f"{_again(stage, found[0])} after the kernel's way of ending {BIG} MiB"


def _again(stage: Stage, victim: AtWork) -> str:
    """Wait until the task runs under another claim, or has ended."""
    began = monotonic()
    until(lambda: _moved_on(stage, victim), f"task {victim.task_id} runs again")
    return f"running again {monotonic() - began:.1f} s"


def _moved_on(stage: Stage, victim: AtWork) -> bool:
    standing = stage.standing(victim.task_id)
    return standing.epoch > victim.epoch or standing.status in {TaskStatus.COMPLETED, TaskStatus.CANCELLED}


def _epoch(stage: Stage, victim: AtWork) -> int:
    return stage.standing(victim.task_id).epoch


def _rescued_and_ended_elsewhere(stage: Stage, victim: AtWork) -> float:
    """Seconds, at least as long as it is to stay frozen."""
    began = monotonic()
    until(
        lambda: (
            stage.standing(victim.task_id).status is TaskStatus.COMPLETED and monotonic() - began >= stage.form.freeze
        ),
        f"task {victim.task_id} completed elsewhere",
    )
    return monotonic() - began


def _awake_but_harmless(stage: Stage, victim: AtWork) -> None:
    """It lets go of the claim that is not its own any more."""
    stale = (victim.task_id, victim.epoch)
    until(
        lambda: stale not in {(one.task_id, one.epoch) for one in stage.at_work_in(victim.worker)},
        f"the woken worker let go of task {victim.task_id}",
    )
    if not victim.worker.running:
        raise GaveUp("the woken worker did not live on")


def _working_on(stage: Stage, task_id: str) -> AtWork:
    def found() -> list[AtWork]:
        return [one for one in stage.at_work() if str(one.task_id) == task_id]

    until(lambda: bool(found()), f"an agent works on task {task_id}")
    return found()[0]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


PROCESS_FAULTS = (
    Fault("agent killed", "SIGKILL of the process in which an agent computes", kill_agent),
    Fault("slot killed", "SIGKILL of a prefork child", kill_slot),
    Fault("worker killed", "SIGKILL of a worker and all its processes", kill_worker),
    Fault("conductor killed", "SIGKILL of a worker's main process only", kill_conductor),
    Fault("all workers killed", "no worker alive while customers order", kill_all_workers),
    Fault("worker frozen", "SIGSTOP of all its processes past the lease, SIGCONT when another finished", freeze_worker),
    Fault("supervisor frozen", "SIGSTOP of the slot alone while its agent computes", freeze_slot),
    Fault("cancelled while frozen", "a cancel while the task's worker is stopped by SIGSTOP", cancel_frozen),
    Fault("agent over its memory", f"an agent takes {TOO_BIG} MiB", outgrow_memory),
    Fault("agent killed while big", f"SIGKILL of an agent that holds {BIG} MiB, as the kernel does", kill_big_agent),
)
