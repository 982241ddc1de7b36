"""What a customer's wish to delete a task does to its rows; its files follow by retention.py within a minute.

What is the customer's goes from the rows at once. What stays proves the ledger and the states, and tells sizes.
"""

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.errors import Conflict
from db import task_store
from db.models import TERMINAL

_FAMILY = "(SELECT CAST(:id AS uuid) UNION ALL SELECT id FROM tasks WHERE parent_id = :id)"
_BLANK_STEPS = text(f"""
    UPDATE task_steps SET error_message = NULL, error_detail = NULL, inline = NULL WHERE task_id IN {_FAMILY}
""")  # noqa: S608 (our own words only)
_BLANK_EVENTS = text(f"""
    UPDATE task_events SET data = data - 'message' - 'text'
    WHERE task_id IN {_FAMILY} AND jsonb_exists_any(data, '{{message,text}}')
""")  # noqa: S608 (the same)
_FORGET_ITEMS = text("DELETE FROM task_items WHERE task_id = :id")
# An answer to an Idempotency-Key shows the parameters too; whoever asks again with the key is told that it is deleted.
_FORGET_ANSWERS = text(f"""
    UPDATE idempotency_keys SET response = jsonb_build_object('task_id', response -> 'task_id')
    WHERE user_id = :user AND response ->> 'task_id' IN (SELECT id::text FROM {_FAMILY} AS family(id))
""")  # noqa: S608 (the same)
_BURY = text(f"""
    UPDATE tasks SET deleted_at = clock_timestamp(), parameters = '{{}}', error_message = NULL, error_detail = NULL,
        inputs = coalesce((
            SELECT jsonb_object_agg(name, (
                SELECT coalesce(jsonb_agg(jsonb_build_object('size', file -> 'size')), '[]')
                FROM jsonb_array_elements(files) AS file))
            FROM jsonb_each(inputs) AS role(name, files)), '{{}}')
    WHERE id IN {_FAMILY}
""")  # noqa: S608 (the same)


def delete(session: Session, task_id: uuid.UUID, user_id: int) -> None:
    """Cancel the task where it has not ended, and take it and its children out of the customer's sight.

    Raises:
        TaskNotFound: there is none, it is deleted already, or it is another customer's.
        Conflict: it is a part of another task.
    """
    task = task_store.get(session, task_id, user_id, lock=True)
    if task.parent_id is not None:
        raise Conflict("The task is a part of another one; delete that.", parent_id=str(task.parent_id))
    if task.status not in TERMINAL:
        task_store.cancel(session, task_id, user_id)
    for statement in (_BLANK_STEPS, _BLANK_EVENTS, _FORGET_ITEMS, _FORGET_ANSWERS, _BURY):
        session.execute(statement, {"id": task_id, "user": user_id})
