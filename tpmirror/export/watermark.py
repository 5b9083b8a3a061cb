"""Up to where an export has read the mirror, and which months have changed since.

No clock decides. Most changes of a mirrored row leave a row in ``job_status_history`` or ``field_changes``, which are
append-only and numbered, so the rows touched are those of the jobs and videos that new rows of the history name, and
of the jobs in flight. What changes without one (progress, ETA, samples, the weights of a job's models) shows in a
digest of each month; a month of videos or runs that only lost rows shows in its count: any row of it may be another.

Three changes concern every month, and the export is written anew: a label or a view was redefined; the mirror was
restored from a backup or replaced, so that it lacks the row up to which the export had read; owners were hashed since.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from operator import or_
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select, union

from tpmirror import __version__
from tpmirror.db import dictionary, labels, schema, views
from tpmirror.export import datasets
from tpmirror.export.datasets import JOB_KEYS, VIDEO_KEYS, Month

_changes = schema.field_changes.c
_history = schema.job_status_history.c
_runs = schema.sync_runs.c
_jobs = schema.jobs.c

_UNRECORDED: Final = {
    schema.jobs: [column for column in _jobs if column.primary_key or column.info.get("volatile")],
    schema.job_ml_models: list(schema.job_ml_models.c),
    schema.job_progress_samples: list(schema.job_progress_samples.c),
}
"""By table of jobs: the keys, and the columns whose changes (or whose rows' removal) leave no row in the history."""


def take(conn: Connection) -> dict[str, Any]:
    """The watermark of this state of the mirror, as the manifest holds it: heads, digests and counts."""
    entry = conn.execute(select(func.max(_history.entry))).scalar()
    change = conn.execute(select(func.max(_changes.id))).scalar()
    run = _settled_run(conn)
    return {
        "mirror": _hash_of(conn, 1),
        "history": [entry or 0, _hash_of(conn, entry)],
        "field_changes": [change or 0, _change_digest(conn, change)],
        "sync_runs": [run, _run_digest(conn, run)],
        "months": {table.name: _by_month(conn, table) for table in _UNRECORDED},
        "account": _account(conn),
        "owners": _owners_key(conn),
        "prices": _prices(conn),
        "labels": _labels(conn),
        "state": _state(conn, run),
        "declaration": _declaration(conn),
    }


def continues(conn: Connection, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the mirror only grew since ``old`` was taken: then its new rows show every change.

    False if ``old`` was taken by a version with another declaration; nothing else of such a watermark is read.
    """
    if old.get("declaration") != new["declaration"] or old.get("owners") != new["owners"]:
        return False
    entry, row_hash = old["history"]
    change, change_digest = old["field_changes"]
    run, run_digest = old["sync_runs"]
    return (
        _hash_of(conn, entry) == row_hash
        and _change_digest(conn, change) == change_digest
        and (_run_digest(conn, run) == run_digest or _is_removed(conn, run))
        and all(label in new["labels"] for label in old["labels"])
    )


class Touched(NamedTuple):
    """What of a relation may be another than before."""

    months: set[Month]
    whole: set[Month]
    """Those of the months in which any row may be another."""
    ids: set[int]
    """In the other months only the rows of these jobs or videos may be; they may have lain in another month before."""


def touched(
    conn: Connection, old: Mapping[str, Any], new: Mapping[str, Any], counts: Mapping[str, Mapping[Month, int]]
) -> dict[str, Touched]:
    """What may have changed from ``old`` to ``new``, by relation; ``counts`` are the rows exported then."""
    entry, change, run = old["history"][0], old["field_changes"][0], old["sync_runs"][0]
    jobs = _jobs_touched(entry, change)
    ids, months = _of(conn, _jobs.started, _jobs.id, jobs)
    digests = [(dict(new["months"][table.name]), dict(old["months"][table.name])) for table in _UNRECORDED]
    whole = set[Month]().union(*(_differing(now, before) for now, before in digests))
    of_jobs = Touched(months | whole, whole, ids)
    inputs, outputs = (_videos_touched(conn, jobs, change, counts, *video) for video in _VIDEOS)
    of_videos = Touched(*map(or_, inputs, outputs))
    runs = _differing(datasets.count(conn, schema.sync_runs), counts["sync_runs"])
    runs |= _months(conn, _runs.started_at, _runs.id > run)
    changes = _months(conn, _changes.observed_at, _changes.id > change)
    # Each row of focus_costs names the account and a price: if either changed, all its months are touched.
    kept = all(old[name] == new[name] for name in ("account", "prices"))
    by_job = JOB_KEYS.keys() - (set() if kept else {"focus_costs"})
    return {
        **dict.fromkeys(by_job, of_jobs),
        **dict.fromkeys(VIDEO_KEYS, of_videos),
        "field_changes": Touched(changes, changes, set()),
        "sync_runs": Touched(runs, runs, set()),
    }


_VIDEOS: Final = (
    (schema.input_videos, "input_video", _jobs.input_video_id),
    (schema.output_videos, "output_video", _jobs.output_video_id),
)


def _videos_touched(
    conn: Connection,
    jobs: Select[Any],
    change: int,
    counts: Mapping[str, Mapping[Month, int]],
    table: Table,
    entity: str,
    link: ColumnElement[int],
) -> Touched:
    """Videos of one kind that have changed, or that the touched jobs show."""
    mine = union(_changed(entity, change), select(link).where(_jobs.id.in_(jobs), link.is_not(None)))
    ids, months = _of(conn, table.c.created_at, table.c.id, mine)
    whole = _differing(datasets.count(conn, table), counts[table.name])
    return Touched(months | whole, whole, ids)


def _jobs_touched(entry: int, change: int) -> Select[Any]:
    """Ids of all jobs that can have changed, except in columns that the digests cover."""
    links = schema.job_ml_models.c
    found = union(
        select(_history.job_id).where(_history.entry > entry),
        _changed("job", change),
        *(select(_jobs.id).where(link.in_(_changed(entity, change))) for _, entity, link in _VIDEOS),
        select(links.job_id).where(links.ml_model_id.in_(_changed("ml_model", change))),
        # job_durations shows how long they have been in their status, by the last run and by the quarantine.
        select(_jobs.id).where(_jobs.status.not_in(labels.TERMINAL)),
    ).subquery()
    return select(found.c[0])


def _changed(entity: str, change: int) -> Select[Any]:
    return select(_changes.entity_id).where(_changes.entity == entity, _changes.id > change)


def _of(
    conn: Connection, time: ColumnElement[Any], id_: ColumnElement[int], wanted: Any
) -> tuple[set[int], set[Month]]:
    """The wanted ids, and the months in which they lie."""
    rows = conn.execute(select(id_, datasets.month_of(conn, time)).where(id_.in_(wanted))).all()
    return {row[0] for row in rows}, {row[1] for row in rows}


def _months(conn: Connection, time: ColumnElement[Any], condition: ColumnElement[bool]) -> set[Month]:
    return set(conn.execute(select(datasets.month_of(conn, time)).where(condition).distinct()).scalars())


def _differing(now: Mapping[Month, Any], before: Mapping[Month, Any]) -> set[Month]:
    return {month for month in now.keys() | before.keys() if now.get(month) != before.get(month)}


def _by_month(conn: Connection, table: Table) -> list[list[Month]]:
    """Pairs of month and digest, as JSON gives them back: its objects have no null for a key."""
    found = datasets.digests(conn, table, _UNRECORDED[table])
    return [[month, found[month]] for month in sorted(found, key=lambda month: month or "")]


def _settled_run(conn: Connection) -> int:
    """The newest run that is over together with all before it; 0 if there is none. Such a row no longer changes."""
    running = conn.execute(select(func.min(_runs.id)).where(_runs.outcome == "running")).scalar()
    settled = select(func.max(_runs.id))
    return conn.execute(settled if running is None else settled.where(_runs.id < running)).scalar() or 0


def _account(conn: Connection) -> str | None:
    """The account's name in the view focus_costs, whose change leaves no row in the history."""
    scope = schema.mirror_scope.c
    found: str | None = conn.execute(select(func.min(scope.value)).where(scope.kind == "output_owner")).scalar()
    return found


def _owners_key(conn: Connection) -> str | None:
    """The mark of the key by which owners are hashed, if they are: hashing leaves no row in the history."""
    scope = schema.mirror_scope.c
    found: str | None = conn.execute(select(func.max(scope.value)).where(scope.kind == "owners_key")).scalar()
    return found


def _prices(conn: Connection) -> list[list[str]]:
    """Every price of a Credit, with the month from which it is in force."""
    table = schema.credit_prices
    return [list(map(str, row)) for row in conn.execute(select(table).order_by(table.c.month))]


def _labels(conn: Connection) -> list[list[Any]]:
    """Every label, with its table: an upgrade may name a code that the version before did not know."""
    tables = [schema.metadata.tables[name] for name in sorted(labels.SEEDS)]
    return [[table.name, *row] for table in tables for row in conn.execute(select(table).order_by(table.c.code))]


def _state(conn: Connection, settled_run: int) -> str:
    """A digest of the tables that are not partitioned, and of the runs that are not over."""
    tables = [one.table for one in datasets.relations() if one.kind == "table" and one.partitioned_by is None]
    sources = "\n".join(views.sources(conn.dialect.name).values())
    # A view may show a table that is not exported itself, as sync_health shows the jobs that wait.
    tables += [table for table in schema.WORKING if re.search(rf"\b(?:FROM|JOIN) {table.name}\b", sources)]
    open_runs = select(schema.sync_runs).where(_runs.id > settled_run).order_by(_runs.id)
    return _digest(conn, open_runs, *(select(table).order_by(*table.primary_key.columns) for table in tables))


def _declaration(conn: Connection) -> str:
    """A digest of tables, views and labels as declared: if it changed, no file of an older export may stay.

    As this program declares them and as the database describes them: an upgrade may come between two exports.
    """
    declared = [
        __version__,
        dictionary.dictionary(),
        views.sources("sqlite"),
        views.sources("postgresql"),
        labels.SEEDS,
        [str(column) for columns in _UNRECORDED.values() for column in columns],
        _digest(conn, select(schema.data_dictionary).order_by(*schema.data_dictionary.primary_key.columns)),
    ]
    return _sha256(json.dumps(declared, sort_keys=True, default=str))


def _hash_of(conn: Connection, entry: int | None) -> str | None:
    found: str | None = conn.execute(select(_history.row_hash).where(_history.entry == entry)).scalar()
    return found


def _change_digest(conn: Connection, change: int | None) -> str:
    return _digest(conn, select(schema.field_changes).where(_changes.id == change))


def _is_removed(conn: Connection, run: int) -> bool:
    """Whether retention removed the run: it is missing, and later runs are there. A restored backup lacks those too."""
    later, there = conn.execute(select(func.max(_runs.id), func.max(_runs.id).filter(_runs.id == run))).one()
    return there is None and (later or 0) > run


def _run_digest(conn: Connection, run: int) -> str:
    return _digest(conn, select(schema.sync_runs).where(_runs.id == run))


def _digest(conn: Connection, *wanted: Select[Any]) -> str:
    """A digest of all rows of some queries, chained row by row."""
    found = ""
    for query in wanted:
        for row in conn.execute(query, execution_options={"yield_per": 1000}):
            found = _sha256(found + repr(tuple(row)))
    return found


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
