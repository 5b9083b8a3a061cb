"""Jobs, failures and cancellations by month, model or resolution."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select

from tpmirror.db.types import Row, credits_of
from tpmirror.db.views import view
from tpmirror.reports.model import Report, marked, money, percent, plain, ratio, within
from tpmirror.reports.period import Period
from tpmirror.store.prices import UNPRICED, Prices

BY: Final = ("month", "model", "resolution", "codec")


def failures(conn: Connection, period: Period, by: str, today: date, prices: Prices = UNPRICED) -> Report:
    """Counts by how jobs ended, and the rate of failures among those that ended; with amounts if a price is known.

    Months say whether they are ``complete``: over, and with all their days in the period.
    """
    by_month = ("month",) if prices.vary and by != "month" else ()
    rows = tally(counts(conn, period, by, *by_month), by, prices)
    columns = plain(**{by: by}, jobs="jobs", finished="finished", failures="failed", cancellations="canceled")
    rate = percent("failure_rate", "failure rate")
    if by == "month":
        rows = [{**row, "complete": row["month"] is not None and period.covers(row["month"], today)} for row in rows]
        rate = marked(rate, by, today)
    columns |= rate | plain(credits_failed="Credits of failed") | money(prices)
    notes = ["failure rate: failed jobs by all that ended. Previews count. Upstream may have refunded what failed."]
    if by == "model":
        notes.append("Jobs with several models count once, under all their names.")
    return Report(f"Failures by {by}, {period}", columns, rows, notes)


def counts(conn: Connection, period: Period, *by: str) -> list[Row]:
    """Jobs and Credits by status and by the key that ``tally`` sums them up by."""
    jobs = view("job_overview")
    keys = [jobs.c["models" if name == "model" else name] for name in by]
    wanted = (
        select(*(key.label(name) for key, name in zip(keys, by, strict=True)), jobs.c.status, jobs.c.is_terminal)
        .add_columns(func.count(jobs.c.job_id).label("jobs"), credits_of(jobs.c.credits).label("credits"))
        .where(*within(jobs, period))
        .group_by(*keys, jobs.c.status, jobs.c.is_terminal)
    )
    return [dict(row) for row in conn.execute(wanted).mappings()]


def tally(found: Iterable[Row], by: str, prices: Prices = UNPRICED) -> list[Row]:
    """Rows by key, from counts by key and status; most failures first, months newest first.

    For amounts at prices that vary, the counts have to be by month too.
    """
    rows: dict[Any, Row] = {}
    amounts: dict[Any, list[Row]] = {}
    for one in found:
        new = {by: one[by], "jobs": 0, "ended": 0, "finished": 0, "failures": 0, "cancellations": 0}
        row = rows.setdefault(one[by], {**new, "credits_failed": Decimal(0)})
        row["jobs"] += one["jobs"]
        row["ended"] += one["jobs"] if one["is_terminal"] else 0
        name = {2: "finished", -1: "failures", -2: "cancellations"}.get(one["status"])
        if name is not None:
            row[name] += one["jobs"]
        if name == "failures":
            row["credits_failed"] += one["credits"]
            amounts.setdefault(one[by], []).append(prices.worth(one["credits"], one.get("month", "")))
    for key, row in rows.items():
        worth = prices.added(amounts.get(key, []))
        rows[key] = {**row, **worth, "failure_rate": ratio(row["failures"], row["ended"])}
    if by == "month":
        return sorted(rows.values(), key=lambda row: str(row[by]), reverse=True)
    return sorted(rows.values(), key=lambda row: (-row["failures"], -row["jobs"], str(row[by])))
