"""What was spent: Credits by day, month, model, task, resolution, codec or owner; previews left out."""

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from tpmirror import schema
from tpmirror.describe import view
from tpmirror.normalize import Row
from tpmirror.reports.period import Period
from tpmirror.reports.report import Report, change, money, percent, plain, ratio, units, within

BY: Final = ("month", "day", "model", "task", "resolution", "codec", "owner")
IN_TIME: Final = frozenset({"day", "month"})


def costs(conn: Connection, period: Period, by: str) -> Report:
    """Jobs and Credits with their share, and by how much they changed.

    Days and months are compared with the one before; others with the stretch of the same length before the period.
    """
    now = spent(conn, period, by)
    earlier = period.before()
    before = (
        None if by in IN_TIME or earlier is None else {row["key"]: row["credits"] for row in spent(conn, earlier, by)}
    )
    rows = compare(now, before, in_time=by in IN_TIME)
    total = sum((row["credits"] for row in rows), Decimal(0))
    columns = plain(**{by: by}, jobs="jobs", credits="Credits")
    columns |= percent("share", "share") | percent("change", "change", signed=True)
    notes = [f"{total:,.4f} Credits in all; previews are free and left out."]
    if by in {"model", "task"}:
        notes.append("A job's cost is shared among its models by their weights; it counts as a job for each.")
    if before is not None:
        notes.append(f"change: against {earlier}.")
    named = [{by: row.pop("key"), **row} for row in rows]
    return Report(f"Credits by {by}, {period}", columns, named, notes, {"credits": total})


def compare(now: list[Row], before: dict[Any, Decimal] | None, *, in_time: bool) -> list[Row]:
    """Rows with their share of all, and their change: in time against the row before, else against ``before``."""
    total = sum((row["credits"] for row in now), Decimal(0))
    rows, last = [], None
    for row in sorted(now, key=lambda row: str(row["key"])) if in_time else now:
        earlier = last if in_time else (before or {}).get(row["key"])
        rows.append({**row, "share": ratio(row["credits"], total), "change": change(row["credits"], earlier)})
        last = row["credits"]
    return rows[::-1] if in_time else sorted(rows, key=lambda row: (-row["credits"], str(row["key"])))


def spent(conn: Connection, period: Period, by: str) -> list[Row]:
    """Jobs and Credits by one dimension."""
    jobs = view("job_overview")
    if by in {"model", "task"}:
        key, source, amount = _by_model(by)
    else:
        key, source, amount = jobs.c["input_owner" if by == "owner" else by], jobs, units(jobs.c.credits)
    wanted = (
        select(key.label("key"), func.count(jobs.c.job_id.distinct()).label("jobs"), amount.label("units"))
        .select_from(source)
        .where(~jobs.c.preview, *within(jobs, period))
        .group_by(key)
    )
    return [{"key": row.key, "jobs": row.jobs, "credits": money(row.units)} for row in conn.execute(wanted)]


def _by_model(by: str) -> tuple[ColumnElement[Any], Any, ColumnElement[Any]]:
    jobs, shares, models, tasks = view("job_overview"), view("job_model_costs"), schema.ml_models, schema.ml_tasks
    source = (
        jobs.join(shares, shares.c.job_id == jobs.c.job_id)
        .outerjoin(models, models.c.id == shares.c.ml_model_id)
        .outerjoin(tasks, tasks.c.code == models.c.task)
    )
    return (models if by == "model" else tasks).c.name, source, func.sum(shares.c.share_units)
