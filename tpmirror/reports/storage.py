"""Outputs that take space upstream and could be deleted there, by size, age, codec or month."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from rich.filesize import decimal
from sqlalchemy import Connection, select

from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.formatting import count
from tpmirror.reports.model import Report, percent, plain, ratio, size

BY: Final = ("age", "output", "codec", "month")
AGES: Final = ((30, "up to 30 days"), (90, "31 to 90 days"), (180, "91 to 180 days"), (365, "181 to 365 days"))
OLDEST: Final = "over a year"
UNKNOWN: Final = "unknown"
COLUMNS: Final = (
    "output_video_id", "job_id", "name", "size", "share", "created_at", "duration_s", "codec", "preview",
    "quality_score",
)  # fmt: skip


def storage(conn: Connection, by: str, now: datetime) -> Report:
    """Outputs that still take space: each one, largest first, or summed up."""
    source = view("storage_usage")
    wanted = select(*(source.c[name] for name in COLUMNS)).order_by(source.c.size.desc(), source.c.output_video_id)
    outputs = [aged(dict(row), now) for row in conn.execute(wanted).mappings()]
    whole = sum(row["size"] for row in outputs)
    notes = [f"{count(len(outputs), 'output')}, {decimal(whole)} in all. Delete upstream; the mirror never does."]
    if by == "output":
        columns = plain(output_video_id="output", job_id="job", name="name") | size("size", "size")
        columns |= plain(age_days="days old", quality_score="rating")
        rows = outputs
    else:
        columns = plain(**{by: by}, outputs="outputs") | size("size", "size") | percent("share", "share")
        rows = summed(outputs, by, whole)
    return Report(f"Storage upstream by {by}", columns, rows, notes, {"outputs": len(outputs), "size": whole})


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
    """Outputs and bytes by class; ages from the oldest, months from the newest, codecs from the largest."""
    sums: dict[Any, Row] = {}
    for row in outputs:
        total = sums.setdefault(row[by], {by: row[by], "outputs": 0, "size": 0})
        total["outputs"] += 1
        total["size"] += row["size"]
    rows = [{**row, "share": ratio(row["size"], whole)} for row in sums.values()]
    if by == "age":
        order = [UNKNOWN, *(name for _, name in AGES), OLDEST]
        return sorted(rows, key=lambda row: -order.index(row["age"]))
    if by == "month":
        return sorted(rows, key=lambda row: str(row["month"]), reverse=True)
    return sorted(rows, key=lambda row: -row["size"])
