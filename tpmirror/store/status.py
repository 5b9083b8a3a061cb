"""The status of the mirror in a few short queries: it decides when to run again, and which problems there are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Connection, and_, func, or_, select

from tpmirror.db import schema
from tpmirror.store import events, presence, quarantine, queries, retention, runs
from tpmirror.store.events import SinkState
from tpmirror.store.quarantine import Holding


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """Where an export stands that the service keeps fresh."""

    since: datetime
    """When the service first set out to make it."""
    succeeded_at: datetime | None = None
    """As of when it holds the mirror."""
    failures: int = 0
    """How often in a row it has failed since."""
    error: str | None = None
    """What it failed with."""


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """State of runs and jobs, as read from the mirror's rows: ``service.due`` and ``health`` decide by it."""

    synced_at: datetime | None = None
    """When the last full sync that succeeded began."""
    sync_failures: int = 0
    """Full syncs in a row that failed since then."""
    sync_failed_at: datetime | None = None
    """When the last of those ended."""
    sync_error: str | None = None
    """The error of that full sync."""
    succeeded_at: datetime | None = None
    """When the last run of any kind that succeeded began."""
    run_failures: int = 0
    """Runs in a row that failed since then."""
    run_failed_at: datetime | None = None
    """When the last of those ended."""
    run_error: str | None = None
    """The error of that run."""
    certified_at: datetime | None = None
    """As of when the mirror was last proven complete."""
    uncertified: int = 0
    """Full syncs in a row that succeeded without a proof."""
    uncertified_reason: str | None = None
    """Why the last of those has none."""
    last_run: int | None = None
    """The newest run, of any outcome."""
    in_flight: int = 0
    """Jobs that are not over."""
    waiting: int = 0
    """Vanished jobs that wait for an operator."""
    unanswered_since: datetime | None = None
    """Since when jobs are missing for which asking by id brings no answer."""
    quarantined: int = 0
    """Items and values that could not be held and that no operator accepted."""
    holding: Holding = field(default_factory=Holding)
    """How many listed jobs are not held as shown."""
    ungranted: tuple[str, ...] = ()
    """Tables whose old rows this database role may not remove."""
    unknown_codes: tuple[str, ...] = ()
    """Codes without a name, each after its table."""
    sinks: tuple[SinkState, ...] = ()
    """How far each sink of events has come."""
    exports: Mapping[str, ExportStatus] = field(default_factory=dict)
    """Exports of the service, by destination."""
    credits_today: Decimal | None = None
    credits_month: Decimal | None = None
    """Credits of the jobs of this day and of this month (UTC); None if ``read_status`` got no day."""


def read_status(conn: Connection, today: date | None = None) -> MirrorStatus:
    """Read the status: when to run again, and which problems there are; a few short index look-ups.

    With ``today`` also the Credits spent on that day and in its month.
    """
    run = schema.sync_runs.c
    full, done = run.kind == "full", run.outcome == "succeeded"
    synced, succeeded, proven = runs.last(conn, full, done), runs.last(conn, done), runs.last(conn, runs.CERTIFIED)
    sync_failures, failed_sync = runs.later(conn, synced, full, run.outcome == "failed")
    run_failures, failed_run = runs.later(conn, succeeded, run.outcome == "failed")
    uncertified, unproven = runs.later(conn, proven, full, done)
    return MirrorStatus(
        synced_at=(synced or {}).get("started_at"),
        sync_failures=sync_failures,
        sync_failed_at=failed_sync.get("finished_at"),
        sync_error=failed_sync.get("error"),
        succeeded_at=(succeeded or {}).get("started_at"),
        run_failures=run_failures,
        run_failed_at=failed_run.get("finished_at"),
        run_error=failed_run.get("error"),
        certified_at=runs.certified_as_of(proven),
        uncertified=uncertified,
        uncertified_reason=json.loads(unproven.get("certificate") or "{}").get("reason"),
        last_run=conn.scalar(select(func.max(run.id))),
        in_flight=_in_flight(conn),
        waiting=len(presence.waiting(conn)),
        unanswered_since=presence.unanswered_since(conn),
        quarantined=quarantine.count_waiting(conn),
        holding=quarantine.holding(conn),
        ungranted=tuple(retention.ungranted(conn)),
        unknown_codes=tuple(f"{name}={code}" for name, codes in queries.unknown_codes(conn).items() for code in codes),
        sinks=tuple(events.sinks(conn)),
        exports=_exports(conn),
        credits_today=credits_since(conn, today) if today else None,
        credits_month=credits_since(conn, today.replace(day=1)) if today else None,
    )


def _exports(conn: Connection) -> dict[str, ExportStatus]:
    table = schema.exports.c
    rows = conn.execute(select(table.destination, table.since, table.succeeded_at, table.failures, table.error))
    return {destination: ExportStatus(*others) for destination, *others in rows}


def _in_flight(conn: Connection) -> int:
    """How many jobs are not over and not gone; by the statuses that are not terminal, for which there is an index."""
    jobs, statuses = schema.jobs.c, schema.job_statuses.c
    going_on = jobs.status.in_(select(statuses.code).where(~statuses.is_terminal))
    return conn.scalar(select(func.count()).where(going_on, jobs.presence != "gone")) or 0


def credits_since(conn: Connection, since: date) -> Decimal:
    """Credits of the jobs that count from a day (UTC) on, as the view ``daily_costs`` has it, but found by index."""
    jobs, start = schema.jobs.c, datetime(since.year, since.month, since.day, tzinfo=UTC)
    counts = or_(jobs.finished >= start, and_(jobs.finished.is_(None), jobs.started >= start))
    wanted = select(jobs.cost_usd).where(counts, jobs.preview.is_not(True), jobs.cost_usd.is_not(None))
    return sum(conn.execute(wanted).scalars(), Decimal(0))
