"""What fails: jobs, failures and cancellations by month, model or resolution."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Report, money, percent, plain, ratio, units, within
from tpmirror.reports.period import Period

BY: Final = ("month", "model", "resolution", "codec")


def failures(conn: Connection, period: Period, by: str) -> Report:
    """Counts by how jobs ended, and the rate of failures among those that ended."""
    jobs = view("job_overview")
    key = jobs.c["models" if by == "model" else by]
    wanted = (
        select(key.label("key"), jobs.c.status, jobs.c.is_terminal, func.count(jobs.c.job_id).label("jobs"))
        .add_columns(units(jobs.c.credits).label("units"))
        .where(*within(jobs, period))
        .group_by(key, jobs.c.status, jobs.c.is_terminal)
    )
    rows = tally(conn.execute(wanted).mappings(), by)
    columns = plain(**{by: by}, jobs="jobs", finished="finished", failures="failed", cancellations="canceled")
    columns |= percent("failure_rate", "failure rate") | plain(credits_failed="Credits of failed")
    notes = ["failure rate: failed jobs by all that ended. Previews count. Upstream may have refunded what failed."]
    if by == "model":
        notes.append("Jobs with several models count once, under all their names.")
    return Report(f"Failures by {by}, {period}", columns, rows, notes)


def tally(found: Iterable[Any], by: str) -> list[Row]:
    """Rows by key, from counts by key and status; most failures first, months newest first."""
    rows: dict[Any, Row] = {}
    for one in found:
        new = {by: one["key"], "jobs": 0, "ended": 0, "finished": 0, "failures": 0, "cancellations": 0}
        row = rows.setdefault(one["key"], {**new, "credits_failed": Decimal(0)})
        row["jobs"] += one["jobs"]
        row["ended"] += one["jobs"] if one["is_terminal"] else 0
        name = {2: "finished", -1: "failures", -2: "cancellations"}.get(one["status"])
        if name is not None:
            row[name] += one["jobs"]
        if name == "failures":
            row["credits_failed"] += money(one["units"])
    for row in rows.values():
        row["failure_rate"] = ratio(row["failures"], row["ended"])
    if by == "month":
        return sorted(rows.values(), key=lambda row: str(row[by]), reverse=True)
    return sorted(rows.values(), key=lambda row: (-row["failures"], -row["jobs"], str(row[by])))
