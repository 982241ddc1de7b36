"""what an agent of ours computed is told by its memory: a small artifact of it lies in its row too"""

from db.online import build_index, drop_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NEWEST = ["agent_id", "finished_at DESC"]


def upgrade() -> None:
    computed = "status = 'DELIVERED' AND peak_memory_bytes IS NOT NULL"
    build_index("ix_task_steps_computed", "task_steps", NEWEST, where=computed)
    drop_index("ix_task_steps_delivered")


def downgrade() -> None:
    build_index("ix_task_steps_delivered", "task_steps", NEWEST, where="status = 'DELIVERED'")
    drop_index("ix_task_steps_computed")
