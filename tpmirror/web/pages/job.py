"""Job: everything that the mirror knows of one job."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.types import Row
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
        details = queries.job_details(conn, job)
        shown, prices = details["shown"], templating.prices(request, conn)
        context: dict[str, Any] = {
            **details,
            "worth": prices.worth(shown["credits"], shown["month"]),
            "models": [{**row, **prices.worth(row["credits"], shown["month"])} for row in details["models"]],
            "charts": _charts(_samples(conn, job_id), job["finished"]),
        }
    fields = queries.fields_of(job, list(schema.jobs.columns))
    return templating.page(request, "job.html", job=job, fields_of_job=fields, **context)


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
