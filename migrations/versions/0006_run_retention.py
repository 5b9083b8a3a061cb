"""Indexes for the removal of old polls, and so that no statement scans a year of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REFERRING = ("job_status_history", "field_changes", "quarantined_jobs")
IDLE = (
    "kind = 'poll' AND outcome <> 'running' AND jobs_inserted = 0 AND jobs_updated = 0 AND transitions = 0 "
    "AND field_changes = 0 AND jobs_gone = 0 AND jobs_returned = 0 AND quarantined = 0"
)
PARTIAL = {
    "idle": (["started_at"], IDLE),
    "covered": (["kind", "id"], "covered"),
    "proof": (["id"], "certificate IS NOT NULL"),
}
"""By name: the columns, and of which runs."""


def upgrade() -> None:
    """Create the indexes."""
    for table in REFERRING:
        op.create_index(op.f(f"ix_{table}_sync_run_id"), table, ["sync_run_id"])
    op.create_index(op.f("ix_sync_runs_outcome_id"), "sync_runs", ["outcome", "id"])
    for name, (columns, wanted) in PARTIAL.items():
        where = sa.text(wanted)
        op.create_index(op.f(f"ix_sync_runs_{name}"), "sync_runs", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    """Drop them; what was removed stays so."""
    for name in ("outcome_id", *PARTIAL):
        op.drop_index(op.f(f"ix_sync_runs_{name}"), "sync_runs")
    for table in REFERRING:
        op.drop_index(op.f(f"ix_{table}_sync_run_id"), table)
