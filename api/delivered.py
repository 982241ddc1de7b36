"""What a task has delivered: the files that its manifest names, or, before it has one, those of its checkpoints.

A read publishes nothing (DESIGN §5.7), and shows nothing of which retention or the customer has said that it goes.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from backend.errors import InvalidTaskState, ResultsExpired
from backend.settings import get_settings
from backend.storage.door import Storage
from db import checkpoints, retention, task_store
from db.database import transaction
from db.models import StepStatus, Task, TaskStep
from db.retention import Kept
from transformers import artifacts
from transformers.stored_files import MANIFEST, Manifest, StoredFile


def task_and_steps(task_id: uuid.UUID, user_id: int) -> tuple[Task, Mapping[str, TaskStep]]:
    with transaction() as session:
        task = task_store.get(session, task_id, user_id)
        if retention.results_are_gone(session, task, Kept.by(get_settings())):
            raise ResultsExpired
        return task, checkpoints.of_task(session, task_id)


def files_of(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> Sequence[StoredFile]:
    """What the task published, and the list of it; before the end, what was delivered so far."""
    if task.manifest_key is None:
        return _so_far(task, steps, storage)
    body = storage.get_bytes(task.manifest_key)
    itself = StoredFile(
        name=MANIFEST, key=task.manifest_key, size=len(body), sha256=hashlib.sha256(body).hexdigest(),
        content_type="application/json", kind="manifest",
    )  # fmt: skip
    return [*Manifest.model_validate_json(body).files, itself]


def delivered_steps(steps: Mapping[str, TaskStep]) -> list[TaskStep]:
    return [step for step in steps.values() if step.status == StepStatus.DELIVERED]


def _so_far(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> Sequence[StoredFile]:
    """Each delivered agent's findings, under the agent's name, and the files that it left."""
    delivered = delivered_steps(steps)
    if not delivered:
        raise InvalidTaskState("No agent has delivered anything yet.", status=task.status)
    return [file for step in delivered for file in artifacts.downloads(storage, step)]
