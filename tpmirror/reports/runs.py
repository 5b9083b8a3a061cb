"""How the mirror was kept: its runs, newest first, and whether it is proven complete."""

from typing import Any, Final

from sqlalchemy import Connection, select

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Report, plain, seconds
from tpmirror.reports.period import Period, start_of

RUN_COLUMNS: Final = ("requests", "retries", "jobs_seen", "jobs_inserted", "jobs_updated", "transitions", "jobs_gone")


def syncs(conn: Connection, period: Period) -> Report:
    """The runs of a period, and the view ``sync_health`` as summary."""
    runs = schema.sync_runs
    seen = [] if period.first is None else [runs.c.started_at >= start_of(period.first)]
    seen += [] if period.after is None else [runs.c.started_at < start_of(period.after)]
    found = conn.execute(select(runs).where(*seen).order_by(runs.c.id.desc()))
    rows = [run(dict(row)) for row in found.mappings()]
    health = dict(conn.execute(select(view("sync_health"))).mappings().one())
    columns = plain(id="run", kind="kind", outcome="outcome", certified="certified", started_at="started")
    columns |= seconds("seconds", "took") | plain(jobs_seen="seen", jobs_inserted="new", transitions="status changes")
    proven = health["certified_at"]
    notes = [
        "Never proven complete; run tpmirror sync."
        if proven is None
        else f"Proven complete as of {proven:%Y-%m-%d %H:%M:%S} UTC."
    ]
    if health["last_error"]:
        notes.append(f"Last failure, {health['last_failure_at']:%Y-%m-%d %H:%M:%S} UTC: {health['last_error']}")
    return Report(f"Runs, {period} (times in UTC)", columns, rows, notes, health)


def run(row: Row) -> dict[str, Any]:
    """A run with how long it took; null while it runs."""
    kept = {
        name: row[name] for name in ("id", "kind", "outcome", "certified", "started_at", "finished_at", *RUN_COLUMNS)
    }
    ended = row["finished_at"]
    return {
        **kept,
        "seconds": None if ended is None else (ended - row["started_at"]).total_seconds(),
        "error": row["error"],
    }
