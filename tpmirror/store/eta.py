"""Sums up how far off the ETA of a job was, once it has finished: reports then read no sample, and old ones may go."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete

from tpmirror.db import bulk, schema
from tpmirror.db.labels import FINISHED
from tpmirror.db.types import Row
from tpmirror.store.changes import Changeset


def ended(changes: Changeset) -> set[int]:
    """Jobs that the mirror held in flight and that a changeset ends, or whose end it moves."""
    over = {row["job_id"] for row in changes.history if row["to_status"] == FINISHED}
    moved = {row["entity_id"] for row in changes.field_changes if (row["entity"], row["field"]) == ("job", "finished")}
    return (over | moved) & changes.updated


def sum_up(conn: Connection, ids: Collection[int]) -> None:
    """Write the sums of these jobs anew; those of a job whose samples were removed stay."""
    jobs, samples, table = schema.jobs.c, schema.job_progress_samples.c, schema.eta_errors
    found = bulk.find(conn, (jobs.id, jobs.status, jobs.finished), jobs.id, ids)
    times = {row.id: row.finished if row.status == FINISHED else None for row in found}
    columns = (samples.job_id, samples.observed_at, samples.processing_progress, samples.eta_s)
    looks = bulk.find(conn, columns, samples.job_id, ids)
    sums = {job_id: errors(times[job_id], some) for job_id, some in groupby(looks, key=attrgetter("job_id"))}
    if sums:
        old = delete(table).where(table.c.job_id == bindparam("id_"))
        conn.execute(old, [{"id_": job_id} for job_id in sorted(sums)])
        rows = [{"job_id": job_id, **row} for job_id in sorted(sums) for row in sums[job_id]]
        bulk.insert(conn, table, rows)


def errors(finished: datetime | None, looks: Iterable[Any]) -> list[Row]:
    """Sums by tenth of progress over the looks at a job before it finished: errors of the ETA in seconds, and relative.

    Pure. An error is the predicted less the true time left. None for ``finished``: no sums.
    """
    tenths: dict[int, Row] = {}
    for look in looks:
        if finished is None or look.observed_at >= finished or None in (look.eta_s, look.processing_progress):
            continue
        left = (finished - look.observed_at).total_seconds()
        error = look.eta_s - left
        tenth = 10 * int(min(9, max(0, look.processing_progress * 10)))
        row = tenths.setdefault(tenth, {"samples": 0, "error_s": 0.0, "abs_error_s": 0.0, "relative_error": 0.0})
        row["samples"] += 1
        row["error_s"] += error
        row["abs_error_s"] += abs(error)
        row["relative_error"] += abs(error) / left
    return [{"progress_from": tenth, **tenths[tenth]} for tenth in sorted(tenths)]
