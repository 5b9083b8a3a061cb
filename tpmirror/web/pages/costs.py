"""Costs: Credits per day or month by model or task, and the ledger with its corrections; all of it as files too."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Select, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import add_months
from tpmirror.reports import costs
from tpmirror.reports.period import Period
from tpmirror.store.prices import Prices
from tpmirror.web import charts, downloads, templating
from tpmirror.web.cache import remembered, rows

SPANS: Final = {"day": (30, 60, 90), "month": (12, 24, 60)}
"""How many periods may be asked for; the first is the default."""
BY: Final = ("model", "task")
CORRECTIONS: Final = 50
"""Newest corrections on the page; the ledger's file has all."""


def page(request: Request) -> Response:
    """``/costs``; ``by`` model or task, ``per`` day or month, ``last`` so many of them."""
    by, per, last = _parameters(request)
    today = datetime.now(UTC).date()
    periods = _periods(per, last, today)
    period = Period(charts.first_day(periods[0]))
    with templating.snapshot(request) as conn:
        prices = templating.prices(request, conn)
        shares = remembered(request, conn, (by, per, period), lambda: rows(conn, _shares(conn, period, by, per)))
        spent = remembered(request, conn, ("spent", per, period), lambda: costs.spent(conn, period, per))
        ledger = remembered(request, conn, "ledger", lambda: costs.ledger(conn))
        corrections = _corrections(conn)
    shares = _priced(shares, prices, "period")
    totals = costs.in_turn(_priced(spent, prices, "key"), period, today)
    return templating.page(
        request,
        "costs.html",
        state={"by": by, "per": per, "last": str(last)},
        spans=SPANS[per],
        chart=charts.stacked(({**row, "amount": row["credits"]} for row in shares), periods, per),
        names=costs.against(costs.merged(shares, "name", prices), {}),
        totals=totals,
        ledger=_priced(ledger, prices, "month", "total"),
        corrections=_priced(corrections, prices, "observed_at"),
        sum={"credits": sum((row["credits"] for row in totals), Decimal(0)), **prices.added(totals)},
        prices=prices,
    )


def csv(request: Request) -> Response:
    """``/costs.csv``: the rows behind the chart."""
    return downloads.csv(request, "costs", ["period", "name", "credits"], _asked(request), "period")


def json(request: Request) -> Response:
    """``/costs.json``: the same."""
    return downloads.json(request, "costs", _asked(request), "period")


def ledger_csv(request: Request) -> Response:
    """``/ledger.csv``: every charge and correction."""
    return downloads.csv(request, "ledger", list(view("cost_ledger").c.keys()), _entries)


def ledger_json(request: Request) -> Response:
    """``/ledger.json``: the same."""
    return downloads.json(request, "ledger", _entries)


def _priced(found: list[Row], prices: Prices, period: str, credits_: str = "credits") -> list[Row]:
    """Rows with what their Credits are in money, by the price of the day or month that ``period`` names."""
    return [{**row, **prices.worth(row[credits_], row[period])} for row in found]


def _asked(request: Request) -> Callable[[Connection], Select[Any]]:
    by, per, last = _parameters(request)
    period = Period(charts.first_day(_periods(per, last, datetime.now(UTC).date())[0]))
    return lambda conn: _shares(conn, period, by, per)


def _entries(_conn: Connection) -> Select[Any]:
    ledger = view("cost_ledger")
    return select(ledger).order_by(ledger.c.job_id, ledger.c.entry)


def _parameters(request: Request) -> tuple[str, str, int]:
    by, per = templating.choice(request, "by", BY, "model"), templating.choice(request, "per", tuple(SPANS), "month")
    spans = tuple(map(str, SPANS[per]))
    return by, per, int(templating.choice(request, "last", spans, spans[0]))


def _periods(per: str, last: int, today: date) -> Sequence[Any]:
    """The last so many days or months, this one included."""
    if per == "day":
        return charts.days(today - timedelta(days=last - 1), today)
    return charts.months(f"{add_months(today, 1 - last):%Y-%m}", f"{today:%Y-%m}")


def _shares(conn: Connection, period: Period, by: str, per: str) -> Select[Any]:
    """Credits by period and name."""
    found = costs.spending(conn, period, by, per).subquery().c
    columns = (found[per].label("period"), found.key.label("name"), found.credits)
    return select(*columns).order_by(found[per], found.key)


def _corrections(conn: Connection) -> list[Row]:
    corrections = view("cost_corrections")
    return rows(conn, select(corrections).order_by(corrections.c.field_change_id.desc()).limit(CORRECTIONS))
