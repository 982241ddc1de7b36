"""One cleaning: remove from storage what retention or a customer's wish says is due, then write down that it is gone.

Every step is idempotent, so two cleanings at once, or one that was killed, do no harm. No transaction is open while
the store is asked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from backend.clock import monotonic
from backend.doors import get_doors
from backend.errors import DatabaseUnavailable, ErrorClass, StorageUnavailable
from backend.logs import log
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.faults import StorageError
from backend.storage.keys import task_prefix
from backend.verdicts import verdict_for
from db import files, items, retention
from db.database import DATABASE_ERRORS, transaction
from db.files import NamedKeys
from db.retention import WHOLE, Doomed, Kept, Stage

ENOUGH_SECONDS = 50.0  # the next minute's cleaning goes on where this one stops
AT_ONCE = 50  # tasks in one look at the database
ITEMS_AT_ONCE = 2000
# What goes as a whole need not be gone through key by key.
ORDER = (Stage.DELETED, Stage.OUTPUTS, Stage.INPUTS, Stage.UPLOADS)


def clean_now() -> Counter[Stage]:
    """By this process' settings.

    Raises:
        StorageUnavailable, DatabaseUnavailable: what was not reached is for the next time.
    """
    try:
        return clean(get_doors().storage, Kept.by(get_settings()))
    except StorageError as error:
        raise StorageUnavailable(detail=str(error)) from error
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(detail=str(error)) from error


def clean(storage: Storage, kept: Kept, seconds: float = ENOUGH_SECONDS) -> Counter[Stage]:
    """Clean for at most about so many seconds; how many tasks in each stage.

    Raises:
        StorageError: the store is away; what was not reached is for the next time.
    """
    deadline = monotonic() + seconds
    done: Counter[Stage] = Counter()
    for stage in ORDER:
        for some in _pages(stage, kept):
            done[stage] += _clean_some(storage, kept, stage, some, deadline)
            if monotonic() > deadline:
                return done
    return done


def _pages(stage: Stage, kept: Kept) -> Iterator[Sequence[Doomed]]:
    """By keyset, so that a task whose files cannot be removed does not hold up the others."""
    after: Doomed | None = None
    while True:
        with transaction() as session:
            some = retention.due(session, stage, kept, after=after, limit=AT_ONCE)
        if not some:
            return
        yield some
        after = some[-1]


def _clean_some(storage: Storage, kept: Kept, stage: Stage, some: Sequence[Doomed], deadline: float) -> int:
    named = _named(some) if stage is Stage.INPUTS else {}
    gone: list[UUID] = []
    try:
        for task in some:
            if monotonic() > deadline:
                break
            if _removed(storage, stage, task, named):
                gone.append(task.task_id)
    finally:
        if stage in WHOLE:
            _forget_items(gone)
        with transaction() as session:
            retention.mark_cleaned(session, stage, kept, gone)
    return len(gone)


def _forget_items(gone: Sequence[UUID]) -> None:
    """Half a million of them, where fifty batches are due: more than a transaction may take."""
    left = bool(gone)
    while left:
        with transaction() as session:
            left = items.forget(session, gone, ITEMS_AT_ONCE)


def _named(some: Sequence[Doomed]) -> Mapping[UUID, NamedKeys]:
    with transaction() as session:
        return files.named_keys(session, [task.task_id for task in some])


def _removed(storage: Storage, stage: Stage, task: Doomed, named: Mapping[UUID, NamedKeys]) -> bool:
    """False where the store refuses this task's files: the others go on. Raises StorageError when it is away."""
    try:
        for upload in storage.list_unfinished_uploads(task_prefix(task.user_id, task.task_id)):
            storage.abort_upload(upload)
        storage.delete(_doomed_keys(storage, stage, task, named))
    except StorageError as error:
        verdict = verdict_for(error)
        log().warning("files stay", task_id=str(task.task_id), stage=stage, error=verdict.detail or str(error))
        if verdict.error_class is ErrorClass.TRANSIENT:
            raise
        return False
    return True


def _doomed_keys(storage: Storage, stage: Stage, task: Doomed, named: Mapping[UUID, NamedKeys]) -> Iterator[str]:
    prefix = task_prefix(task.user_id, task.task_id)
    if stage is Stage.UPLOADS:
        return
    if stage is not Stage.INPUTS:
        yield from (found.key for found in storage.list(prefix))
        return
    yield from (found.key for found in storage.list(f"{prefix}inputs/"))
    for part in ("steps/", "outputs/"):  # what a zombie left beside the truth
        for found in storage.list(f"{prefix}{part}"):
            if not named[task.task_id].name(found.key):
                yield found.key
