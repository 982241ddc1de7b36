"""Walk the steps: skip the finished, run the rest, write each one down before the next begins.

A step is finished when its artifact is in storage and its checkpoint is committed. A checkpoint is only built upon
when its fingerprint still says what the step would do today.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.clock import monotonic
from backend.errors import AgensiumError, ErrorClass, Interruption, TimeLimit, Verdict
from backend.logs import bound, log
from db import checkpoints, claims, paces
from db.checkpoints import Checkpoint
from db.database import transaction
from db.models import StepStatus, TaskStep
from db.paces import Pace, mebibytes
from transformers import artifacts
from transformers.artifacts import Artifact
from transformers.chain import Chain, folder_of, with_last_table
from transformers.fingerprints import fingerprint_of, fingerprint_of_inputs
from transformers.operations import AgentRequest, NamedForm, name_of
from transformers.progress import percent_done
from transformers.reporting.report import StepOutcome
from transformers.tool import PRIMARY, Delivery, Step
from transformers.workbench import Workbench

# An optional agent's own failure ends its step; a hiccup or a crash hands back the whole task (DESIGN §5.8).
_ENDS_THE_STEP = frozenset({ErrorClass.USER, ErrorClass.LIMIT, ErrorClass.INTERNAL})


@dataclass(frozen=True)
class Walk:
    """Where a run stands among its steps."""

    bench: Workbench
    finished: Mapping[str, TaskStep]
    paces: Mapping[str, Pace]
    chain: Chain

    def progress(self, done: float) -> float:
        """Percent: finished steps of all, and never 100 before the settlement."""
        return percent_done(done, len(self.bench.steps))

    def after(self, index: int) -> str | None:
        """The agent whose turn comes after step `index`."""
        following = self.bench.steps[index + 1 :]
        return following[0].id if following else None

    def usual_seconds(self, step: Step) -> float | None:
        """What the agent takes for so much data, and one time in twenty exceeds; None where it never had so much."""
        pace = self.paces.get(step.id)
        size = mebibytes(file["size"] for files in self.bench.claim.inputs.values() for file in files)
        return None if pace is None or size > pace.largest else pace.slow * size


async def run_steps(bench: Workbench) -> list[StepOutcome]:
    """Every step's outcome, in order; those of earlier claims come from their artifacts.

    Raises:
        AgensiumError: what a required step, the task's own time, a crash or a stop says.
    """
    walk = await asyncio.to_thread(_begin, bench)
    outcomes = []
    upstream = fingerprint_of_inputs(bench)
    for index, step in enumerate(bench.steps):
        bench.slot.stop.check_between_steps()
        fingerprint = fingerprint_of(step, bench, upstream)
        done = walk.finished.get(step.id)
        if done is not None and done.fingerprint == fingerprint:
            outcomes.append(await bench.slot.stop.watch_over(_outcome_from_checkpoint, walk, step, done))
        else:
            with bound(agent=step.id):
                outcomes.append(await _run_step(walk, index, fingerprint))
        if bench.tool.chained:
            upstream = fingerprint
    return with_last_table(outcomes) if bench.tool.chained else outcomes


def _begin(bench: Workbench) -> Walk:
    """Also the station that says which agent's turn it is."""
    with transaction() as session:
        finished = checkpoints.of_task(session, bench.claim.task_id)
        first = next((step.id for step in bench.steps if step.id not in finished), None)
        claims.say_current_agent(session, bench.claim, first)
        return Walk(bench, finished, paces.known(session), Chain(bench.tool, bench.tables))


async def _run_step(walk: Walk, index: int, fingerprint: str) -> StepOutcome:
    bench, step = walk.bench, walk.bench.steps[index]
    began = monotonic()
    bench.slot.on_progress(walk.progress(index), step.id)
    try:
        delivery = await _compute(walk, index)
    except Interruption:
        raise  # no failure of the step: the claim ends here, and the step is run again elsewhere
    except AgensiumError as failure:
        if not _ends_the_step(step, failure):
            raise
        verdict = failure.verdict
        log().warning("step failed", error_code=verdict.error_code, detail=verdict.detail)
        before = walk.finished.get(step.id)
        if before is not None and before.status == StepStatus.DELIVERED:  # by an earlier version, and paid
            return await bench.slot.stop.watch_over(_outcome_from_checkpoint, walk, step, before)
        checkpoint = _failed(step, fingerprint, began, verdict)
        outcome = _outcome(step, error_code=verdict.error_code, message=verdict.message)
    else:
        artifact, checkpoint = await bench.slot.stop.watch_over(_deliver, bench, delivery, fingerprint, began)
        outcome = _delivered(step, artifact)
        walk.chain.take(delivery)
    await asyncio.to_thread(_record, walk, index, checkpoint)
    return outcome


