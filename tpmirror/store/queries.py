"""The queries of commands and pages, as plain data; reads only."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)  # fmt: skip

from tpmirror.db import labels, schema
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row, credits_of
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.store import history, presence, quarantine, runs
from tpmirror.store.prices import UNPRICED, Prices

EXTRA_SAMPLE: Final = 200
"""Rows searched for unknown keys, per table: enough to name them all in practice."""
PRESENCES: Final = ("listed", "missing", "unlisted", "gone")


@dataclass(frozen=True, slots=True)
class JobFilter:
    """A filter of jobs; a field that is None or empty narrows nothing down."""

    statuses: Sequence[int] = ()
    in_flight: bool = False
    """Only jobs that are neither over nor gone."""
    models: Sequence[int] = ()
    """Ids of models, of which a job uses at least one."""
    resolution: str = ""
    presence: str = ""
    first: date | None = None
    """Counts on this day (UTC) or later, as ``job_overview.day`` has it."""
    last: date | None = None
    """Counts on this day or earlier."""
    input_video: int | None = None
    """Id of the input video that a job reads."""
    owner: str = ""
    """A part of the address of the input's owner."""
    text: str = ""
    """A part of the description or of a video's name, or the job's number."""

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions for rows of ``job_overview``."""
        jobs, used = view("job_overview").c, schema.job_ml_models.c
        uses_model = jobs.job_id.in_(select(used.job_id).where(used.ml_model_id.in_(self.models)))
        wanted = (
            (self.statuses, jobs.status.in_(self.statuses)),
            (self.in_flight, ~jobs.is_terminal & (jobs.presence != "gone")),
            (self.models, uses_model),
            (self.resolution, jobs.resolution == self.resolution),
            (self.presence, jobs.presence == self.presence),
            (self.first or self.last, self._is_of_these_days),
            (self.input_video is not None, jobs.input_video_id == self.input_video),
            (self.owner, jobs.input_owner.icontains(self.owner, autoescape=True)),
            (self.text, _mentions(self.text)),
        )
        return [condition for asked, condition in wanted if asked]

    @property
    def _is_of_these_days(self) -> ColumnElement[bool]:
        """Whether a job's day is among those wanted: by its timestamps, not by ``day``, which has no index."""
        jobs = view("job_overview").c

        def lies_within(moment: ColumnElement[Any]) -> ColumnElement[bool]:
            after = [moment >= start_of(self.first)] if self.first else []
            before = [moment < start_of(self.last + timedelta(days=1))] if self.last else []
            return and_(True, *after, *before)

        return or_(
            lies_within(jobs.finished),
            jobs.finished.is_(None) & lies_within(jobs.started),
            jobs.finished.is_(None) & jobs.started.is_(None) & lies_within(jobs.first_seen_at),
        )


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
    """Jobs and Credits by status, and the Credits in money; previews count as jobs and cost nothing."""
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
    """Credits in money by status: each job at the price of the month in which it counts."""
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


def jobs_by_presence(conn: Connection, since: datetime | None) -> Row:
    """Jobs by presence, 0 for one without jobs; ``newer``: listed jobs that were first seen after ``since``."""
    jobs, newer = schema.jobs.c, 0
    if since is not None:
        newer = _scalar(conn, select(func.count()).where(jobs.presence == "listed", jobs.first_seen_at > since))
    return {**dict.fromkeys(PRESENCES, 0), **_counts(conn, jobs.presence), "newer": newer}


def in_flight(conn: Connection, limit: int) -> dict[str, Any]:
    """Jobs queued or processing, the longest waiting of them, and separately those of an unknown status.

    Whether a job of a status without a name is over is unknown: it is not counted among the jobs at work.
    """
    active, jobs, codes = view("active_jobs"), schema.jobs.c, schema.job_statuses.c.code
    # By their own codes, for which there is an index, and not by excluding the known ones.
    strange = list(conn.execute(select(codes).where(codes.not_in(sorted(labels.STATUSES)))).scalars())
    at_work = sorted(set(labels.STATUSES) - labels.TERMINAL)

    def longest_waiting(statuses: Sequence[int]) -> list[Row]:
        return _rows(conn, select(active).where(active.c.status.in_(statuses)).limit(limit)) if statuses else []

    return {
        "count": _scalar(conn, select(func.count()).where(jobs.status.in_(at_work), jobs.presence != "gone")),
        "jobs": longest_waiting(at_work),
        "strange": longest_waiting(strange),
    }


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


