"""Operations: turnaround, failures, the accuracy of the ETA and the storage of outputs, for any range of days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.reports import storage, turnaround
from tpmirror.reports.eta import eta
from tpmirror.reports.failures import failures
from tpmirror.reports.model import Report, partial
from tpmirror.reports.period import Period
from tpmirror.web import charts, ranges, templating
from tpmirror.web.cache import remembered
from tpmirror.web.pages.costs import BARS, colours_of
from tpmirror.web.tables import Table, table

SHOWN: Final = 25
"""Rows of a table on the page; the files have all."""
NO_JOB: Final = "No job ended in this time; choose more days."
EMPTY: Final = {
    "eta": "No job that finished in this time was seen while it processed: tpmirror run takes samples.",
    "storage": "No output of this time takes space upstream.",
}


def page(request: Request) -> Response:
    """``/operations``; ``from`` and ``to`` are days, as the reports take them."""
    templating.check_parameters(request, "from", "to")
    now = datetime.now(UTC)
    today = now.date()
    asked = ranges.asked(request, today, "30d")
    with templating.snapshot(request) as conn:
        found = _reports(request, conn, asked.period, now)
        colours = remembered(request, conn, ("colours", "model"), lambda: colours_of(conn, "model"))

    def shown(name: str, report: str, by: str = "", **options: Any) -> Table:
        command = (report, *(("--by", by) if by else ()), *asked.options)
        return table(found[name], *command, limit=SHOWN, **{"empty": EMPTY.get(report, NO_JOB), **options})

    return templating.page(
        request,
        "operations.html",
        state={"from": asked.start, "to": asked.end},
        days=asked,
        tenths=range(0, 100, 10),
        turnaround=_turnaround(found["days"], asked.period, today),
        whole=shown("all", "turnaround"),
        spreads=shown("resolution", "turnaround", "resolution"),
        failure_chart=_failures(found["month"], today),
        months=shown("month", "failures", "month"),
        models=shown("model", "failures", "model", colours=colours),
        eta=_pivot(found["eta"].rows),
        eta_notes=shown("eta", "eta"),
        colours=colours,
        ages=shown("age", "storage", "age"),
        outputs=shown("output", "storage", "output"),
    )


def _reports(request: Request, conn: Connection, period: Period, now: datetime) -> dict[str, Report]:
    """The reports of the page, as ``tpmirror report`` makes them."""
    today, prices = now.date(), templating.prices(request, conn)
    # Once for all reports that are made of them: reading takes the longest.
    took = cache(lambda: turnaround.lengths(conn, period, "day", "resolution"))
    outputs = cache(lambda: storage.stored(conn, now, period))
    work = {
        "days": lambda: turnaround.tabulated(took(), period, "day", today),
        "all": lambda: turnaround.tabulated(took(), period, "all", today),
        "resolution": lambda: turnaround.tabulated(took(), period, "resolution", today),
        "month": lambda: failures(conn, period, "month", today, prices),
        "model": lambda: failures(conn, period, "model", today, prices),
        "eta": lambda: eta(conn, period),
        "age": lambda: storage.tabulated(outputs(), "age", period),
        "output": lambda: _largest(storage.tabulated(outputs(), "output", period)),
    }
    return {
        name: remembered(request, conn, ("operations", name, period, today, prices), make)
        for name, make in work.items()
    }


def _turnaround(days: Report, period: Period, today: date) -> dict[str, Any]:
    """Median and 90th percentile of minutes from start to finish, by day, and the number of jobs."""
    by_day = {row["day"]: row for row in days.rows if row["measure"] == turnaround.START_TO_END}
    last = min(today, (period.after or date.max) - timedelta(days=1))
    first = period.first or min([last, *map(date.fromisoformat, by_day)])
    shown = charts.days(max(first, last - timedelta(days=BARS * 3 - 1)), last) if by_day and first <= last else []
    found = [by_day.get(str(day)) for day in shown]
    series = [
        {
            "name": f"{name}, minutes",
            "values": [row and row[f"{share}_upper_s"] / 60 for row in found],
            "colour": colour,
        }
        for name, share, colour in (("median", "p50", 0), ("p90", "p90", 1))
    ]
    series.append({"name": "jobs", "values": [row["jobs"] if row else 0 for row in found], "hidden": True})
    return {**charts.lines("day", shown, series), "empty": NO_JOB}


def _failures(months: Report, today: date) -> dict[str, Any]:
    """Failed and canceled jobs by month, in per cent of those that ended, and the number of these."""
    found = {row["month"]: row for row in months.rows if row["ended"]}
    keys: Sequence[str] = charts.months(min(found), max(found))[-BARS:] if found else []
    rows = [found.get(month) for month in keys]
    series: list[dict[str, Any]] = [
        {"name": f"{name}, %", "values": [_percent(row, kind) for row in rows], "colour": charts.STATUSES[status]}
        for name, kind, status in (("failed", "failures", "Failed"), ("canceled", "cancellations", "Canceled"))
    ]
    series.append({"name": "jobs that ended", "values": [row["ended"] if row else 0 for row in rows], "hidden": True})
    marks = ["" if row is None or row["complete"] else partial(row["month"], today) for row in rows]
    return {**charts.lines("month", keys, series), "labels": keys, "marks": marks, "empty": NO_JOB}


def _percent(of_month: Row | None, kind: str) -> float | None:
    """One outcome in per cent of the jobs that ended."""
    return None if of_month is None else 100 * of_month[kind] / of_month["ended"]


def _pivot(found: Sequence[Row]) -> list[Row]:
    """A row per model, with its mean absolute error at every tenth of progress."""
    models: dict[Any, Row] = {}
    for row in found:
        of_model = models.setdefault(row["ml_model_id"], {"model": row["model"], "jobs": 0, "samples": 0, "errors": {}})
        of_model["samples"] += row["samples"]
        of_model["jobs"] = max(of_model["jobs"], row["jobs"])
        of_model["errors"][row["progress_from"]] = row["mean_abs_error_s"]
    return sorted(models.values(), key=lambda row: -row["samples"])


def _largest(report: Report) -> Report:
    """The report with ``SHOWN`` rows: the cache would otherwise hold a row for every output."""
    return Report(report.title, report.columns, [*report.rows[:SHOWN]], report.notes, report.summary)
