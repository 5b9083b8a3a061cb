"""How far each sink of events has come, and what could not be delivered to it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event_cursors",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_event_cursors")),
    )
    op.create_table(
        "event_deliveries_dead",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("failed_at", TIME, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("redelivered_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("sink", "entry", name=op.f("pk_event_deliveries_dead")),
    )


def downgrade() -> None:
    """Forget what was delivered."""
    op.drop_table("event_deliveries_dead")
    op.drop_table("event_cursors")
