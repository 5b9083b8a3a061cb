"""Job: everything that the mirror knows of one job."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.store import queries
from tpmirror.web import templating
from tpmirror.web.cache import rows
from tpmirror.web.timeline import timeline

ASKED_FOR: Final = {
    "codec": "Codec",
    "grain": "Grain",
    "comparison": "Comparison",
    "stabilization_smoothing": "Stabilization smoothing",
    "fps_interpolation_factor": "Frame rate times",
    "playback_speed": "Playback speed",
    "sharpen_strength": "Sharpening",
    "start_frame": "From frame",
    "end_frame": "To frame",
}
"""Columns of a job that say what its submitter chose, with their names for people."""


def page(request: Request) -> Response:
    """``/jobs/ID``."""
    templating.check_parameters(request)
    with templating.snapshot(request) as conn:
        context = _known(request, conn)
        job = context["job"]
        context["charts"] = _charts(_samples(conn, job["id"]), job["finished"])
        context["siblings"] = queries.count_of_input(conn, job["input_video_id"])
    videos = {each["kind"]: {one["name"]: one["value"] for one in each["fields"]} for each in context["videos"]}
    return templating.page(
        request,
        "job.html",
        fields_of_job=queries.fields_of(job, list(schema.jobs.columns)),
        before=videos.get("input", {}),
        after=videos.get("output", {}),
        asked_for={name: job[column] for column, name in ASKED_FOR.items() if job[column] not in {None, ""}},
        api_url=f"{request.app.state.settings.api_url}/api/jobs/{job['id']}/",
        **context,
    )


def live(request: Request) -> Response:
    """``/jobs/ID/live``: the part of the page that changes while the job is in flight."""
    with templating.snapshot(request) as conn:
        context = _known(request, conn)
    return templating.page(request, "job_live.html", **context)


def _known(request: Request, conn: Connection) -> dict[str, Any]:
    """The job, its details, prices and timeline. Raises HTTPException 404."""
    job_id = request.path_params["job_id"]
    job = queries.job(conn, job_id) if job_id < 2**63 else None
    if job is None:
        raise HTTPException(404, f"The mirror has no job {job_id}.")
    details = queries.job_details(conn, job)
    shown, prices = details["shown"], templating.prices(request, conn)
    return {
        **details,
        "job": job,
        "worth": prices.worth(shown["credits"], shown["month"]),
        "models": [{**row, **prices.worth(row["credits"], shown["month"])} for row in details["models"]],
        "timeline": timeline(shown, details["transitions"], datetime.now(UTC)),
        "is_in_flight": not shown["is_terminal"] and job["presence"] != "gone",
    }


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
    lines = {"kind": "lines", "step": "second", "x": at}
    return {
        "progress": {**lines, "max": 100, "series": [{"name": "progress, %", "values": progress}]},
        "eta": {**lines, "format": "duration", "series": left},
    }
