"""The life of a task on a slot: claimed, loaded, parsed, walked step by step, published, settled.

Any failure leaves by an exception with a verdict; celery_queue/error_handlers.py writes it down.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from backend.clock import monotonic
from backend.errors import (
    AgentFailed,
    BadParameters,
    HardTimeLimit,
    InternalError,
    StorageUnavailable,
    UnknownAgent,
    UnknownTool,
    error_named,
)
from db import endings, items
from db.claims import Claim
from db.database import statement, transaction
from db.endings import Ending
from transformers.findings import Finding
from transformers.forms import chosen_steps, read_forms
from transformers.operations import ParseRequest
from transformers.plan import run_steps
from transformers.publish import publish
from transformers.reporting.report import StepOutcome
from transformers.tables import Table
from transformers.tool import PARAMETERS_ROLE, PRIMARY, AgentParameters, Forms, InputRole, LocalFile, Step, Tool
from transformers.workbench import Slot, Workbench

PARTIAL = "partial"
FETCHED_AT_ONCE = 8  # files; the store's door keeps 20 connections for all slots of a process


class TaskReport(Finding):
    """How a task ended, in the few words that go to Celery's result backend."""

    task_id: str
    tool_id: str
    outcome: str
    agents_delivered: int
    agents_failed: int


async def run_task(tool: Tool, claim: Claim, slot: Slot) -> TaskReport:
    """One claim's whole life, from the files to the settlement.

    Raises:
        AgensiumError: the verdict on what went wrong, or an Interruption when the claim ended without one.
    """
    slot.stop.attach()
    async with hard_limit(tool, claim, slot), workbench(tool, claim, slot) as bench:
        verify_hold(bench)
        if claim.parent_id is None and claim.items:
            bench.done = await asyncio.to_thread(_finished_before, claim)
        files = await load(bench)
        await parse(bench, files)
        outcomes = await run_steps(bench)
        outcome = conclude(outcomes)
        manifest_key = await publish(bench, outcomes) if claim.parent_id is None else None
        await asyncio.to_thread(settle, claim, Ending(outcome, manifest_key))
    return _told(claim, outcome, outcomes)


def time_limit(tool: Tool, slot: Slot) -> float:
    """Seconds of running time, over all claims of a task."""
    return slot.settings.time_limit_seconds or tool.time_limit.total_seconds()


@asynccontextmanager
async def hard_limit(tool: Tool, claim: Claim, slot: Slot) -> AsyncIterator[None]:
    """Abandon the whole claim, wherever it hangs, a grace after the soft limit should have ended it.

    Raises:
        HardTimeLimit
    """
    seconds = max(0.0, time_limit(tool, slot) - claim.run_seconds) + slot.settings.hard_limit_grace_seconds
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise HardTimeLimit from error
        raise


@asynccontextmanager
async def workbench(tool: Tool, claim: Claim, slot: Slot) -> AsyncIterator[Workbench]:
    """A clean folder on scratch, gone afterwards, and a child that is fit for the next task."""
    began = monotonic()
    left = time_limit(tool, slot) - claim.run_seconds
    forms = forms_of(tool, claim)
    bench = Workbench(claim, tool, steps_of(tool, claim, forms), slot, began=began, deadline=began + left, forms=forms)
    bench.folder.mkdir(parents=True)
    try:
        yield bench
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
        await slot.process.end_task()


def steps_of(tool: Tool, claim: Claim, forms: Forms) -> tuple[Step, ...]:
    """The chosen steps, without those of its children. Raises UnknownTool: this version does not know one of them."""
    try:
        steps = chosen_steps(tool, claim.agents, forms)
    except UnknownAgent as error:
        raise UnknownTool(detail=str(error)) from error
    return tuple(step for step in steps if step.in_children is (claim.parent_id is not None))


def forms_of(tool: Tool, claim: Claim) -> dict[str, AgentParameters]:
    """Each agent's form. Raises UnknownTool: the submit took parameters that this version does not."""
    try:
        return read_forms(tool, claim.parameters)
    except (UnknownAgent, BadParameters) as error:
        raise UnknownTool(detail=str(error)) from error


def _finished_before(claim: Claim) -> frozenset[int]:
    """A retried batch begins with the items that an earlier task has finished."""
    with transaction() as session:
        return frozenset(items.ok_positions(session, claim.task_id))


