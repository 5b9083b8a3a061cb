"""Jobs, videos, models and their history: reads the stored state of a batch, and applies a changeset, in bulk.

The caller holds a transaction (``engine.write``) that has checked the lease. Rows go sorted by key, one statement and a
list of rows each; never one statement a row, never one statement of many rows (it would be compiled anew).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, select

from tpmirror.db import bulk, labels, schema
from tpmirror.db.types import Row
from tpmirror.store import eta, quarantine, runs
from tpmirror.store.changes import RECHECK, Changeset, LastChange, Observation, StoredState
from tpmirror.store.history import chain, head


def fingerprints(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """By job, for those the mirror has: the fingerprint of its last payload."""
    table = schema.jobs.c
    found: list[Any] = list(bulk.find(conn, (table.id, table.fingerprint), table.id, ids).all())
    return dict(found)


def listed_ids(conn: Connection) -> Sequence[int]:
    """Every job that the mirror holds as listed."""
    # All at once: row by row takes five times as long.
    return conn.execute(select(schema.jobs.c.id).where(schema.jobs.c.presence == "listed")).scalars().all()


def ml_models(conn: Connection) -> dict[int, Row]:
    """The whole stored catalogue: a handful of rows."""
    return {row["id"]: dict(row) for row in conn.execute(select(schema.ml_models)).mappings()}


def recheck_sharers(conn: Connection, left: Collection[int]) -> None:
    """Mark for comparison the jobs that share a model or an input video with those in ``left``, which are or were away.

    Those in ``left`` too: of several that share a video one may come back without the others.
    """
    table, links = schema.jobs.c, schema.job_ml_models.c
    found = bulk.find(conn, (links.job_id, links.ml_model_id), links.job_id, left)
    models = {row.ml_model_id: row.job_id for row in found}  # the newest: they come in order of job_id
    videos = {row.input_video_id for row in bulk.find(conn, (table.input_video_id,), table.id, left)} - {None}
    _recheck(conn, models, videos, ())


def _recheck(conn: Connection, models: Mapping[int, int], videos: Collection[int], besides: Collection[int]) -> None:
    """Mark for comparison the jobs that show one of these; ``models``: with the newest job that showed it until now.

    The mirror may hold a model as its newest user showed it, and a video as the last answer did that showed it
    otherwise. Without that job only the other jobs show the model or the video, and by their fingerprints they would be
    skipped.
    """
    jobs, table, users = schema.jobs.c, schema.input_videos.c, _newest_users(conn, models, besides)
    others = {job_id for model_id, job_id in users.items() if 0 < job_id < models[model_id]}
    found = bulk.find(conn, (table.id, table.first_seen_at, table.changed_at), table.id, videos)
    changed = {row.id for row in found if row.changed_at != row.first_seen_at}  # all answers agreed on the others
    others |= {row.id for row in bulk.find(conn, (jobs.id,), jobs.input_video_id, changed)} - {*besides}
    bulk.update(conn, schema.jobs, [{"id_": job_id, "fingerprint": RECHECK} for job_id in sorted(others)])


def known(
    conn: Connection,
    observations: Iterable[Observation],
    unreadable: Collection[int | None],
    catalogue: Mapping[int, Row],
    models: Collection[int],
) -> StoredState:
    """The stored rows of some jobs and of their videos; for each of ``models`` also the newest other job that uses it.

    ``unreadable``: jobs whose item cannot be read, None for an item without a readable id.
    """
    items = [observation.item for observation in observations]
    ids = [item.id for item in items]
    held = _by_id(conn, schema.jobs, ids)
    moved = [item.id for item in items if item.id in held and held[item.id]["status"] != item.job.status]
    return StoredState(
        jobs=held,
        input_videos=_by_id(conn, schema.input_videos, {item.input_video.id for item in items if item.input_video}),
        output_videos=_by_id(conn, schema.output_videos, {item.output_video.id for item in items if item.output_video}),
        ml_models=dict(catalogue),
        links=_links(conn, held),
        newest_users=_newest_users(conn, models, {*ids}),
        last_changes=_last_changes(conn, moved),
        quarantine=quarantine.by_job(conn, {*ids, *unreadable}),
        accepted=quarantine.accepted(conn),
        codes={name: set(conn.execute(select(schema.metadata.tables[name].c.code)).scalars()) for name in labels.SEEDS},
        listed_covered_at=runs.covered_since(conn, "full"),
        active_covered_at=runs.covered_since(conn, "poll"),
    )


def apply(conn: Connection, changes: Changeset) -> None:
    """Write a changeset. Order follows the foreign keys."""
    for name, rows in changes.new_labels.items():
        bulk.insert(conn, schema.metadata.tables[name], list(rows.values()))
    for table, rows in (
        (schema.input_videos, changes.input_videos),
        (schema.output_videos, changes.output_videos),
        (schema.ml_models, changes.ml_models),
        (schema.jobs, changes.jobs),
    ):
        bulk.upsert(conn, table, [rows[key] for key in sorted(rows)])
    _apply_links(conn, changes)
    _append(conn, changes.history)
    bulk.insert(conn, schema.field_changes, changes.field_changes)
    bulk.upsert(conn, schema.job_progress_samples, changes.samples)
    if over := eta.ended(changes):
        eta.sum_up(conn, over)
    bulk.insert(conn, schema.quarantined_jobs, changes.quarantine)
    bulk.update(conn, schema.quarantined_jobs, changes.quarantine_seen)
    bulk.update(conn, schema.quarantined_jobs, changes.quarantine_resolved)
    if changes.models_left or changes.videos_left:
        _recheck(conn, changes.models_left, changes.videos_left, changes.jobs)
    if changes.away:
        # Presence is written when the run ends. If it never ends, or must not write it, and the job leaves again, no
        # move to gone would mark these.
        recheck_sharers(conn, changes.away)


def _append(conn: Connection, rows: list[Row]) -> None:
    if rows:
        bulk.insert(conn, schema.job_status_history, list(chain(head(conn), rows)))


def _apply_links(conn: Connection, changes: Changeset) -> None:
    table = schema.job_ml_models
    if changes.dropped_links:
        dropped = table.c.job_id == bindparam("job_id_"), table.c.position == bindparam("position_")
        conn.execute(delete(table).where(*dropped), changes.dropped_links)
    bulk.upsert(conn, table, changes.links)


def _by_id(conn: Connection, table: Table, ids: Collection[int]) -> dict[int, Row]:
    return {row["id"]: dict(row) for row in bulk.find(conn, table.c, table.c.id, ids).mappings()} if ids else {}


def _links(conn: Connection, ids: Collection[int]) -> dict[int, list[Row]]:
    table, found = schema.job_ml_models, dict[int, list[Row]]()
    if ids:
        for row in bulk.find(conn, table.c, table.c.job_id, ids, table.c.position).mappings():
            found.setdefault(row["job_id"], []).append(dict(row))
    return found


def _newest_users(conn: Connection, models: Collection[int], besides: Collection[int]) -> dict[int, int]:
    """By model, the newest job that uses it besides some; 0: none. One short index look-up each.

    Gone and missing jobs are left out: they do not show the present state of their models.
    """
    table, jobs, found = schema.job_ml_models.c, schema.jobs.c, dict[int, int]()
    users = select(table.job_id).join(schema.jobs, jobs.id == table.job_id)
    there = jobs.presence.in_(("listed", "unlisted")) & (table.ml_model_id == bindparam("model_id"))
    newest = users.where(there).order_by(table.job_id.desc()).limit(len(besides) + 1)
    for model_id in models:
        # Fetches all: a result left half read keeps its cursor open, and on SQLite a connection that dies its lock.
        ids = conn.execute(newest, {"model_id": model_id}).scalars().all()
        found[model_id] = next((job_id for job_id in ids if job_id not in besides), 0)
    return found


_CLOCK_AHEAD: Final = (
    select(schema.sync_runs.c.clock_ahead)
    .where(schema.sync_runs.c.id == schema.job_status_history.c.sync_run_id)
    .scalar_subquery()
    .label("clock_ahead")
)
"""``clock_ahead`` of the run that wrote an entry. One object: ``bulk.find`` keeps a statement for each choice of
columns."""


def _last_changes(conn: Connection, ids: Collection[int]) -> dict[int, LastChange]:
    table, last = schema.job_status_history.c, dict[int, LastChange]()
    wanted = (table.job_id, table.seq, table.observed_at, _CLOCK_AHEAD)
    for row in bulk.find(conn, wanted, table.job_id, ids, table.seq) if ids else ():
        before = last.get(row.job_id)
        # An entry seen under a clock that was set back has the time of the entry before it, which may be in the future.
        is_own = before is None or row.observed_at > before.at
        last[row.job_id] = LastChange(row.seq, row.observed_at, is_own and runs.is_clock_right(row.clock_ahead))
    return last
