"""How far off upstream's estimates of the time left were, by model and progress."""

from sqlalchemy import Connection, select

from tpmirror.db.views import view
from tpmirror.reports.model import Report, percent, plain, seconds


def eta(conn: Connection) -> Report:
    """The view ``eta_accuracy``, in order."""
    source = view("eta_accuracy")
    found = conn.execute(select(source).order_by(source.c.model, source.c.ml_model_id, source.c.progress_from))
    rows = [dict(row) for row in found.mappings()]
    columns = plain(model="model", progress_from="from %", jobs="jobs", samples="samples")
    columns |= seconds("mean_error_s", "mean error", signed=True) | seconds("mean_abs_error_s", "mean absolute")
    columns |= percent("mean_relative_error", "of time left")
    notes = [
        "mean error: predicted less true time left, above 0 the job was quicker than predicted.",
        "Samples are taken while jobs process, at each observation: poll often to have many.",
    ]
    return Report("ETA accuracy of finished jobs", columns, rows, notes)
