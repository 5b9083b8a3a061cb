"""What a Credit costs in money, by month: months that are over keep their price when it changes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "credit_prices",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(10, 6).with_variant(sa.Float(), "sqlite"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_credit_prices")),
    )


def downgrade() -> None:
    """Forget the prices."""
    op.drop_table("credit_prices")
