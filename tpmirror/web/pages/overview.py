"""Overview: the account and the mirror at a glance."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import add_months
from tpmirror.reports import forecast
from tpmirror.reports.period import Period
from tpmirror.reports.turnaround import lengths, summarise
from tpmirror.store.prices import Prices
from tpmirror.web import charts, status, templating
from tpmirror.web.cache import remembered, rows

DAYS: Final = 60
"""Days on the chart."""
TREND_DAYS: Final = 30
"""Days over which times and failures are summed up."""
SHOWN: Final = 25
"""Jobs in flight on the page; the longest waiting."""
ENDS: Final = {"Finished": 0, "Failed": 7, "Canceled": 8}
"""How a job can end, with the colour of it."""


def page(request: Request) -> Response:
    """``/``."""
    now = datetime.now(UTC)
    today = now.date()
    with templating.snapshot(request) as conn:
        context = _live(conn, now, request.app.state.settings.sync_interval)
        context |= remembered(request, conn, ("overview", today), lambda: _history(conn, today))
        context["needs"] = status.needs(request, conn, context["health"])
        context["worth"] = _worth(templating.prices(request, conn), context["credits"], today)
    return templating.page(request, "overview.html", budget=request.app.state.settings.budget_monthly, **context)


def live(request: Request) -> Response:
    """``/live``: the part of the page that changes by the second."""
    with templating.snapshot(request) as conn:
        context = _live(conn, datetime.now(UTC), request.app.state.settings.sync_interval)
    return templating.page(request, "live.html", **context)


def _live(conn: Connection, now: datetime, interval: float) -> dict[str, Any]:
    """The state of the mirror, and the jobs in flight."""
    found = status.health(conn)
    active = rows(conn, select(view("active_jobs")).limit(SHOWN)) if found["in_flight"] else []
    return {"health": found, "sentence": status.sentence(found, now, interval), "active": active}


def _history(conn: Connection, today: date) -> dict[str, Any]:
    """What only changes with the content of the mirror."""
    since = today - timedelta(days=DAYS - 1)
    ended = _ended(conn, since)
    trend = today - timedelta(days=TREND_DAYS - 1)
    recent = [row for row in ended if row["period"] >= trend]
    totals = {name: sum(row["amount"] for row in recent if row["name"] == name) for name in ENDS}
    return {
        "credits": _credits(conn, today),
        "times": {row["measure"]: row for row in summarise(lengths(conn, Period(trend)), "all")},
        "chart": charts.stacked(ended, charts.days(since, today), "day", ENDS),
        "totals": totals,
        "failure_rate": totals["Failed"] / sum(totals.values()) if any(totals.values()) else None,
        "window": TREND_DAYS,
    }


def _ended(conn: Connection, since: date) -> list[Row]:
    """Jobs that ended, by day and status."""
    jobs = view("job_overview").c
    wanted = (
        select(jobs.day.label("period"), jobs.status_name.label("name"), func.count().label("amount"))
        .where(jobs.day >= since, jobs.status_name.in_(ENDS))
        .group_by(jobs.day, jobs.status_name)
    )
    return rows(conn, wanted)


def _worth(prices: Prices, credits_: dict[str, Decimal], today: date) -> dict[str, Row]:
    """What Credits of this month and the last are in money; empty if no price is known."""
    months = {"this": today, "last": add_months(today, -1), "forecast": today}
    return {name: prices.worth(credits_[name], month) for name, month in months.items()} if prices else {}


def _credits(conn: Connection, today: date) -> dict[str, Any]:
    """Credits of this month and the last, whole and up to the same day, and what this month comes to at this rate."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    since = min(before, today - timedelta(days=forecast.RUN_RATE_DAYS))
    costs = view("daily_costs").c
    spent = {
        row["day"]: row["credits"] for row in rows(conn, select(costs.day, costs.credits).where(costs.day >= since))
    }

    def total(start: date, end: date) -> Decimal:
        return sum((amount for day, amount in spent.items() if start <= day < end), Decimal(0))

    this = total(first, today + timedelta(days=1))
    return {
        "this": this,
        "last": total(before, first),
        "last_so_far": total(before, min(first, before + timedelta(days=today.day))),
        "forecast": forecast.expected(spent, forecast.run_rate, today),
    }
