"""Events: transitions in the form in which other programs get them, and the cursor of each sink.

One replica at a time serves a sink. It claims the sink by the UPDATE that sets ``next_try_at``; the UPDATE that writes
the outcome checks the claim, so that a process that paused for too long changes nothing. Times are those of the
database's clock, which all replicas share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, delete, exists, func, insert, literal, or_, select, update

from tpmirror.db import bulk, schema
from tpmirror.db.schema import event_cursors, event_deliveries_dead, job_status_history, sync_runs
from tpmirror.db.types import CENT_OF_CENT, Money, Row

NAMED: Final = {
    0: "job.queued",
    1: "job.processing",
    2: "job.finished",
    -1: "job.failed",
    -2: "job.canceled",
}
"""Types of events, by the status after the transition."""
OTHER: Final = "job.status_changed"
"""The type for a status that this version has no name for."""
TYPES: Final = (*NAMED.values(), OTHER)
SCHEMA_VERSION: Final = 1
"""Version of the body: it grows when a key goes or changes its meaning, not when a key is added."""
TERM: Final = timedelta(seconds=30)
"""How long a claim holds: longer than one request may take, and the time within which a killed process is replaced."""
FARTHEST: Final = timedelta(hours=24)
"""No delay is as long: a clock that has been set back since noted a next try that is later."""

_history, _cursors, _dead = job_status_history.c, event_cursors.c, event_deliveries_dead.c


class Event(NamedTuple):
    """A transition, ready to be sent."""

    entry: int
    id: str
    """``webhook-id``: equal in every delivery of the event, by any replica."""
    body: Row
    """The body to be encoded as JSON; times and money still have their Python types."""


def head(conn: Connection) -> int:
    """The newest entry, 0 if there is none."""
    return conn.scalar(select(func.max(_history.entry))) or 0


def after(
    conn: Connection, entry: int, limit: int, *, types: Sequence[str] = (), until: int | None = None
) -> list[Event]:
    """The events after an entry, in order; of these types (all if empty), and up to the entry ``until``."""
    wanted = [_history.entry > entry]
    wanted += [] if until is None else [_history.entry <= until]
    wanted += [_is_of(types)] if types else []
    return [_event(dict(row)) for row in conn.execute(_select().where(*wanted).limit(limit)).mappings()]


def one(conn: Connection, entry: int) -> Event | None:
    """The event of an entry."""
    return next(iter(after(conn, entry - 1, 1, until=entry)), None)


def _is_of(types: Sequence[str]) -> ColumnElement[bool]:
    found = _history.to_status.in_([code for code, name in NAMED.items() if name in types])
    return or_(found, _history.to_status.not_in(NAMED)) if OTHER in types else found


def _select() -> Any:
    jobs, sources, results = schema.jobs, schema.input_videos, schema.output_videos
    before, to = schema.job_statuses.alias(), schema.job_statuses.alias()
    charged = case((jobs.c.preview.is_(True), literal(0 * CENT_OF_CENT, Money())), else_=jobs.c.cost_usd)
    return (
        select(
            job_status_history,
            before.c.name.label("from_name"),
            to.c.name.label("to_name"),
            charged.label("credits"),
            sources.c.name.label("input_name"),
            results.c.name.label("output_name"),
        )
        .join(to, to.c.code == _history.to_status)
        .outerjoin(before, before.c.code == _history.from_status)
        .join(jobs, jobs.c.id == _history.job_id)
        .outerjoin(sources, sources.c.id == jobs.c.input_video_id)
        .outerjoin(results, results.c.id == jobs.c.output_video_id)
        .order_by(_history.entry)
    )


def _event(row: Row) -> Event:
    known = ("not_before", "observed_at", "occurred_at", "credits", "input_name", "output_name")
    body = {
        "type": NAMED.get(row["to_status"], OTHER),
        "timestamp": row["observed_at"],
        "schema_version": SCHEMA_VERSION,
        "data": {
            "entry": row["entry"],
            "job_id": row["job_id"],
            "from": None if row["from_status"] is None else {"code": row["from_status"], "name": row["from_name"]},
            "to": {"code": row["to_status"], "name": row["to_name"]},
            **{name: row[name] for name in known},
        },
    }
    return Event(row["entry"], f"tps_{row['row_hash'][:32]}", body)


@dataclass(frozen=True, slots=True)
class SinkState:
    """How far a sink has come."""

    sink: str
    entry: int | None
    """The last entry delivered; None until the first full sync has ended."""
    attempts: int
    next_try_at: datetime | None
    last_error: str | None
    disabled_at: datetime | None
    lag: int
    """Entries after that, which are still to be sent."""
    waiting_since: datetime | None
    """When the mirror saw the first of them."""
    dead: int
    """Entries that were given up, and not delivered since."""


def sinks(conn: Connection) -> list[SinkState]:
    """Every sink that the mirror knows, by name."""
    newest = select(func.coalesce(func.max(_history.entry), 0)).scalar_subquery()
    given_up = select(func.count()).where(_dead.sink == _cursors.sink, _dead.redelivered_at.is_(None)).scalar_subquery()
    wanted = (
        select(
            event_cursors,
            func.coalesce(newest - _cursors.entry, 0).label("lag"),
            _history.observed_at.label("waiting_since"),
            given_up.label("dead"),
        )
        .outerjoin(job_status_history, _history.entry == _cursors.entry + 1)
        .order_by(_cursors.sink)
    )
    return [SinkState(**row) for row in conn.execute(wanted).mappings()]


def dead(conn: Connection, sink: str | None = None) -> list[Row]:
    """Deliveries given up, in order, with their job: all of them, or those of one sink not delivered since."""
    wanted = select(event_deliveries_dead, _history.job_id).join(job_status_history, _history.entry == _dead.entry)
    if sink is not None:
        wanted = wanted.where(_dead.sink == sink, _dead.redelivered_at.is_(None))
    return [dict(row) for row in conn.execute(wanted.order_by(_dead.sink, _dead.entry)).mappings()]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver to a sink."""

    sink: str
    entry: int
    """The last entry delivered."""
    attempts: int
    """Failed attempts to deliver the next one."""
    until: datetime
    """When it ends; no other claim of the sink ends at the same time."""


