"""Status changes, field changes and progress samples, with the time of each observation; sums of these."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, Table, Text, UniqueConstraint

from tpmirror.db.schema.declaration import metadata, own
from tpmirror.db.types import Double, Id, Timestamp

job_status_history = Table(
    "job_status_history",
    metadata,
    own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    own("seq", Integer, "number of the change within the job, from 1", primary_key=True, autoincrement=False),
    own("from_status", SmallInteger, "status before; null in the first row", nullable=True),
    own("to_status", SmallInteger, "status after"),
    own("not_before", Timestamp, "when the mirror last saw the old status (UTC); null in the first row", nullable=True),
    own("observed_at", Timestamp, "when the mirror saw the new status (UTC)"),
    own("occurred_at", Timestamp, "the moment upstream states for it (UTC), else null", nullable=True),
    own("sync_run_id", Id, "run that saw it", ForeignKey("sync_runs.id")),
    own("row_hash", Text, "SHA-256 of the previous entry's hash and this row, hex"),
    own("entry", BigInteger, "place in the hash chain, from 1, no gaps"),
    UniqueConstraint("entry"),
    # Serves reports over time.
    Index(None, "observed_at"),
    # Serves the check whether a run may be removed.
    Index(None, "sync_run_id"),
    comment="one row per status change that the API showed; append-only",
)

field_changes = Table(
    "field_changes",
    metadata,
    own("id", Id, "number of the change", primary_key=True),
    own("entity", Text, "job, input_video, output_video or ml_model"),
    own("entity_id", BigInteger, "id of that entity"),
    own("field", Text, "column, or ml_models for a job's list of models"),
    own("old_value", Text, "value before, as text; null if there was none", nullable=True),
    own("new_value", Text, "value after, as text; null if there is none", nullable=True),
    own("observed_at", Timestamp, "when the mirror saw the new value (UTC)"),
    own("sync_run_id", Id, "run that saw it; null for what an operator did", ForeignKey("sync_runs.id"), nullable=True),
    # Serves the history of one entity.
    Index(None, "entity", "entity_id"),
    # Serves the check whether a run may be removed.
    Index(None, "sync_run_id"),
    comment="every change after the first sighting of every column that is not volatile; append-only",
)

job_progress_samples = Table(
    "job_progress_samples",
    metadata,
    own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    own("observed_at", Timestamp, "when the mirror saw it (UTC)", primary_key=True),
    own("processing_progress", Double, "ratio from 0 to 1", nullable=True),
    own("eta_s", Double, "estimated seconds to the end", nullable=True),
    # Serves the removal of old samples.
    Index(None, "observed_at"),
    comment="progress and ETA while processing; old samples are removed",
)

eta_errors = Table(
    "eta_errors",
    metadata,
    own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    own("progress_from", Integer, "progress in percent, lower end of the tenth", primary_key=True, autoincrement=False),
    own("samples", Integer, "samples"),
    own("error_s", Double, "sum of predicted minus true seconds left"),
    own("abs_error_s", Double, "sum of its absolute values"),
    own("relative_error", Double, "sum of the absolute errors by the true seconds left"),
    comment="how far off the ETA of a finished job was, per tenth of progress; stays when its samples are removed",
)
