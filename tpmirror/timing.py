"""When to look at the API again. Pure: what the mirror's own runs tell, and the clock, are arguments.

The database decides what is due, not a process's memory: after a restart, and among several replicas, work that was
done is not done again, and work that nobody did is due at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

IDLE: Final = 10
"""How many times longer the pauses between looks are while no job is in flight, or while looks fail."""
RETRY: Final = 30.0
"""Seconds after a full walk that failed; doubles, up to the interval between walks."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the mirror tells about its runs and its jobs."""

    walked_at: datetime | None = None
    """When the last full walk that succeeded began."""
    walk_failures: int = 0
    """Full walks in a row that failed since then."""
    walk_failed_at: datetime | None = None
    """When the last of those ended."""
    walk_error: str | None = None
    """What it failed with."""
    looked_at: datetime | None = None
    """When the last run of any kind that succeeded began."""
    look_failures: int = 0
    """Runs in a row that failed since then."""
    look_failed_at: datetime | None = None
    """When the last of those ended."""
    look_error: str | None = None
    """What it failed with."""
    certified_at: datetime | None = None
    """As of when the mirror was last proven complete."""
    uncertified: int = 0
    """Full walks in a row that succeeded without a proof."""
    uncertified_reason: str | None = None
    """Why the last of those has none."""
    last_run: int | None = None
    """The newest run, whatever became of it."""
    in_flight: int = 0
    """Jobs that are not over."""
    waiting: int = 0
    """Vanished jobs that wait for an operator."""
    untold_since: datetime | None = None
    """Since when jobs are missing for which asking by id brings no answer."""
    quarantined: int = 0
    """Payloads that could not be mirrored."""
    unknown_codes: tuple[str, ...] = ()
    """Codes without a name, each after its table."""
    credits_today: Decimal | None = None
    credits_month: Decimal | None = None
    """What the jobs of this day and month (UTC) cost; None if nobody asked."""


def walk_due(facts: Facts, interval: float, now: datetime) -> datetime:
    """When the next full walk is due; a moment in the past or ``now`` means at once."""
    due = now if facts.walked_at is None else facts.walked_at + timedelta(seconds=interval)
    if facts.walk_failures and facts.walk_failed_at is not None:
        retry = facts.walk_failed_at + timedelta(seconds=pause(facts.walk_failures, interval))
        due = max(due, retry) if facts.walked_at else retry
    return _sane(due, timedelta(seconds=interval), now)


def poll_due(facts: Facts, interval: float, now: datetime) -> datetime:
    """When the next poll is due. A full walk looks at everything that a poll does, so it counts as one."""
    wait = timedelta(seconds=interval * poll_factor(facts))
    if facts.looked_at is None:
        return now + wait  # the mirror is empty: a full walk comes first
    return _sane(max(facts.looked_at, facts.look_failed_at or facts.looked_at) + wait, wait, now)


def poll_factor(facts: Facts) -> int:
    """How many poll intervals to wait: one while jobs are in flight, more while there is nothing to see."""
    if facts.look_failures:
        return min(IDLE, 1 << min(facts.look_failures, 10))
    return 1 if facts.in_flight else IDLE


def pause(failures: int, interval: float) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(interval, RETRY * 2.0 ** min(failures - 1, 10)) if failures else 0.0


def _sane(due: datetime, longest: timedelta, now: datetime) -> datetime:
    """Due within the longest pause, or the clock was set back since: then at once."""
    return due if due <= now + longest else now
