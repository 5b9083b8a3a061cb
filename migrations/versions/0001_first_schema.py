"""The first schema.

Written out in full and never changed again; ``tpmirror/schema`` says what it looks like today. Comments, labels,
views and the data dictionary are not here: they are rebuilt from the declaration after each upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE = sa.Double().with_variant(sa.Float(), "sqlite")
MONEY = sa.Numeric(10, 4).with_variant(sa.Float(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")

APPEND_ONLY = {"job_status_history": (("job_id", "seq"), ("entry",)), "field_changes": (("id",),)}
"""Tables whose rows stay as they are, with every unique key: REPLACE could remove a row through any of them."""


def upgrade() -> None:
    """Create every table, and the triggers that keep history append-only."""
    create_tables()
    for table, keys in APPEND_ONLY.items():
        (guard_on_sqlite if op.get_bind().dialect.name == "sqlite" else guard_on_postgresql)(table, keys)
    # The lease starts free; the row is there from the start, so two first writers contend for it and not for its key.
    op.execute(
        "INSERT INTO writer_lease (scope, epoch, holder, expires_at) "
        "VALUES ('mirror', 0, '', '1970-01-01 00:00:00.000000+00:00')"
    )


def downgrade() -> None:
    """Drop everything: the mirror and its history are gone."""
    op.drop_table("job_status_history")
    op.drop_table("job_progress_samples")
    op.drop_table("job_ml_models")
    op.drop_table("job_absences")
    op.drop_table("quarantined_jobs")
    op.drop_table("jobs")
    op.drop_table("field_changes")
    op.drop_table("writer_lease")
    op.drop_table("sync_runs")
    op.drop_table("output_videos")
    op.drop_table("output_resolutions")
    op.drop_table("ml_tasks")
    op.drop_table("ml_models")
    op.drop_table("mirror_scope")
    op.drop_table("job_statuses")
    op.drop_table("input_videos")
    op.drop_table("data_dictionary")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tpmirror_refuse_change()")


def guard_on_sqlite(table: str, keys: tuple[tuple[str, ...], ...]) -> None:
    """Refuse UPDATE, DELETE and any INSERT over an existing row; by default REPLACE fires no DELETE trigger."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"
        for key in (*keys, ("rowid",))  # the row's hidden number is a key as well
    )
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def guard_on_postgresql(table: str, _keys: tuple[tuple[str, ...], ...]) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE, also where session_replication_role would switch triggers off."""
    op.execute(
        "CREATE OR REPLACE FUNCTION tpmirror_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for name, when in (
        ("no_change", "UPDATE OR DELETE ON {} FOR EACH ROW"),
        ("no_truncate", "TRUNCATE ON {} FOR EACH STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE {when.format(table)} EXECUTE FUNCTION tpmirror_refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def create_tables() -> None:
    """Tables and indexes, in the order of their foreign keys."""
    op.create_table(
        "data_dictionary",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("api_path", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("table_name", "column_name", name=op.f("pk_data_dictionary")),
    )
    op.create_table(
        "input_videos",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("created_at", TIME, nullable=True),
        sa.Column("n_frames", sa.BigInteger(), nullable=True),
        sa.Column("framerate", DOUBLE, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("bitrate", sa.BigInteger(), nullable=True),
        sa.Column("codec_id", sa.Text(), nullable=True),
        sa.Column("bit_depth", sa.Integer(), nullable=True),
        sa.Column("chroma_subsampling", sa.Text(), nullable=True),
        sa.Column("color_space", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("external_url", sa.Text(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_input_videos")),
    )
    op.create_table(
        "job_statuses",
        sa.Column("code", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_terminal", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_job_statuses")),
    )
    op.create_table(
        "mirror_scope",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_mirror_scope")),
    )
    op.create_table(
        "ml_models",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("task", sa.Integer(), nullable=True),
        sa.Column("cost_weight", DOUBLE, nullable=True),
        sa.Column("upscale_factor", sa.Integer(), nullable=True),
        sa.Column("fps_boost_factor", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("max_resolution", sa.Integer(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ml_models")),
    )
    op.create_table(
        "ml_tasks",
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ml_tasks")),
    )
    op.create_table(
        "output_resolutions",
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_output_resolutions")),
    )
    op.create_table(
        "output_videos",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("preview_before", sa.Text(), nullable=True),
        sa.Column("preview_after", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("created_at", TIME, nullable=True),
        sa.Column("n_frames", sa.BigInteger(), nullable=True),
        sa.Column("framerate", DOUBLE, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.BigInteger(), nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("bitrate", sa.BigInteger(), nullable=True),
        sa.Column("codec_id", sa.Text(), nullable=True),
        sa.Column("bit_depth", sa.Integer(), nullable=True),
        sa.Column("chroma_subsampling", sa.Text(), nullable=True),
        sa.Column("color_space", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("deleted", TIME, nullable=True),
        sa.Column("quality_score", sa.Integer(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_output_videos")),
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("upstream_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_inserted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_updated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("transitions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("field_changes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_gone", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_returned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quarantined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("covered", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    op.create_table(
        "writer_lease",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_writer_lease")),
    )
    op.create_table(
        "field_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("old_value", sa.Text(), nullable=True),
        sa.Column("new_value", sa.Text(), nullable=True),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("sync_run_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["sync_run_id"], ["sync_runs.id"], name=op.f("fk_field_changes_sync_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_changes")),
    )
    op.create_index(op.f("ix_field_changes_entity_entity_id"), "field_changes", ["entity", "entity_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("preview", sa.Boolean(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("cost_usd", MONEY, nullable=True),
        sa.Column("eta_s", DOUBLE, nullable=True),
        sa.Column("processing_progress", DOUBLE, nullable=True),
        sa.Column("started", TIME, nullable=True),
        sa.Column("finished", TIME, nullable=True),
        sa.Column("input_video_id", ID, nullable=True),
        sa.Column("output_video_id", ID, nullable=True),
        sa.Column("grain", DOUBLE, nullable=True),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("output_resolution", sa.Integer(), nullable=True),
        sa.Column("comparison", sa.Boolean(), nullable=True),
        sa.Column("stabilization_smoothing", sa.Integer(), nullable=True),
        sa.Column("fps_interpolation_factor", DOUBLE, nullable=True),
        sa.Column("playback_speed", DOUBLE, nullable=True),
        sa.Column("sharpen_strength", DOUBLE, nullable=True),
        sa.Column("start_frame", sa.BigInteger(), nullable=True),
        sa.Column("end_frame", sa.BigInteger(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("gone_at", TIME, nullable=True),
        sa.Column("input_video_detached_at", TIME, nullable=True),
        sa.Column("output_video_detached_at", TIME, nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["input_video_id"], ["input_videos.id"], name=op.f("fk_jobs_input_video_id")),
        sa.ForeignKeyConstraint(["output_video_id"], ["output_videos.id"], name=op.f("fk_jobs_output_video_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_finished"), "jobs", ["finished"], unique=False)
    op.create_index(op.f("ix_jobs_input_video_id"), "jobs", ["input_video_id"], unique=False)
    op.create_index(op.f("ix_jobs_output_video_id"), "jobs", ["output_video_id"], unique=False)
    op.create_index(op.f("ix_jobs_presence"), "jobs", ["presence"], unique=False)
    op.create_index(op.f("ix_jobs_started"), "jobs", ["started"], unique=False)
    op.create_index(op.f("ix_jobs_status"), "jobs", ["status"], unique=False)
    op.create_table(
        "quarantined_jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("sync_run_id", ID, nullable=False),
        sa.Column("resolved_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["sync_run_id"], ["sync_runs.id"], name=op.f("fk_quarantined_jobs_sync_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_jobs")),
    )
    op.create_index(op.f("ix_quarantined_jobs_job_id"), "quarantined_jobs", ["job_id"], unique=False)
    op.create_table(
        "job_absences",
        sa.Column("job_id", ID, autoincrement=False, nullable=False),
        sa.Column("absent_since", TIME, nullable=False),
        sa.Column("looked_up_at", TIME, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_absences_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_absences")),
    )
    op.create_table(
        "job_ml_models",
        sa.Column("job_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ml_model_id", ID, nullable=False),
        sa.Column("cost_weight", DOUBLE, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_ml_models_job_id")),
        sa.ForeignKeyConstraint(["ml_model_id"], ["ml_models.id"], name=op.f("fk_job_ml_models_ml_model_id")),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_job_ml_models")),
    )
    op.create_index(
        op.f("ix_job_ml_models_ml_model_id_job_id"), "job_ml_models", ["ml_model_id", "job_id"], unique=False
    )
    op.create_table(
        "job_progress_samples",
        sa.Column("job_id", ID, autoincrement=False, nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("processing_progress", DOUBLE, nullable=True),
        sa.Column("eta_s", DOUBLE, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_progress_samples_job_id")),
        sa.PrimaryKeyConstraint("job_id", "observed_at", name=op.f("pk_job_progress_samples")),
    )
    op.create_index(op.f("ix_job_progress_samples_observed_at"), "job_progress_samples", ["observed_at"], unique=False)
    op.create_table(
        "job_status_history",
        sa.Column("job_id", ID, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_status", sa.SmallInteger(), nullable=True),
        sa.Column("to_status", sa.SmallInteger(), nullable=False),
        sa.Column("not_before", TIME, nullable=True),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("occurred_at", TIME, nullable=True),
        sa.Column("sync_run_id", ID, nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_status_history_job_id")),
        sa.ForeignKeyConstraint(["sync_run_id"], ["sync_runs.id"], name=op.f("fk_job_status_history_sync_run_id")),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_job_status_history")),
        sa.UniqueConstraint("entry", name=op.f("uq_job_status_history_entry")),
    )
    op.create_index(op.f("ix_job_status_history_observed_at"), "job_status_history", ["observed_at"], unique=False)
