"""Costs: Credits per day or month by model or task, and the ledger with its corrections; all of it as files too."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
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
    periods = _periods(per, last, datetime.now(UTC).date())
    with templating.snapshot(request) as conn:
        shares = remembered(
            request, conn, (by, per, periods[0]), lambda: rows(conn, _shares(conn, by, per, periods[0]))
        )
        totals = remembered(request, conn, ("totals", per, periods[0]), lambda: rows(conn, _totals(per, periods[0])))
        ledger = remembered(request, conn, "ledger", lambda: _ledger(conn))
        corrections = _corrections(conn)
    return templating.page(
        request,
        "costs.html",
        state={"by": by, "per": per, "last": str(last)},
        spans=SPANS[per],
        chart=charts.stacked(({**row, "amount": row["credits"]} for row in shares), periods, per),
        names=_ranking(shares),
        totals=sorted(totals, key=lambda row: str(row["period"]), reverse=True),
        ledger=ledger,
        corrections=corrections,
        sum=sum((row["credits"] for row in totals if row["credits"] is not None), 0),
    )


def csv(request: Request) -> Response:
    """``/costs.csv``: the rows behind the chart."""
    return downloads.csv(request, "costs", ["period", "name", "credits"], _asked(request))


def json(request: Request) -> Response:
    """``/costs.json``: the same."""
    return downloads.json(request, "costs", _asked(request))


def ledger_csv(request: Request) -> Response:
    """``/ledger.csv``: every charge and correction."""
    return downloads.csv(request, "ledger", list(view("cost_ledger").c.keys()), _entries)


def ledger_json(request: Request) -> Response:
    """``/ledger.json``: the same."""
    return downloads.json(request, "ledger", _entries)


def _asked(request: Request) -> Callable[[Connection], Select[Any]]:
    by, per, last = _parameters(request)
    first = _periods(per, last, datetime.now(UTC).date())[0]
    return lambda conn: _shares(conn, by, per, first)


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
    before = today.year * 12 + today.month - last
    return charts.months(f"{before // 12:04d}-{before % 12 + 1:02d}", f"{today:%Y-%m}")


def _shares(conn: Connection, by: str, per: str, first: Any) -> Select[Any]:
    """Credits by period and name, as in ``cost_by_model``: each job's cost shared out among its models, exactly."""
    shares, jobs, models, tasks = view("job_model_costs"), view("job_overview"), schema.ml_models, schema.ml_tasks
    period, name = jobs.c[per], (models if by == "model" else tasks).c.name
    joined = shares.join(jobs, jobs.c.job_id == shares.c.job_id)
    joined = joined.outerjoin(models, models.c.id == shares.c.ml_model_id)
    joined = joined.outerjoin(tasks, tasks.c.code == models.c.task)
    # A number, which both databases carry into the view: they share out the cost of these jobs, not of all there are.
    oldest = conn.execute(select(func.min(jobs.c.job_id)).where(period >= first)).scalar() or 0
    columns = (period.label("period"), name.label("name"), exact_sum(shares.c.credits).label("credits"))
    wanted = select(*columns).select_from(joined).where(period >= first, ~jobs.c.preview, shares.c.job_id >= oldest)
    return wanted.group_by(period, name).order_by(period, name)


def _totals(per: str, first: Any) -> Select[Any]:
    """Jobs and Credits by period: exact, because no job is shared out."""
    costs = view("daily_costs").c
    if per == "day":
        return select(costs.day.label("period"), costs.jobs, costs.credits).where(costs.day >= first)
    jobs = view("job_overview").c
    return (
        select(jobs.month.label("period"), func.count().label("jobs"), exact_sum(jobs.credits).label("credits"))
        .where(jobs.month >= first, ~jobs.preview)
        .group_by(jobs.month)
    )


def exact_sum(amount: Any) -> Any:
    """A sum of money that is read as money: rounded to the fourth decimal on SQLite, where it is a sum of doubles."""
    return func.sum(amount, type_=amount.type)


def _ranking(shares: list[Row]) -> list[Row]:
    """Each name's Credits over all periods and its part of them, the largest first."""
    sums: dict[str, Any] = {}
    for row in shares:
        sums[row["name"]] = sums.get(row["name"], 0) + (row["credits"] or 0)
    whole = sum(sums.values())
    ranked = sorted(sums.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"name": name, "credits": spent, "share": spent / whole if whole else None} for name, spent in ranked]


def _ledger(conn: Connection) -> list[Row]:
    """Charges and corrections by month, newest first."""
    ledger = view("cost_ledger").c
    wanted = select(ledger.month, ledger.kind, exact_sum(ledger.credits).label("credits"))
    found: dict[str, Row] = {}
    for row in rows(conn, wanted.group_by(ledger.month, ledger.kind)):
        of_month = found.setdefault(row["month"], {"month": row["month"], "charge": 0, "correction": 0})
        of_month[row["kind"]] = row["credits"]
    ranked = sorted(found.values(), key=lambda row: row["month"] or "", reverse=True)
    return [{**row, "total": row["charge"] + row["correction"]} for row in ranked]


def _corrections(conn: Connection) -> list[Row]:
    corrections = view("cost_corrections")
    return rows(conn, select(corrections).order_by(corrections.c.field_change_id.desc()).limit(CORRECTIONS))
