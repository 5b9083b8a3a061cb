"""How far off the ETA of each finished job was, so that no report reads samples; those held so far are summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SUMS = """
INSERT INTO eta_errors (job_id, progress_from, samples, error_s, abs_error_s, relative_error)
SELECT job_id, tenth * 10, COUNT(*), SUM(eta_s) - SUM(left_s), SUM(ABS(eta_s - left_s)), SUM(ABS(eta_s / left_s - 1))
FROM (
  SELECT s.job_id, {tenth} AS tenth, s.eta_s, {left} AS left_s
  FROM job_progress_samples AS s
  JOIN jobs AS j ON j.id = s.job_id
  WHERE j.status = 2 AND j.finished > s.observed_at AND s.eta_s IS NOT NULL AND s.processing_progress IS NOT NULL
) AS looks
GROUP BY job_id, tenth
"""
SQL = {
    "sqlite": SUMS.format(
        tenth="CAST(MIN(9, MAX(0, s.processing_progress * 10)) AS integer)",
        left="86400 * (julianday(j.finished) - julianday(s.observed_at))",
    ),
    "postgresql": SUMS.format(
        tenth="CAST(FLOOR(LEAST(9, GREATEST(0, s.processing_progress * 10))) AS integer)",
        left="date_part('epoch', j.finished - s.observed_at)",
    ),
}


def upgrade() -> None:
    """Create the table and fill it."""
    op.create_table(
        "eta_errors",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("progress_from", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("error_s", sa.Double().with_variant(sa.Float(), "sqlite"), nullable=False),
        sa.Column("abs_error_s", sa.Double().with_variant(sa.Float(), "sqlite"), nullable=False),
        sa.Column("relative_error", sa.Double().with_variant(sa.Float(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_eta_errors_job_id")),
        sa.PrimaryKeyConstraint("job_id", "progress_from", name=op.f("pk_eta_errors")),
    )
    op.execute(SQL[op.get_bind().dialect.name])


def downgrade() -> None:
    """Forget the sums; the samples are there as before."""
    op.drop_table("eta_errors")
