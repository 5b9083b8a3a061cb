"""Overview: the account and the mirror at a glance, each figure a link to the jobs behind it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import add_months
from tpmirror.reports import forecast
from tpmirror.reports.model import within
from tpmirror.reports.period import Period
from tpmirror.reports.turnaround import START_TO_END, lengths, summarise, whole_lengths
from tpmirror.store import queries
from tpmirror.store.prices import Prices
from tpmirror.web import charts, status, templating
from tpmirror.web.cache import remembered, rows

DAYS: Final = 60
"""Days on the chart of jobs: the ``TREND_DAYS`` of the tiles, and as many before, for comparison."""
TREND_DAYS: Final = 30
"""Days over which times and failures are summed up."""
SHOWN: Final = 25
"""Most jobs in flight on the page, the longest waiting ones."""
ENDS: Final = {name: charts.STATUSES[name] for name in ("Finished", "Failed", "Canceled")}
"""How a job can end, with its colour."""
DAY: Final = timedelta(days=1)


def page(request: Request) -> Response:
    """``/``."""
    templating.check_parameters(request)
    now = datetime.now(UTC)
    today, budget = now.date(), request.app.state.settings.budget_monthly
    with templating.snapshot(request) as conn:
        context = _live(request, conn, now)
        context |= remembered(request, conn, ("overview", today), lambda: _history(conn, today))
        prices = templating.prices(request, conn)
    context["worth"] = _worth(prices, context["credits"], today)
    context["money"] = _linked(request, _money(context.pop("spent"), today, context["credits"]["forecast"], budget))
    context["chart"] = _linked(request, context["chart"])
    return templating.page(request, "overview.html", budget=budget, today=today, **context)


def live(request: Request) -> Response:
    """``/live``: the part of the page that changes by the second."""
    templating.check_parameters(request)
    with templating.snapshot(request) as conn:
        context = _live(request, conn, datetime.now(UTC))
    return templating.page(request, "live.html", **context)


def _live(request: Request, conn: Connection, now: datetime) -> dict[str, Any]:
    """The state of the mirror, and the jobs in flight."""
    return {**status.state(request, conn, now), "flight": queries.in_flight(conn, SHOWN)}


def _history(conn: Connection, today: date) -> dict[str, Any]:
    """The figures that change with the mirror's content alone, so that the cache may hold them."""
    since, trend = today - (DAYS - 1) * DAY, today - (TREND_DAYS - 1) * DAY
    ended, spent = _ended(conn, since), _spent(conn, today)
    times = _by_measure(lengths(conn, Period(trend)))
    earlier = _by_measure(whole_lengths(conn, Period(since, trend)))
    return {
        "spent": spent,
        "credits": _credits(spent, today),
        "times": {measure: (row, earlier.get(measure)) for measure, row in times.items()},
        "measures": {"queue": "In the queue", "processing": "Processing", START_TO_END: "Start to finish"},
        "chart": charts.stacked(ended, charts.days(since, today), "day", ENDS),
        "totals": _totals(row for row in ended if row["period"] >= trend),
        "before": _totals(row for row in ended if row["period"] < trend),
        "window": TREND_DAYS,
        "first": trend,
    }


def _by_measure(took: Iterable[Row]) -> dict[str, Row]:
    """Percentiles of durations by measure."""
    return {row["measure"]: row for row in summarise(took, "all")}


def _ended(conn: Connection, since: date) -> list[Row]:
    """Jobs that ended, by day and status."""
    table = view("job_overview")
    jobs = table.c
    wanted = (
        select(jobs.day.label("period"), jobs.status_name.label("name"), func.count().label("amount"))
        .where(*within(table, Period(since)), jobs.status_name.in_(ENDS))
        .group_by(jobs.day, jobs.status_name)
    )
    return rows(conn, wanted)


def _totals(ended: Iterable[Row]) -> dict[str, Any]:
    """The number of jobs by outcome, and the share that failed."""
    found = dict.fromkeys(ENDS, 0)
    for row in ended:
        found[row["name"]] += row["amount"]
    whole = sum(found.values())
    return {**found, "failure_rate": found["Failed"] / whole if whole else None}


def _worth(prices: Prices, credits_: dict[str, Decimal], today: date) -> dict[str, Row]:
    """Credits of this month, the last and the forecast in money; empty if no price is known."""
    months = {"this": today, "last": add_months(today, -1), "forecast": today}
    return {name: prices.worth(credits_[name], month) for name, month in months.items()} if prices else {}


def _spent(conn: Connection, today: date) -> dict[date, Decimal]:
    """Credits by day, of this month and the last, and of the days that the forecast averages."""
    since = min(add_months(today, -1), today - timedelta(days=forecast.RUN_RATE_DAYS))
    costs = view("daily_costs").c
    return {
        row["day"]: row["credits"] for row in rows(conn, select(costs.day, costs.credits).where(costs.day >= since))
    }


def _credits(spent: Mapping[date, Decimal], today: date) -> dict[str, Any]:
    """Credits of this month, of the last one (whole, and up to the same day), and the forecast for this month."""
    first, before = add_months(today, 0), add_months(today, -1)

    def total(start: date, end: date) -> Decimal:
        return sum((amount for day, amount in spent.items() if start <= day < end), Decimal(0))

    return {
        "first": first,
        "before": before,
        "this": total(first, today + DAY),
        "last": total(before, first),
        "last_so_far": total(before, min(first, before + today.day * DAY)),
        "forecast": forecast.expected(spent, forecast.run_rate, today),
    }


def _money(spent: Mapping[date, Decimal], today: date, expected: Decimal, budget: float | None) -> dict[str, Any]:
    """A chart of cumulative Credits: this month's, their forecast to its end, the last month's, and the budget."""
    first, before = add_months(today, 0), add_months(today, -1)
    days = charts.days(first, add_months(today, 1) - DAY)
    last = _adding_up(spent, [day for n in range(len(days)) if (day := before + n * DAY) < first])
    this = _adding_up(spent, charts.days(first, today))
    ahead = len(days) - len(this)
    rate = (expected - this[-1]) / ahead if ahead else Decimal(0)
    line = [None] * (len(this) - 1) + [this[-1] + n * rate for n in range(ahead + 1)]
    series: list[dict[str, Any]] = [
        {"name": "this month", "values": this + [None] * ahead, "colour": 0},
        {"name": "forecast", "values": line, "colour": 0, "dashed": True},
        {"name": "last month", "values": last + [None] * (len(days) - len(last)), "colour": 8},
    ]
    if budget:
        series.append({"name": "budget", "values": [budget] * len(days), "colour": 7, "dashed": True})
    return charts.lines("day", days, series) | {"unit": "Credits"}


def _adding_up(spent: Mapping[date, Decimal], days: Sequence[date]) -> list[Any]:
    """Cumulative Credits from the first of ``days`` to each of them."""
    return list(accumulate(spent.get(day, Decimal(0)) for day in days))


def _linked(request: Request, chart: dict[str, Any]) -> dict[str, Any]:
    """A chart of days with a link for each of them, to the jobs that count on it."""
    days = [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in chart["x"]]
    begins = templating.prefix(request)
    return {**chart, "labels": days, "links": [f"{begins}/jobs?from={day}&to={day}&sort=-credits" for day in days]}
