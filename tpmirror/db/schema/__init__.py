"""Every table of the mirror, declared once: columns, types, comments, and where in the API each value comes from.

Derived from this declaration: normalization (``Column.info["api"]``), field changes (``volatile``), ``COMMENT ON``, the
table ``data_dictionary``, and the test that compares the migrations with it. Codes carry no CHECK: upstream's
enumerations grow. Only keys are enforced: a constraint on its other promises would reject a job that the API returned.
"""

from typing import Final

from tpmirror.db.labels import TERMINAL
from tpmirror.db.schema.codes import job_statuses, ml_tasks, output_resolutions
from tpmirror.db.schema.declaration import metadata
from tpmirror.db.schema.events import event_cursors, event_deliveries_dead
from tpmirror.db.schema.history import eta_errors, field_changes, job_progress_samples, job_status_history
from tpmirror.db.schema.mirror import (
    COVERED,
    IDLE,
    accepted_faults,
    alerts,
    credit_prices,
    data_dictionary,
    exports,
    job_absences,
    mirror_scope,
    quarantined_jobs,
    sync_runs,
    writer_lease,
)
from tpmirror.db.schema.upstream import input_videos, job_ml_models, jobs, ml_models, output_videos

__all__ = (
    "COVERED",
    "IDLE",
    "accepted_faults",
    "alerts",
    "credit_prices",
    "data_dictionary",
    "eta_errors",
    "event_cursors",
    "event_deliveries_dead",
    "exports",
    "field_changes",
    "input_videos",
    "job_absences",
    "job_ml_models",
    "job_progress_samples",
    "job_status_history",
    "job_statuses",
    "jobs",
    "metadata",
    "mirror_scope",
    "ml_models",
    "ml_tasks",
    "output_resolutions",
    "output_videos",
    "quarantined_jobs",
    "sync_runs",
    "writer_lease",
)

IN_FLIGHT: Final = jobs.c.status.not_in(TERMINAL)
"""Whether a job is not over: an unknown status counts as in flight."""
APPEND_ONLY: Final = (job_status_history, field_changes)
"""Tables whose rows are never changed nor removed: triggers refuse both."""
WORKING: Final = (accepted_faults, alerts, eta_errors, exports, job_absences, mirror_scope, writer_lease)
"""Tables that only the program itself relies on; neither exported nor promised."""