def is_due(conn: Connection, sink: str, now: datetime) -> bool:
    """Whether there may be something to do for a sink: it is unknown, or has an entry to send, or may begin.

    Reads only: on SQLite a claim waits for the write lock, and keeps the syncs from it.
    """
    row = conn.execute(select(_cursors.entry).where(_cursors.sink == sink)).first()
    if row is None:
        return True
    if row.entry is None:
        return _first_synced(conn) is not None
    return conn.execute(select(_cursors.sink).where(_cursors.sink == sink, *_free(now))).first() is not None


def enroll(conn: Connection, sink: str) -> None:
    """Start a sink: a new one at the end of the history, and none before the end of the mirror's first full sync."""
    first = _first_synced(conn)
    begin = None if first is None else head(conn)
    new = bulk.insert_of(conn.dialect.name)(event_cursors).values(sink=sink, entry=begin, attempts=0)
    conn.execute(new.on_conflict_do_nothing())
    if first is not None:
        # A sink that waited starts where that sync ended: entries recorded since then are new to it.
        last = conn.scalar(select(func.max(_history.entry)).where(_history.sync_run_id <= first)) or 0
        conn.execute(update(event_cursors).where(_cursors.sink == sink, _cursors.entry.is_(None)).values(entry=last))


def _first_synced(conn: Connection) -> int | None:
    """The number of the first full sync that succeeded."""
    done = (sync_runs.c.kind == "full", sync_runs.c.outcome == "succeeded")
    first: int | None = conn.scalar(select(func.min(sync_runs.c.id)).where(*done))
    return first


def claim(conn: Connection, sink: str, now: datetime) -> Claim | None:
    """Claim a sink that has something to be sent now; None if it has not, or another process delivers."""
    until = now + TERM
    taken = update(event_cursors).where(_cursors.sink == sink, *_free(now)).values(next_try_at=until)
    row = conn.execute(taken.returning(_cursors.entry, _cursors.attempts)).first()
    return None if row is None else Claim(sink, row.entry, row.attempts, until)


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whether a sink is enabled, has an entry to send, and neither a claim nor a delay after a failure is in force."""
    at = _cursors.next_try_at
    return (
        _cursors.disabled_at.is_(None),
        or_(at.is_(None), at <= now, at > now + FARTHEST),
        exists(select(_history.entry).where(_history.entry == _cursors.entry + 1)),
    )


def advance(conn: Connection, held: Claim, now: datetime, *, keep: bool) -> Claim | None:
    """Record that the next entry was delivered; ``keep`` the claim for the one after it.

    None if it is not kept, or another process has taken the sink over: then nothing is recorded, and that process sends
    the entry again.
    """
    until = now + TERM if keep else None
    moved = _set(conn, held, entry=held.entry + 1, attempts=0, last_error=None, next_try_at=until)
    return Claim(held.sink, held.entry + 1, 0, until) if moved and until else None


def fail(conn: Connection, held: Claim, error: str, next_try_at: datetime) -> None:
    """Record a failed attempt, and when the next one is due."""
    _set(conn, held, attempts=held.attempts + 1, last_error=error, next_try_at=next_try_at)


def give_up(conn: Connection, held: Claim, error: str, now: datetime) -> None:
    """Record that the next entry is given up, and move the cursor past it."""
    if _set(conn, held, entry=held.entry + 1, attempts=0, last_error=error, next_try_at=None):
        row = {"sink": held.sink, "entry": held.entry + 1, "failed_at": now, "last_error": error}
        conn.execute(insert(event_deliveries_dead), row)


def disable(conn: Connection, held: Claim, error: str, now: datetime) -> None:
    """Disable the sink: nothing is sent to it any more."""
    _set(conn, held, attempts=held.attempts + 1, last_error=error, next_try_at=None, disabled_at=now)


def _set(conn: Connection, held: Claim, **values: Any) -> bool:
    """Update the row of a sink if the claim still holds; returns whether it does."""
    mine = (_cursors.sink == held.sink, _cursors.entry == held.entry, _cursors.next_try_at == held.until)
    return conn.execute(update(event_cursors).where(*mine).values(**values)).rowcount == 1


def resume(conn: Connection, sink: str) -> None:
    """Try the next entry of a sink at once, also if it is disabled."""
    values = {"attempts": 0, "next_try_at": None, "last_error": None, "disabled_at": None}
    conn.execute(update(event_cursors).where(_cursors.sink == sink).values(values))


def rewind(conn: Connection, sink: str, entry: int) -> None:
    """Send everything after an entry again; deliveries given up after it are sent too, and no longer dead."""
    resume(conn, sink)
    conn.execute(update(event_cursors).where(_cursors.sink == sink).values(entry=entry))
    conn.execute(delete(event_deliveries_dead).where(_dead.sink == sink, _dead.entry > entry))


def mark_redelivered(conn: Connection, sink: str, entry: int, now: datetime) -> None:
    """Record that an entry that was given up has been delivered after all."""
    mine = (_dead.sink == sink, _dead.entry == entry)
    conn.execute(update(event_deliveries_dead).where(*mine).values(redelivered_at=now))
