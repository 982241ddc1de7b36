"""One step's turn: computed in the child or waited for, its artifact stored, its checkpoint and its price written down.

A step is finished when its artifact is where it stays and its checkpoint is committed.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from backend import traces
from backend.clock import monotonic
from backend.errors import AgensiumError, DependencyFailed, ErrorClass, Interruption, TimeLimit, Verdict
from backend.logs import bound, log
from backend.metrics.of_tasks import AGENT_FAILURES, AGENT_MEMORY, AGENT_RUN
from db import checkpoints, workers
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import statement, transaction
from db.models import StepStatus, TaskStep
from transformers import artifacts
from transformers.artifacts import Artifact
from transformers.chain import folder_of
from transformers.operations import AgentRequest, name_of
from transformers.reporting.report import StepOutcome
from transformers.tool import PRIMARY, Delivery, Step, Tariff
from transformers.waiting_steps import wait_for_step
from transformers.walk import Walk
from transformers.workbench import Workbench

# An optional agent's own failure ends its step; a hiccup or a crash hands back the whole task (DESIGN §5.8).
_ENDS_THE_STEP = frozenset({ErrorClass.USER, ErrorClass.LIMIT, ErrorClass.INTERNAL})


@dataclass(frozen=True)
class Turn:
    """How a step ended; `artifact` and `delivery` where it delivered."""

    outcome: StepOutcome
    artifact: Artifact | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Computed:
    """What a step has delivered, on local scratch; nothing of it is written down yet.

    `milliseconds` of its own work; `peak_bytes` only where the child computed.
    """

    step: Step
    fingerprint: str
    delivery: Delivery
    milliseconds: int
    peak_bytes: int | None


async def take_turn(walk: Walk, step: Step, fingerprint: str) -> Turn:
    """Run the step and write it down, or bring back what an earlier claim made of it.

    Raises:
        AgensiumError: what a required step, the task's own time, a crash or a stop says.
    """
    done = finished_before(walk, step, fingerprint)
    if done is not None:
        turn = await walk.bench.slot.stop.watch_over(_from_checkpoint, walk, step, done)
    else:
        with turn_of(walk, step):
            turn = await _run(walk, step, fingerprint)
    walk.take(step, turn.outcome, turn.delivery)
    return turn


@contextmanager
def turn_of(walk: Walk, step: Step) -> Iterator[None]:
    """All that is said and traced in the block is the agent's."""
    claim, version = walk.bench.claim, step.agent.version
    task: dict[str, Any] = {"task_id": str(claim.task_id), "epoch": claim.epoch, "tool_id": claim.tool_id}
    with bound(agent=step.id), traces.span(f"agent {step.id}", **task, agent=step.id, agent_version=version):
        yield


def finished_before(walk: Walk, step: Step, fingerprint: str) -> TaskStep | None:
    """The step's checkpoint, where it says what the step would do today."""
    done = walk.finished.get(step.id)
    return done if done is not None and done.fingerprint == fingerprint else None


async def skip(walk: Walk, step: Step, fingerprint: str, cause: Step) -> None:
    """Write down that the step is not run, because `cause` came to nothing; once, for it is no headway."""
    verdict = DependencyFailed(f"Skipped, because {cause.id!r} came to nothing.").verdict
    done = walk.finished.get(step.id)
    if done is None or (done.status, done.fingerprint) != (StepStatus.SKIPPED, fingerprint):
        checkpoint = _without_artifact(step, fingerprint, monotonic(), verdict, StepStatus.SKIPPED)
        await asyncio.to_thread(_record, walk, step, checkpoint)
    walk.take(step, _outcome(step, error_code=verdict.error_code, message=verdict.message), None)


