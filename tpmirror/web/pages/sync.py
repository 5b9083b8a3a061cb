"""Sync: the runs with their proofs, the quarantine, vanished jobs that wait for an operator, the sinks of events."""

from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.reports.runs import newest
from tpmirror.store import events, presence, quarantine
from tpmirror.store.runs import as_json
from tpmirror.web import templating
from tpmirror.web.cache import rows

RUNS: Final = 50
"""Runs on a page."""
MAX_ENTRIES: Final = 100
"""Entries of the quarantine, and waiting jobs, on the page; the command line lists all."""


def page(request: Request) -> Response:
    """``/sync``; ``before`` is the run below which the list begins, ``kind`` full or poll."""
    before = templating.whole(request, "before")
    kind = templating.choice(request, "kind", ("full", "poll"), "")
    with templating.snapshot(request) as conn:
        runs = _runs(conn, before, kind)
        entries, holding = _quarantine(conn), quarantine.holding(conn)
        waiting, sinks = presence.waiting(conn), events.sinks(conn)
    return templating.page(
        request,
        "sync.html",
        runs=runs[:RUNS],
        older=runs[RUNS - 1]["id"] if len(runs) > RUNS else None,
        state={"kind": kind, "before": before},
        chart=_chart(runs[:RUNS]),
        quarantine=entries,
        held=f"Listed jobs: {holding.counts}." if holding.counts else "",
        waiting=waiting[:MAX_ENTRIES],
        waiting_count=len(waiting),
        sinks=sinks,
    )


def _runs(conn: Connection, before: int | None, kind: str) -> list[Row]:
    """The runs of a page and one more, each with its certificate opened."""
    table = schema.sync_runs.c
    wanted = [] if before is None else [table.id < before]
    wanted += [table.kind == kind] if kind else []
    return [as_json(run) for run in newest(conn, *wanted, limit=RUNS + 1)]


def _chart(runs: list[Row]) -> dict[str, Any]:
    """Seconds and requests of each run, oldest first."""
    shown = [run for run in reversed(runs) if run["seconds"] is not None]
    return {
        "kind": "points",
        "step": "second",
        "x": [run["started_at"].timestamp() for run in shown],
        "series": [
            {"name": "seconds", "values": [round(run["seconds"], 3) for run in shown]},
            {"name": "requests", "values": [run["requests"] for run in shown]},
        ],
    }


def _quarantine(conn: Connection) -> list[Row]:
    """Entries that are not resolved, newest first; without what the role may not read."""
    table = schema.quarantined_jobs
    columns = readable(conn, table)
    wanted = select(*columns).where(table.c.resolved_at.is_(None)).order_by(table.c.id.desc()).limit(MAX_ENTRIES)
    return rows(conn, wanted)
