"""How far off upstream's estimates of the time left were, by model and progress."""

from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, Text, cast, func, select

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.model import Report, oldest, percent, plain, seconds
from tpmirror.reports.period import Period

_ERRORS: Final = ("error_s", "abs_error_s", "relative_error")


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
    """The same from single jobs: the view ``eta_accuracy`` has no days to select by, and reads those of every job."""
    sums: dict[tuple[int, int], list[float]] = {}
    for row in conn.execute(_by_models(view("job_eta_errors").c, oldest(conn, period), period)):
        for model in row.models.split(","):
            mine = sums.setdefault((int(model), row.progress_from), [0, 0, 0.0, 0.0, 0.0])
            mine[:] = [before + more for before, more in zip(mine, row[2:], strict=True)]
    names = {row.id: row.name for row in conn.execute(select(schema.ml_models.c.id, schema.ml_models.c.name))}
    return [
        {
            "ml_model_id": model,
            "model": names[model],
            "progress_from": tenth,
            "jobs": jobs,
            "samples": samples,
            **{f"mean_{name}": total / samples for name, total in zip(_ERRORS, totals, strict=True)},
        }
        for (model, tenth), (jobs, samples, *totals) in sorted(
            sums.items(), key=lambda item: (names[item[0][0]] or "", item[0])
        )
    ]


def _by_models(errors: Any, first: int, period: Period) -> Select[Any]:
    """Jobs, samples and sums by tenth and list of models: SQLite would sort a job's rows once for each model.

    ``first``: the first job of the period. PostgreSQL reads all rows for those of a hundred jobs, but a range of their
    key by its index.
    """
    links = schema.job_ml_models.c
    used = select(links.job_id, links.ml_model_id).distinct().where(links.job_id >= first).subquery().c
    models = func.aggregate_strings(cast(used.ml_model_id, Text), ",").label("models")
    by_job = select(used.job_id, models).group_by(used.job_id).subquery()
    seen = [errors.job_id >= first]
    seen += [] if period.first is None else [errors.finished >= start_of(period.first)]
    seen += [] if period.after is None else [errors.finished < start_of(period.after)]
    # A job has one row for each tenth: each counts one job.
    totals = [func.count(), cast(func.sum(errors.samples), BigInteger), *(func.sum(errors[name]) for name in _ERRORS)]
    return (
        select(by_job.c.models, errors.progress_from, *totals)
        .join(by_job, by_job.c.job_id == errors.job_id)
        .where(*seen)
        .group_by(by_job.c.models, errors.progress_from)
    )