def _ends_the_step(step: Step, failure: AgensiumError) -> bool:
    """And not the task: an optional agent's own failure. The time limit is the task's, whoever is at work."""
    own = failure.verdict.error_class in _ENDS_THE_STEP and not isinstance(failure, TimeLimit)
    return own and not step.required


async def _compute(walk: Walk, index: int) -> Delivery:
    bench, step = walk.bench, walk.bench.steps[index]
    request = AgentRequest(
        run=name_of(step.agent.run),
        agent_id=step.id,
        forms={other.id: _form(bench, other) for other in bench.steps},
        tables=walk.chain.tables,
        documents=dict(bench.documents),
        original=bench.tables[PRIMARY] if bench.tool.chained else None,
        source=bench.source,
        earlier=tuple(walk.chain.earlier),
        scratch=folder_of(bench.folder, step.id),
        memory_bytes=bench.slot.settings.agent_memory_bytes,
    )
    return await bench.compute(
        "run_agent",
        request,
        Delivery,
        lambda fraction: bench.slot.on_progress(walk.progress(index + fraction), step.id),
        walk.usual_seconds(step),
    )


def _form(bench: Workbench, step: Step) -> NamedForm:
    values = bench.forms[step.id].model_dump(mode="json", exclude_unset=True)
    return NamedForm(name=name_of(step.agent.parameters), values=values)


def _deliver(bench: Workbench, delivery: Delivery, fingerprint: str, began: float) -> tuple[Artifact, Checkpoint]:
    """The artifact goes to storage before its row exists."""
    artifact, stored = artifacts.put(bench.slot.doors.storage, bench.claim, delivery)
    return artifact, Checkpoint(
        agent_id=delivery.agent_id,
        status=StepStatus.DELIVERED,
        fingerprint=fingerprint,
        duration_ms=_milliseconds_since(began),
        artifact_key=stored.key,
        artifact_size=stored.size,
        artifact_sha256=stored.sha256,
        peak_memory_bytes=bench.slot.process.peak_bytes,
    )


def _failed(step: Step, fingerprint: str, began: float, verdict: Verdict) -> Checkpoint:
    return Checkpoint(
        agent_id=step.id,
        status=StepStatus.FAILED,
        fingerprint=fingerprint,
        duration_ms=_milliseconds_since(began),
        error_code=verdict.error_code,
        error_message=verdict.message,
        error_detail=verdict.detail[: checkpoints.DETAIL_KEPT] or None,
    )


def _record(walk: Walk, index: int, checkpoint: Checkpoint) -> None:
    bench = walk.bench
    with transaction() as session:
        checkpoints.record(
            session,
            bench.claim,
            checkpoint,
            amount=bench.claim.prices.get(checkpoint.agent_id, 0),
            progress=walk.progress(index + 1),
            next_agent=walk.after(index),
        )
    bench.slot.on_progress(walk.progress(index + 1), walk.after(index))


def _outcome_from_checkpoint(walk: Walk, step: Step, done: TaskStep) -> StepOutcome:
    if done.artifact_key is None:
        return _outcome(step, error_code=done.error_code, message=done.error_message)
    storage, bench = walk.bench.slot.doors.storage, walk.bench
    artifact = artifacts.read(storage, done.artifact_key)
    if bench.tool.chained:
        walk.chain.take(artifacts.fetch(storage, artifact, folder_of(bench.folder, step.id)))
    return _delivered(step, artifact)


def _delivered(step: Step, artifact: Artifact) -> StepOutcome:
    return _outcome(step, result=artifact.result, outputs=artifact.outputs, table=artifact.table_file)


def _outcome(step: Step, **said: Any) -> StepOutcome:
    return StepOutcome(agent_id=step.id, agent_name=step.agent.name, required=step.required, **said)


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
