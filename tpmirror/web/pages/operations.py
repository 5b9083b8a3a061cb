"""Operations: how long jobs take, how often they fail, how good the ETA is, what takes space upstream."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.reports import failures
from tpmirror.reports.eta import eta
from tpmirror.reports.period import Period
from tpmirror.reports.storage import storage
from tpmirror.reports.turnaround import START_TO_END, lengths, summarise
from tpmirror.web import charts, templating
from tpmirror.web.cache import remembered

WINDOWS: Final = ("30", "7", "90")
"""Windows in days that the page offers; the first is the default."""
SHOWN: Final = 25
"""Outputs, and models that fail, on their lists; the command line lists all."""


def page(request: Request) -> Response:
    """``/operations``; ``days`` is the window back from now."""
    days = int(templating.choice(request, "days", WINDOWS, WINDOWS[0]))
    now = datetime.now(UTC)
    since = now.date() - timedelta(days=days - 1)
    with templating.snapshot(request) as conn:
        times = remembered(request, conn, ("times", since, now.date()), lambda: _times(conn, since, now.date()))
        failed = remembered(request, conn, "failures", lambda: failures.counts(conn, Period(), "month", "model"))
        accuracy = remembered(request, conn, ("eta", since), lambda: _pivot(eta(conn, Period(since)).rows))
        outputs = remembered(request, conn, "storage", lambda: _storage(conn, now))
    by_model = failures.tally(failed, "model")
    return templating.page(
        request,
        "operations.html",
        days=days,
        windows=sorted(WINDOWS, key=int),
        **times,
        failures=by_model[:SHOWN],
        more_failures=max(0, len(by_model) - SHOWN),
        failure_chart=_failure_chart(failures.tally(failed, "month")),
        eta=accuracy,
        storage=outputs,
    )


def _times(conn: Connection, since: date, today: date) -> dict[str, Any]:
    """The chart and the table of how long jobs took."""
    found = lengths(conn, Period(since), "day", "resolution")
    by_day = {row["day"]: row for row in summarise(found, "day") if row["measure"] == START_TO_END}
    spreads: dict[str, dict[str, Row]] = {}
    for row in summarise(found, "resolution"):
        spreads.setdefault(row["resolution"], {})[row["measure"]] = row
    ranked = sorted(spreads.items(), key=lambda item: -max(row["jobs"] for row in item[1].values()))
    whole = {row["measure"]: row for row in summarise(found, "all")}
    return {"turnaround": _turnaround(by_day, charts.days(since, today)), "spreads": [("all", whole), *ranked]}


def _turnaround(by_day: dict[str, Row], days: list[date]) -> dict[str, Any]:
    """Median and 90th percentile of minutes from start to finish, by day."""
    found = [by_day.get(str(day)) for day in days]
    series = [
        {"name": f"{name}, minutes", "values": [row and row[f"{share}_upper_s"] / 60 for row in found]}
        for name, share in (("median", "p50"), ("p90", "p90"))
    ]
    return charts.lines("day", days if by_day else [], series)


def _failure_chart(by_month: Sequence[Row]) -> dict[str, Any]:
    """Failed and canceled jobs by month, in per cent of those that ended."""
    found = {row["month"]: row for row in by_month if row["ended"]}
    months = charts.months(min(found), max(found)) if found else []
    series = [
        {"name": f"{name}, %", "values": [_percent(found.get(month), kind) for month in months]}
        for name, kind in (("failed", "failures"), ("canceled", "cancellations"))
    ]
    return charts.lines("month", months, series)


def _percent(of_month: Row | None, kind: str) -> float | None:
    """One kind of end in per cent of all."""
    return None if of_month is None else 100 * of_month[kind] / of_month["ended"]


def _pivot(found: Sequence[Row]) -> list[Row]:
    """A model each, with its mean absolute error at every tenth of progress."""
    models: dict[Any, Row] = {}
    for row in found:
        of_model = models.setdefault(row["ml_model_id"], {"model": row["model"], "samples": 0, "errors": {}})
        of_model["samples"] += row["samples"]
        of_model["errors"][row["progress_from"]] = row["mean_abs_error_s"]
    return sorted(models.values(), key=lambda row: -row["samples"])


def _storage(conn: Connection, now: datetime) -> dict[str, Any]:
    """The largest outputs that still take space upstream, and how much all of them take."""
    found = storage(conn, "output", now)
    return {"largest": found.rows[:SHOWN], **found.summary}
