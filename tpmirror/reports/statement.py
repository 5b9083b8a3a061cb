"""A month as it is billed: its charges, and the corrections of earlier months that were booked in it.

It adds up the ledger's entries of that month, which never change once the month is over; so the statement does not
either. Other reports restate: they show today's cost on the job's day.
"""

from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, func, select

from tpmirror.db.types import Row, credits_of
from tpmirror.db.views import view
from tpmirror.errors import UsageError
from tpmirror.months import add_months, days_of_month
from tpmirror.reports.model import Report, money, plain
from tpmirror.store.prices import UNPRICED, Prices

ACCEPTS: Final = "a month (2026-10), this-month or last-month"
EARLIER: Final = "corrections to earlier months"
BY: Final = ("line", "correction")
IDS: Final = 1000
"""Jobs whose charges one query looks up."""


def month_of(text: str | None, today: date) -> str:
    """The month asked for, ``2026-10``; the last one that is over if none is. Raises UsageError."""
    named = {None: -1, "last-month": -1, "this-month": 0}
    if text in named:
        return str(add_months(today, named[text]))[:7]
    try:
        return str(days_of_month(str(text))[0])[:7]  # strftime writes the year 1 as it likes
    except (ValueError, OverflowError):
        raise UsageError(f"--month is {str(text)[:40]!r}; it accepts {ACCEPTS}") from None


def statement(conn: Connection, month: str, today: date, prices: Prices = UNPRICED) -> Report:
    """Opening, charges, corrections to this month and to earlier ones, total and closing of a month.

    With amounts if a price is known: what is booked in a month costs the price of that month.
    """
    entries = view("cost_ledger").alias()
    opening = _sums(conn, entries, entries.c.month < month)
    charged = _sums(conn, entries, entries.c.month == month, entries.c.kind == "charge")
    corrections = _corrections(conn, entries, month)
    own = [row for row in corrections if row["charged_in"] == month]
    earlier = [row for row in corrections if row["charged_in"] != month]
    lines = [
        _line("opening", opening),
        _line("charges", charged),
        _line("corrections to this month", _sum(own)),
        _line(EARLIER, _sum(earlier)),
        _line("total", _sum([charged, *corrections])),
        _line("closing", _sum([opening, charged, *corrections])),
    ]
    if prices:
        lines = _priced(lines, _before(conn, entries, opening, month, prices), month, prices)
    columns = plain(line="line", entries="entries", credits="Credits", stated="stated") | money(prices)
    notes = ["A month that is over does not change: later corrections are booked when they are seen."]
    if days_of_month(month)[1] > today:
        notes = ["This month is not over: more may be booked in it."]
    if price := prices.at(month):
        notes.append(f"A Credit costs {price} in {month}.")
    total: Row = {name: lines[-2][name] for name in ("credits", "stated", *prices.columns)}
    return Report(f"Statement of {month}", columns, lines, notes, {"month": month, **total}, whole=True)


def earlier(conn: Connection, month: str, prices: Prices = UNPRICED) -> Report:
    """Each correction booked in a month of a job that was charged in an earlier one."""
    found = _corrections(conn, view("cost_ledger").alias(), month)
    rows = [
        {
            **{name: row[name] for name in ("job_id", "charged_in", "credits", "stated")},
            **prices.worth(row["credits"], month),
        }
        for row in found
        if row["charged_in"] != month
    ]
    columns = plain(job_id="job", charged_in="charged in", credits="Credits", stated="stated") | money(prices)
    return Report(f"Corrections in {month} to earlier months", columns, rows, whole=True)


def _priced(lines: list[Row], before: list[Row], month: str, prices: Prices) -> list[Row]:
    """The lines with their amounts; ``before`` is the amount of the months before."""
    (total,) = (prices.worth(line["credits"], month) for line in lines if line["line"] == "total")
    balances = {"opening": prices.added(before), "closing": prices.added([*before, total])}
    return [{**line, **balances.get(line["line"], prices.worth(line["credits"], month))} for line in lines]


def _before(conn: Connection, entries: Any, sums: Row, month: str, prices: Prices) -> list[Row]:
    """The amount of the months before, each at its price; computed in one step if there is one price."""
    if not prices.vary:
        return [prices.worth(sums["credits"], month)]
    wanted = select(entries.c.month, credits_of(entries.c.credits)).where(entries.c.month < month)
    months = conn.execute(wanted.group_by(entries.c.month).order_by(entries.c.month))
    return [prices.worth(Decimal(0), month), *(prices.worth(credits_, each) for each, credits_ in months)]


def _sums(conn: Connection, entries: Any, *conditions: Any) -> Row:
    wanted = select(
        func.count().label("entries"), credits_of(entries.c.credits).label("credits"),
        credits_of(entries.c.stated).label("stated"),
    )  # fmt: skip
    return dict(conn.execute(wanted.where(*conditions)).mappings().one())


def _corrections(conn: Connection, entries: Any, month: str) -> list[Row]:
    """The corrections booked in a month, each with the month in which its job was charged."""
    wanted = select(entries.c.job_id, entries.c.entry, entries.c.credits, entries.c.stated)
    booked = conn.execute(wanted.where(entries.c.month == month, entries.c.kind == "correction")).mappings().all()
    ids = list(dict.fromkeys(row["job_id"] for row in booked))
    charged: dict[int, str] = {}
    # By id and not by a join, for which the database would work out the charges of all jobs.
    for first in range(0, len(ids), IDS):
        charges = select(entries.c.job_id, entries.c.month).where(entries.c.kind == "charge")
        found = conn.execute(charges.where(entries.c.job_id.in_(ids[first : first + IDS])))
        charged |= {row.job_id: row.month for row in found}
    rows: list[Row] = [{**row, "charged_in": charged[row["job_id"]], "entries": 1} for row in booked]
    return sorted(rows, key=itemgetter("charged_in", "job_id", "entry"))


def _sum(rows: list[Row]) -> Row:
    none = Decimal("0.0000")
    amounts = {name: sum((row[name] for row in rows), none) for name in ("credits", "stated")}
    return {"entries": sum(row["entries"] for row in rows), **amounts}


def _line(what: str, sums: Row) -> Row:
    return {"line": what, **sums}
