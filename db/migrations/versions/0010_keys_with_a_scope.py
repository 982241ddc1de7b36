"""API keys with a scope and an end, sign-ins that can be ended, and tries to sign in counted by all processes

Columns with constant defaults rewrite no table; what an older release writes means what it meant: a key that may do
everything.
"""

import sqlalchemy as sa
from alembic import op

from db.online import add_check

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
CLOCK = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column(
        "api_keys", sa.Column("scope", sa.String(), server_default="manage", nullable=False), if_not_exists=True
    )
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True)), if_not_exists=True)
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True)), if_not_exists=True)
    op.add_column(
        "users",
        sa.Column("sign_in_generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("failures", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_at", sa.DateTime(timezone=True), server_default=CLOCK, nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=CLOCK, nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), server_default=sa.text("to_timestamp(0)"), nullable=False),
        sa.PrimaryKeyConstraint("who", name="pk_sign_in_tries"),
        postgresql_with={"fillfactor": 70},
        if_not_exists=True,
    )
    op.create_index("ix_sign_in_tries_tried_at", "sign_in_tries", ["tried_at"], if_not_exists=True)
    add_check("ck_api_keys_scope", "api_keys", "scope IN ('read', 'run', 'manage')")


def downgrade() -> None:
    op.drop_table("sign_in_tries")
    op.drop_column("users", "sign_in_generation")
    op.drop_column("api_keys", "last_used_at")
    op.drop_column("api_keys", "expires_at")
    op.drop_constraint("ck_api_keys_scope", "api_keys")
    op.drop_column("api_keys", "scope")
