"""The life of a job as a bar: which status it had when, and between which moments it changed. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tpmirror.db.types import Row

NARROWEST: Final = 0.5
"""Per cent of the bar that every part has at least, so that it can be seen."""
UNSEEN: Final = "not seen"
"""The status of a job before the mirror first saw it."""


def timeline(job: Row, transitions: Sequence[Row], now: datetime) -> dict[str, Any] | None:
    """The parts of the bar from left to right, and its ends; None where nothing has a length.

    Each part has ``status``, ``start`` and ``end``, ``x`` and ``width`` in per cent, and ``is_sure``: false for the
    stretch in which the status changed at a moment that nobody states.
    """
    changes = [(row["to_name"], *_bounds(row, job)) for row in transitions]
    if not changes:
        return None
    parts = []
    before = job["started"] or changes[0][1]
    if changes[0][1] > before:
        parts.append((UNSEEN, before, changes[0][1], False))
    # In the status in which a job is over it spends no time: a mark at the end.
    ends = [change[1] for change in changes[1:]] + [changes[-1][2] if job["is_terminal"] else now]
    for (status, earliest, latest), end in zip(changes, ends, strict=True):
        parts += [(status, earliest, latest, False)] if latest > earliest else []
        parts.append((status, latest, max(latest, end), True))
    start, end = parts[0][1], max(part[2] for part in parts)
    if start == end:
        return None
    return {"start": start, "end": end, "parts": [_drawn(*part, start, end) for part in parts]}


def _bounds(row: Row, job: Row) -> tuple[datetime, datetime]:
    """Between which moments a change happened."""
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
