"""The quarantine: items and values that could not be mirrored, and the faults that an operator accepted.

``Holding`` alone decides whether each listed job is held as shown; every certificate, message, exit status and alert
goes by it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from tpmirror.db import bulk, schema
from tpmirror.db.types import Row

_TABLE: Final = schema.quarantined_jobs
_IS_OPEN: Final = _TABLE.c.resolved_at.is_(None)
VOLATILE: Final = frozenset(f"job.{column.name}" for column in schema.jobs.columns if column.info.get("volatile"))
"""Fields that never hold a certificate back: they change with every observation, and no accounting depends on them."""
_COUNTS: Final = _IS_OPEN & (_TABLE.c.field.is_(None) | _TABLE.c.field.not_in(sorted(VOLATILE)))
_WAITS: Final = _COUNTS & _TABLE.c.accepted_at.is_(None)


@dataclass(frozen=True, slots=True)
class Holding:
    """How many listed jobs are not held as their newest answers showed them."""

    unreadable: int = 0
    """Jobs of which no field could be read, or of which there is no row for want of a status."""
    incomplete: int = 0
    """Jobs with a field that could not be held; it keeps its last good value."""
    accepted: int = 0
    """Unreadable or incomplete jobs of which an operator accepted every fault."""

    @property
    def is_whole(self) -> bool:
        """Whether every job is held as shown, or accepted as it is."""
        return self.unreadable + self.incomplete == self.accepted

    @property
    def counts(self) -> str:
        """The counts in words; empty if all are 0."""
        found = {"unreadable": self.unreadable, "incomplete": self.incomplete}
        parts = ", ".join(f"{count:,} {what}" for what, count in found.items() if count)
        return f"{parts} ({self.accepted:,} accepted)" if self.accepted else parts

    @property
    def reason(self) -> str | None:
        """Why the jobs are not all held as shown, in words."""
        return None if self.is_whole else f"not held as shown: {self.counts}; tpmirror quarantine list names them"


def assess(entries: Iterable[Any], placed: Collection[int]) -> Holding:
    """The holding of some jobs, by their open entries (``job_id``, ``field``, ``accepted_at``). Pure.

    ``placed``: the jobs among them that have a row.
    """
    by_job: dict[int, list[Any]] = {}
    for entry in entries:
        if entry.job_id is not None and entry.field not in VOLATILE:
            by_job.setdefault(entry.job_id, []).append(entry)
    unread = {job for job, found in by_job.items() if job not in placed or any(row.field is None for row in found)}
    accepted = [job for job, found in by_job.items() if all(row.accepted_at is not None for row in found)]
    return Holding(len(unread), len(by_job) - len(unread), len(accepted))


def holding(conn: Connection, among: Collection[int] | None = None) -> Holding:
    """The holding of some jobs; without ``among`` of those that the mirror holds as listed or has no row of."""
    jobs = schema.jobs.c
    wanted = (
        select(_TABLE.c.job_id, _TABLE.c.field, _TABLE.c.accepted_at, jobs.id.label("row"), jobs.presence)
        .select_from(_TABLE.outerjoin(schema.jobs, jobs.id == _TABLE.c.job_id))
        .where(_COUNTS, _TABLE.c.job_id.is_not(None))
    )
    found = [
        row
        for row in conn.execute(wanted)
        if (row.job_id in among if among is not None else row.presence in {None, "listed"})
    ]
    return assess(found, {row.row for row in found})


def holding_back(entries: Iterable[Row]) -> list[Row]:
    """The entries that wait for an operator: not accepted, and of a field that is not volatile. Pure."""
    return [row for row in entries if row["accepted_at"] is None and row["field"] not in VOLATILE]


def open_entries(conn: Connection) -> list[Row]:
    """Entries not resolved, oldest first."""
    return [dict(row) for row in conn.execute(select(_TABLE).where(_IS_OPEN).order_by(_TABLE.c.id)).mappings()]


def count_open(conn: Connection) -> int:
    """How many entries are not resolved."""
    return conn.scalar(select(func.count()).select_from(_TABLE).where(_IS_OPEN)) or 0


def count_waiting(conn: Connection) -> int:
    """How many entries wait for an operator."""
    return conn.scalar(select(func.count()).select_from(_TABLE).where(_WAITS)) or 0


def quarantined_ids(conn: Connection) -> set[int]:
    """Jobs with an entry that is not resolved."""
    job_id = _TABLE.c.job_id
    return set(conn.execute(select(job_id).where(_IS_OPEN, job_id.is_not(None))).scalars())


def unread_ids(conn: Connection) -> set[int]:
    """Jobs that were listed and could not be read, so that only the quarantine has them."""
    found, jobs = quarantined_ids(conn), schema.jobs.c
    return found - set(bulk.find(conn, (jobs.id,), jobs.id, found).scalars())


def obsolete_entries(conn: Connection, present: Collection[int]) -> list[int]:
    """Entries of jobs and items proven to be off the list that the mirror never held or holds as gone.

    They have nothing left to mirror.
    """
    jobs = schema.jobs.c
    entries = conn.execute(select(_TABLE.c.id, _TABLE.c.job_id).where(_IS_OPEN)).all()
    ids = {row.job_id for row in entries if row.job_id is not None}
    held = {row.id for row in bulk.find(conn, (jobs.id, jobs.presence), jobs.id, ids) if row.presence != "gone"}
    return [row.id for row in entries if row.job_id not in present and row.job_id not in held]


def unseen_items(conn: Connection, shown: Collection[str | None]) -> list[int]:
    """Entries without a readable id whose payload no item of a full sync has: only the payload identifies them."""
    entries = conn.execute(select(_TABLE.c.id, _TABLE.c.payload).where(_IS_OPEN, _TABLE.c.job_id.is_(None)))
    return [row.id for row in entries if row.payload not in shown]


def resolve(conn: Connection, entries: Collection[int], now: datetime) -> None:
    """Mark entries as resolved."""
    bulk.update(conn, _TABLE, [{"id_": entry, "resolved_at": now} for entry in sorted(entries)])


def accept(conn: Connection, entries: Collection[int], now: datetime | None) -> None:
    """Mark entries as accepted at ``now``; as not accepted if it is None."""
    bulk.update(conn, _TABLE, [{"id_": entry, "accepted_at": now} for entry in sorted(entries)])


def accepted(conn: Connection) -> set[tuple[str | None, str]]:
    """Fields, each with the kind of fault that an operator accepted in every job."""
    table = schema.accepted_faults.c
    return {(row.field, row.fault) for row in conn.execute(select(table.field, table.fault))}


def accept_everywhere(conn: Connection, faults: Iterable[tuple[str, str]], now: datetime) -> None:
    """Accept these faults, a field and a kind each, in every job from now on."""
    new = set(faults) - accepted(conn)
    if new:
        rows = [{"field": name, "fault": fault, "accepted_at": now} for name, fault in sorted(new)]
        conn.execute(insert(schema.accepted_faults), rows)


def withdraw(conn: Connection, name: str | None = None) -> None:
    """Stop accepting future faults of this field, or of any field."""
    table = schema.accepted_faults
    conn.execute(delete(table).where(table.c.field == name) if name is not None else delete(table))


def by_job(conn: Connection, ids: Collection[int | None]) -> dict[int | None, dict[str | None, Row]]:
    """Open entries of these jobs, by job and field; those without a readable id under None, by payload."""
    found: dict[int | None, dict[str | None, Row]] = {}
    named = [job_id for job_id in ids if job_id is not None]
    rows = list(bulk.find(conn, _TABLE.c, _TABLE.c.job_id, named).mappings())
    if None in ids:
        rows += conn.execute(select(*_TABLE.c).where(_IS_OPEN, _TABLE.c.job_id.is_(None))).mappings()
    for row in rows:
        if row["resolved_at"] is None:
            key = row["payload" if row["job_id"] is None else "field"]
            found.setdefault(row["job_id"], {})[key] = dict(row)
    return found
