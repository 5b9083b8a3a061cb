"""Where exports stand, so that one of several replicas does each, and all know whether it went well."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "exports",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("succeeded_at", TIME, nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_exports")),
    )


def downgrade() -> None:
    """Forget it; what was exported stays."""
    op.drop_table("exports")
