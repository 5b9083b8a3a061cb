"""Full syncs and polls, newest first, and whether the mirror is proven complete."""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import count
from tpmirror.months import start_of
from tpmirror.reports.model import Report, plain, seconds
from tpmirror.reports.period import Period
from tpmirror.store.runs import FUTURE, last

sync_runs: Final = schema.sync_runs.c
RUN_COLUMNS: Final = (
    "id", "kind", "outcome", "certified", "started_at", "finished_at", "requests", "retries", "jobs_seen",
    "jobs_inserted", "jobs_updated", "transitions", "jobs_gone", "seconds", "error",
)  # fmt: skip


def syncs(conn: Connection, period: Period) -> Report:
    """The runs of a period, and the view ``sync_health`` as summary."""
    runs = schema.sync_runs
    seen = [] if period.first is None else [runs.c.started_at >= start_of(period.first)]
    seen += [] if period.after is None else [runs.c.started_at < start_of(period.after)]
    return chosen(conn, str(period), *seen)


def chosen(conn: Connection, title: str, *wanted: ColumnElement[bool], limit: int | None = None) -> Report:
    """The newest of the runs that meet some conditions, each with its proof in words."""
    rows = [
        {**{name: row[name] for name in RUN_COLUMNS}, "proof": proof_in_words(row)}
        for row in newest(conn, *wanted, limit=limit)
    ]
    health = dict(conn.execute(select(view("sync_health"))).mappings().one())
    columns = plain(id="run", kind="kind", outcome="outcome", certified="certified", started_at="started")
    columns |= seconds("seconds", "took") | plain(jobs_seen="seen", jobs_inserted="new", transitions="status changes")
    columns |= plain(jobs_updated="changed", jobs_gone="gone", requests="requests", retries="retries", proof="proof")
    proven = health["certified_at"]
    notes = [
        "Never proven complete; run tpmirror sync."
        if proven is None
        else f"Proven complete as of {proven:%Y-%m-%d %H:%M:%S} UTC."
    ]
    if proven is not None and health["certified_age_s"] is None:
        notes.append(f"That is {FUTURE}, and says nothing about freshness.")
    if full := last(conn, sync_runs.kind == "full", sync_runs.outcome != "running"):
        notes.append(f"Last full sync, run {full['id']}: {proof_in_words(full)}.")
    if health["last_error"]:
        notes.append(f"Last failure, {health['last_failure_at']:%Y-%m-%d %H:%M:%S} UTC: {health['last_error']}")
    return Report(f"Runs, {title} (times in UTC)", columns, rows, notes, health)


def proof_in_words(run: Row) -> str | None:
    """What a full sync proved, in a sentence with its numbers, or why it proved nothing; None of a poll."""
    if run["error"] or run["certificate"] is None:
        return run["error"] and str(run["error"])
    proof = json.loads(run["certificate"])
    if run["certified"]:
        text = f"certified: {_counted(proof)}, and each is held as shown"
        return f"{text}, {proof['accepted']:,} of them as accepted" if proof.get("accepted") else text
    reason = proof.get("reason") or "this certificate gives no reason"
    ids = f"; which jobs are listed is proven: {_counted(proof)}" if proof.get("ids_proven") else ""
    return f"not certified: {reason}{ids}"


def _counted(proof: dict[str, Any]) -> str:
    """The proof of which jobs are listed."""
    at = datetime.fromisoformat(proof["counted_at"])
    text = f"the API counted {count(proof['count'], 'job')} at {at:%H:%M:%S}"
    if proof.get("method") == "single page":
        return f"{text} and showed them on one page"
    if "proven" not in proof:
        return text
    newer = f", {count(proof['newer'], 'newer job')} besides" if proof.get("newer") else ""
    return f"{text}, and {proof['proven']:,} were seen both before and after that{newer}"


def newest(conn: Connection, *wanted: ColumnElement[bool], limit: int | None = None) -> list[Row]:
    """Runs, newest first, each with its length in ``seconds``; null while it runs."""
    runs = schema.sync_runs
    found = conn.execute(select(runs).where(*wanted).order_by(runs.c.id.desc()).limit(limit))
    return [timed(dict(row)) for row in found.mappings()]


def timed(run: Row) -> Row:
    """A run with its ``seconds``."""
    ended = run["finished_at"]
    return {**run, "seconds": None if ended is None else (ended - run["started_at"]).total_seconds()}
