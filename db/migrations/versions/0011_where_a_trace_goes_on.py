"""where a task's trace goes on: W3C's traceparent of its submit, null where nothing was traced

A column that may be null changes no row; a release that does not know it leaves it null.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("traceparent", sa.String()), if_not_exists=True)


def downgrade() -> None:
    op.drop_column("tasks", "traceparent")
