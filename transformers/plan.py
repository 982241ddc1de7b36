"""Walk the steps: skip the finished, run the rest, write each one down.

A checkpoint is only built upon when its fingerprint still says what the step would do today. Steps that say after
whom they come run as soon as those have ended, side by side; all others in their order (one_by_one.py).
"""

import asyncio
from collections.abc import Mapping
from graphlib import TopologicalSorter

from backend.errors import AgensiumError, Interruption
from db import checkpoints, claims, paces
from db.database import statement, transaction
from db.models import TaskStep
from transformers.chain import Chain, with_last_table
from transformers.fingerprints import fingerprint_after
from transformers.one_by_one import one_by_one
from transformers.reporting.report import StepOutcome
from transformers.step_turn import skip, take_turn
from transformers.stop_signal import StopReason, StopSignal
from transformers.tool import Step
from transformers.walk import Walk
from transformers.workbench import Workbench


async def run_steps(bench: Workbench) -> list[StepOutcome]:
    """Every step's outcome, in order; those of earlier claims come from their artifacts.

    Raises:
        AgensiumError: what a required step, the task's own time, a crash or a stop says.
        Waiting: the task's children work now.
    """
    walk = await asyncio.to_thread(_begin, bench)
    await (one_by_one(walk) if bench.tool.unfold is None else _side_by_side(walk))
    outcomes = [walk.outcomes[step.id] for step in bench.steps]
    return with_last_table(outcomes) if bench.tool.chained else outcomes


def _begin(bench: Workbench) -> Walk:
    """Also the station that says which agent's turn it is."""
    with statement() as session:
        goes_on = claims.begin_steps(session, bench.claim, [step.id for step in bench.steps])
    return Walk(bench, _finished(bench) if goes_on else {}, paces.lately(), Chain(bench.tool, bench.tables))


def _finished(bench: Workbench) -> Mapping[str, TaskStep]:
    with transaction() as session:
        return checkpoints.of_task(session, bench.claim.task_id)


async def _side_by_side(walk: Walk) -> None:
    """Every step as soon as those before it have ended. What hands back the task waits for those that still run.

    Raises:
        AgensiumError: the first that hands back the task, when all that do not depend on it have ended.
    """
    graph = TopologicalSorter({step.id: step.after for step in walk.bench.steps})
    graph.prepare()
    steps = {step.id: step for step in walk.bench.steps}
    fingerprints: dict[str, str] = {}
    running: dict[asyncio.Task[None], str] = {}
    handed_back: list[AgensiumError] = []
    try:
        while graph.is_active():
            for name in _to_begin(graph, walk.bench.slot.stop, idle=not running):
                fingerprints[name] = fingerprint_after(steps[name], walk.bench, fingerprints)
                running[asyncio.create_task(_when_ready(walk, steps, steps[name], fingerprints[name]))] = name
            if not running:
                break
            for ended in (await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))[0]:
                name = running.pop(ended)
                if (failure := _handing_back(ended)) is None:
                    graph.done(name)
                else:
                    handed_back.append(failure)
    finally:
        await _stop(running)
    if handed_back:
        raise handed_back[0]


def _to_begin(graph: "TopologicalSorter[str]", stop: StopSignal, *, idle: bool) -> tuple[str, ...]:
    """A drain begins nothing, and ends the claim when nothing runs any more; what runs has its grace."""
    stop.check()
    if stop.reason is StopReason.NONE:
        return graph.get_ready()
    if idle:
        stop.check_between_steps()
    return ()


async def _when_ready(walk: Walk, steps: Mapping[str, Step], step: Step, fingerprint: str) -> None:
    failed = next((steps[name] for name in step.after if walk.outcomes[name].result is None), None)
    if failed is None:
        await take_turn(walk, step, fingerprint)
    else:
        await skip(walk, step, fingerprint, failed)


def _handing_back(ended: "asyncio.Task[None]") -> AgensiumError | None:
    """What keeps a step from ending. Raises what lets nobody go on."""
    failure = ended.exception()
    if failure is not None and (isinstance(failure, Interruption) or not isinstance(failure, AgensiumError)):
        raise failure
    return failure


async def _stop(running: Mapping["asyncio.Task[None]", str]) -> None:
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
