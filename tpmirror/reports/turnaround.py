"""How long jobs take: in the queue, in processing, from start to end; with bounds where the mirror did not see more."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from tpmirror import formatting
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Column, Report, percentile, plain, within
from tpmirror.reports.period import Period

BY: Final = ("all", "month", "model", "resolution", "codec")
MEASURES: Final = {0: "queue", 1: "processing"}
COLUMNS: Final = {"p50": "median", "p90": "p90", "p95": "p95", "max": "longest"}

Bounds = tuple[float, float]


def turnaround(conn: Connection, period: Period, by: str) -> Report:
    """Percentiles of seconds by measure: two figures, lower and upper bound, where upstream states no moment."""
    jobs, durations = view("job_overview"), view("job_durations")
    key = jobs.c[{"all": "is_terminal", "model": "models"}.get(by, by)]
    ended = jobs.c.finished.is_not(None) & jobs.c.is_terminal & ~jobs.c.preview
    whole = select(key, jobs.c.turnaround_s).where(ended, jobs.c.turnaround_s.is_not(None), *within(jobs, period))
    parts = (
        select(key, durations.c.status, durations.c.lower_s, durations.c.upper_s)
        .join(jobs, jobs.c.job_id == durations.c.job_id)
        .where(ended, ~durations.c.is_open, durations.c.status.in_(MEASURES), durations.c.upper_s.is_not(None))
        .where(*within(jobs, period))
    )
    found: dict[tuple[str, str], list[Bounds]] = {}
    for name, seconds in conn.execute(whole):
        found.setdefault((_named(name, by), "start to end"), []).append((seconds, seconds))
    for name, status, lower, upper in conn.execute(parts):
        found.setdefault((_named(name, by), MEASURES[status]), []).append((lower, upper))
    rows = summarise(found, by)
    columns = plain() if by == "all" else plain(**{by: by})
    columns |= plain(measure="measure", jobs="jobs") | {name: bounds(name, text) for name, text in COLUMNS.items()}
    notes = [
        "Two figures are bounds: the mirror sees a change between two observations, and upstream states only the end.",
        "Jobs that the mirror first saw when they were over count for start to end only. Previews are left out.",
    ]
    return Report(f"Turnaround, {period}", columns, rows, notes)


def summarise(found: Mapping[tuple[str, str], Iterable[Bounds]], by: str) -> list[Row]:
    """Percentiles of lower and of upper bounds, by key and measure."""
    rows = []
    for (name, measure), bounds in sorted(found.items()):
        some = list(bounds)
        lower, upper = sorted(low for low, _ in some), sorted(high for _, high in some)
        row: Row = {} if by == "all" else {by: name}
        row |= {"measure": measure, "jobs": len(some)}
        for label, share in {"p50": 0.5, "p90": 0.9, "p95": 0.95, "max": 1.0}.items():
            row[f"{label}_lower_s"], row[f"{label}_upper_s"] = percentile(lower, share), percentile(upper, share)
        rows.append(row)
    return rows


def bounds(name: str, heading: str) -> Column:
    """A column of two bounds, or of one figure if they are the same."""

    def show(row: Row) -> str:
        return formatting.brief(row[f"{name}_lower_s"], row[f"{name}_upper_s"])

    return Column(heading, show)


def _named(value: object, by: str) -> str:
    return "" if by == "all" else "-" if value is None else str(value)
