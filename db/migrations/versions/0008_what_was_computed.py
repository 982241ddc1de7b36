"""what an agent of ours computed is told by its memory: a small artifact of it lies in its row too

It blocks checkpoints while it is built, about a second for a million. Who has many may build it before, under this
name and CONCURRENTLY.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index_steps("ix_task_steps_computed", "status = 'DELIVERED' AND peak_memory_bytes IS NOT NULL")
    op.drop_index("ix_task_steps_delivered", table_name="task_steps")


def downgrade() -> None:
    _index_steps("ix_task_steps_delivered", "status = 'DELIVERED' AND inline IS NULL")
    op.drop_index("ix_task_steps_computed", table_name="task_steps")


def _index_steps(name: str, which: str) -> None:
    newest = sa.text("finished_at DESC")
    op.create_index(name, "task_steps", ["agent_id", newest], postgresql_where=sa.text(which), if_not_exists=True)
