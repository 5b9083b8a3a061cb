"""The quarantine: payloads that could not be mirrored, or not whole."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from tpmirror.db import bulk, schema
from tpmirror.db.types import Row

_IS_OPEN: Final = schema.quarantined_jobs.c.resolved_at.is_(None)


def open_entries(conn: Connection) -> list[Row]:
    """Entries not resolved."""
    return [dict(row) for row in conn.execute(select(schema.quarantined_jobs).where(_IS_OPEN)).mappings()]


def count_open(conn: Connection) -> int:
    """How many entries are not resolved."""
    return conn.scalar(select(func.count()).select_from(schema.quarantined_jobs).where(_IS_OPEN)) or 0


def quarantined_ids(conn: Connection) -> set[int]:
    """Jobs with an entry in quarantine that is not resolved."""
    job_id = schema.quarantined_jobs.c.job_id
    return set(conn.execute(select(job_id).where(_IS_OPEN, job_id.is_not(None))).scalars())


def unread_ids(conn: Connection) -> set[int]:
    """Jobs that were listed and could not be read, so that only the quarantine has them."""
    found, jobs = quarantined_ids(conn), schema.jobs.c
    return found - set(bulk.find(conn, (jobs.id,), jobs.id, found).scalars())


def obsolete_entries(conn: Connection, present: Collection[int]) -> list[int]:
    """Entries of what a certified full sync did not list any more, and the mirror never held or holds as gone.

    Nothing is left to mirror.
    """
    table, jobs = schema.quarantined_jobs.c, schema.jobs.c
    entries = conn.execute(select(table.id, table.job_id).where(_IS_OPEN)).all()
    ids = {row.job_id for row in entries if row.job_id is not None}
    held = {row.id for row in bulk.find(conn, (jobs.id, jobs.presence), jobs.id, ids) if row.presence != "gone"}
    return [row.id for row in entries if row.job_id not in present and row.job_id not in held]


def resolve(conn: Connection, entries: Collection[int], now: datetime) -> None:
    """Mark entries as resolved."""
    bulk.update(conn, schema.quarantined_jobs, [{"id_": entry, "resolved_at": now} for entry in sorted(entries)])


def by_job(conn: Connection, ids: Collection[int | None]) -> dict[int | None, dict[str, Row]]:
    """Open entries of these jobs, by job and reason; those without a readable id under None, by payload."""
    table, found = schema.quarantined_jobs.c, dict[int | None, dict[str, Row]]()
    rows = list(bulk.find(conn, table, table.job_id, [job_id for job_id in ids if job_id is not None]).mappings())
    if None in ids:
        rows += conn.execute(select(*table).where(_IS_OPEN, table.job_id.is_(None))).mappings()
    for row in rows:
        if row["resolved_at"] is None:
            key = row["payload" if row["job_id"] is None else "reason"]
            found.setdefault(row["job_id"], {})[key] = dict(row)
    return found
