"""The state of the mirror: as of when it is complete, its jobs by presence, and the problems that need attention."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import duration
from tpmirror.store import queries, runs
from tpmirror.store.health import Problem, problems_of_mirror
from tpmirror.store.status import MirrorStatus, read_status
from tpmirror.web.cache import remembered, rows

LATE: Final = 3
"""Intervals without a certified full sync after which the dashboard warns."""
LINKS: Final = {
    "key_refused": "/sync#runs",
    "failing": "/sync#runs",
    "failed": "/sync#runs",
    "never_certified": "/sync#runs",
    "stale": "/sync#runs",
    "uncertified": "/sync#runs",
    "operator": "/sync#waiting",
    "untold": "/jobs?presence=missing",
    "quarantine": "/sync#quarantine",
    "retention": "/sync#runs",
    "unknown_code": "/data/job_statuses",
    "unknown_key": "/data/jobs",
    "budget": "/costs",
}
"""The page that shows the cause of a problem, by the part of its code before a colon."""


def health(conn: Connection) -> Row:
    """The row of ``sync_health``, with how many jobs the last proof counted."""
    (found,) = rows(conn, select(view("sync_health")))
    proof = (runs.last(conn, runs.CERTIFIED) or {}).get("certificate")
    return {**found, "proven": json.loads(proof)["count"] if proof else None}


def state(request: Request, conn: Connection, now: datetime) -> dict[str, Any]:
    """The mirror's state for a page: its row of ``sync_health``, the problems, and its jobs by presence."""
    settings, found = request.app.state.settings, health(conn)
    status = read_status(conn, now.date())
    problems = [*problems_of_mirror(status, settings, now), *_failed(status)]
    extras = remembered(request, conn, "unknown", lambda: queries.unknown(conn))
    problems += _unknown_keys({name: keys for name, keys in extras.items() if name.endswith(".extra")})
    at = found["certified_at"]
    jobs = remembered(request, conn, ("presence", at), lambda: queries.jobs_by_presence(conn, at))
    return {
        "health": found,
        "jobs": jobs,
        "level": level(problems),
        "needs": [_shown(problem) for problem in sorted(problems, key=lambda one: not one.critical)],
        "parts_of": parts(found, jobs, now, is_proven=_is_proven(status, now, settings.sync_interval)),
    }


def level(problems: Sequence[Problem]) -> str:
    """The worst severity: ``bad`` for a critical problem, ``warn`` for any other, ``good`` without problems."""
    if any(problem.critical for problem in problems):
        return "bad"
    return "warn" if problems else "good"


def _is_proven(status: MirrorStatus, now: datetime, interval: float) -> bool:
    """Whether the last full sync was certified, and is not older than ``LATE`` intervals."""
    age = None if status.certified_at is None else runs.proof_age(status.certified_at, now)
    return not status.uncertified and age is not None and age <= LATE * interval


def parts(found: Row, jobs: Row, now: datetime, *, is_proven: bool) -> list[dict[str, str]]:
    """The number of jobs by presence, each with a link to them; the numbers add up to all jobs of the mirror."""
    waiting, missing = found["waiting_for_operator"], jobs["missing"]
    listed = f"{jobs['listed']:,} listed{_certified(found, jobs, now, is_proven=is_proven)}"
    wanted = [
        (jobs["listed"], listed, "/jobs?presence=listed"),
        (missing, _missing(missing, waiting), "/sync#waiting" if waiting else "/jobs?presence=missing"),
        (jobs["unlisted"], f"{jobs['unlisted']:,} not listed any more, but still there", "/jobs?presence=unlisted"),
        (jobs["gone"], f"{jobs['gone']:,} gone", "/jobs?presence=gone"),
    ]
    return [{"text": text, "link": link} for number, text, link in wanted if number]


def _missing(missing: int, waiting: int) -> str:
    """The missing jobs, and how many of them wait for the operator, in words."""
    if waiting >= missing:
        return f"{missing:,} {'waits' if missing == 1 else 'wait'} for you"
    return f"{missing:,} missing" + (f", of them {waiting:,} wait for you" if waiting else "")


def _certified(found: Row, jobs: Row, now: datetime, *, is_proven: bool) -> str:
    """As of when the last certificate proves that the list is complete, in words."""
    at = found["certified_at"]
    if at is None:
        return ", never certified"
    moment = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
    if (age := runs.proof_age(at, now)) is None:
        return f", {runs.FUTURE}, as of {moment} UTC: how fresh they are is unknown"
    but = f", but for {jobs['newer']:,} newer" if jobs["newer"] else ""
    how = " and certified" if is_proven else ", last certified"
    return f"{how} as of {moment} UTC ({duration(age)} ago){but}"


def _failed(status: MirrorStatus) -> list[Problem]:
    """A problem for one or two failed runs in a row: three raise an alert, fewer only show on the page."""
    if not 0 < status.run_failures < 3 or status.sync_failures >= 3:
        return []
    return [Problem("failed", f"the last run failed: {status.run_error}", "tpmirror doctor finds out why")]


def _unknown_keys(found: dict[str, list[Any]]) -> list[Problem]:
    """Keys that the API sent and this version has no column for."""
    remedy = "nothing is lost: they are kept in the column extra; see whether a newer tpmirror has a name for them"
    message = "the API sent what this version has no column for, in"
    return [Problem("unknown_key", f"{message} {name}: {', '.join(keys[:8])}", remedy) for name, keys in found.items()]


def _shown(problem: Problem) -> dict[str, str]:
    """A problem as the page shows it."""
    message = problem.message[:1].upper() + problem.message[1:]
    kind, _, about = problem.code.partition(":")
    table, _, code = about.partition("=")
    link = f"/jobs?status={code}" if table == "job_statuses" else LINKS.get(kind, "/sync")
    return {
        "level": "bad" if problem.critical else "warn",
        "text": message,
        "remedy": problem.remedy,
        "link": link,
    }