async def load(bench: Workbench) -> list[LocalFile]:
    """Bring the inputs to scratch, but for those that are the children's to read.

    Raises:
        StorageUnavailable: an object came shorter or longer than it was at submit; a later try may bring it whole.
    """
    wanted = [
        (role, number, file)
        for role, files in bench.claim.inputs.items()
        if role != PARAMETERS_ROLE and _reads(bench, bench.tool.role(role))
        for number, file in enumerate(files)
    ]
    loaded: list[LocalFile] = []
    for start in range(0, len(wanted), FETCHED_AT_ONCE):
        some = wanted[start : start + FETCHED_AT_ONCE]
        loaded += await bench.slot.stop.watch_over(_fetch_some, bench, some)
    return loaded


def _reads(bench: Workbench, role: InputRole | None) -> bool:
    return role is None or not role.for_children or bench.claim.parent_id is not None


def _fetch_some(bench: Workbench, wanted: Sequence[tuple[str, int, Mapping[str, Any]]]) -> list[LocalFile]:
    """Side by side: a store takes its time for each of a thousand documents, however small."""
    if len(wanted) == 1:
        return [_fetch(bench, *wanted[0])]
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="load") as threads:
        # each with a context of its own, so that it is the task's in the log and in its trace
        fetching = [threads.submit(copy_context().run, partial(_fetch, bench, *one)) for one in wanted]
        return [one.result() for one in fetching]


def _fetch(bench: Workbench, role: str, number: int, file: Mapping[str, Any]) -> LocalFile:
    path = bench.folder / f"{role}.{number}.input"
    size = bench.slot.doors.storage.download(file["key"], path, file.get("etag"))
    if size != file["size"]:
        raise StorageUnavailable(detail=f"{file['key']}: {size} bytes came, {file['size']} were submitted")
    return LocalFile(role=role, name=file["filename"], path=path)


async def parse(bench: Workbench, files: Sequence[LocalFile]) -> None:
    """Parse each table once, in the child; what is no table waits on the bench as it is.

    Raises:
        AgentFailed: UNREADABLE_FILE, UNSUPPORTED_FORMAT …, as intake judged it.
    """
    tables: dict[str, Table] = {}
    others: dict[str, tuple[LocalFile, ...]] = {}
    for file in files:
        role = bench.tool.role(file.role)
        if role is not None and not role.is_table:
            others[file.role] = (*others.get(file.role, ()), file)
        else:
            tables[file.role] = await _table(bench, role, file)
    bench.tables, bench.files = tables, others
    bench.documents = {role: some[0].path for role, some in others.items()}


async def _table(bench: Workbench, role: InputRole | None, file: LocalFile) -> Table:
    accepted = role.formats if role is not None else ()
    request = ParseRequest(source=file.path, role=file.role, name=file.name, accepted=accepted, folder=bench.folder)
    table = await bench.compute("parse", request, Table)
    if bench.tool.chained and file.role == PRIMARY:
        bench.source = file.path
    else:
        file.path.unlink()
    return table


def verify_hold(bench: Workbench) -> None:
    """Every step was priced at submit; working for less than was agreed would be our bug.

    Raises:
        InternalError
    """
    priced = {*bench.claim.prices, *bench.claim.tariffs}
    unpriced = [step.id for step in bench.steps if step.id not in priced]
    if unpriced:
        raise InternalError(detail=f"no price was fixed at submit for {unpriced}")


def conclude(outcomes: Sequence[StepOutcome]) -> str:
    """All delivered: success; some, or one that says so of itself: partial.

    Raises:
        AgensiumError: none delivered; the first failure is the task's own.
    """
    failed = [outcome for outcome in outcomes if outcome.result is None]
    if len(failed) == len(outcomes):
        raise AgentFailed(error_named(failed[0].error_code or "")(failed[0].message or "").verdict.final)
    in_part = any(outcome.result is not None and outcome.result.status == PARTIAL for outcome in outcomes)
    return PARTIAL if failed or in_part else "success"


def settle(claim: Claim, ending: Ending) -> None:
    """The last station. Raises ClaimLost where the row is not ours any more."""
    with statement() as session:
        if endings.complete_at_once(session, claim, ending):
            return
    with transaction() as session:
        endings.settle(session, claim, ending)


def _told(claim: Claim, outcome: str, outcomes: Sequence[StepOutcome]) -> TaskReport:
    delivered = sum(step.result is not None for step in outcomes)
    return TaskReport(
        task_id=str(claim.task_id),
        tool_id=claim.tool_id,
        outcome=outcome,
        agents_delivered=delivered,
        agents_failed=len(outcomes) - delivered,
    )
