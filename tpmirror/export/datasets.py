"""The relations of an export: every table and view that the mirror promises, and the month that partitions each.

A month is a property of the thing, not of the export: what belongs to a job lies in the month in which the job started,
so that a job and all that hangs on it can be read together; a video lies in the month of its creation; what the mirror
wrote down lies in the month in which it did so. Small tables, and views that sum up, are one file.
"""

from collections.abc import Collection, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Connection, Select, Table, Text, and_, cast, false, func, null, or_, select, true

from tpmirror.db import schema, views
from tpmirror.months import days_of_month, start_of

JOB_KEYS: Final = {
    "jobs": "id",
    "job_ml_models": "job_id",
    "job_status_history": "job_id",
    "job_progress_samples": "job_id",
    "job_overview": "job_id",
    "job_overview_public": "job_id",
    "job_durations": "job_id",
    "job_eta_errors": "job_id",
    "job_model_costs": "job_id",
    "cost_corrections": "job_id",
    "cost_ledger": "job_id",
    "status_transitions": "job_id",
    "focus_costs": "x_JobId",
}
"""Relations partitioned by ``started_month`` of the job that this column names."""
OWN_TIMES: Final = {
    "input_videos": ("created_month", "created_at"),
    "output_videos": ("created_month", "created_at"),
    "videos": ("created_month", "created_at"),
    "videos_public": ("created_month", "created_at"),
    "field_changes": ("observed_month", "observed_at"),
    "sync_runs": ("started_month", "started_at"),
}
"""Relations partitioned by the month of this column of their own."""

VIDEO_KEYS: Final = {"input_videos": "id", "output_videos": "id", "videos": "video_id", "videos_public": "video_id"}
"""Relations of videos, and the column with their ids."""

PERSONAL: Final = {
    "jobs": ("extra",),
    "ml_models": ("extra",),
    "input_videos": ("owner", "extra"),
    "output_videos": ("extra",),
    "videos": ("owner",),
    "job_overview": ("input_owner",),
    "quarantined_jobs": ("payload", "reason"),
}
"""Columns with e-mail addresses, and with unknown keys and payloads, which may hold some."""

Month = str | None
"""``2026-10``; None where the time is null."""
PIECE: Final = 256
"""Ids whose rows SQLite concatenates into one text for ``digests``: bounds the memory that a month takes."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table or view to export."""

    table: Table
    kind: str
    """table or view"""
    partitioned_by: str | None = None
    """Name of the partition key; None if it is one file."""
    is_public: bool = False
    """Whether personal data is left out."""

    @property
    def name(self) -> str:
        """Its name in the mirror, and its folder in the export."""
        return self.table.name

    @property
    def columns(self) -> list[SqlColumn[Any]]:
        """The columns that are exported."""
        left_out = PERSONAL.get(self.name, ()) if self.is_public else ()
        columns = [column for column in self.table.columns if not column.info.get("working")]
        return [column for column in columns if column.name not in left_out]

    @property
    def key(self) -> str | None:
        """The column with the job or the video that a row is about; None if it is about neither."""
        return JOB_KEYS.get(self.name) or VIDEO_KEYS.get(self.name)

    @property
    def condition(self) -> ColumnElement[bool]:
        """The rows that are exported: ``field_changes`` without those of a column that is left out."""
        if not self.is_public or self.table is not schema.field_changes:
            return true()
        return schema.field_changes.c.field.not_in(sorted({name for names in PERSONAL.values() for name in names}))


def relations(*, public: bool = False) -> list[Dataset]:
    """Every table and view of the mirror but the working tables, tables first; ``public``: without personal data."""
    tables = [table for table in schema.metadata.sorted_tables if table not in schema.WORKING]
    selects = [views.view(name) for name in views.sources("sqlite")]
    kinds = [(table, "table") for table in tables] + [(view, "view") for view in selects]
    return [Dataset(table, kind, _partition_key(table.name), public) for table, kind in kinds]


def rows(
    conn: Connection,
    relation: Dataset,
    months: Collection[Month] | None,
    size: int,
    ids: Collection[int] | None = None,
) -> Generator[Any]:
    """Pairs of month and up to ``size`` rows of it, ordered by month, job or video, and key.

    Of these months only, or of all (None); of these jobs or videos only, or of all. Streamed: whatever the relation
    weighs, no more than ``size`` rows are in memory. Close it if it is not read to its end.
    """
    with conn.execute(_query(conn, relation, months, ids), execution_options={"yield_per": size}) as found:
        for part in found.partitions():
            for month, some in groupby(part, key=itemgetter(0)):
                yield month, [row[1:] for row in some]


def count(conn: Connection, table: Table) -> dict[Month, int]:
    """Rows of a partitioned table, by month."""
    month = month_of(conn, *_time(table))
    wanted = select(month, func.count()).select_from(_joined(table)).group_by(month)
    return {row[0]: row[1] for row in conn.execute(wanted)}