def job_ids(
    conn: Connection, wanted: Sequence[ColumnElement[bool]], limit: int, order: str = "-job_id", offset: int = 0
) -> list[int]:
    """The ids of jobs by a column of ``job_overview``, the largest first with ``-`` before it; null comes last."""
    jobs = view("job_overview").c
    key, down = jobs[order.lstrip("-")], order.startswith("-")
    keys = [jobs.job_id] if key.name == "job_id" else [key, jobs.job_id]
    # Not NULLS LAST, for which SQLite would sort all jobs: an index gives those with a value in order.
    known = [*wanted, key.is_not(None)]
    found = _ids(conn, known, [each.desc() if down else each.asc() for each in keys], limit, offset)
    if len(found) < limit and key.name != "job_id":
        passed = 0 if found or not offset else max(0, offset - count_jobs(conn, known))
        found += _ids(conn, [*wanted, key.is_(None)], [jobs.job_id.desc()], limit - len(found), passed)
    return found


def _ids(
    conn: Connection, wanted: Sequence[ColumnElement[bool]], order: Sequence[Any], limit: int, offset: int
) -> list[int]:
    jobs = view("job_overview").c
    found = select(jobs.job_id).where(*wanted).order_by(*order).limit(limit).offset(offset)
    return list(conn.execute(found).scalars())


def count_jobs(conn: Connection, wanted: Sequence[ColumnElement[bool]]) -> int:
    """How many jobs meet conditions for rows of ``job_overview``; without any, how many there are."""
    # The view joins each job to its videos, which is not needed to count them all.
    found = select(func.count(view("job_overview").c.job_id)).where(*wanted) if wanted else func.count(schema.jobs.c.id)
    return _scalar(conn, found) or 0


def newest_jobs(conn: Connection, digits: str, limit: int, *, is_absent: bool) -> list[tuple[int, str]]:
    """The newest jobs whose ids begin with these digits, with their statuses; ``is_absent``: that the list lacks."""
    jobs, names = schema.jobs.c, schema.job_statuses.c
    wanted = [cast(jobs.id, Text).startswith(digits, autoescape=True)]
    wanted += [jobs.presence != "listed"] if is_absent else []
    found = select(jobs.id, names.name).join(schema.job_statuses, names.code == jobs.status).where(*wanted)
    return [(job_id, name) for job_id, name in conn.execute(found.order_by(jobs.id.desc()).limit(limit))]


def labelled_jobs(conn: Connection, ids: Sequence[int], columns: Sequence[Column[Any]] = ()) -> list[Row]:
    """The rows of ``job_overview_public`` in the order of the ids, or these columns of ``job_overview``.

    Read after the ids: the database joins and labels these jobs alone, not all jobs that it had to sort.
    """
    columns = columns or list(view("job_overview_public").columns)
    (job_id,) = (column for column in columns if column.name == "job_id")
    found = {row["job_id"]: row for row in _rows(conn, select(*columns).where(job_id.in_(ids)))}
    return [found[job_id] for job_id in ids]


def job_choices(conn: Connection) -> dict[str, list[Row]]:
    """The choices of a job filter: ``value`` and ``name`` of each status, model, resolution and presence."""
    statuses, models, sizes = schema.job_statuses.c, schema.ml_models.c, schema.output_resolutions.c
    return {
        "status": _rows(conn, select(statuses.code.label("value"), statuses.name).order_by(statuses.code.desc())),
        "model": _rows(conn, select(models.id.label("value"), models.name).order_by(models.name, models.id)),
        "resolution": _rows(conn, select(sizes.name.label("value"), sizes.name).order_by(sizes.code)),
        "presence": [{"value": name, "name": name} for name in PRESENCES],
    }


def choose(choices: Sequence[Row], text: str) -> list[Any]:
    """The values of the choices that have this name, in any case, or this value; empty if no choice has."""
    asked = text.strip().casefold()
    return [one["value"] for one in choices if asked in {str(one["value"]).casefold(), str(one["name"]).casefold()}]


