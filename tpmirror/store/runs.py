"""The rows of ``sync_runs``: opened, kept up to date with each batch, closed."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, func, insert, select
from sqlalchemy import update as sql_update

from tpmirror.db.schema import COVERED, sync_runs
from tpmirror.db.types import Row

# Built once: to build both anew would take as long as to run them.
_ABANDON: Final = (
    sql_update(sync_runs)
    .where(sync_runs.c.outcome == "running")
    .values(outcome="abandoned", finished_at=bindparam("now"), error="the process ended without finishing the run")
)
_START: Final = insert(sync_runs).returning(sync_runs.c.id)


def start(conn: Connection, kind: str, started_at: datetime, now: datetime) -> int:
    """Open a row, and close as abandoned those of runs that died; returns the number of the new run."""
    conn.execute(_ABANDON, {"now": now})
    row = {"kind": kind, "outcome": "running", "certified": False, "started_at": started_at, "covered": False}
    run_id: int = conn.execute(_START, row).scalar_one()
    return run_id


def is_first(conn: Connection, run_id: int) -> bool:
    """Whether there is no other run."""
    return conn.execute(select(sync_runs.c.id).where(sync_runs.c.id != run_id).limit(1)).first() is None


def get(conn: Connection, run_id: int) -> Row:
    """A run's row."""
    return dict(conn.execute(select(sync_runs).where(sync_runs.c.id == run_id)).mappings().one())


def is_closed(conn: Connection, run_id: int, started_at: datetime) -> bool:
    """Whether a run closed its own row: after the database went back in time another run may have its number."""
    run = sync_runs.c
    mine = (run.id == run_id) & (run.started_at == started_at) & run.outcome.not_in(("running", "abandoned"))
    return conn.execute(select(run.id).where(mine)).first() is not None


def update(conn: Connection, run_id: int, values: Mapping[str, Any]) -> None:
    """Set some columns of a run's row."""
    conn.execute(sql_update(sync_runs).where(sync_runs.c.id == run_id).values(values))


SKEW: Final = 60.0
"""Seconds that our clock may differ from the API's."""


def is_clock_right(ahead: float | None) -> bool:
    """Whether a clock that is ``ahead`` seconds ahead of the API's is right; so it is where the API states no date."""
    return abs(ahead or 0) <= SKEW


def covered_since(conn: Connection, kind: str) -> datetime | None:
    """When the last run of a kind began that read every listed job (full), or every job in flight (poll).

    A run whose clock was wrong does not count, nor a run that began later by its clock than a run that came after it:
    the clock was ahead, or was set back, where the API stated no time to compare it with.
    """
    table, after = sync_runs.c, sync_runs.alias().c
    earlier = exists().where(after.id > table.id, after.started_at < table.started_at)
    right = func.abs(func.coalesce(table.clock_ahead, 0)) <= SKEW
    wanted = select(table.started_at).where(COVERED, table.kind == kind, right, ~earlier)
    return conn.execute(wanted.order_by(table.id.desc()).limit(1)).scalar()


_HAS_PROOF: Final = sync_runs.c.certificate.is_not(None)
"""Without it no query could use the index of these few rows."""
PROVEN: Final = _HAS_PROOF & (sync_runs.c.certified | sync_runs.c.certificate.contains('"ids_proven": true'))
"""Runs that proved which jobs are listed, whether or not each of them was held."""
CERTIFIED: Final = _HAS_PROOF & sync_runs.c.certified & sync_runs.c.certificate.contains('"incomplete"')
"""Runs after which the mirror provably held every listed job as shown. Certificates of version 0.1 prove ids only."""


def proven_at(conn: Connection) -> datetime | None:
    """When the last full sync began that proved which jobs are listed."""
    table = sync_runs.c
    return conn.execute(select(table.started_at).where(PROVEN).order_by(table.id.desc()).limit(1)).scalar()


AHEAD: Final = timedelta(seconds=60)
"""How far a proof may be dated ahead of the clock: clocks of two machines differ a little. ``sync_health`` has it."""
FUTURE: Final = "certified in the future by this clock"
"""Text that stands in place of a proof's age where the proof is dated in the future."""


def proof_age(at: datetime, now: datetime) -> float | None:
    """Seconds since a proof, by a clock that shows ``now``; None if it is dated in the future.

    Such a proof says nothing about freshness: the clock was ahead when it was dated, or is behind.
    """
    return None if at - now > AHEAD else max(0.0, (now - at).total_seconds())


def last(conn: Connection, *conditions: Any) -> Row | None:
    """The newest run of those that meet some conditions."""
    wanted = select(sync_runs).where(*conditions).order_by(sync_runs.c.id.desc()).limit(1)
    return next(iter(_rows(conn, wanted)), None)


def later(conn: Connection, run: Row | None, *conditions: Any) -> tuple[int, Row]:
    """Number of runs after ``run`` that meet the conditions, and the newest of them; an empty row if there is none."""
    after = sync_runs.c.id > (run["id"] if run else 0)
    count = conn.scalar(select(func.count()).where(after, *conditions)) or 0
    return count, last(conn, after, *conditions) or {}


def of_kind(conn: Connection, kind: str, limit: int) -> list[Row]:
    """The newest runs of a kind, newest first."""
    return _rows(conn, select(sync_runs).where(sync_runs.c.kind == kind).order_by(sync_runs.c.id.desc()).limit(limit))


def certified_as_of(run: Row | None) -> datetime | None:
    """The instant that a certified run proves the mirror complete for."""
    return datetime.fromisoformat(json.loads(run["certificate"])["counted_at"]) if run else None


def as_json(row: Row) -> Row:
    """A row as ``--json`` prints it: the certificate as an object."""
    return {**row, "certificate": json.loads(row["certificate"]) if row["certificate"] else None}


def _rows(conn: Connection, wanted: Any) -> list[Row]:
    return [dict(row) for row in conn.execute(wanted).mappings()]
