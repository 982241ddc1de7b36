"""Storage and rows compared, in both directions: objects that nothing names, and rows that name what is not there.

A worker that was frozen may write after its task was cleaned; no fence reaches into a bucket. What it left is found
here and, if asked, removed. Both sides are gone through as streams.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from backend.clock import now
from backend.storage.door import Storage
from backend.storage.keys import task_prefix
from backend.storage.objects import ObjectInfo, UnfinishedUpload
from db import files
from db.database import transaction
from db.files import NamedKeys, TaskFiles

ROOT = "users/"
SETTLED = timedelta(hours=1)  # an artifact is in storage before its row is
ABANDONED = timedelta(days=1)  # no upload of ours takes as long
TASKS_AT_ONCE = 200
# A task's row outlives its files, so objects of unknown tasks are rare; where they are not, the database is another.
FEW_TASKS = 10
SMALL_SHARE = 0.1
_OURS = re.compile(r"users/(\d{1,19})/tasks/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
_NOBODY = UUID(int=0)


class Why(StrEnum):
    """What is wrong with an object, an upload or a row."""

    NO_TASK = "its task does not exist"
    AFTER_CLEANING = "it was written after its task was cleaned"
    UNNAMED = "its task has ended and no row names it"
    UNFINISHED = "an upload that was never finished"
    MISSING = "a row names it and it is not there"


@dataclass(frozen=True, slots=True)
class Finding:
    """One key and what is wrong with it. Of an unfinished upload the bytes are not known."""

    why: Why
    key: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look, which removes nothing, says of the objects: what would go, and whose tasks are known here."""

    known: int  # tasks
    unknown: int
    strangers: int  # objects of the unknown tasks that would go
    numbers: Counter[Why]
    bytes: Counter[Why]

    @property
    def is_doubtful(self) -> bool:
        """True where this is hardly the database that belongs to the bucket, and something would be lost by it."""
        many = self.unknown > FEW_TASKS and self.unknown > SMALL_SHARE * (self.known + self.unknown)
        return self.strangers > 0 and (many or not self.known)


class Comparison:
    """One look at everything; with `mend`, what can be removed is removed on the way."""

    def __init__(
        self, storage: Storage, *, mend: bool = False, settled: timedelta = SETTLED, abandoned: timedelta = ABANDONED
    ) -> None:
        self._storage = storage
        self._mend = mend
        self._settled, self._abandoned = settled, abandoned
        self._seen: set[bytes] = set()  # tasks with objects; 16 bytes each

    def survey(self) -> Survey:
        """Raises StorageError, DatabaseError."""
        known = unknown = strangers = 0
        numbers: Counter[Why] = Counter()
        size: Counter[Why] = Counter()
        for some in _batches(self._storage.list(ROOT)):
            rows, named = _rows(list(some))
            known, unknown = known + len(rows), unknown + len(some) - len(rows)
            for task_id, found in some.items():
                orphans = self._orphans(found, rows.get(task_id), named)
                strangers += len(orphans) if task_id not in rows else 0
                numbers.update(orphan.why for orphan in orphans)
                for orphan in orphans:
                    size[orphan.why] += orphan.size
        return Survey(known, unknown, strangers, numbers, size)

    def findings(self) -> Iterator[Finding]:
        """Raises StorageError, DatabaseError."""
        for some in _batches(self._storage.list(ROOT)):
            orphans, missing = self._compare(some)
            if self._mend:
                self._storage.delete(orphan.key for orphan in orphans)
            yield from (*orphans, *missing)
        yield from self._unfinished()
        yield from self._tasks_without_objects()

    def _compare(self, objects: dict[UUID, list[ObjectInfo]]) -> tuple[list[Finding], list[Finding]]:
        rows, named = _rows(list(objects))
        orphans: list[Finding] = []
        missing: list[Finding] = []
        for task_id, found in objects.items():
            row = rows.get(task_id)
            orphans += self._orphans(found, row, named)
            if row is not None:
                self._seen.add(task_id.bytes)
                missing += self._missing(row, named[task_id], {info.key for info in found})
        return orphans, missing

    def _orphans(
        self, found: Sequence[ObjectInfo], row: TaskFiles | None, named: dict[UUID, NamedKeys]
    ) -> list[Finding]:
        old = [info for info in found if now() - info.modified_at >= self._settled]
        return [Finding(why, info.key, info.size) for info in old if (why := _why(info.key, row, named))]

    def _missing(self, row: TaskFiles, named: NamedKeys, there: set[str]) -> list[Finding]:
        prefix = task_prefix(row.user_id, row.task_id)
        doubtful = {key for key in named.expected if key.startswith(prefix)} - there
        return [Finding(Why.MISSING, key) for key in sorted(doubtful) if self._is_missing(row.task_id, key)]

    def _is_missing(self, task_id: UUID, key: str) -> bool:
        """Looked at once more: it may have come, or have been cleaned, since the listing."""
        if self._storage.head(key) is not None:
            return False
        return key in _rows([task_id])[1][task_id].expected

    def _tasks_without_objects(self) -> Iterator[Finding]:
        after = _NOBODY
        while True:
            with transaction() as session:
                some = files.page(session, after, TASKS_AT_ONCE)
            if not some:
                return
            after = some[-1].task_id
            empty = [row for row in some if row.task_id.bytes not in self._seen]
            named = _rows([row.task_id for row in empty])[1]
            for row in empty:
                yield from self._missing(row, named[row.task_id], set())

    def _unfinished(self) -> Iterator[Finding]:
        for upload in self._storage.list_unfinished_uploads(ROOT):
            if _OURS.match(upload.key) and now() - upload.begun_at >= self._abandoned:
                self._abort(upload)
                yield Finding(Why.UNFINISHED, upload.key)

    def _abort(self, upload: UnfinishedUpload) -> None:
        if self._mend:
            self._storage.abort_upload(upload)


def _why(key: str, row: TaskFiles | None, named: dict[UUID, NamedKeys]) -> Why | None:
    """What makes an orphan of an object, if anything does."""
    if row is None or not key.startswith(task_prefix(row.user_id, row.task_id)):
        return Why.NO_TASK
    if not row.ended or row.to_be_cleaned or named[row.task_id].name(key):
        return None
    is_input = key.removeprefix(task_prefix(row.user_id, row.task_id)).startswith("inputs/")
    if row.outputs_cleaned or (row.inputs_cleaned and is_input):
        return Why.AFTER_CLEANING
    # What a customer has sent stays until the inputs' time is over, also what the row does not name (any longer): the
    # parameters' file, and one that was announced again under another name.
    return None if is_input else Why.UNNAMED


def _batches(listing: Iterator[ObjectInfo]) -> Iterator[dict[UUID, list[ObjectInfo]]]:
    """The objects of some hundred tasks at a time; keys that are not of our making are left alone."""
    ours = (info for info in listing if _OURS.match(info.key))
    batch: dict[UUID, list[ObjectInfo]] = {}
    for task_id, found in groupby(ours, lambda info: _task_of(info.key)):
        batch.setdefault(task_id, []).extend(found)
        if len(batch) >= TASKS_AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


def _task_of(key: str) -> UUID:
    match = _OURS.match(key)
    assert match is not None
    return UUID(match[2])


def _rows(task_ids: Sequence[UUID]) -> tuple[dict[UUID, TaskFiles], dict[UUID, NamedKeys]]:
    with transaction() as session:
        return dict(files.of_tasks(session, task_ids)), dict(files.named_keys(session, task_ids))
