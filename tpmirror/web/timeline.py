"""The status history of a job as a bar: its statuses over time, with the bounds of each change. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tpmirror.db.types import Row

NARROWEST: Final = 0.5
"""Least width of a part in per cent of the bar; a narrower one would be invisible."""
UNSEEN: Final = "not seen"
"""The status of a job before the mirror first saw it."""


def timeline(job: Row, transitions: Sequence[Row], now: datetime) -> dict[str, Any] | None:
    """The parts of the bar from left to right, and its ends; None where nothing has a length.

    Each part has ``status``, ``start`` and ``end``, ``x`` and ``width`` in per cent, and ``is_sure``: false for the
    interval in which the status changed at an unknown time.
    """
    changes = [(row["to_name"], *_bounds(row, job)) for row in transitions]
    if not changes:
        return None
    parts = []
    before = job["started"] or changes[0][1]
    if changes[0][1] > before:
        parts.append((UNSEEN, before, changes[0][1], False))
    # A terminal status has no duration: its part is a mark at the end of the bar.
    ends = [change[1] for change in changes[1:]] + [changes[-1][2] if job["is_terminal"] else now]
    for (status, earliest, latest), end in zip(changes, ends, strict=True):
        parts += [(status, earliest, latest, False)] if latest > earliest else []
        parts.append((status, latest, max(latest, end), True))
    start, end = parts[0][1], max(part[2] for part in parts)
    if start == end:
        return None
    return {"start": start, "end": end, "parts": [_drawn(*part, start, end) for part in parts]}


def _bounds(row: Row, job: Row) -> tuple[datetime, datetime]:
    """The earliest and the latest time of a change."""
    if (stated := row["occurred_at"]) is not None:
        return stated, stated
    seen = row["observed_at"]
    since = row["not_before"] or job["started"] or seen
    return min(since, seen), seen


def _drawn(status: str, begin: datetime, finish: datetime, is_sure: bool, start: datetime, end: datetime) -> Row:
    """A part as the template draws it."""
    whole = (end - start).total_seconds()
    x = 100 * (begin - start).total_seconds() / whole
    width = max(NARROWEST, 100 * (finish - begin).total_seconds() / whole)
    return {
        "status": status,
        "start": begin,
        "end": finish,
        "seconds": (finish - begin).total_seconds(),
        "is_sure": is_sure,
        "x": round(min(x, 100 - width), 2),
        "width": round(width, 2),
    }
