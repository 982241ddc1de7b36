"""Where a task's files lie: `users/{user}/tasks/{task}/inputs/{role}/{filename}`, `…/steps/{epoch}/{step}/…`,
`…/outputs/{epoch}/…` (CATALOGUE §5). What a worker writes carries its epoch, so a zombie can only write beside the
truth.
"""

import uuid


def task_prefix(user_id: int, task_id: uuid.UUID) -> str:
    return f"users/{user_id}/tasks/{task_id}/"


def input_key(user_id: int, task_id: uuid.UUID, role: str, filename: str) -> str:
    return f"{task_prefix(user_id, task_id)}inputs/{role}/{filename}"


def step_key(user_id: int, task_id: uuid.UUID, epoch: int, step: str, name: str) -> str:
    return f"{task_prefix(user_id, task_id)}steps/{epoch}/{step}/{name}"


def output_key(user_id: int, task_id: uuid.UUID, epoch: int, name: str) -> str:
    return f"{task_prefix(user_id, task_id)}outputs/{epoch}/{name}"
