"""Up to where an export has read the mirror, and which months have changed since.

No clock decides. Every change of a mirrored row leaves a row in ``job_status_history`` or ``field_changes``, which are
append-only and numbered; what changes without one (progress, ETA) belongs to jobs in flight. So the months touched are
those of the jobs and videos that new rows of the history name, and of the jobs in flight. A month that only lost rows
(a job whose start was corrected, samples too old) shows in its count.

A mirror that was restored from a backup does not hold the row up to which the export had read, or another one in its
place; then everything is written anew.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, cast, func, or_, select, union

from tpmirror import __version__
from tpmirror.db import dictionary, labels, schema, views
from tpmirror.export import datasets
from tpmirror.export.datasets import JOB_KEYS, Month

_changes = schema.field_changes.c
_history = schema.job_status_history.c
_runs = schema.sync_runs.c
_jobs = schema.jobs.c


def take(conn: Connection) -> dict[str, Any]:
    """What distinguishes this state of the mirror from any other, small enough for the manifest."""
    entry = conn.execute(select(func.max(_history.entry))).scalar()
    change = conn.execute(select(func.max(_changes.id))).scalar()
    newest = conn.execute(select(func.max(_runs.id))).scalar()
    running = conn.execute(select(func.min(_runs.id)).where(_runs.outcome == "running")).scalar()
    return {
        "mirror": _hash_of(conn, 1),
        "history": [entry or 0, _hash_of(conn, entry)],
        "field_changes": [change or 0, _digest(conn, select(schema.field_changes).where(_changes.id == change))],
        "sync_runs": [running or newest or 0, _digest(conn, select(schema.sync_runs).where(_runs.id == newest))],
        "account": _account(conn),
        "state": _state(conn),
        "declaration": _declaration(),
    }


def continues(conn: Connection, old: Mapping[str, Any]) -> bool:
    """Whether the mirror is still the one that was read, only further: then its new rows show all that changed."""
    entry, row_hash = old["history"]
    change, digest = old["field_changes"]
    run, _ = old["sync_runs"]
    return (
        old["declaration"] == _declaration()
        and _hash_of(conn, entry) == row_hash
        and _digest(conn, select(schema.field_changes).where(_changes.id == change)) == digest
        and (not run or conn.execute(select(_runs.id).where(_runs.id == run)).first() is not None)
    )


def touched(
    conn: Connection, old: Mapping[str, Any], counts: Mapping[str, Mapping[Month, int]]
) -> dict[str, set[Month]]:
    """The months that may have changed since ``old``, by relation; ``counts`` are the rows exported by then."""
    entry, change, run = old["history"][0], old["field_changes"][0], old["sync_runs"][0]
    jobs = _jobs_touched(entry, change)
    job_months = _months(conn, _jobs.started, _jobs.id.in_(jobs))
    for table in (schema.jobs, schema.job_progress_samples):
        job_months |= _differing(datasets.count(conn, table), counts[table.name])
    video_months: set[Month] = set()
    for table, entity, link in _VIDEOS:
        mine = or_(table.c.id.in_(_changed(entity, change)), table.c.id.in_(select(link).where(_jobs.id.in_(jobs))))
        video_months |= _months(conn, table.c.created_at, mine)
        video_months |= _differing(datasets.count(conn, table), counts[table.name])
    # The account is named in each row of focus_costs: where it has another name now, all its months are touched.
    by_job = JOB_KEYS.keys() - ({"focus_costs"} if old["account"] != _account(conn) else set())
    return {
        **dict.fromkeys(by_job, job_months),
        **dict.fromkeys(("input_videos", "output_videos", "videos"), video_months),
        "field_changes": _months(conn, _changes.observed_at, _changes.id > change),
        "sync_runs": _months(conn, _runs.started_at, _runs.id >= run),
    }


_VIDEOS: Final = (
    (schema.input_videos, "input_video", _jobs.input_video_id),
    (schema.output_videos, "output_video", _jobs.output_video_id),
)


def _jobs_touched(entry: int, change: int) -> Select[Any]:
    """Ids of all jobs of which anything can have changed, whatever it is."""
    links = schema.job_ml_models.c
    found = union(
        select(_history.job_id).where(_history.entry > entry),
        _changed("job", change),
        *(select(_jobs.id).where(link.in_(_changed(entity, change))) for _, entity, link in _VIDEOS),
        select(links.job_id).where(links.ml_model_id.in_(_changed("ml_model", change))),
        select(_jobs.id).where(_jobs.status.not_in(labels.TERMINAL)),
        # Every run compares these jobs field by field, so a change of their ETA alone may have been written too.
        select(cast(schema.quarantined_jobs.c.job_id, BigInteger)).where(schema.quarantined_jobs.c.job_id.is_not(None)),
    ).subquery()
    return select(found.c[0])


def _changed(entity: str, change: int) -> Select[Any]:
    return select(_changes.entity_id).where(_changes.entity == entity, _changes.id > change)


def _months(conn: Connection, time: ColumnElement[Any], condition: ColumnElement[bool]) -> set[Month]:
    return set(conn.execute(select(datasets.month_of(conn, time)).where(condition).distinct()).scalars())


def _differing(now: Mapping[Month, int], before: Mapping[Month, int]) -> set[Month]:
    return {month for month in now.keys() | before.keys() if now.get(month) != before.get(month)}


def _account(conn: Connection) -> str | None:
    """What the view focus_costs names the account by: nothing in the history shows when it changes."""
    scope = schema.mirror_scope.c
    found: str | None = conn.execute(select(func.min(scope.value)).where(scope.kind == "output_owner")).scalar()
    return found


def _state(conn: Connection) -> str:
    in_flight = select(_jobs.id, _jobs.eta_s, _jobs.processing_progress).where(_jobs.status.not_in(labels.TERMINAL))
    samples = select(func.count()).select_from(schema.job_progress_samples)
    # Small tables, of which any change counts; job_absences because the view sync_health shows what waits.
    small = [one.table for one in datasets.relations() if one.kind == "table" and one.partitioned_by is None]
    whole = [select(table).order_by(*table.primary_key.columns) for table in (*small, schema.job_absences)]
    return _digest(conn, in_flight.order_by(_jobs.id), samples, *whole)


def _declaration() -> str:
    """Changes with whatever this program reads or names otherwise: then nothing of an older export may stay."""
    declared = [
        __version__,
        dictionary.dictionary(),
        views.sources("sqlite"),
        views.sources("postgresql"),
        labels.SEEDS,
    ]
    return _sha256(json.dumps(declared, sort_keys=True, default=str))


def _hash_of(conn: Connection, entry: int | None) -> str | None:
    found: str | None = conn.execute(select(_history.row_hash).where(_history.entry == entry)).scalar()
    return found


def _digest(conn: Connection, *wanted: Select[Any]) -> str:
    return _sha256(repr([tuple(row) for query in wanted for row in conn.execute(query)]))


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
