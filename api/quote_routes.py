"""A quote: what the task would take and cost, as it stands. Nothing is held and nothing changes."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from api.arrivals import open_task
from api.dependencies import CurrentUser, ModelsDep, StorageDep, TaskId
from api.error_responses import problems
from api.quote_schemas import QuotedCredits, QuotedFile, QuotedMemory, QuotedRows, QuotedSeconds, QuoteView
from api.submit_routes import look_at_all, parameters_of
from backend.errors import (
    BadParameters,
    FileTooLarge,
    InvalidTaskState,
    StorageUnavailable,
    TaskNotFound,
    ToolUnavailable,
    UnknownAgent,
    UnknownTool,
    UnreadableFile,
    UnsupportedFormat,
)
from backend.language_models.door import LanguageModels
from backend.remote_file import opened
from backend.settings import get_settings
from backend.storage.door import Storage
from db import ledger, paces, workers
from db.database import transaction
from db.models import Task
from transformers.catalog import tool_for
from transformers.first_look import look_into
from transformers.forms import read_forms
from transformers.input_plan import keys_of, planned_files, role_of
from transformers.intake.estimates import Rows, rows_in
from transformers.quoting import Known, Quote, SeenFile, quote
from transformers.submission import Arrived, ArrivedFile, arrived_and_not, check_models, given_files, held_for
from transformers.tool import PARAMETERS_ROLE, InputRole, Tool

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post(
    "/{task_id}/quote",
    operation_id="quote_task",
    summary="What a task would take and cost",
    responses=problems(
        TaskNotFound, InvalidTaskState, UnknownTool, UnknownAgent, ToolUnavailable, BadParameters, FileTooLarge,
        UnsupportedFormat, UnreadableFile, StorageUnavailable,
    ),
)  # fmt: skip
def quote_task(task_id: TaskId, user: CurrentUser, storage: StorageDep, models: ModelsDep) -> QuoteView:
    """Of a task that is not submitted, with the files it has so far. Refuses parameters and files as `process` would;
    what is missing is a warning.
    """
    with transaction() as session:
        task = open_task(session, task_id, user.id)
        limit = workers.memory_given(session, task.queue, task.tool_id, get_settings().lease)
        known = Known(paces.known(session), ledger.balance(session, user.id), limit)
    return _view(_quoted(task, storage, models, known))


def _quoted(task: Task, storage: Storage, models: LanguageModels, known: Known) -> Quote:
    tool = tool_for(task.tool_id)
    planned = planned_files(task.inputs)
    arrived, not_arrived = arrived_and_not(tool, planned, storage.heads(keys_of(planned)))
    forms = read_forms(tool, parameters_of(task, arrived.get(PARAMETERS_ROLE, ()), storage))
    check_models(tool, forms, models.why_unavailable)
    given = given_files(arrived, storage.get_bytes)
    seen = _seen(tool, arrived, storage)
    return quote(
        tool, task.agents, forms, seen,
        not_arrived=not_arrived, known=known, held=lambda step: held_for(step, forms, given),
    )  # fmt: skip


def _seen(tool: Tool, arrived: Arrived, storage: Storage) -> Mapping[str, Sequence[SeenFile]]:
    data = {name: files for name, files in arrived.items() if name != PARAMETERS_ROLE}
    return look_at_all(data, lambda name, file: _look(storage, role_of(tool, name), file))


def _look(storage: Storage, role: InputRole, file: ArrivedFile) -> SeenFile:
    body, filename = opened(storage, file.found), file.planned.filename
    found = look_into(role, filename, body)
    return SeenFile(filename, file.found.size, found, rows_in(body, found) if role.is_table else None)


def _view(made: Quote) -> QuoteView:
    return QuoteView(
        rows=_rows(made.rows),
        bytes=made.size,
        seconds=QuotedSeconds(
            low=round(made.seconds.low, 1), likely=round(made.seconds.likely, 1), high=round(made.seconds.high, 1),
            based_on=made.seconds.based_on.value,
        ) if made.seconds else None,
        memory_bytes=QuotedMemory(likely=made.memory.likely, limit=made.memory.limit) if made.memory else None,
        credits=QuotedCredits(
            total=sum(made.prices.values()), at_most=made.is_most, by_agent=made.prices, balance=made.balance,
            shortfall=made.shortfall,
        ),
        agents=list(made.prices),
        files={role: [_file(file) for file in files] for role, files in made.files.items()},
        missing=dict(made.missing),
        warnings=list(made.warnings),
    )  # fmt: skip


def _file(file: SeenFile) -> QuotedFile:
    return QuotedFile(filename=file.filename, size=file.size, format=file.format, rows=_rows(file.rows))


def _rows(rows: Rows | None) -> QuotedRows | None:
    return QuotedRows(estimate=rows.estimate, exact=rows.exact) if rows else None
