"""Credits spent, by day, week, month, model, task, resolution, codec, owner or job; previews left out."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Date, Dialect, Select, cast, func, select, type_coerce
from sqlalchemy.types import TypeDecorator

from tpmirror.db import schema
from tpmirror.db.types import Row, credits_of, from_units
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.model import (
    Column,
    Report,
    change,
    ends,
    in_money,
    money,
    partial,
    percent,
    plain,
    ratio,
    within,
)  # fmt: skip
from tpmirror.reports.period import EVER, Period, days_of
from tpmirror.store import queries
from tpmirror.store.prices import UNPRICED, Prices

BY: Final = ("month", "day", "week", "model", "task", "resolution", "codec", "owner", "job")
IN_TIME: Final = frozenset({"day", "week", "month"})
_AT_ONCE: Final = 500
"""Jobs whose names and models are looked up in one statement."""


class Week(TypeDecorator[str]):
    """A Monday, read as its week by ISO 8601: ``2026-W44``."""

    impl = Date
    cache_ok = True

    def process_result_value(self, value: date | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """As the year of the week and its number."""
        return None if value is None else f"{value:%G-W%V}"


def costs(
    conn: Connection,
    period: Period,
    by: str,
    today: date,
    prices: Prices = UNPRICED,
    known: Iterable[Row] | None = None,
) -> Report:
    """Jobs and Credits with their share, and by how much they changed; with amounts if a price is known.

    Days, weeks and months are compared with the one before, if both are over and lie in the period with all their days;
    others with the stretch of the same length before the period. ``known`` are the rows of ``over_time``, if they
    are at hand.
    """
    if by == "job":
        return dearest(conn, period, prices)
    now = spent(conn, period, by, prices) if known is None else merged(known, "name", prices)
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


def dearest(
    conn: Connection,
    period: Period,
    prices: Prices = UNPRICED,
    only: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Report:
    """Single jobs, the dearest first; ``only`` those of a model, task, resolution, codec or owner, with its Credits."""
    keys = _per_job(conn, period, only).subquery().c
    total, count = conn.execute(select(from_units(func.coalesce(func.sum(keys.credits), 0)), func.count())).one()
    wanted = select(keys.job_id, keys.credits).order_by(keys.credits.desc(), keys.job_id.desc()).limit(limit)
    found = {row.job_id: row.credits for row in conn.execute(wanted)}
    rows = [
        {
            **{name: job[name] for name in ("job_id", "day", "status_name", "input_name", "models")},
            "credits": found[job["job_id"]],
            **prices.worth(found[job["job_id"]], job["month"]),
            "share": ratio(found[job["job_id"]], total),
        }
        for job in _labelled(conn, list(found))
    ]
    columns = plain(job_id="job", day="day", status_name="status", input_name="video", models="models")
    columns |= plain(credits="Credits") | money(prices) | percent("share", "share")
    notes = [f"{count:,} jobs, {total:,.4f} Credits in all; previews are free and left out."]
    if only and only[0] in {"model", "task"}:
        notes.append("Credits: the part of the job's cost that is this one's.")
    title = f"Jobs by Credits, {period}" if only is None else f"Jobs of {only[0]} {only[1]} by Credits, {period}"
    return Report(title, columns, rows, notes, {"jobs": count, "credits": total})


def _per_job(conn: Connection, period: Period, only: tuple[str, str] | None) -> Select[Any]:
    """Each job of a period with its Credits in ten-thousandths, or with those of one key alone."""
    jobs = view("job_overview")
    wanted = [~jobs.c.preview, *within(jobs, period)]
    if only is None:
        units = cast(func.round(func.coalesce(jobs.c.credits, 0) * 10000), BigInteger)
        return select(jobs.c.job_id, from_units(units).label("credits")).where(*wanted)
    key, source, amount = _keyed(conn, period, only[0])
    part = select(jobs.c.job_id, amount.label("credits")).select_from(source)
    return part.where(*wanted, key == only[1]).group_by(jobs.c.job_id)


def _labelled(conn: Connection, ids: list[int]) -> list[Row]:
    """The rows of jobs in this order, not all in one statement."""
    some = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    return [job for part in some for job in queries.labelled_jobs(conn, part)]


def over_time(conn: Connection, period: Period, by: str, per: str, prices: Prices = UNPRICED) -> Report:
    """Credits by day, week or month and one more dimension: what a chart stacks."""
    months = ("month",) if prices.vary and per == "week" else ()
    parts: dict[tuple[Any, Any], list[Row]] = {}
    for row in conn.execute(spending(conn, period, by, per, *months)).mappings():
        worth = prices.worth(row["credits"], row["month" if months else per])
        one = {"jobs": row["jobs"], "credits": row["credits"], **worth}
        parts.setdefault((row[per], row["key"]), []).append(one)
    rows = [
        {
            "period": key[0],
            "name": key[1],
            "jobs": sum(row["jobs"] for row in some),
            "credits": sum((row["credits"] for row in some), Decimal(0)),
            **prices.added(some),
        }
        for key, some in sorted(parts.items(), key=lambda item: (str(item[0][0]), str(item[0][1])))
    ]
    columns = plain(period=per, name=by, jobs="jobs", credits="Credits") | money(prices)
    return Report(f"Credits by {by} per {per}, {period}", columns, rows)


def against(now: list[Row], before: dict[Any, Decimal]) -> list[Row]:
    """Rows with their share of the total, and their change against the period ``before``; the largest first."""
    rows = [{**row, "change": change(row["credits"], before.get(row["key"]))} for row in _shared(now)]
    return sorted(rows, key=lambda row: (-row["credits"], str(row["key"])))


def in_turn(now: list[Row], period: Period, today: date) -> list[Row]:
    """Days, weeks or months with their share of the total, and their change against the one before; the newest first.

    ``complete`` is whether the row holds all that its time will ever cost: only such rows are compared. A time without
    any job has no row.
    """
    rows: list[Row] = []
    whole: dict[date, Decimal] = {}
    for row in sorted(_shared(now), key=lambda row: str(row["key"])):
        first, after = days_of(row["key"]) if row["key"] is not None else (date.max, date.max)
        complete = row["key"] is not None and period.covers(row["key"], today)
        last = whole.get(first) if complete else None
        rows.append({**row, "change": change(row["credits"], last), "complete": complete})
        if complete:
            whole[after] = row["credits"]
    return rows[::-1]


def _shared(now: list[Row]) -> list[Row]:
    total = sum((row["credits"] for row in now), Decimal(0))
    return [{**row, "share": ratio(row["credits"], total)} for row in now]


def growth(by: str, today: date) -> dict[str, Column]:
    """The change of a day, week or month as people see it, or why there is none."""
    (shown,) = percent("change", "change", signed=True).values()

    def show(row: Row) -> str:
        if row["complete"] or row[by] is None:
            return shown.show(row) if shown.show else ""
        return partial(row[by], today)

    return {"change": Column("change", show)}


def spent(conn: Connection, period: Period, by: str, prices: Prices = UNPRICED) -> list[Row]:
    """Jobs, Credits and amounts by one dimension."""
    by_month = prices.vary and by not in {"day", "month"}
    found = conn.execute(spending(conn, period, by, *(("month",) if by_month else ()))).mappings()
    rows = [{**row, **prices.worth(row["credits"], row["month"] if by_month else row["key"])} for row in found]
    return merged(rows, "key", prices) if by_month else rows


def spending(conn: Connection, period: Period, by: str, *per: str) -> Select[Any]:
    """The SELECT of jobs and Credits by one dimension, the ``key``; ``per`` day, week or month too, if wanted."""
    jobs = view("job_overview")
    key, source, amount = _keyed(conn, period, by)
    keys = [_column(conn, name).label(name) for name in per]
    return (
        select(*keys, key.label("key"), func.count(jobs.c.job_id.distinct()).label("jobs"), amount.label("credits"))
        .select_from(source)
        .where(~jobs.c.preview, *within(jobs, period))
        .group_by(*keys, key)
    )


def _keyed(conn: Connection, period: Period, by: str) -> tuple[ColumnElement[Any], Any, ColumnElement[Any]]:
    """What a dimension is, from where it is read, and the sum of its Credits."""
    if by in {"model", "task"}:
        return _by_model(by, *ends(conn, period))
    jobs = view("job_overview")
    return _column(conn, "input_owner" if by == "owner" else by), jobs, credits_of(jobs.c.credits)


def _column(conn: Connection, name: str) -> ColumnElement[Any]:
    """A column of ``job_overview``, or the week of its day."""
    jobs = view("job_overview").c
    if name != "week":
        return jobs[name]
    if conn.dialect.name == "sqlite":  # the Sunday on or after it, less six days
        return type_coerce(func.date(jobs.day, "weekday 0", "-6 days"), Week())
    return type_coerce(cast(func.date_trunc("week", jobs.day), Date), Week())


def _by_model(by: str, first: int, last: int) -> tuple[ColumnElement[Any], Any, ColumnElement[Any]]:
    jobs, shares, models, tasks = view("job_overview"), view("job_model_costs"), schema.ml_models, schema.ml_tasks
    source = (
        jobs.join(shares, (shares.c.job_id == jobs.c.job_id) & shares.c.job_id.between(first, last))
        .outerjoin(models, models.c.id == shares.c.ml_model_id)
        .outerjoin(tasks, tasks.c.code == models.c.task)
    )
    return (models if by == "model" else tasks).c.name, source, from_units(func.sum(shares.c.share_units))


def merged(rows: Iterable[Row], by: str, prices: Prices = UNPRICED) -> list[Row]:
    """Jobs, Credits and amounts by one column of rows that were split by the month too."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row)
    return [
        {"key": key, **{name: sum(row[name] for row in group) for name in ("jobs", "credits")}, **prices.added(group)}
        for key, group in groups.items()
    ]


