"""Credits spent, by day, month, model, task, resolution, codec or owner; previews left out."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select

from tpmirror.db import schema
from tpmirror.db.types import Row, credits_of, from_units
from tpmirror.db.views import view
from tpmirror.months import add_months
from tpmirror.reports.model import Column, Report, change, in_money, money, oldest, percent, plain, ratio, within
from tpmirror.reports.period import Period
from tpmirror.store.prices import UNPRICED, Prices

BY: Final = ("month", "day", "model", "task", "resolution", "codec", "owner")
IN_TIME: Final = frozenset({"day", "month"})


def costs(conn: Connection, period: Period, by: str, today: date, prices: Prices = UNPRICED) -> Report:
    """Jobs and Credits with their share, and by how much they changed; with amounts if a price is known.

    Days and months are compared with the one before, if both are over and lie in the period with all their days;
    others with the stretch of the same length before the period.
    """
    now = spent(conn, period, by, prices)
    earlier = None if by in IN_TIME else period.before()
    before = {row["key"]: row["credits"] for row in spent(conn, earlier, by)} if earlier else {}
    rows = in_turn(now, period, today) if by in IN_TIME else against(now, before)
    total = sum((row["credits"] for row in rows), Decimal(0))
    worth = prices.added(rows)
    columns = plain(**{by: by}, jobs="jobs", credits="Credits") | money(prices)
    columns |= percent("share", "share")
    columns |= growth(by, today) if by in IN_TIME else percent("change", "change", signed=True)
    notes = [f"{total:,.4f} Credits in all{in_money(worth)}; previews are free and left out."]
    if by in {"model", "task"}:
        notes.append("A job's cost is shared among its models by their weights; it counts as a job for each.")
    if earlier:
        unfinished = " Mind that this stretch is not over." if period.after and period.after > today else ""
        notes.append(f"change: against {earlier}.{unfinished}")
    named = [{by: row.pop("key"), **row} for row in rows]
    return Report(f"Credits by {by}, {period}", columns, named, notes, {"credits": total, **worth})


def against(now: list[Row], before: dict[Any, Decimal]) -> list[Row]:
    """Rows with their share of the total, and their change against the period ``before``; the largest first."""
    rows = [{**row, "change": change(row["credits"], before.get(row["key"]))} for row in _shared(now)]
    return sorted(rows, key=lambda row: (-row["credits"], str(row["key"])))


def in_turn(now: list[Row], period: Period, today: date) -> list[Row]:
    """Days or months with their share of the total, and their change against the one before; the newest first.

    ``complete`` is whether the row holds all that the day or month will ever cost: only such rows are compared. A day
    or month without any job has no row.
    """
    rows: list[Row] = []
    whole: dict[date, Decimal] = {}
    for row in sorted(_shared(now), key=lambda row: str(row["key"])):
        first, after = _days_of(row["key"]) if row["key"] is not None else (date.max, date.max)
        complete = after <= today and (period.first or first) <= first and after <= (period.after or after)
        last = whole.get(first) if complete else None
        rows.append({**row, "change": change(row["credits"], last), "complete": complete})
        if complete:
            whole[after] = row["credits"]
    return rows[::-1]


def _days_of(key: date | str) -> tuple[date, date]:
    """The first day of a day, or of a month written 2026-10, and the day after its last one."""
    first = date.fromisoformat(f"{key}-01") if isinstance(key, str) else key
    return first, add_months(first, 1) if isinstance(key, str) else first + timedelta(days=1)


def _shared(now: list[Row]) -> list[Row]:
    total = sum((row["credits"] for row in now), Decimal(0))
    return [{**row, "share": ratio(row["credits"], total)} for row in now]


def growth(by: str, today: date) -> dict[str, Column]:
    """The change of a day or month as people see it, or why there is none."""
    (shown,) = percent("change", "change", signed=True).values()

    def show(row: Row) -> str:
        if row["complete"] or row[by] is None:
            return shown.show(row) if shown.show else ""
        return "so far" if str(today).startswith(str(row[by])) else "in part"

    return {"change": Column("change", show)}


def spent(conn: Connection, period: Period, by: str, prices: Prices = UNPRICED) -> list[Row]:
    """Jobs, Credits and amounts by one dimension."""
    by_month = prices.vary and by not in IN_TIME
    found = conn.execute(spending(conn, period, by, *(("month",) if by_month else ()))).mappings()
    rows = [{**row, **prices.worth(row["credits"], row["month" if by_month else "key"])} for row in found]
    return merged(rows, "key", prices) if by_month else rows


def spending(conn: Connection, period: Period, by: str, *per: str) -> Select[Any]:
    """The SELECT of jobs and Credits by one dimension, the ``key``, and optionally ``per`` day or month."""
    jobs = view("job_overview")
    if by in {"model", "task"}:
        key, source, amount = _by_model(by, oldest(conn, period))
    else:
        key, source, amount = jobs.c["input_owner" if by == "owner" else by], jobs, credits_of(jobs.c.credits)
    keys = [jobs.c[name] for name in per]
    return (
        select(*keys, key.label("key"), func.count(jobs.c.job_id.distinct()).label("jobs"), amount.label("credits"))
        .select_from(source)
        .where(~jobs.c.preview, *within(jobs, period))
        .group_by(*keys, key)
    )


def _by_model(by: str, first: int) -> tuple[ColumnElement[Any], Any, ColumnElement[Any]]:
    jobs, shares, models, tasks = view("job_overview"), view("job_model_costs"), schema.ml_models, schema.ml_tasks
    source = (
        jobs.join(shares, (shares.c.job_id == jobs.c.job_id) & (shares.c.job_id >= first))
        .outerjoin(models, models.c.id == shares.c.ml_model_id)
        .outerjoin(tasks, tasks.c.code == models.c.task)
    )
    return (models if by == "model" else tasks).c.name, source, from_units(func.sum(shares.c.share_units))


def merged(rows: Iterable[Row], by: str, prices: Prices = UNPRICED) -> list[Row]:
    """Credits, amounts and, if they were counted, jobs, by one column of rows that were split by another too."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row)
    return [
        {
            "key": key,
            **{name: sum(row[name] for row in group) for name in ("jobs", "credits") if name in group[0]},
            **prices.added(group),
        }
        for key, group in groups.items()
    ]


def ledger(conn: Connection) -> list[Row]:
    """Charges and corrections by month, as ``cost_ledger`` has them; the newest first."""
    entries = view("cost_ledger").c
    wanted = select(entries.month, entries.kind, credits_of(entries.credits).label("credits"))
    return booked(conn.execute(wanted.group_by(entries.month, entries.kind)).mappings())


def booked(found: Iterable[Any]) -> list[Row]:
    """A row by month with its charges, its corrections and their sum, from sums by month and kind."""
    rows: dict[Any, Row] = {}
    for one in found:
        none = {"month": one["month"], "charge": Decimal(0), "correction": Decimal(0)}
        rows.setdefault(one["month"], none)[one["kind"]] = one["credits"]
    ranked = sorted(rows.values(), key=lambda row: str(row["month"]), reverse=True)
    return [{**row, "total": row["charge"] + row["correction"]} for row in ranked]
