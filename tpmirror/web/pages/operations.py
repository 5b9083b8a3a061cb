"""Operations: how long jobs take, how often they fail, how good the ETA is, what takes space upstream."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.web import charts, templating
from tpmirror.web.cache import remembered, rows

WINDOWS: Final = ("30", "7", "90")
"""Windows in days that the page offers; the first is the default."""
LARGEST: Final = 25
"""Outputs on the list of what takes space."""


def page(request: Request) -> Response:
    """``/operations``; ``days`` is the window back from now."""
    days = int(templating.choice(request, "days", WINDOWS, WINDOWS[0]))
    today = datetime.now(UTC).date()
    since = today - timedelta(days=days - 1)
    with templating.snapshot(request) as conn:
        times = remembered(request, conn, ("times", since, today), lambda: _summed(conn, since, today))
        failures = remembered(request, conn, "failures", lambda: rows(conn, _failures()))
        eta = remembered(request, conn, "eta", lambda: rows(conn, _eta()))
        storage = remembered(request, conn, "storage", lambda: _storage(conn))
    return templating.page(
        request,
        "operations.html",
        days=days,
        windows=sorted(WINDOWS, key=int),
        **times,
        failures=_by_model(failures),
        failure_chart=_failure_chart(failures),
        eta=_pivot(eta),
        storage=storage,
    )


def _summed(conn: Connection, since: date, today: date) -> dict[str, Any]:
    """The chart and the table of how long jobs took."""
    times = _times(conn, since)
    return {"turnaround": _turnaround(times, charts.days(since, today)), "spreads": _spreads(times)}


def _times(conn: Connection, since: date) -> list[Row]:
    """Seconds of every job that finished since a day."""
    jobs = view("job_overview").c
    start = datetime(since.year, since.month, since.day, tzinfo=UTC)
    columns = (jobs.day, jobs.resolution, jobs.queue_s, jobs.processing_s, jobs.turnaround_s)
    return rows(conn, select(*columns).where(jobs.finished >= start, jobs.status_name == "Finished"))


def _turnaround(times: list[Row], days: list[date]) -> dict[str, Any]:
    """Median and 90th percentile of minutes from start to finish, by day."""
    of_day: dict[date, list[float]] = {}
    for row in times:
        if row["turnaround_s"] is not None:
            of_day.setdefault(row["day"], []).append(row["turnaround_s"] / 60)
    series = [
        {"name": name, "values": [charts.percentile(of_day.get(day, []), share) for day in days]}
        for name, share in (("median, minutes", 0.5), ("p90, minutes", 0.9))
    ]
    return {
        "kind": "lines",
        "step": "day",
        "x": [charts.epoch(day) for day in days] if times else [],
        "series": series,
    }


def _spreads(times: list[Row]) -> list[Row]:
    """Percentiles of each phase: of all jobs, then by resolution."""
    groups: dict[str, list[Row]] = {"all": times}
    for row in times:
        groups.setdefault(row["resolution"] or "none stated", []).append(row)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    phases = ("queue", "processing", "turnaround")
    return [{"name": name, **{phase: charts.spread(group, f"{phase}_s") for phase in phases}} for name, group in ranked]


def _failures() -> Any:
    """Jobs that ended, by month, model and how; a job with two models counts for each, as in the view."""
    rates = view("failure_rates").c
    sums = [func.sum(rates[name]).label(name) for name in ("jobs", "finished", "failures", "cancellations")]
    return select(rates.month, rates.model, *sums).group_by(rates.month, rates.model).order_by(rates.month)


def _by_model(failures: list[Row]) -> list[Row]:
    """Sums over all months, by model, the most failures first."""
    found: dict[str, Row] = {}
    kinds = ("jobs", "finished", "failures", "cancellations")
    for row in failures:
        of_model = found.setdefault(row["model"] or "none", {"model": row["model"], **dict.fromkeys(kinds, 0)})
        for kind in kinds:
            of_model[kind] += int(row[kind])
    ended = [{**row, "rate": _rate(row)} for row in found.values()]
    return sorted(ended, key=lambda row: (-(row["rate"] or 0), str(row["model"])))


def _rate(row: Row) -> float | None:
    ended = row["finished"] + row["failures"] + row["cancellations"]
    return row["failures"] / ended if ended else None


def _failure_chart(failures: list[Row]) -> dict[str, Any]:
    """Failed and canceled jobs by month, in per cent of those that ended."""
    found: dict[str, Row] = {}
    for row in failures:
        of_month = found.setdefault(row["month"], {"finished": 0, "failures": 0, "cancellations": 0})
        for kind in of_month:
            of_month[kind] += int(row[kind])
    names = charts.months(min(found), max(found)) if found else []
    series = [
        {"name": name, "values": [_share(found.get(month), kind) for month in names]}
        for name, kind in (("failed, %", "failures"), ("canceled, %", "cancellations"))
    ]
    return {"kind": "lines", "step": "month", "x": [charts.epoch(month) for month in names], "series": series}


def _share(ended: Row | None, kind: str) -> float | None:
    """One kind of end in per cent of all."""
    whole = sum(ended.values()) if ended else 0
    return 100 * ended[kind] / whole if ended and whole else None


def _eta() -> Any:
    accuracy = view("eta_accuracy")
    return select(accuracy).order_by(accuracy.c.model, accuracy.c.progress_from)


def _pivot(eta: list[Row]) -> list[Row]:
    """A model each, with its mean absolute error at every tenth of progress."""
    found: dict[Any, Row] = {}
    for row in eta:
        of_model = found.setdefault(row["ml_model_id"], {"model": row["model"], "samples": 0, "errors": {}})
        of_model["samples"] += row["samples"]
        of_model["errors"][row["progress_from"]] = row["mean_abs_error_s"]
    return sorted(found.values(), key=lambda row: -row["samples"])


def _storage(conn: Connection) -> dict[str, Any]:
    """The largest outputs that still take space upstream, and how much all of them take."""
    usage = view("storage_usage")
    whole = (func.sum(usage.c.size).over().label("total"), func.count().over().label("count"))
    found = rows(conn, select(usage, *whole).order_by(usage.c.size.desc(), usage.c.output_video_id).limit(LARGEST))
    total, count = (int(found[0]["total"]), found[0]["count"]) if found else (0, 0)
    return {"largest": found, "total": total, "count": count}
