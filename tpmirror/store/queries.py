"""What people ask the mirror, as plain data; reads only."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Text, and_, case, cast, func, literal, or_, select, union_all

from tpmirror.db import labels, schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row, credits_of
from tpmirror.db.views import view
from tpmirror.store import history, presence, quarantine, runs
from tpmirror.store.prices import UNPRICED, Prices

EXTRA_SAMPLE: Final = 200
"""Rows searched for unknown keys, per table: enough to name them all in practice."""


def summary(conn: Connection, prices: Prices = UNPRICED) -> dict[str, Any]:
    """The mirror at a glance; with amounts if a price is known."""
    certified = runs.last(conn, runs.CERTIFIED)
    proven = runs.certified_as_of(certified)
    entry, row_hash = history.head(conn)
    return {
        "certified_at": proven,
        "age_s": proven and runs.proof_age(proven, datetime.now(UTC)),
        "last_run": runs.last(conn),
        "last_failure": runs.last(conn, schema.sync_runs.c.outcome == "failed"),
        "jobs": _counts(conn, schema.jobs.c.presence),
        "by_status": jobs_by_status(conn, prices),
        "in_flight": _scalar(conn, select(func.count()).where(schema.IN_FLIGHT)),
        "quarantined": quarantine.count_open(conn),
        "held": asdict(quarantine.holding(conn)),
        "waiting": len(presence.waiting(conn)),
        "unknown": unknown(conn),
        "history": {"entries": entry, "head": row_hash},
    }


def failed_jobs(conn: Connection, since: datetime) -> list[Row]:
    """Jobs that were seen to fail, or state that they failed, since then; not those that the first run found failed."""
    table, jobs = schema.job_status_history, schema.jobs
    when = func.coalesce(table.c.occurred_at, table.c.observed_at)
    fresh = (table.c.observed_at >= since) & (when >= since)
    stated = table.c.from_status.is_not(None) | table.c.occurred_at.is_not(None)
    wanted = (
        select(table.c.job_id, table.c.seq, table.c.observed_at, jobs.c.description, jobs.c.cost_usd)
        .join(jobs, jobs.c.id == table.c.job_id)
        .where(table.c.to_status == labels.FAILED, fresh, stated)
        .order_by(table.c.entry)
    )
    return _rows(conn, wanted)


def jobs_by_status(conn: Connection, prices: Prices = UNPRICED) -> list[Row]:
    """Jobs and Credits by status, and what these are in money; previews count as jobs and cost nothing."""
    jobs, names = schema.jobs, schema.job_statuses
    charged = credits_of(case((jobs.c.preview.is_(True), 0), else_=jobs.c.cost_usd))
    wanted = (
        select(jobs.c.status, names.c.name, func.count().label("jobs"), charged.label("credits"))
        .join(names, names.c.code == jobs.c.status)
        .group_by(jobs.c.status, names.c.name, names.c.is_terminal)
        .order_by(names.c.is_terminal, jobs.c.status.desc())
    )
    worth = _worth_by_status(conn, prices) if prices else {}
    return [{**row, **worth.get(row["status"], {})} for row in _rows(conn, wanted)]


def _worth_by_status(conn: Connection, prices: Prices) -> dict[int, Row]:
    """What Credits are in money by status: each job at the price of the month in which it counts."""
    jobs = view("job_overview").c
    wanted = select(jobs.status, jobs.month, credits_of(jobs.credits).label("credits"))
    parts: dict[int, list[Row]] = {}
    for row in conn.execute(wanted.group_by(jobs.status, jobs.month)):
        parts.setdefault(row.status, []).append(prices.worth(row.credits, row.month))
    return {status: prices.added(some) for status, some in parts.items()}


def credits_by_month(conn: Connection, limit: int) -> list[Row]:
    """The last months of the view ``daily_costs``."""
    days = view("daily_costs").c
    month = func.substr(cast(days.day, Text), 1, 7).label("month")
    wanted = select(month, func.sum(days.jobs).label("jobs"), credits_of(days.credits).label("credits"))
    return _rows(conn, wanted.group_by(month).order_by(month.desc()).limit(limit))


def job(conn: Connection, job_id: int) -> Row | None:
    """A job's row."""
    return next(iter(_rows(conn, select(schema.jobs).where(schema.jobs.c.id == job_id))), None)


def job_history(conn: Connection, row: Row) -> dict[str, list[Row]]:
    """Every recorded transition of a job, and every other change of it and of its videos.

    Changes come without their values where the role may not read them.
    """
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
        "field_changes": _rows(conn, select(*readable(conn, changes)).where(mine).order_by(changes.c.id)),
    }


def most_eventful_job(conn: Connection) -> int:
    """The job with the most status changes, of those the newest; 0 in an empty mirror."""
    table = schema.job_status_history.c
    wanted = select(table.job_id).group_by(table.job_id).order_by(func.count().desc(), table.job_id.desc()).limit(1)
    return _scalar(conn, wanted) or 0


def unknown_codes(conn: Connection) -> dict[str, list[int]]:
    """Codes that upstream sent and this version has no name for, by table."""
    strange = []
    for name, seeds in labels.SEEDS.items():
        code = schema.metadata.tables[name].c.code
        strange.append(select(literal(name), code).where(code.not_in([row["code"] for row in seeds])))
    found: dict[str, list[int]] = {}
    for name, code in sorted(conn.execute(union_all(*strange)).all()):
        found.setdefault(name, []).append(code)
    return found


def unknown(conn: Connection) -> dict[str, list[Any]]:
    """What upstream sent that this version has no name for: codes by table, keys by table."""
    found: dict[str, list[Any]] = dict(unknown_codes(conn))
    for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models):
        sample = conn.execute(select(table.c.extra).where(table.c.extra.is_not(None)).limit(EXTRA_SAMPLE)).scalars()
        keys = sorted({key for extra in sample for key in json.loads(extra)})
        if keys:
            found[f"{table.name}.extra"] = keys
    return found


def _counts(conn: Connection, column: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(select(column, func.count()).group_by(column).order_by(column))}


def _scalar(conn: Connection, wanted: Any) -> Any:
    return conn.execute(wanted).scalar()


def _rows(conn: Connection, wanted: Any) -> list[Row]:
    return [dict(row) for row in conn.execute(wanted).mappings()]
