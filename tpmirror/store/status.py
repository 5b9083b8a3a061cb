"""The status of the mirror in a few short queries: what decides when to run again, and what is wrong."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Connection, and_, func, or_, select

from tpmirror.db import schema
from tpmirror.store import presence, quarantine, queries, runs


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """What the mirror's rows show of its runs and jobs: what is due and what is wrong follows from it."""

    walked_at: datetime | None = None
    """When the last full sync that succeeded began."""
    walk_failures: int = 0
    """Full syncs in a row that failed since then."""
    walk_failed_at: datetime | None = None
    """When the last of those ended."""
    walk_error: str | None = None
    """What it failed with."""
    looked_at: datetime | None = None
    """When the last run of any kind that succeeded began."""
    look_failures: int = 0
    """Runs in a row that failed since then."""
    look_failed_at: datetime | None = None
    """When the last of those ended."""
    look_error: str | None = None
    """What it failed with."""
    certified_at: datetime | None = None
    """As of when the mirror was last proven complete."""
    uncertified: int = 0
    """Full syncs in a row that succeeded without a proof."""
    uncertified_reason: str | None = None
    """Why the last of those has none."""
    last_run: int | None = None
    """The newest run, whatever became of it."""
    in_flight: int = 0
    """Jobs that are not over."""
    waiting: int = 0
    """Vanished jobs that wait for an operator."""
    untold_since: datetime | None = None
    """Since when jobs are missing for which asking by id brings no answer."""
    quarantined: int = 0
    """Payloads that could not be mirrored."""
    unknown_codes: tuple[str, ...] = ()
    """Codes without a name, each after its table."""
    credits_today: Decimal | None = None
    credits_month: Decimal | None = None
    """What the jobs of this day and month (UTC) cost; None if nobody asked."""


def read_status(conn: Connection, today: date | None = None) -> MirrorStatus:
    """Read what decides when to run again and which problems there are; a few short index look-ups.

    With ``today`` also what was spent on that day and in its month.
    """
    run = schema.sync_runs.c
    full, done = run.kind == "full", run.outcome == "succeeded"
    walked, looked, proven = runs.last(conn, full, done), runs.last(conn, done), runs.last(conn, run.certified)
    walk_failures, failed_walk = runs.later(conn, walked, full, run.outcome == "failed")
    look_failures, failed_look = runs.later(conn, looked, run.outcome == "failed")
    uncertified, unproven = runs.later(conn, proven, full, done)
    return MirrorStatus(
        walked_at=(walked or {}).get("started_at"),
        walk_failures=walk_failures,
        walk_failed_at=failed_walk.get("finished_at"),
        walk_error=failed_walk.get("error"),
        looked_at=(looked or {}).get("started_at"),
        look_failures=look_failures,
        look_failed_at=failed_look.get("finished_at"),
        look_error=failed_look.get("error"),
        certified_at=runs.certified_as_of(proven),
        uncertified=uncertified,
        uncertified_reason=json.loads(unproven.get("certificate") or "{}").get("reason"),
        last_run=conn.scalar(select(func.max(run.id))),
        in_flight=conn.scalar(select(func.count()).where(schema.IN_FLIGHT, schema.jobs.c.presence != "gone")) or 0,
        waiting=len(presence.waiting(conn)),
        untold_since=presence.untold_since(conn),
        quarantined=quarantine.count_open(conn),
        unknown_codes=tuple(f"{name}={code}" for name, codes in queries.unknown_codes(conn).items() for code in codes),
        credits_today=credits_since(conn, today) if today else None,
        credits_month=credits_since(conn, today.replace(day=1)) if today else None,
    )


def credits_since(conn: Connection, since: date) -> Decimal:
    """Credits of the jobs that count from a day (UTC) on, as the view ``daily_costs`` has it, but found by index."""
    jobs, start = schema.jobs.c, datetime(since.year, since.month, since.day, tzinfo=UTC)
    counts = or_(jobs.finished >= start, and_(jobs.finished.is_(None), jobs.started >= start))
    wanted = select(jobs.cost_usd).where(counts, jobs.preview.is_not(True), jobs.cost_usd.is_not(None))
    return sum(conn.execute(wanted).scalars(), Decimal(0))
