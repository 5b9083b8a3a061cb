"""Sync: the runs with their proofs, vanished and quarantined jobs that wait for an operator, the sinks of events."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Report, plain
from tpmirror.reports.runs import chosen
from tpmirror.store import events, presence, quarantine
from tpmirror.web import templating
from tpmirror.web.cache import rows
from tpmirror.web.tables import table

RUNS: Final = 50
"""Runs on a page."""
COLUMNS: Final = (
    "id", "kind", "outcome", "started_at", "seconds", "proof", "jobs_seen", "jobs_inserted", "jobs_updated",
    "transitions", "jobs_gone", "requests", "retries",
)  # fmt: skip
"""Columns of a run; without ``certified``, which ``proof`` states in words."""
MAX_ENTRIES: Final = 25
"""Entries of the quarantine, and waiting jobs, on the page; the command line lists all."""


def page(request: Request) -> Response:
    """``/sync``; ``before`` is the run below which the list begins, ``kind`` full or poll."""
    templating.check_parameters(request, "before", "kind")
    before = templating.whole(request, "before")
    kind = templating.choice(request, "kind", ("full", "poll"), "")
    with templating.snapshot(request) as conn:
        runs = _runs(conn, before, kind)
        entries, holding = _quarantine(conn), quarantine.holding(conn)
        open_entries, undecided = quarantine.count_open(conn), quarantine.count_waiting(conn)
        waiting, silent = presence.waiting(conn), presence.unanswered(conn)
        sinks = events.sinks(conn)
        names = _names(conn, [*waiting[:MAX_ENTRIES], *silent[:MAX_ENTRIES], *entries])
    shown = list(runs.rows)
    return templating.page(
        request,
        "sync.html",
        runs=table(runs, "sync", limit=RUNS, columns=COLUMNS, empty="No run yet. tpmirror sync makes the first."),
        certified=runs.summary["certified_at"] is not None,
        older=shown[RUNS - 1]["id"] if len(shown) > RUNS else None,
        state={"kind": kind, "before": before},
        charts=_charts(shown[:RUNS]),
        waiting=table(_absent("Vanished jobs that wait", waiting, names), limit=MAX_ENTRIES),
        waiting_count=len(waiting),
        silent=table(_absent("Missing jobs without an answer", silent, names), limit=MAX_ENTRIES),
        silent_ids=[row["job_id"] for row in silent[:3]],
        silent_count=len(silent),
        quarantine=table(_faults(entries, names)),
        entries=open_entries,
        undecided=undecided,
        undecided_ids=[row["id"] for row in quarantine.holding_back(entries)[:3]],
        held=f"Listed jobs: {holding.counts}." if holding.counts else "",
        shown=MAX_ENTRIES,
        sinks=sinks,
    )


def _runs(conn: Connection, before: int | None, kind: str) -> Report:
    """The runs of a page and one more, by which the page knows that older ones exist."""
    table = schema.sync_runs.c
    wanted = [] if before is None else [table.id < before]
    wanted += [table.kind == kind] if kind else []
    return chosen(conn, "newest first" if before is None else f"before {before}", *wanted, limit=RUNS + 1)


def _charts(runs: list[Row]) -> dict[str, dict[str, Any]]:
    """Seconds, and requests, of each run, oldest first."""
    shown = [run for run in reversed(runs) if run["seconds"] is not None]
    x = [run["started_at"].timestamp() for run in shown]

    def points(values: Sequence[float], name: str, colour: int) -> dict[str, Any]:
        series = [{"name": name, "values": values, "colour": colour}]
        return {"kind": "points", "step": "second", "x": x, "series": series, "empty": "No run has ended yet."}

    return {
        "seconds": points([round(run["seconds"], 3) for run in shown], "seconds", 0),
        "requests": points([run["requests"] for run in shown], "requests", 1),
    }


def _names(conn: Connection, found: Iterable[Row]) -> dict[int, str | None]:
    """The name of the input of each of these jobs of which there is a row."""
    jobs = view("job_overview_public").c
    ids = sorted({row["job_id"] for row in found if row["job_id"] is not None})
    return {
        row["job_id"]: row["input_name"]
        for row in rows(conn, select(jobs.job_id, jobs.input_name).where(jobs.job_id.in_(ids)))
    }


def _absent(title: str, found: Sequence[Row], names: dict[int, str | None]) -> Report:
    """Jobs that are off the list, with the names of their videos."""
    columns = plain(
        job_id="job", input_name="video", started="started", absent_since="absent since", answer="answer by id"
    )
    return Report(title, columns, [{**row, "input_name": names.get(row["job_id"])} for row in found])


def _faults(entries: Sequence[Row], names: dict[int, str | None]) -> Report:
    """Open entries of the quarantine; without the reasons where the role may not read them."""
    found = [{"fault": None, **row, "input_name": names.get(row["job_id"]), "entry": row["id"]} for row in entries]
    what = "reason" if found and "reason" in found[0] else "field"
    columns = plain(entry="entry", job_id="job", input_name="video", fault="fault") | plain(**{what: "what and why"})
    columns |= plain(first_seen_at="first seen", last_seen_at="last seen", accepted_at="accepted")
    return Report("Quarantine", columns, found)


def _quarantine(conn: Connection) -> list[Row]:
    """Unresolved entries, those not accepted first, then the newest first; only the columns that the role may read."""
    table = schema.quarantined_jobs
    columns = readable(conn, table)
    order = (func.coalesce(table.c.accepted_at.is_not(None), False), table.c.id.desc())
    wanted = select(*columns).where(table.c.resolved_at.is_(None)).order_by(*order).limit(MAX_ENTRIES)
    return rows(conn, wanted)
