"""what was answered about a task is found by the task, when its customer deletes it"""

from db.online import build_index, drop_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("ix_idempotency_keys_of_task", "idempotency_keys", ["user_id", "(response ->> 'task_id')"])


def downgrade() -> None:
    drop_index("ix_idempotency_keys_of_task")