LEDGER_BY: Final = ("month", "correction")


def ledger(conn: Connection, period: Period = EVER, prices: Prices = UNPRICED) -> Report:
    """Charges and corrections booked in a period, by month, as ``cost_ledger`` has them; the newest first."""
    source = view("cost_ledger")
    entries = source.c
    wanted = select(entries.month, entries.kind, credits_of(entries.credits).label("credits"))
    wanted = wanted.where(*within(source, period))
    rows = [
        {**row, **prices.worth(row["total"], row["month"])}
        for row in booked(conn.execute(wanted.group_by(entries.month, entries.kind)).mappings())
    ]
    columns = plain(month="month", charge="charges", correction="corrections", total="total") | money(prices)
    notes = [
        "A charge is booked when the job started, a correction when it was seen; a month that is over never changes."
    ]
    return Report(f"Ledger by month, {period}", columns, rows, notes)


def corrections(conn: Connection, period: Period, prices: Prices = UNPRICED, limit: int | None = None) -> Report:
    """Corrections seen in a period, the newest first, with the cost before and after."""
    source = view("cost_corrections").c
    seen = [] if period.first is None else [source.observed_at >= start_of(period.first)]
    seen += [] if period.after is None else [source.observed_at < start_of(period.after)]
    names = ("job_id", "observed_at", "field", "old_cost", "new_cost", "credits", "stated")
    wanted = select(*(source[name] for name in names)).where(*seen).order_by(source.field_change_id.desc()).limit(limit)
    rows = [
        {**row, **prices.worth(row["credits"], f"{row['observed_at']:%Y-%m}")}
        for row in conn.execute(wanted).mappings()
    ]
    columns = plain(job_id="job", observed_at="seen", old_cost="before", new_cost="after", credits="Credits")
    return Report(f"Corrections seen, {period} (times in UTC)", columns | money(prices), rows)


def booked(found: Iterable[Any]) -> list[Row]:
    """A row by month with its charges, its corrections and their sum, from sums by month and kind."""
    rows: dict[Any, Row] = {}
    for one in found:
        none = {"month": one["month"], "charge": Decimal(0), "correction": Decimal(0)}
        rows.setdefault(one["month"], none)[one["kind"]] = one["credits"]
    ranked = sorted(rows.values(), key=lambda row: str(row["month"]), reverse=True)
    return [{**row, "total": row["charge"] + row["correction"]} for row in ranked]
