"""The operator's bulk replay: each task that is meant is retried as its customer could, in a transaction of its own."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from backend.errors import (
    CustomerError,
    DatabaseUnavailable,
    ErrorClass,
    InsufficientCredits,
    StorageUnavailable,
    error_named,
)
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.faults import StorageError
from db import accounts, checkpoints, items, ledger, retries
from db.database import DATABASE_ERRORS, transaction
from db.models import Task
from db.retention import Kept
from db.retries import Resubmission, Wanted
from transformers.resubmission import resubmission_for


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one task: `made` in earnest, or `refused` for a reason; neither: it would be made."""

    task: Task
    asked: Resubmission | None = None
    made: uuid.UUID | None = None
    refused: CustomerError | None = None


def user_of(email: str) -> int:
    """Raises UserNotFound, DatabaseUnavailable."""
    try:
        with transaction() as session:
            return accounts.named(session, email=email).id
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(detail=str(error)) from error


def replay(
    storage: Storage, wanted: Wanted, *, limit: int | None, dry_run: bool, look_at_most: int | None = None
) -> Iterator[Replayed]:
    """The tasks one by one, the first that ended first; those that end after the beginning are not touched.

    `limit` counts those that are made: a task that is refused stands in nobody's way.

    What failed by its customer's fault would fail again: it is left out, unless its error code is wanted.

    Raises:
        StorageUnavailable, DatabaseUnavailable: what was made stays made; the next replay goes on after it.
    """
    rehearsal = Rehearsal() if dry_run else None
    try:
        made = 0
        for task in islice(_tasks(wanted), look_at_most):
            done = _replay_one(storage, task, rehearsal)
            yield done
            made += done.refused is None
            if made == limit:
                return
    except StorageError as error:
        raise StorageUnavailable(detail=str(error)) from error
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(detail=str(error)) from error


def _tasks(wanted: Wanted) -> Iterator[Task]:
    """A retry that fails at once is not retried by the same replay: that might never end."""
    with transaction() as session:
        begun = retries.now(session)
    wanted = replace(wanted, until=min(wanted.until or begun, begun))
    last: Task | None = None
    while True:
        with transaction() as session:
            page = retries.never_retried(session, wanted, after=last)
        if not page:
            return
        yield from page if wanted.error_code else (task for task in page if not _customers_fault(task))
        last = page[-1]


def _customers_fault(task: Task) -> bool:
    return task.error_code is not None and error_named(task.error_code).error_class is ErrorClass.USER


def _replay_one(storage: Storage, task: Task, rehearsal: "Rehearsal | None") -> Replayed:
    asked: Resubmission | None = None
    try:
        with transaction() as session:
            finished = checkpoints.without_artifacts(session, task.id)
            done = items.ok_positions(session, task.id) if task.items else set()
        asked = resubmission_for(storage, task, finished, done)
        if rehearsal is None:
            return Replayed(task, asked, _make(task, asked))
        rehearsal.check(task, asked)
        return Replayed(task, asked)
    except CustomerError as refused:
        return Replayed(task, asked, refused=refused)


def _make(task: Task, asked: Resubmission) -> uuid.UUID:
    with transaction() as session:
        kept = Kept.by(get_settings())
        return retries.create(session, task.user_id, asked, kept, only_if_never_retried=True).id


class Rehearsal:
    """A dry run reads only; what it would hold, it takes off in its head."""

    def __init__(self) -> None:
        self._left: dict[int, int] = {}

    def check(self, task: Task, asked: Resubmission) -> None:
        """Raises as `retries.create`."""
        with transaction() as session:
            retries.check_possible(session, task, Kept.by(get_settings()), only_if_never_retried=True)
            left = self._left.setdefault(task.user_id, ledger.balance(session, task.user_id))
        if left < (required := asked.credits_to_hold):
            raise InsufficientCredits(available=left, required=required, shortfall=required - left)
        self._left[task.user_id] = left - required
