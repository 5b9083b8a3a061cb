"""Outputs that take space upstream, and how much deleting them there would free, by size, age, codec or month."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.filesize import decimal
from sqlalchemy import Connection, select

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import count
from tpmirror.months import start_of
from tpmirror.reports.model import Report, percent, plain, ratio, size
from tpmirror.reports.period import EVER, Period

BY: Final = ("age", "output", "codec", "month")
AGES: Final = ((30, "up to 30 days"), (90, "31 to 90 days"), (180, "91 to 180 days"), (365, "181 to 365 days"))
OLDEST: Final = "over a year"
UNKNOWN: Final = "unknown"
COLUMNS: Final = (
    "output_video_id", "job_id", "name", "size", "created_at", "duration_s", "codec", "preview",
    "quality_score",
)  # fmt: skip


def storage(conn: Connection, by: str, now: datetime, period: Period = EVER) -> Report:
    """Outputs of a period that still take space: each one, largest first, or summed up; with what deleting frees."""
    return tabulated(stored(conn, now, period), by, period)


def stored(conn: Connection, now: datetime, period: Period) -> list[Row]:
    """The outputs of a period that still take space, the largest first, each with its age."""
    source = view("storage_usage").c
    created = [] if period.first is None else [source.created_at >= start_of(period.first)]
    created += [] if period.after is None else [source.created_at < start_of(period.after)]
    wanted = select(*(source[name] for name in COLUMNS)).where(*created)
    found = conn.execute(wanted.order_by(source.size.desc(), source.output_video_id)).mappings()
    return [aged(dict(row), now) for row in found]


def tabulated(outputs: Sequence[Row], by: str, period: Period) -> Report:
    """The report ``storage`` of outputs that were read already."""
    whole = sum(row["size"] for row in outputs)
    notes = [f"{count(len(outputs), 'output')}, {decimal(whole)} in all. Delete upstream; the mirror never does."]
    if by == "output":
        columns = plain(output_video_id="output", job_id="job", name="name") | size("size", "size")
        columns |= size("frees", "frees") | plain(age_days="days old", quality_score="rating")
        rows = freeing([{**row, "share": ratio(row["size"], whole)} for row in outputs])
    else:
        columns = plain(**{by: by}, outputs="outputs") | size("size", "size") | percent("share", "share")
        columns |= size("frees", "frees")
        rows = summed(outputs, by, whole)
    also = "older" if by in {"age", "month"} else "larger"
    notes.append(f"frees: what it frees upstream to delete these and all that are {also}.")
    return Report(f"Storage upstream by {by}, {period}", columns, rows, notes, {"outputs": len(outputs), "size": whole})


def freeing(rows: Iterable[Row]) -> list[Row]:
    """Rows with the sum of their sizes and of those before them."""
    found, freed = [], 0
    for row in rows:
        freed += row["size"]
        found.append({**row, "frees": freed})
    return found


def aged(row: Row, now: datetime) -> Row:
    """An output with its age in whole days and its classes."""
    created = row["created_at"]
    days = None if created is None else (now - created).days
    return {**row, "age_days": days, "age": age(days), "month": UNKNOWN if created is None else f"{created:%Y-%m}"}


def age(days: int | None) -> str:
    """The class of an age."""
    if days is None:
        return UNKNOWN
    return next((name for limit, name in AGES if days <= limit), OLDEST)


def summed(outputs: Iterable[Row], by: str, whole: int) -> list[Row]:
    """Outputs and bytes by class; ages from the oldest, months from the newest, codecs from the largest.

    An output of unknown age is freed last.
    """
    sums: dict[Any, Row] = {}
    for row in outputs:
        total = sums.setdefault(row[by], {by: row[by], "outputs": 0, "size": 0})
        total["outputs"] += 1
        total["size"] += row["size"]
    rows = [{**row, "share": ratio(row["size"], whole)} for row in sums.values()]
    if by == "age":
        order = [UNKNOWN, *(name for _, name in AGES), OLDEST]
        return freeing(sorted(rows, key=lambda row: -order.index(row["age"])))
    if by == "month":
        return freeing(sorted(rows, key=lambda row: (row["month"] == UNKNOWN, row["month"])))[::-1]
    return freeing(sorted(rows, key=lambda row: -row["size"]))
