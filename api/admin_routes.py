"""For administrators: the house at a glance, every customer's tasks, failures by code, bulk retries, proofs.

All of it is read from the database, so that it works while the broker is down.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from api.admin_schemas import (
    AnyTask,
    AnyTaskPage,
    BacklogView,
    BreachView,
    CustomerLoadView,
    Failures,
    FailureView,
    Hours,
    Loads,
    Overview,
    Proof,
    ReplayAsked,
    ReplayedView,
    Replays,
    SlotView,
    ToolLoadView,
    WorkerView,
    window_of,
)
from api.cursors import CursorQuery, LimitQuery, cursor_of, task_cursor
from api.dependencies import AdminUser, StorageDep
from api.error_responses import problems
from api.task_view import summary_of
from backend.clock import monotonic
from backend.errors import BadRequest, Forbidden, StorageUnavailable, UserNotFound
from backend.settings import get_settings
from db import accounts, overview
from db.database import transaction
from db.models import Task, TaskStatus
from db.overview import BusySlot, WorkerSeen
from db.retries import Wanted
from db.verification import proven
from transformers.replay import Replayed, replay

router = APIRouter(prefix="/admin", tags=["operator"])
MOST_CUSTOMERS = 200
MOST_LOOKED_AT = 1000  # tasks in one bulk retry, those that are refused included
ShortQuery = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", examples=[None])]
Window = Annotated[Hours, Query()]


@router.get("/overview", operation_id="get_overview", summary="The house at a glance", responses=problems(Forbidden))
def get_overview(_admin: AdminUser) -> Overview:
    """What waits, and what each worker's slots do. It changes at every beat, twice a second."""
    lease = get_settings().lease_seconds
    with transaction() as session:
        backlogs = overview.backlogs(session)
        counts = overview.counts(session, backlogs)
        seen, busy = overview.workers_seen(session), overview.busy_slots(session)
    workers = [_worker(one, [slot for slot in busy if slot.worker == one.id], lease) for one in seen]
    working = [one for one in workers if one.live and not one.draining]
    return Overview(
        tasks=counts,
        backlogs=[BacklogView.model_validate(one, from_attributes=True) for one in backlogs],
        workers=workers,
        slots=sum(one.slots for one in working),
        slots_busy=sum(len(one.busy) for one in working),
    )


@router.get(
    "/loads", operation_id="get_loads", summary="By customer and by tool", responses=problems(Forbidden, BadRequest)
)
def get_loads(_admin: AdminUser, hours: Window = 24) -> Loads:
    """What waits and runs now, and what ended within the window."""
    with transaction() as session:
        customers = overview.customer_loads(session, window_of(hours), MOST_CUSTOMERS)
        tools = overview.tool_loads(session, window_of(hours))
    return Loads(
        hours=hours,
        customers=[CustomerLoadView.model_validate(one, from_attributes=True) for one in customers],
        tools=[ToolLoadView.model_validate(one, from_attributes=True) for one in tools],
    )


@router.get(
    "/failures", operation_id="get_failures", summary="Failures by code", responses=problems(Forbidden, BadRequest)
)
def get_failures(_admin: AdminUser, hours: Window = 24) -> Failures:
    with transaction() as session:
        counts = overview.failure_counts(session, window_of(hours))
    return Failures(hours=hours, failures=[FailureView.model_validate(one, from_attributes=True) for one in counts])


@router.get(
    "/tasks", operation_id="list_all_tasks", summary="Every customer's tasks", responses=problems(Forbidden, BadRequest)
)
def list_all_tasks(
    _admin: AdminUser,
    *,
    status: Annotated[TaskStatus | None, Query(examples=[TaskStatus.FAILED])] = None,
    tool_id: ShortQuery = None,
    error_code: ShortQuery = None,
    email: ShortQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 50,
) -> AnyTaskPage:
    """Newest first. An address that nobody has has no tasks."""
    before = task_cursor(cursor)
    with transaction() as session:
        customer = accounts.by_email(session, email.lower()) if email else None
        if email and customer is None:
            return AnyTaskPage(tasks=[])
        rows = overview.tasks_of_all(
            session, status=status, tool_id=tool_id, error_code=error_code,
            user_id=customer.id if customer else None, before=before, limit=limit + 1,
        )  # fmt: skip
    shown = rows[:limit]
    following = cursor_of(shown[-1][0].created_at.isoformat(), shown[-1][0].id) if len(rows) > limit else None
    return AnyTaskPage(tasks=[_any_task(*row) for row in shown], next=following)


@router.post(
    "/replay",
    operation_id="replay_tasks",
    summary="Retry ended tasks in bulk",
    responses=problems(Forbidden, UserNotFound, BadRequest, StorageUnavailable),
)
def replay_tasks(asked: ReplayAsked, _admin: AdminUser, storage: StorageDep) -> Replays:
    """Each as its customer could, at the customer's cost; without `dry_run: false` nothing is changed. What failed by
    its customer's fault is left out, unless `error_code` names it. Repeated, it goes on with what has no retry yet.
    """
    with transaction() as session:
        named = asked.user_id is not None or asked.email is not None
        user = accounts.named(session, user_id=asked.user_id, email=asked.email) if named else None
    wanted = Wanted(asked.status, asked.error_code, asked.tool_id, user.id if user else None, asked.since, asked.until)
    done = [
        _replayed(one)
        for one in replay(storage, wanted, limit=asked.limit, dry_run=asked.dry_run, look_at_most=MOST_LOOKED_AT)
    ]
    skipped = sum(one.refused is not None for one in done)
    return Replays(dry_run=asked.dry_run, made=len(done) - skipped, skipped=skipped, tasks=done)


@router.get(
    "/verify/{what}",
    operation_id="verify_house",
    summary="Prove the ledger or the states",
    responses=problems(Forbidden, BadRequest),
)
def verify_house(what: Annotated[Literal["ledger", "states"], Path(examples=["ledger"])], _admin: AdminUser) -> Proof:
    """For the whole table; some seconds for each million of entries."""
    began = monotonic()
    findings = list(proven(what))
    breaches = [breach for finding in findings for breach in finding.breaches]
    return Proof(
        what=what,
        holds=not breaches,
        rules=len(findings),
        breaches=[BreachView.model_validate(one, from_attributes=True) for one in breaches],
        more=any(finding.more for finding in findings),
        seconds=monotonic() - began,
    )


def _worker(seen: WorkerSeen, busy: list[BusySlot], lease_seconds: float) -> WorkerView:
    return WorkerView(
        **{name: getattr(seen, name) for name in WorkerView.model_fields.keys() - {"busy", "live"}},
        busy=[SlotView.model_validate(one, from_attributes=True) for one in busy],
        live=seen.seen_seconds_ago < lease_seconds,
    )


def _any_task(task: Task, email: str) -> AnyTask:
    return AnyTask(**summary_of(task).model_dump(), user_id=task.user_id, user_email=email)


def _replayed(done: Replayed) -> ReplayedView:
    return ReplayedView(
        task_id=done.task.id,
        tool_id=done.task.tool_id,
        error_code=done.task.error_code,
        finished_at=done.task.finished_at,
        retry_id=done.made,
        taken_over=len(done.asked.taken_over) if done.asked else 0,
        credits_to_hold=done.asked.credits_to_hold if done.asked else 0,
        refused=None if done.refused is None else f"{done.refused.error_code}: {done.refused}",
    )
