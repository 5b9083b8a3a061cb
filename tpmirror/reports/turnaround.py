"""How long jobs take: in the queue, in processing, from start to end; with bounds where no moment is stated."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from tpmirror import formatting
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Column, Report, marked, percentile, plain, within
from tpmirror.reports.period import Period

BY: Final = ("all", "month", "day", "model", "resolution", "codec")
START_TO_END: Final = "start to end"
MEASURES: Final = {0: "queue", 1: "processing"}
COLUMNS: Final = {"p50": "median", "p90": "p90", "p95": "p95", "max": "longest"}
SHARES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


def turnaround(conn: Connection, period: Period, by: str, today: date) -> Report:
    """Percentiles of seconds by measure: two figures, lower and upper bound, where upstream states no moment.

    Days and months say whether they are ``complete``: over, and with all their days in the period.
    """
    return tabulated(lengths(conn, period, *(() if by == "all" else (by,))), period, by, today)


def tabulated(found: Iterable[Row], period: Period, by: str, today: date) -> Report:
    """The report ``turnaround`` of lengths that were read already, with ``by`` among their keys."""
    rows = summarise(found, by)
    columns = plain() if by == "all" else plain(**{by: by})
    columns |= plain(measure="measure", jobs="jobs")
    if by in {"day", "month"}:
        rows = [{**row, "complete": period.covers(row[by], today)} for row in rows]
        columns |= marked({"jobs": Column("jobs", lambda row: f"{row['jobs']:,}")}, by, today)
    columns |= {name: bounds(name, text) for name, text in COLUMNS.items()}
    notes = [
        "Two figures are bounds: the mirror sees a change between two observations, and upstream states only the end.",
        "Jobs that the mirror first saw when they were over count for start to end only. Previews are left out.",
    ]
    return Report(f"Turnaround, {period}", columns, rows, notes)


def lengths(conn: Connection, period: Period, *by: str) -> list[Row]:
    """Each known length: its measure, lower and upper bound in seconds, and the key that ``summarise`` groups by."""
    durations = view("job_durations").c
    ended = {row["job_id"]: row for row in _ended_jobs(conn, period, by)}
    if not ended:
        return []
    # Joined here: PostgreSQL expects one row of a view of jobs, and compares all with all.
    parts = (
        select(durations.job_id, durations.status, durations.lower_s, durations.upper_s)
        .where(durations.job_id >= min(ended), durations.job_id <= max(ended), durations.upper_s.is_not(None))
        .where(~durations.is_open, durations.status.in_(MEASURES))
    )
    found = [
        {**_keyed(ended[row["job_id"]], by), **row, "measure": MEASURES[row["status"]]}
        for row in conn.execute(parts).mappings()
        if row["job_id"] in ended
    ]
    return [*_whole(ended.values(), by), *found]


def whole_lengths(conn: Connection, period: Period, *by: str) -> list[Row]:
    """Those from start to end alone, which take less to find."""
    return _whole(_ended_jobs(conn, period, by), by)


def _whole(ended: Iterable[Row], by: Iterable[str]) -> list[Row]:
    return [
        {**_keyed(row, by), "measure": START_TO_END, "lower_s": took, "upper_s": took}
        for row in ended
        if (took := row["turnaround_s"]) is not None
    ]


def _ended_jobs(conn: Connection, period: Period, by: Iterable[str]) -> list[Row]:
    """The jobs that ended in a period and count: their ids, keys, and seconds from start to end."""
    jobs = view("job_overview")
    ended = [jobs.c.finished.is_not(None), jobs.c.is_terminal, ~jobs.c.preview, *within(jobs, period)]
    wanted = select(jobs.c.job_id, jobs.c.turnaround_s, *_keys(by)).where(*ended)
    return [dict(row) for row in conn.execute(wanted).mappings()]


def _keyed(row: Row, by: Iterable[str]) -> Row:
    return {name: row[name] for name in by}


def _keys(by: Iterable[str]) -> list[ColumnElement[Any]]:
    jobs = view("job_overview").c
    return [jobs["models" if name == "model" else name].label(name) for name in by]


def summarise(found: Iterable[Row], by: str) -> list[Row]:
    """Percentiles of lower and of upper bounds, by key and measure."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        groups.setdefault((_named(row, by), row["measure"]), []).append(row)
    return [
        {**({} if by == "all" else {by: name}), "measure": measure, "jobs": len(group), **percentiles(group)}
        for (name, measure), group in sorted(groups.items())
    ]


def percentiles(group: list[Row]) -> dict[str, float | None]:
    """Percentiles of lower and of upper bounds in seconds: ``p50_lower_s`` and so on."""
    sides = {side: sorted(row[side] for row in group) for side in ("lower_s", "upper_s")}
    return {
        f"{label}_{side}": percentile(ordered, share)
        for label, share in SHARES.items()
        for side, ordered in sides.items()
    }


def bounds(name: str, heading: str) -> Column:
    """A column of two bounds, or of one figure if they are the same."""

    def show(row: Row) -> str:
        return formatting.brief(row[f"{name}_lower_s"], row[f"{name}_upper_s"])

    return Column(heading, show)


def _named(row: Row, by: str) -> str:
    return "" if by == "all" else "-" if row[by] is None else str(row[by])
