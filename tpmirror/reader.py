"""What people ask the mirror, as plain data; reads only."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select, text

from tpmirror import absence, history, labels, schema
from tpmirror.normalize import Row

EXTRA_SAMPLE: Final = 200
"""Rows looked at for unknown keys, per table: enough to name them all in practice."""


def status(conn: Connection) -> dict[str, Any]:
    """The mirror at a glance."""
    certified = _last_run(conn, schema.sync_runs.c.certified)
    proven = datetime.fromisoformat(json.loads(certified["certificate"])["counted_at"]) if certified else None
    entry, row_hash = history.head(conn)
    return {
        "certified_at": proven,
        "age_s": proven and (datetime.now(UTC) - proven).total_seconds(),
        "last_run": _last_run(conn),
        "last_failure": _last_run(conn, schema.sync_runs.c.outcome == "failed"),
        "jobs": _counts(conn, schema.jobs.c.presence),
        "by_status": jobs_by_status(conn),
        "in_flight": _scalar(conn, select(func.count()).where(schema.jobs.c.status.not_in(labels.TERMINAL))),
        "quarantined": _scalar(conn, select(func.count()).where(schema.quarantined_jobs.c.resolved_at.is_(None))),
        "waiting": len(absence.waiting(conn)),
        "unknown": unknown(conn),
        "history": {"entries": entry, "head": row_hash},
    }


def recent_runs(conn: Connection, limit: int) -> list[Row]:
    """The last runs, newest first."""
    return _rows(conn, select(schema.sync_runs).order_by(schema.sync_runs.c.id.desc()).limit(limit))


def jobs_by_status(conn: Connection) -> list[Row]:
    """Jobs and Credits by status; previews count as jobs and cost nothing."""
    jobs, names = schema.jobs, schema.job_statuses
    wanted = (
        select(jobs.c.status, names.c.name, func.count().label("jobs"), func.sum(jobs.c.cost_usd).label("credits"))
        .join(names, names.c.code == jobs.c.status)
        .group_by(jobs.c.status, names.c.name, names.c.is_terminal)
        .order_by(names.c.is_terminal, jobs.c.status.desc())
    )
    return _rows(conn, wanted)


def credits_by_month(conn: Connection, limit: int) -> list[Row]:
    """The last months of the view ``daily_costs``."""
    month = "substr(CAST(day AS text), 1, 7)"
    wanted = (
        f"SELECT {month} AS month, SUM(jobs) AS jobs, SUM(credits) AS credits FROM daily_costs "  # noqa: S608 - constants
        f"WHERE day IS NOT NULL GROUP BY {month} ORDER BY month DESC LIMIT :limit"
    )
    return [dict(row) for row in conn.execute(text(wanted), {"limit": limit}).mappings()]


def job(conn: Connection, job_id: int) -> Row | None:
    """A job's row."""
    return next(iter(_rows(conn, select(schema.jobs).where(schema.jobs.c.id == job_id))), None)


def job_history(conn: Connection, row: Row) -> dict[str, list[Row]]:
    """Every recorded transition of a job, and every other change of it and of its videos."""
    table, names = schema.job_status_history, schema.job_statuses
    before, after = names.alias(), names.alias()
    transitions = (
        select(table, before.c.name.label("from_name"), after.c.name.label("to_name"))
        .join(after, after.c.code == table.c.to_status)
        .outerjoin(before, before.c.code == table.c.from_status)
        .where(table.c.job_id == row["id"])
        .order_by(table.c.seq)
    )
    changes = schema.field_changes
    entities = {"job": row["id"], "input_video": row["input_video_id"], "output_video": row["output_video_id"]}
    mine = or_(
        *(
            and_(changes.c.entity == name, changes.c.entity_id == key)
            for name, key in entities.items()
            if key is not None
        )
    )
    return {
        "status_changes": _rows(conn, transitions),
        "field_changes": _rows(conn, select(changes).where(mine).order_by(changes.c.id)),
    }


def most_eventful_job(conn: Connection) -> int:
    """The job with the most status changes, of those the newest; 0 in an empty mirror."""
    table = schema.job_status_history.c
    wanted = select(table.job_id).group_by(table.job_id).order_by(func.count().desc(), table.job_id.desc()).limit(1)
    return _scalar(conn, wanted) or 0


def unknown(conn: Connection) -> dict[str, list[Any]]:
    """What upstream sent that this version has no name for: codes by table, keys by table."""
    found: dict[str, list[Any]] = {}
    for name, seeds in labels.SEEDS.items():
        table = schema.metadata.tables[name]
        known = [row["code"] for row in seeds]
        codes = list(
            conn.execute(select(table.c.code).where(table.c.code.not_in(known)).order_by(table.c.code)).scalars()
        )
        if codes:
            found[name] = codes
    for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models):
        sample = conn.execute(select(table.c.extra).where(table.c.extra.is_not(None)).limit(EXTRA_SAMPLE)).scalars()
        keys = sorted({key for extra in sample for key in json.loads(extra)})
        if keys:
            found[f"{table.name}.extra"] = keys
    return found


def _last_run(conn: Connection, *conditions: Any) -> Row | None:
    wanted = select(schema.sync_runs).where(*conditions).order_by(schema.sync_runs.c.id.desc()).limit(1)
    return next(iter(_rows(conn, wanted)), None)


def _counts(conn: Connection, column: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(select(column, func.count()).group_by(column).order_by(column))}


def _scalar(conn: Connection, wanted: Any) -> Any:
    return conn.execute(wanted).scalar()


def _rows(conn: Connection, wanted: Any) -> list[Row]:
    return [dict(row) for row in conn.execute(wanted).mappings()]
