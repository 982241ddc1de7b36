"""A step that waits for others: in the supervisor's loop, under the task's own limits, stopped like any other."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from backend.clock import monotonic
from backend.errors import AgensiumError, AgentFailed, TimeLimit
from backend.verdicts import verdict_for
from db import claims
from db.database import statement
from transformers.chain import folder_of
from transformers.forms import form_of
from transformers.journal import TaskJournal
from transformers.stop_signal import LOOK_SECONDS
from transformers.tool import AgentParameters, Delivery, Step
from transformers.waiting_agent import WaitingContext
from transformers.workbench import Workbench

LAST_WORDS = 1.0  # seconds in which an agent that is stopped may still write down what it has finished


async def wait_for_step(
    bench: Workbench, step: Step, earlier: Mapping[str, Delivery], on_progress: Callable[[float], None]
) -> Delivery:
    """The step's delivery.

    Raises:
        TimeLimit: the task's own.
        ClaimLost, HandBack: the signal said so.
        AgensiumError, or whatever the agent raised.
    """
    began = monotonic()
    delivery = await _under_watch(bench, step.agent.run(_context(bench, step, earlier, on_progress)))
    form = form_of(step, bench.forms)
    told = {"execution_time_ms": round((monotonic() - began) * 1000), **echo_of(form)}
    return delivery.model_copy(update={"result": delivery.result.model_copy(update=told)})


def echo_of(form: AgentParameters) -> dict[str, Any]:
    """What an agent says it was asked to do (CATALOGUE §2)."""
    fields = type(form).model_fields
    defaults = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    known = {name: value for name, value in defaults.items() if not fields[name].is_required()}
    return {
        "defaults": type(form).model_construct(**known).model_dump(mode="json", include=set(known)),
        "overrides": form.model_dump(mode="json", exclude_unset=True),
        "parameters": form.model_dump(mode="json"),
    }


async def _under_watch(bench: Workbench, work: Coroutine[Any, Any, Delivery]) -> Delivery:
    running = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({running}, timeout=LOOK_SECONDS))[0]:
            bench.slot.stop.check()
            if monotonic() > bench.deadline:
                raise TimeLimit
        if (failure := running.exception()) is not None and not isinstance(failure, AgensiumError):
            raise AgentFailed(verdict_for(failure)) from failure
        return running.result()
    finally:
        if not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=LAST_WORDS)


def _context(
    bench: Workbench, step: Step, earlier: Mapping[str, Delivery], on_progress: Callable[[float], None]
) -> WaitingContext:
    claim, settings, doors = bench.claim, bench.slot.settings, bench.slot.doors
    scratch = folder_of(bench.folder, step.id)
    scratch.mkdir(parents=True, exist_ok=True)
    return WaitingContext(
        task_id=claim.task_id,
        user_id=claim.user_id,
        parameters=form_of(step, bench.forms),
        forms=bench.forms,
        files=bench.files,
        earlier=earlier,
        inputs={role: tuple(file["filename"] for file in files) for role, files in claim.inputs.items()},
        scratch=scratch,
        models=doors.models,
        default_model=settings.models[0] if settings.models else "",
        calls_at_once=settings.model_calls_at_once,
        deadline=bench.deadline,
        journal=TaskJournal(claim),
        vectors=doors.vectors,
        last_try=bench.last_try,
        report_progress=on_progress,
        tell=lambda words: asyncio.to_thread(_tell, bench, words),
        embedding_model=settings.embedding_model,
    )


def _tell(bench: Workbench, words: Mapping[str, Any]) -> None:
    with statement() as session:
        claims.tell(session, bench.claim, words)