async def _run(walk: Walk, step: Step, fingerprint: str) -> Turn:
    began, last_try = monotonic(), walk.bench.last_try
    try:
        computed = await work(walk, step, fingerprint)
    except Interruption:
        raise  # no failure of the step: the claim ends here, and the step is run again elsewhere
    except AgensiumError as failure:
        return await fail(walk, step, fingerprint, failure, began=began, last_try=last_try)
    return await write_down(walk, computed)


async def work(walk: Walk, step: Step, fingerprint: str) -> Computed:
    """Have the step's agent do its work. Its progress is shown when all before it is written down."""
    began, bench = monotonic(), walk.bench

    def progressed(fraction: float) -> None:
        if not walk.unwritten:
            bench.slot.on_progress(walk.progress(step, fraction), step.id)

    progressed(0.0)
    delivery = await _delivery(walk, step, progressed)
    peak_bytes = None if step.agent.waits else bench.slot.process.peak_bytes
    return Computed(step, fingerprint, delivery, _milliseconds_since(began), peak_bytes)


async def write_down(walk: Walk, computed: Computed) -> Turn:
    """The artifact is where it stays before its row exists, or goes into the row itself."""
    step, delivery, began = computed.step, computed.delivery, monotonic()
    artifact, where = await _kept(walk.bench, delivery)
    checkpoint = Checkpoint(
        agent_id=step.id,
        status=StepStatus.DELIVERED,
        fingerprint=computed.fingerprint,
        duration_ms=computed.milliseconds + _milliseconds_since(began),
        peak_memory_bytes=computed.peak_bytes,
        **where,
    )
    await asyncio.to_thread(_record, walk, step, checkpoint, delivery)
    log().info("step delivered", milliseconds=checkpoint.duration_ms, peak_bytes=computed.peak_bytes)
    _measure(checkpoint)
    return Turn(_delivered(step, artifact), artifact, delivery)


def _measure(delivered: Checkpoint) -> None:
    AGENT_RUN.observe(delivered.duration_ms / 1000, delivered.agent_id)
    if delivered.peak_memory_bytes is not None:
        AGENT_MEMORY.observe(delivered.peak_memory_bytes, delivered.agent_id)


async def _kept(bench: Workbench, delivery: Delivery) -> tuple[Artifact, dict[str, Any]]:
    """And how the row names it."""
    if (small := artifacts.small(delivery)) is not None:
        return small.artifact, {"inline": small.body}
    artifact, stored = await bench.slot.stop.watch_over(artifacts.put, bench.slot.doors.storage, bench.claim, delivery)
    return artifact, {"artifact_key": stored.key, "artifact_size": stored.size, "artifact_sha256": stored.sha256}


async def fail(
    walk: Walk, step: Step, fingerprint: str, failure: AgensiumError, *, began: float, last_try: bool
) -> Turn:
    """Write down that the step came to nothing; what an earlier version of it delivered, and was paid for, stays.

    Raises:
        AgensiumError: the failure, where it is the task's own.
    """
    verdict = failure.verdict
    AGENT_FAILURES.count(step.id, verdict.error_code)
    if not _ends_the_step(step, failure, last_try=last_try):
        raise failure
    log().warning("step failed", error_code=verdict.error_code, detail=verdict.detail)
    traces.current_span().failed(verdict.error_code)
    before = walk.finished.get(step.id)
    if before is not None and before.status == StepStatus.DELIVERED:
        return await walk.bench.slot.stop.watch_over(_from_checkpoint, walk, step, before)
    checkpoint = _without_artifact(step, fingerprint, began, verdict, StepStatus.FAILED)
    await asyncio.to_thread(_record, walk, step, checkpoint)
    return Turn(_outcome(step, error_code=verdict.error_code, message=verdict.message))


def _ends_the_step(step: Step, failure: AgensiumError, *, last_try: bool) -> bool:
    """And not the task: an optional agent's own failure, or a hiccup that outlasted every try of the task.

    The time limit is the task's, whoever is at work.
    """
    if step.required or isinstance(failure, TimeLimit):
        return False
    error_class = failure.verdict.error_class
    tries_spent = step.agent.waits and error_class is ErrorClass.TRANSIENT and last_try
    return error_class in _ENDS_THE_STEP or tries_spent


