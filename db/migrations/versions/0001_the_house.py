"""the house"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admission_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("v", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_admission_clock_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission_clock")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), server_default="customer", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("role IN ('customer', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "workers",
        sa.Column("boot_uuid", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("queues", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("tools", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("draining", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("boot_uuid", name=op.f("pk_workers")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "credit_wallets",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_credit_wallets_balance")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_credit_wallets_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credit_wallets")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("response", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id")),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "lanes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.REAL(), server_default=sa.text("1"), nullable=False),
        sa.Column("cap", sa.Integer(), server_default=sa.text("1000"), nullable=False),
        sa.Column("vtime", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("cap >= 0", name=op.f("ck_lanes_cap")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_lanes_weight")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lanes_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_lanes")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_refresh_tokens_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_family"), "refresh_tokens", ["family"], unique=False)
    op.create_index(op.f("ix_refresh_tokens_user_id"), "refresh_tokens", ["user_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("open_children", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_of", sa.Uuid(), nullable=True),
        sa.Column("tool_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="CREATED", nullable=False),
        sa.Column("agents", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column(
            "parameters", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("prices", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("celery_task_id", sa.Uuid(), nullable=True),
        sa.Column("queue", sa.String(), server_default="default", nullable=False),
        sa.Column("cost", sa.REAL(), server_default=sa.text("1"), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sort_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ring_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_seconds", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("hiccups", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("crashes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("losses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_event", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress", sa.REAL(), server_default=sa.text("0"), nullable=False),
        sa.Column("current_agent", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("next_action", sa.String(), nullable=True),
        sa.Column("error_detail", sa.String(), nullable=True),
        sa.Column("recoverable", sa.Boolean(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("manifest_key", sa.String(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('CREATED', 'QUEUED', 'PROCESSING', 'WAITING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')",
            name=op.f("ck_tasks_status"),
        ),
        sa.CheckConstraint("open_children >= 0", name=op.f("ck_tasks_open_children")),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_tasks_progress")),
        sa.ForeignKeyConstraint(["parent_id"], ["tasks.id"], name=op.f("fk_tasks_parent_id")),
        sa.ForeignKeyConstraint(["retry_of"], ["tasks.id"], name=op.f("fk_tasks_retry_of")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tasks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        postgresql_with={"fillfactor": 75},
    )
    op.create_index(
        "ix_tasks_busy",
        "tasks",
        ["queue", "user_id"],
        unique=False,
        postgresql_where=sa.text("status = 'PROCESSING' OR (status = 'QUEUED' AND admitted_at IS NOT NULL)"),
    )
    op.create_index(
        "ix_tasks_later",
        "tasks",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("status = 'QUEUED' AND not_before IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_never_started", "tasks", ["created_at"], unique=False, postgresql_where=sa.text("status = 'CREATED'")
    )
    op.create_index(
        "ix_tasks_of_parent", "tasks", ["parent_id"], unique=False, postgresql_where=sa.text("parent_id IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_of_user",
        "tasks",
        ["user_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_tasks_rung",
        "tasks",
        ["admitted_at"],
        unique=False,
        postgresql_where=sa.text("status = 'QUEUED' AND admitted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_running", "tasks", ["id"], unique=False, postgresql_where=sa.text("status = 'PROCESSING'")
    )
    op.create_index("ix_tasks_to_ring", "tasks", ["admitted_at"], unique=False, postgresql_where=sa.text("ring_wanted"))
    op.create_index(
        "ix_tasks_waiting",
        "tasks",
        ["queue", "user_id", "sort_at", "id"],
        unique=False,
        postgresql_include=["cost"],
        postgresql_where=sa.text("status = 'QUEUED' AND admitted_at IS NULL AND not_before IS NULL"),
    )
    op.create_table(
        "credit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(kind = 'GRANT') = (task_id IS NULL)", name=op.f("ck_credit_entries_grant_has_no_task")),
        sa.CheckConstraint("kind IN ('GRANT', 'HOLD', 'CAPTURE', 'RELEASE')", name=op.f("ck_credit_entries_kind")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_entries_amount")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_credit_entries_task_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_credit_entries_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entries")),
        sa.UniqueConstraint("task_id", "agent_id", "kind", name=op.f("uq_credit_entries_task_id_agent_id_kind")),
    )
    op.create_index(
        "ix_credit_entries_of_user", "credit_entries", ["user_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "task_events",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_events_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "seq", name=op.f("pk_task_events")),
    )
    op.create_table(
        "task_steps",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("artifact_key", sa.String(), nullable=True),
        sa.Column("artifact_size", sa.BigInteger(), nullable=True),
        sa.Column("artifact_sha256", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_steps_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "agent_id", name=op.f("pk_task_steps")),
    )
    op.execute("INSERT INTO admission_clock (id) VALUES (1)")


def downgrade() -> None:
    op.drop_table("task_steps")
    op.drop_table("task_events")
    op.drop_index("ix_credit_entries_of_user", table_name="credit_entries")
    op.drop_table("credit_entries")
    op.drop_index(
        "ix_tasks_waiting",
        table_name="tasks",
        postgresql_include=["cost"],
        postgresql_where=sa.text("status = 'QUEUED' AND admitted_at IS NULL AND not_before IS NULL"),
    )
    op.drop_index("ix_tasks_to_ring", table_name="tasks", postgresql_where=sa.text("ring_wanted"))
    op.drop_index("ix_tasks_running", table_name="tasks", postgresql_where=sa.text("status = 'PROCESSING'"))
    op.drop_index(
        "ix_tasks_rung", table_name="tasks", postgresql_where=sa.text("status = 'QUEUED' AND admitted_at IS NOT NULL")
    )
    op.drop_index("ix_tasks_of_user", table_name="tasks")
    op.drop_index("ix_tasks_of_parent", table_name="tasks", postgresql_where=sa.text("parent_id IS NOT NULL"))
    op.drop_index("ix_tasks_never_started", table_name="tasks", postgresql_where=sa.text("status = 'CREATED'"))
    op.drop_index(
        "ix_tasks_later", table_name="tasks", postgresql_where=sa.text("status = 'QUEUED' AND not_before IS NOT NULL")
    )
    op.drop_index(
        "ix_tasks_busy",
        table_name="tasks",
        postgresql_where=sa.text("status = 'PROCESSING' OR (status = 'QUEUED' AND admitted_at IS NOT NULL)"),
    )
    op.drop_table("tasks")
    op.drop_index(op.f("ix_refresh_tokens_user_id"), table_name="refresh_tokens")
    op.drop_index(op.f("ix_refresh_tokens_family"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("lanes")
    op.drop_table("idempotency_keys")
    op.drop_table("credit_wallets")
    op.drop_index(op.f("ix_api_keys_user_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("workers")
    op.drop_table("users")
    op.drop_table("admission_clock")
