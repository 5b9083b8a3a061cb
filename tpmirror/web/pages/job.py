"""Job: everything that the mirror knows of one job."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.store import queries
from tpmirror.web import templating
from tpmirror.web.cache import rows


def page(request: Request) -> Response:
    """``/jobs/ID``."""
    job_id = request.path_params["job_id"]
    with templating.snapshot(request) as conn:
        job = queries.job(conn, job_id) if job_id < 2**63 else None
        if job is None:
            raise HTTPException(404, f"The mirror has no job {job_id}.")
        (shown,) = _where(conn, "job_overview_public", job_id)
        history = queries.job_history(conn, job)
        prices = templating.prices(request, conn)
        context: dict[str, Any] = {
            "transitions": _where(conn, "status_transitions", job_id, "seq"),
            "durations": _where(conn, "job_durations", job_id, "status"),
            "changes": history["field_changes"],
            "worth": prices.worth(shown["credits"], shown["month"]),
            "models": [{**row, **prices.worth(row["credits"], shown["month"])} for row in _models(conn, job_id)],
            "corrections": _where(conn, "cost_corrections", job_id, "field_change_id"),
            "videos": _videos(conn, job),
            "charts": _charts(_samples(conn, job_id), job["finished"]),
        }
    return templating.page(request, "job.html", job=job, shown=shown, fields_of_job=_fields(job), **context)


def _where(conn: Connection, name: str, job_id: int, order: str = "job_id") -> list[Row]:
    """The rows of a view that are about a job."""
    source = view(name)
    return rows(conn, select(source).where(source.c.job_id == job_id).order_by(source.c[order]))


def _fields(job: Row) -> list[dict[str, Any]]:
    """Every column of the job with what it means."""
    return [
        {"name": column.name, "value": job[column.name], "means": column.comment}
        for column in schema.jobs.columns
        if column.name != "fingerprint"
    ]


def _models(conn: Connection, job_id: int) -> list[Row]:
    """The job's models in the API's order, each with its share of the cost."""
    used, models, tasks, shares = schema.job_ml_models, schema.ml_models, schema.ml_tasks, view("job_model_costs")
    mine = select(shares.c.position, shares.c.credits).where(shares.c.job_id == job_id).subquery()
    wanted = (
        select(used.c.position, used.c.cost_weight, models.c.name, tasks.c.name.label("task"), mine.c.credits)
        .join(models, models.c.id == used.c.ml_model_id)
        .outerjoin(tasks, tasks.c.code == models.c.task)
        .outerjoin(mine, mine.c.position == used.c.position)
        .where(used.c.job_id == job_id)
        .order_by(used.c.position)
    )
    return rows(conn, wanted)


def _videos(conn: Connection, job: Row) -> list[dict[str, Any]]:
    """The job's videos with all their columns that the role may read, and what these mean."""
    found = []
    for kind, table in (("input", schema.input_videos), ("output", schema.output_videos)):
        video_id = job[f"{kind}_video_id"]
        columns = readable(conn, table)
        for row in rows(conn, select(*columns).where(table.c.id == video_id)) if video_id is not None else []:
            fields = [{"name": c.name, "value": row[c.name], "means": c.comment} for c in columns]
            found.append({"kind": kind, "fields": fields, "detached_at": job[f"{kind}_video_detached_at"]})
    return found


def _samples(conn: Connection, job_id: int) -> list[Row]:
    table = schema.job_progress_samples
    return rows(conn, select(table).where(table.c.job_id == job_id).order_by(table.c.observed_at))


def _charts(samples: list[Row], finished: datetime | None) -> dict[str, dict[str, Any]]:
    """Progress over time; and the API's ETA beside the actual time left, once the job has ended."""
    at = [row["observed_at"].timestamp() for row in samples]
    progress = [None if row["processing_progress"] is None else 100 * row["processing_progress"] for row in samples]
    left: list[dict[str, Any]] = [{"name": "ETA, seconds left", "values": [row["eta_s"] for row in samples]}]
    if finished is not None:
        truth = [max(0.0, finished.timestamp() - moment) for moment in at]
        left.append({"name": "actual seconds left", "values": truth, "dashed": True})
    return {
        "progress": {
            "kind": "lines",
            "step": "second",
            "x": at,
            "series": [{"name": "progress, %", "values": progress}],
        },
        "eta": {"kind": "lines", "step": "second", "x": at, "series": left},
    }
