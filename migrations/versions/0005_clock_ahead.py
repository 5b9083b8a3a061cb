"""How far this machine's clock was ahead of the API's, by run: moments of a wrong clock bound no later change."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; null in the rows of older runs, of which nobody knows it."""
    op.add_column("sync_runs", sa.Column("clock_ahead", sa.Double().with_variant(sa.Float(), "sqlite"), nullable=True))


def downgrade() -> None:
    """Forget how the clocks were."""
    op.drop_column("sync_runs", "clock_ahead")
