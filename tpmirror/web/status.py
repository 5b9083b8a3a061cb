"""How the mirror is: complete as of when, in one sentence, and what needs an operator."""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import duration
from tpmirror.store import quarantine, queries, runs
from tpmirror.web.cache import remembered, rows

LATE: Final = 3
"""Intervals without a certified full sync after which the dashboard warns."""


def health(conn: Connection) -> Row:
    """The row of ``sync_health``, with how many jobs the last proof counted."""
    (found,) = rows(conn, select(view("sync_health")))
    proof = (runs.last(conn, runs.CERTIFIED) or {}).get("certificate")
    return {**found, "proven": json.loads(proof)["count"] if proof else None}


def sentence(found: Row, now: datetime, interval: float) -> dict[str, str]:
    """The state in words, and how good it is: good, warn (the proof is overdue) or bad."""
    at = found["certified_at"]
    if at is None:
        if found["last_run_id"] is None:
            return {"level": "bad", "text": "The mirror is empty; tpmirror sync fills it."}
        return {"level": "bad", "text": f"{found['jobs']:,} jobs, never certified complete; tpmirror sync proves it."}
    moment = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
    held = f"All {found['proven']:,} jobs held as of {moment} UTC"
    if (age := runs.proof_age(at, now)) is None:
        return {"level": "warn", "text": f"{held}, {runs.FUTURE}: how fresh they are is unknown."}
    text = f"{held}, certified ({duration(age)} ago)."
    return {"level": "warn" if age > LATE * interval else "good", "text": text}


def needs(request: Request, conn: Connection, found: Row) -> list[dict[str, Any]]:
    """What needs attention: a text and a link to its page, the most urgent first."""
    wanted = [
        *_trouble(found, request.app.state.settings.sync_interval),
        *_decisions(found["waiting_for_operator"], quarantine.count_waiting(conn)),
    ]
    strange = remembered(request, conn, "unknown", lambda: queries.unknown(conn))
    for place, names in strange.items():
        text = f"The API sent what this version has no name for, in {place}: {', '.join(map(str, names[:8]))}."
        wanted.append({"text": f"{text} Nothing is lost; see whether there is a newer version.", "link": "/data"})
    return wanted


def _trouble(found: Row, interval: float) -> list[dict[str, Any]]:
    """A run that failed since the last that did not, and a proof that is overdue."""
    wanted = []
    failed, success = found["last_failure_at"], found["last_success_at"]
    if failed is not None and (success is None or failed > success):
        wanted.append({"text": f"The last run failed: {found['last_error']}", "link": "/sync#runs"})
    age = found["certified_age_s"]
    if age is None and found["certified_at"] is not None:
        text = f"The last full sync was {runs.FUTURE}; set the clock, then run tpmirror sync."
        wanted.append({"text": text, "link": "/sync#runs"})
    if age is not None and age > LATE * interval:
        wanted.append({"text": f"No certified full sync for {duration(age)}.", "link": "/sync#runs"})
    return wanted


def _decisions(vanished: int, entries: int) -> list[dict[str, Any]]:
    """What waits for a decision: vanished jobs, and entries of the quarantine that nobody accepted."""
    wanted = [
        (vanished, "vanished jobs wait: were they deleted?", "/sync#waiting"),
        (entries, "values or items could not be held, and nobody accepted that.", "/sync#quarantine"),
    ]
    return [{"text": f"{count:,} {text}", "link": link} for count, text, link in wanted if count]