def digests(conn: Connection, table: Table, columns: Collection[SqlColumn[Any]]) -> dict[Month, str]:
    """A SHA-256 by month of what some columns of a partitioned table hold; the keys must be among them.

    The database puts the values together, so that no row is handled here.
    """
    found: dict[Month, str] = {}
    for month, piece in conn.execute(_pieces(conn, table, columns)):
        found[month] = sha256((found.get(month, "") + piece).encode("utf-8", "surrogatepass")).hexdigest()
    return found


def month_of(conn: Connection, time: ColumnElement[Any]) -> ColumnElement[Any]:
    """The month (UTC) of a time, as text."""
    if conn.dialect.name == "sqlite":
        return func.substr(time, 1, 7, type_=Text)
    return func.to_char(func.timezone("UTC", time), "YYYY-MM", type_=Text)


def _pieces(conn: Connection, table: Table, columns: Collection[SqlColumn[Any]]) -> Select[Any]:
    """Pairs of month and a text that stands for all its rows, or for some of them, which the next pair continues."""
    month = month_of(conn, *_time(table))
    if conn.dialect.name == "postgresql":
        hashed = func.hashtextextended(cast(func.row(*columns), Text), 0)
        return select(month, cast(func.sum(hashed), Text)).select_from(_joined(table)).group_by(month)
    # SQLite cannot hash. quote() keeps every digit of a real, which a cast to text does not, and sets texts apart.
    quoted: list[ColumnElement[str]] = [func.quote(column, type_=Text) for column in columns]
    line = reduce(lambda before, value: before + "," + value, quoted)
    piece = next(iter(table.primary_key)) // PIECE
    wanted = select(month, func.group_concat(line, ";", type_=Text)).select_from(_joined(table))
    return wanted.group_by(month, piece).order_by(month, piece)


def _query(
    conn: Connection, relation: Dataset, months: Collection[Month] | None, ids: Collection[int] | None
) -> Select[Any]:
    table = relation.table
    keys = list(table.primary_key.columns) or relation.columns
    if relation.partitioned_by is None:
        return select(null(), *relation.columns).order_by(*keys)
    (time,) = _time(table)
    month = month_of(conn, time)
    first = [table.c[relation.key]] if relation.key else []
    wanted = select(month, *relation.columns).select_from(_joined(table)).where(relation.condition)
    wanted = wanted.order_by(month, *dict.fromkeys([*first, *keys]))
    if ids is not None:
        wanted = wanted.where(*(column.in_(ids) for column in first))
    elif months is not None:
        wanted = wanted.where(*_jobs_between(conn, table, months))
    return wanted if months is None else wanted.where(_within(time, months))


def _time(table: Table) -> tuple[ColumnElement[Any]]:
    """The time whose month a row lies in."""
    return (table.c[OWN_TIMES[table.name][1]] if table.name in OWN_TIMES else schema.jobs.c.started,)


def _joined(table: Table) -> Any:
    """The table joined with the job of each row; an outer join, so that a row without a job is exported too."""
    if table is schema.jobs or table.name in OWN_TIMES:
        return table
    return table.outerjoin(schema.jobs, schema.jobs.c.id == table.c[JOB_KEYS[table.name]])


def _within(time: ColumnElement[Any], months: Collection[Month]) -> ColumnElement[bool]:
    """Whether a time lies in one of these months; as ranges, which an index serves."""
    ranges = [and_(time >= first, time < after) for first, after in map(_bounds, sorted(filter(None, months)))]
    return or_(*ranges, *([time.is_(None)] if None in months else []))


def _jobs_between(conn: Connection, table: Table, months: Collection[Month]) -> list[ColumnElement[bool]]:
    """What else the rows of these months have in common: ids between the lowest and the highest job of each month.

    Unlike a time of the joined job, a database applies this inside of a view that groups by job: it reads a few months
    of it in the place of all.
    """
    if table.name not in JOB_KEYS or table is schema.jobs or None in months:
        return []
    jobs, key = schema.jobs.c, table.c[JOB_KEYS[table.name]]
    month = month_of(conn, jobs.started)
    spans = select(func.min(jobs.id), func.max(jobs.id)).where(_within(jobs.started, months)).group_by(month)
    return [or_(false(), *(key.between(low, high) for low, high in conn.execute(spans)))]


def _bounds(month: str) -> tuple[datetime, datetime]:
    """The first instant of a month, and of the next one; in the last month there is, the last instant there is."""
    if month == "9999-12":
        return datetime(9999, 12, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    first, after = days_of_month(month)
    return start_of(first), start_of(after)


def _partition_key(name: str) -> str | None:
    return "started_month" if name in JOB_KEYS else OWN_TIMES.get(name, (None,))[0]