async def _delivery(walk: Walk, step: Step, progressed: Callable[[float], None]) -> Delivery:
    if step.agent.waits:
        return await wait_for_step(walk.bench, step, walk.delivered, progressed)
    slots = await asyncio.to_thread(_slots, walk.bench) if step.fans_out else 1
    request = _request(walk, step, slots)
    usual_seconds = walk.usual_seconds(step)
    return await walk.bench.compute("run_agent", request, Delivery, progressed, usual_seconds, in_a_row=True)


def _slots(bench: Workbench) -> int:
    with transaction() as session:
        return max(1, workers.slots_for(session, bench.claim.queue, bench.tool.id, bench.slot.settings.lease))


def _request(walk: Walk, step: Step, slots: int) -> AgentRequest:
    bench = walk.bench
    return AgentRequest(
        run=name_of(step.agent.run),
        agent_id=step.id,
        forms=walk.forms,
        tables=walk.chain.tables,
        documents=dict(bench.documents),
        files=dict(bench.files),
        original=bench.tables.get(PRIMARY) if bench.tool.chained else None,
        source=bench.source,
        earlier=tuple(walk.chain.earlier),
        scratch=folder_of(bench.folder, step.id),
        memory_bytes=bench.slot.settings.agent_memory_bytes,
        done=bench.done,
        slots=slots,
    )


def _without_artifact(step: Step, fingerprint: str, began: float, verdict: Verdict, status: StepStatus) -> Checkpoint:
    return Checkpoint(
        agent_id=step.id,
        status=status,
        fingerprint=fingerprint,
        duration_ms=_milliseconds_since(began),
        error_code=verdict.error_code,
        error_message=verdict.message,
        error_detail=verdict.detail[: checkpoints.DETAIL_KEPT] or None,
    )


def _record(walk: Walk, step: Step, checkpoint: Checkpoint, delivery: Delivery | None = None) -> None:
    bench, following = walk.bench, walk.next_agent(ending=step)
    amount, rest = charge(bench.claim, step, delivery)
    with statement() as session:
        checkpoints.record(
            session, bench.claim, checkpoint,
            amount=amount, rest=rest, progress=walk.progress(step, 1), next_agent=following,
        )  # fmt: skip
    bench.made_headway = True
    bench.slot.on_progress(walk.progress(step, 1), following)


def charge(claim: Claim, step: Step, delivery: Delivery | None) -> tuple[int, int]:
    """Credits to capture, and to give back at once: a step that is paid by use never costs more than was held."""
    price, tariff = int(claim.prices.get(step.id, 0)), claim.tariffs.get(step.id)
    if tariff is None or delivery is None or delivery.usage is None:
        return price, 0
    used = min(price, Tariff.model_validate(tariff).price(delivery.usage))
    return used, price - used


def _from_checkpoint(walk: Walk, step: Step, done: TaskStep) -> Turn:
    bench = walk.bench
    artifact = artifacts.of_step(bench.slot.doors.storage, done)
    if artifact is None:
        return Turn(_outcome(step, error_code=done.error_code, message=done.error_message))
    delivery = Delivery(result=artifact.result)
    if bench.tool.chained:
        delivery = artifacts.fetch(bench.slot.doors.storage, artifact, folder_of(bench.folder, step.id))
    return Turn(_delivered(step, artifact), artifact, delivery)


def _delivered(step: Step, artifact: Artifact) -> StepOutcome:
    return _outcome(step, result=artifact.result, outputs=artifact.outputs, table=artifact.table_file)


def _outcome(step: Step, **said: Any) -> StepOutcome:
    return StepOutcome(agent_id=step.id, agent_name=step.agent.name, required=step.required, **said)


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
