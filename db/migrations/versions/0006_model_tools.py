"""model tools: items of a batch, tariffs, small artifacts in their rows, and what is remembered of models"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_items",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("calls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("millicredits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_items_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_task_items")),
    )
    op.create_table(
        "model_breakers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_model_breakers")),
    )
    op.create_table(
        "model_answers",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_model_answers")),
    )
    op.create_index(op.f("ix_model_answers_expires_at"), "model_answers", ["expires_at"], unique=False)
    tariffs = sa.Column("tariffs", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"))
    tariffs.nullable = False
    op.add_column("tasks", tariffs)
    for name in ("first_item", "items", "items_ok", "items_failed"):
        op.add_column("tasks", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("task_steps", sa.Column("inline", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("task_steps", "inline")
    for name in ("items_failed", "items_ok", "items", "first_item", "tariffs"):
        op.drop_column("tasks", name)
    op.drop_index(op.f("ix_model_answers_expires_at"), table_name="model_answers")
    for name in ("model_answers", "model_breakers", "task_items"):
        op.drop_table(name)
