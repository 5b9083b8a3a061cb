"""Full syncs and polls, newest first, and whether the mirror is proven complete."""

from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.model import Report, plain, seconds
from tpmirror.reports.period import Period
from tpmirror.store.runs import FUTURE

RUN_COLUMNS: Final = (
    "id", "kind", "outcome", "certified", "started_at", "finished_at", "requests", "retries", "jobs_seen",
    "jobs_inserted", "jobs_updated", "transitions", "jobs_gone", "seconds", "error",
)  # fmt: skip


def syncs(conn: Connection, period: Period) -> Report:
    """The runs of a period, and the view ``sync_health`` as summary."""
    runs = schema.sync_runs
    seen = [] if period.first is None else [runs.c.started_at >= start_of(period.first)]
    seen += [] if period.after is None else [runs.c.started_at < start_of(period.after)]
    rows = [{name: row[name] for name in RUN_COLUMNS} for row in newest(conn, *seen)]
    health = dict(conn.execute(select(view("sync_health"))).mappings().one())
    columns = plain(id="run", kind="kind", outcome="outcome", certified="certified", started_at="started")
    columns |= seconds("seconds", "took") | plain(jobs_seen="seen", jobs_inserted="new", transitions="status changes")
    proven = health["certified_at"]
    notes = [
        "Never proven complete; run tpmirror sync."
        if proven is None
        else f"Proven complete as of {proven:%Y-%m-%d %H:%M:%S} UTC."
    ]
    if proven is not None and health["certified_age_s"] is None:
        notes.append(f"That is {FUTURE}, and says nothing about freshness.")
    if health["last_error"]:
        notes.append(f"Last failure, {health['last_failure_at']:%Y-%m-%d %H:%M:%S} UTC: {health['last_error']}")
    return Report(f"Runs, {period} (times in UTC)", columns, rows, notes, health)


def newest(conn: Connection, *wanted: ColumnElement[bool], limit: int | None = None) -> list[Row]:
    """Runs, newest first, each with its length in ``seconds``; null while it runs."""
    runs = schema.sync_runs
    found = conn.execute(select(runs).where(*wanted).order_by(runs.c.id.desc()).limit(limit))
    return [timed(dict(row)) for row in found.mappings()]


def timed(run: Row) -> Row:
    """A run with its ``seconds``."""
    ended = run["finished_at"]
    return {**run, "seconds": None if ended is None else (ended - run["started_at"]).total_seconds()}