def accepted(choices: Sequence[Row]) -> str:
    """The names of a filter's choices, in words."""
    return ", ".join(dict.fromkeys(str(one["name"]) for one in choices)) or "none: the mirror has no job yet"


def job_details(conn: Connection, row: Row) -> dict[str, Any]:
    """The rows about a job besides its own: labels, models, videos, history, lengths, corrections."""
    history_of_job = job_history(conn, row)
    return {
        "shown": _of_job(conn, "job_overview_public", row["id"])[0],
        "models": _models_of_job(conn, row["id"]),
        "videos": _videos_of_job(conn, row),
        "transitions": _of_job(conn, "status_transitions", row["id"], "seq"),
        "durations": _of_job(conn, "job_durations", row["id"], "status"),
        "changes": history_of_job["field_changes"],
        "corrections": _of_job(conn, "cost_corrections", row["id"], "field_change_id"),
    }


def count_of_input(conn: Connection, video_id: int | None) -> int:
    """How many jobs read an input video."""
    return _scalar(conn, select(func.count()).where(schema.jobs.c.input_video_id == video_id)) or 0


def fields_of(row: Row, columns: Sequence[Column[Any]]) -> list[dict[str, Any]]:
    """Every column of a row with its meaning."""
    return [{"name": c.name, "value": row[c.name], "means": c.comment} for c in columns if c.name != "fingerprint"]


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
    """Codes and keys that upstream sent and this version has no name for, by table."""
    found: dict[str, list[Any]] = dict(unknown_codes(conn))
    for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models):
        sample = conn.execute(select(table.c.extra).where(table.c.extra.is_not(None)).limit(EXTRA_SAMPLE)).scalars()
        keys = sorted({key for extra in sample for key in json.loads(extra)})
        if keys:
            found[f"{table.name}.extra"] = keys
    return found


def _mentions(text: str) -> ColumnElement[bool]:
    """Jobs with a text in their description or in a video's name, or with this number."""
    jobs = view("job_overview").c
    columns = (jobs.description, jobs.input_name, jobs.output_name)
    found = [column.icontains(text, autoescape=True) for column in columns]
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found.append(jobs.job_id == int(text))
    return or_(*found)


def _of_job(conn: Connection, name: str, job_id: int, order: str = "job_id") -> list[Row]:
    """The rows of a view that are about a job."""
    source = view(name)
    return _rows(conn, select(source).where(source.c.job_id == job_id).order_by(source.c[order]))


def _models_of_job(conn: Connection, job_id: int) -> list[Row]:
    """The job's models in the API's order, each with its share of the cost."""
    used, models, tasks, shares = schema.job_ml_models, schema.ml_models, schema.ml_tasks, view("job_model_costs")
    mine = select(shares.c.position, shares.c.credits).where(shares.c.job_id == job_id).subquery()
    wanted = (
        select(used.c.position, used.c.cost_weight, models.c.name, tasks.c.name.label("task"), mine.c.credits)
        .join(models, models.c.id == used.c.ml_model_id)
        .outerjoin(tasks, tasks.c.code == models.c.task)
        .outerjoin(mine, mine.c.position == used.c.position)
        .where(used.c.job_id == job_id)
        .order_by(used.c.position)
    )
    return _rows(conn, wanted)


def _videos_of_job(conn: Connection, row: Row) -> list[dict[str, Any]]:
    """The job's videos with all their columns that the role may read, and the meanings of these."""
    found = []
    for kind, table in (("input", schema.input_videos), ("output", schema.output_videos)):
        video_id, columns = row[f"{kind}_video_id"], readable(conn, table)
        for video in _rows(conn, select(*columns).where(table.c.id == video_id)) if video_id is not None else []:
            detached_at = row[f"{kind}_video_detached_at"]
            found.append({"kind": kind, "fields": fields_of(video, columns), "detached_at": detached_at})
    return found


def _counts(conn: Connection, column: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(select(column, func.count()).group_by(column).order_by(column))}


def _scalar(conn: Connection, wanted: Any) -> Any:
    return conn.execute(wanted).scalar()


def _rows(conn: Connection, wanted: Any) -> list[Row]:
    return [dict(row) for row in conn.execute(wanted).mappings()]
