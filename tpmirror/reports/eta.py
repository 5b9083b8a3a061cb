"""How far off upstream's estimates of the time left were, by model and progress."""

from sqlalchemy import BigInteger, Connection, cast, func, select

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.model import Report, oldest, percent, plain, seconds
from tpmirror.reports.period import Period


def eta(conn: Connection, period: Period) -> Report:
    """The rows of the view ``eta_accuracy``, of jobs that finished in a period alone, in order."""
    columns = plain(model="model", progress_from="from %", jobs="jobs", samples="samples")
    columns |= seconds("mean_error_s", "mean error", signed=True) | seconds("mean_abs_error_s", "mean absolute")
    columns |= percent("mean_relative_error", "of time left")
    notes = [
        "mean error: predicted less true time left, above 0 the job was quicker than predicted.",
        "Samples are taken while jobs process, at each observation: poll often to have many.",
    ]
    return Report(f"ETA accuracy of finished jobs, {period}", columns, _accuracy(conn, period), notes)


def _accuracy(conn: Connection, period: Period) -> list[Row]:
    """The same from single jobs: the view ``eta_accuracy`` has no days to select by, and reads every sample."""
    source, links = view("job_eta_errors"), schema.job_ml_models.c
    errors, models = source.c, schema.ml_models.c
    # PostgreSQL reads all samples for those of a hundred jobs, but a range of their key by its index: the id besides.
    first = oldest(conn, period)
    used = select(links.job_id, links.ml_model_id).distinct().where(links.job_id >= first).subquery()
    samples = cast(func.sum(errors.samples), BigInteger)
    means = {name: func.sum(errors[name]) / samples for name in ("error_s", "abs_error_s", "relative_error")}
    seen = [errors.job_id >= first]
    seen += [] if period.first is None else [errors.finished >= start_of(period.first)]
    seen += [] if period.after is None else [errors.finished < start_of(period.after)]
    wanted = (
        select(models.id.label("ml_model_id"), models.name.label("model"), errors.progress_from)
        # A job has one row for each tenth: counting distinct ones would sort them all.
        .add_columns(func.count().label("jobs"), samples.label("samples"))
        .add_columns(*(mean.label(f"mean_{name}") for name, mean in means.items()))
        .join_from(source, used, used.c.job_id == errors.job_id)
        .join(schema.ml_models, models.id == used.c.ml_model_id)
        .where(*seen)
        .group_by(models.id, models.name, errors.progress_from)
        .order_by(models.name, models.id, errors.progress_from)
    )
    return [dict(row) for row in conn.execute(wanted).mappings()]
