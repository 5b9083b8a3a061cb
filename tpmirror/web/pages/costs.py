"""Costs: Credits over any range of days, from the reports ``costs`` and ``ledger``, down to single jobs."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import money
from tpmirror.reports import costs
from tpmirror.reports.model import Report
from tpmirror.reports.period import Period, days_of
from tpmirror.web import charts, downloads, ranges, templating
from tpmirror.web.cache import remembered
from tpmirror.web.filters import query
from tpmirror.web.tables import Table, table

BY: Final = ("model", "task", "resolution", "owner")
PER: Final = ("day", "week", "month")
BARS: Final = 120
"""Most bars of a chart: for more days it shows weeks, for more weeks months, and of more months the last ones."""
SHOWN: Final = 25
"""Rows of a table on the page; the files have all."""
NO_JOB: Final = "No job in this time; choose more days."
NAMES: Final = ("by", "per", "from", "to", "of")


def page(request: Request) -> Response:
    """``/costs``; ``by`` model, task, resolution or owner, ``per`` day, week or month, ``of`` one value of ``by``."""
    today = datetime.now(UTC).date()
    asked, by, per = _asked(request, today)
    of = templating.query_text(request, "of")
    with templating.snapshot(request) as conn:
        may_see_owners = check_owner(conn, by)
        found = _reports(request, conn, asked.period, (by, of) if of else None, by, per, today)
        colours = remembered(request, conn, ("colours", by), lambda: colours_of(conn, by))
    state = {"by": by, "per": request.query_params.get("per", ""), "from": asked.start, "to": asked.end}
    periods = _periods(per, asked.period, found["totals"], today)
    bars = [templating.prefix(request) + drill(by, key) for key in periods]
    return templating.page(
        request,
        "costs.html",
        state=state,
        days=asked,
        by=[name for name in BY if name != "owner" or may_see_owners],
        per=per,
        of=of,
        chart=_chart(found, periods, per, colours, bars),
        **_tables(found, asked.options, by, per, of, state, colours),
    )


def drill(by: str, key: Any) -> str:
    """The link to the jobs of a day, week or month, the dearest first."""
    first, after = days_of(key)
    return f"/costs{query({'by': by, 'from': first, 'to': after - timedelta(days=1)})}#jobs"


def _reports(
    request: Request, conn: Connection, period: Period, only: tuple[str, str] | None, by: str, per: str, today: date
) -> dict[str, Report]:
    """The reports of the page, as ``tpmirror report`` makes them."""
    prices = templating.prices(request, conn)

    def kept(make: Callable[[], Report], *key: Any) -> Report:
        return remembered(request, conn, ("costs", *key, period, today, prices), make)

    over_time = kept(lambda: costs.over_time(conn, period, by, per, prices), "over time", by, per)
    return {
        "over time": over_time,
        "totals": kept(lambda: costs.costs(conn, period, per, today, prices), "totals", per),
        "shares": kept(lambda: costs.costs(conn, period, by, today, prices, over_time.rows), "shares", by),
        "jobs": kept(lambda: costs.dearest(conn, period, prices, only, SHOWN), "jobs", only),
        "ledger": kept(lambda: costs.ledger(conn, period, prices), "ledger"),
        "corrections": kept(lambda: costs.corrections(conn, period, prices, SHOWN), "corrections"),
    }


def _tables(
    found: dict[str, Report],
    options: tuple[str, ...],
    by: str,
    per: str,
    of: str,
    state: dict[str, str],
    colours: dict[Any, int],
) -> dict[str, Any]:
    """The reports as tables, each with its links."""

    def narrow(row: Row) -> str | None:
        return None if row[by] is None else f"/costs{query(state, of=row[by])}#jobs"

    def months(row: Row) -> str | None:
        return None if row[per] is None else drill(by, row[per])

    def shown(name: str, *asked: str, **more: Any) -> Table:
        return table(found[name], *asked, *options, **{"limit": SHOWN, "empty": NO_JOB, **more})

    return {
        "totals": shown("totals", "costs", "--by", per, links={per: months}, limit=BARS),
        "shares": shown("shares", "costs", "--by", by, links={by: narrow}, colours=colours),
        "jobs": table(found["jobs"], empty=NO_JOB) if of else shown("jobs", "costs", "--by", "job"),
        "ledger": shown("ledger", "ledger", links={"month": _statement}, limit=BARS, empty="No charge in this time."),
        "corrections": shown(
            "corrections", "ledger", "--by", "correction", empty="No cost was corrected in this time."
        ),
    }


def csv(request: Request) -> Response:
    """``/costs.csv``: the rows behind the chart."""
    return downloads.report_csv("costs", _over_time(request))


def json(request: Request) -> Response:
    """``/costs.json``: the rows behind the chart."""
    return downloads.rows_json("costs", _over_time(request).rows)


def ledger_csv(request: Request) -> Response:
    """``/ledger.csv``: every charge and correction."""
    return downloads.csv(request, "ledger", list(view("cost_ledger").c.keys()), _entries)


def ledger_json(request: Request) -> Response:
    """``/ledger.json``: every charge and correction."""
    return downloads.json(request, "ledger", _entries)


def check_owner(conn: Connection, by: str) -> bool:
    """Whether the role may see owners. Raises HTTPException 400 if it may not and they are asked for."""
    jobs = view("job_overview")
    if jobs.c.input_owner in readable(conn, jobs):
        return True
    if by == "owner":
        raise HTTPException(400, "owner: the dashboard reads the mirror as a role that may not see owners")
    return False


def colours_of(conn: Connection, by: str) -> dict[Any, int]:
    """The colour of each model, task, resolution or owner, by the order in which the API numbered or showed them."""
    videos = schema.input_videos.c
    orders = {
        "model": select(schema.ml_models.c.name).order_by(schema.ml_models.c.id),
        "task": select(schema.ml_tasks.c.name).order_by(schema.ml_tasks.c.code),
        "resolution": select(schema.output_resolutions.c.name).order_by(schema.output_resolutions.c.code),
        "owner": select(videos.owner).group_by(videos.owner).order_by(func.min(videos.id)),
    }
    return charts.colours(name for name in conn.execute(orders[by]).scalars() if name is not None)


def _over_time(request: Request) -> Report:
    asked, by, per = _asked(request, datetime.now(UTC).date())
    with templating.snapshot(request) as conn:
        check_owner(conn, by)
        return costs.over_time(conn, asked.period, by, per, templating.prices(request, conn))


def _statement(row: Row) -> str:
    return f"/statement{query({'month': row['month']})}"


def _entries(_conn: Connection) -> Select[Any]:
    ledger = view("cost_ledger")
    return select(ledger).order_by(ledger.c.job_id, ledger.c.entry)


def _asked(request: Request, today: date) -> tuple[ranges.Range, str, str]:
    """The range of days, ``by`` and ``per``; a ``per`` of more than ``BARS`` bars is replaced by a coarser one."""
    templating.check_parameters(request, *NAMES)
    asked, by = ranges.asked(request, today, "11m"), templating.choice(request, "by", BY, "model")
    days = asked.days or 10_000
    usual = "day" if days <= BARS else "week" if days <= 2 * BARS else "month"
    per = templating.choice(request, "per", PER, usual)
    fits = {"day": days <= BARS, "week": days <= 7 * BARS, "month": True}
    return asked, by, next(step for step in PER[PER.index(per) :] if fits[step])


def _periods(per: str, period: Period, totals: Report, today: date) -> Sequence[Any]:
    """The chart's bars: every day, week or month from the first day of the period, else from that of the first job."""
    seen = [days_of(row[per])[0] for row in totals.rows if row[per] is not None]
    last = min(max([today, *seen]), (period.after or date.max) - timedelta(days=1))
    last = min(last, today) if period.first is None else last  # a job dated in the year 9000 must not stretch the chart
    first = period.first or min([last, *seen])
    return charts.span(per, max(first, last - timedelta(days=BARS * 31)), last)[-BARS:]


def _chart(
    found: dict[str, Report], periods: Sequence[Any], per: str, colours: dict[Any, int], links: list[str]
) -> dict[str, Any]:
    """The chart; each bar has a link to its jobs, its amount in money, and a mark if its period is incomplete."""
    over_time, totals = found["over time"].rows, found["totals"]
    bars = charts.stacked(({**row, "amount": row["credits"]} for row in over_time), periods, per, colours=colours)
    rows = {row[per]: row for row in totals.rows}
    marks, amounts = [], []
    change = totals.columns["change"].show
    for key in periods:
        row = rows.get(key)
        marks.append("" if row is None or row["complete"] or change is None else change(row))
        amounts.append(money(row["amount"], row["currency"]) if row and "amount" in row else "")
    labels = [str(key) for key in periods]
    return {**bars, "unit": "Credits", "labels": labels, "links": links, "marks": marks, "amounts": amounts}
