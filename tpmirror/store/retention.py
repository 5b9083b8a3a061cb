"""Which rows may be removed once they are old, and their removal: nothing that upstream showed, and no history."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, delete, exists, func, select, text

from tpmirror.db import schema
from tpmirror.store.runs import SKEW

REMOVED: Final = (schema.job_progress_samples, schema.quarantined_jobs, schema.sync_runs)
"""Tables of which old rows are removed. Entries of the quarantine refer to runs, so they go first."""
_UNGRANTED: Final = text("""
SELECT name FROM unnest(CAST(:names AS text[])) AS name
WHERE has_table_privilege(name, 'INSERT') AND NOT has_table_privilege(name, 'DELETE')
""")


def old_samples(before: datetime) -> Select[Any]:
    """Times of the progress samples from before a moment."""
    at = schema.job_progress_samples.c.observed_at
    return select(at).where(at < before).order_by(at)


def old_entries(before: datetime) -> Select[Any]:
    """Keys of the entries of the quarantine that were resolved before a moment."""
    table = schema.quarantined_jobs.c
    return select(table.id).where(table.resolved_at < before).order_by(table.id)


def old_polls(before: datetime) -> Select[Any]:
    """Keys of the polls from before a moment that found nothing, or failed before they did, and that no row refers to.

    Without the newest run, the newest succeeded, the newest failed, and the newest covering poll under a right clock:
    the mirror's status and the bounds of status changes come from them.
    """
    run, referring = schema.sync_runs.c, (schema.job_status_history, schema.field_changes, schema.quarantined_jobs)
    unused = [~exists().where(table.c.sync_run_id == run.id) for table in referring]
    newer = schema.sync_runs.alias().c
    is_right = func.abs(func.coalesce(newer.clock_ahead, 0)) <= SKEW
    kept = [
        func.coalesce(select(func.max(newer.id)).where(*wanted).scalar_subquery(), 0)
        for wanted in (
            [],
            [newer.outcome == "succeeded"],
            [newer.outcome == "failed"],
            [newer.covered, newer.kind == "poll", is_right],
        )
    ]
    old = select(run.id).where(schema.IDLE, run.started_at < before, *unused, *(run.id != newest for newest in kept))
    return old.order_by(run.started_at)


def delete_old(conn: Connection, table: Table, keys: Select[Any], limit: int) -> int:
    """Remove ``limit`` rows at most, the oldest first; returns how many. Of samples also those of the same moment."""
    if table is schema.job_progress_samples:
        return _delete_samples(conn, keys, limit)
    (key,) = table.primary_key.columns
    return conn.execute(delete(table).where(key.in_(keys.limit(limit)))).rowcount


def _delete_samples(conn: Connection, times: Select[Any], limit: int) -> int:
    """Deletes by a range of times: to find as many pairs of keys, PostgreSQL would read the whole table."""
    table, some = schema.job_progress_samples, times.limit(limit).subquery()
    last = conn.scalar(select(func.max(some.c.observed_at)))
    return 0 if last is None else conn.execute(delete(table).where(table.c.observed_at <= last)).rowcount


def ungranted(conn: Connection) -> list[str]:
    """Tables that grow for ever because this role may add rows to them and not remove any; none on SQLite."""
    if conn.dialect.name == "sqlite":
        return []
    return list(conn.execute(_UNGRANTED, {"names": [table.name for table in REMOVED]}).scalars())
