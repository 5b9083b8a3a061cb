"""The quarantine names fields and what an operator accepted; the data dictionary how triggers and views are defined.

Several open rows of a job become one: the newest payload, seen since the first of them. The others are resolved.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add the columns and the table, and merge open rows of one job."""
    op.add_column("quarantined_jobs", sa.Column("field", sa.Text(), nullable=True))
    op.add_column("quarantined_jobs", sa.Column("fault", sa.Text(), nullable=True))
    op.add_column("quarantined_jobs", sa.Column("accepted_at", TIME, nullable=True))
    op.add_column("data_dictionary", sa.Column("definition", sa.Text(), nullable=True))
    op.create_table(
        "accepted_faults",
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("field", "fault", name=op.f("pk_accepted_faults")),
    )
    newest = (
        "(SELECT n.id FROM quarantined_jobs AS n WHERE n.job_id = q.job_id AND n.resolved_at IS NULL "
        "ORDER BY n.last_seen_at DESC, n.id DESC LIMIT 1)"
    )
    first = (
        "(SELECT f.{} FROM quarantined_jobs AS f WHERE f.job_id = q.job_id AND f.resolved_at IS NULL "
        "ORDER BY f.first_seen_at, f.id LIMIT 1)"
    )
    is_open = "q.job_id IS NOT NULL AND q.resolved_at IS NULL"
    op.execute(
        f"UPDATE quarantined_jobs AS q SET first_seen_at = {first.format('first_seen_at')}, "
        f"sync_run_id = {first.format('sync_run_id')} WHERE {is_open} AND q.id = {newest}"
    )
    op.execute(f"UPDATE quarantined_jobs AS q SET resolved_at = q.last_seen_at WHERE {is_open} AND q.id <> {newest}")


def downgrade() -> None:
    """Drop what was added; merged rows stay merged."""
    op.drop_table("accepted_faults")
    op.drop_column("data_dictionary", "definition")
    op.drop_column("quarantined_jobs", "accepted_at")
    op.drop_column("quarantined_jobs", "fault")
    op.drop_column("quarantined_jobs", "field")
