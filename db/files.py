"""What the rows say of the files in storage: which tasks may have any, and which keys are still pointed to.

Cleaning (retention.py) and `agensium orphans` stand on this; both remove only what no row names (DESIGN §5.7).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.models import Task

# A task's line: itself, the parent that collects from it, and all that repeat one of the two, at every distance.
LINE = """
    WITH RECURSIVE line(id) AS (
        SELECT first FROM unnest(ARRAY[t.id, t.parent_id]) AS first WHERE first IS NOT NULL
        UNION
        SELECT r.id FROM line JOIN tasks r ON r.retry_of = line.id)
"""


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """A task as far as its files are concerned. `to_be_cleaned`: deleted, and the janitor is about to come."""

    task_id: uuid.UUID
    user_id: int
    ended: bool
    inputs_cleaned: bool
    outputs_cleaned: bool
    to_be_cleaned: bool


@dataclass(frozen=True, slots=True)
class NamedKeys:
    """What rows point to: single objects, and folders whose every object belongs to what is pointed to.

    `expected` are those objects that must be there: an announced file that was never submitted need not.
    """

    objects: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)

    def name(self, key: str) -> bool:
        return key in self.objects or any(key.startswith(folder) for folder in self.folders)


def of_tasks(session: Session, task_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, TaskFiles]:
    """Those of the tasks that there are."""
    rows = session.scalars(select(Task).where(Task.id.in_(task_ids)))
    return {row.id: _files_of(row) for row in rows}


def page(session: Session, after: uuid.UUID, limit: int) -> Sequence[TaskFiles]:
    """Tasks that should have files, by id, which is the keyset."""
    wanted = select(Task).where(Task.id > after, Task.outputs_cleaned_at.is_(None))
    return [_files_of(row) for row in session.scalars(wanted.order_by(Task.id).limit(limit))]


def _files_of(task: Task) -> TaskFiles:
    return TaskFiles(
        task_id=task.id,
        user_id=task.user_id,
        ended=task.finished_at is not None,
        inputs_cleaned=task.inputs_cleaned_at is not None,
        outputs_cleaned=task.outputs_cleaned_at is not None,
        to_be_cleaned=task.deleted_at is not None and task.outputs_cleaned_at is None,
    )


# The folder of an artifact or a manifest is one claim's own, so all of it belongs together.
_NAMED = text(f"""
    SELECT t.id AS task_id, named.key, named.whole_folder, named.expected AND o.deleted_at IS NULL AS expected
    FROM tasks t
    CROSS JOIN LATERAL ({LINE} SELECT id FROM line) line
    JOIN tasks o ON o.id = line.id
    CROSS JOIN LATERAL (
        SELECT o.manifest_key AS key, true AS whole_folder, true AS expected WHERE o.outputs_cleaned_at IS NULL
        UNION ALL
        SELECT s.artifact_key, true, true FROM task_steps s WHERE s.task_id = o.id AND o.outputs_cleaned_at IS NULL
        UNION ALL
        SELECT file ->> 'key', false, o.queued_at IS NOT NULL
        FROM jsonb_each(o.inputs) AS role(name, files), jsonb_array_elements(role.files) AS file
        WHERE o.inputs_cleaned_at IS NULL) named
    WHERE t.id = ANY(:ids) AND named.key IS NOT NULL
""")  # noqa: S608 (our own words only)


def named_keys(session: Session, task_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, NamedKeys]:
    """What the rows of each task and of its line still point to; cleaned files are pointed to by nobody."""
    found = {task_id: NamedKeys() for task_id in task_ids}
    for row in session.execute(_NAMED, {"ids": list(task_ids)}):
        named = found[row.task_id]
        named.objects.add(row.key)
        if row.whole_folder:
            named.folders.add(f"{row.key.rpartition('/')[0]}/")
        if row.expected:
            named.expected.add(row.key)
    return found
