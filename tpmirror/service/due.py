"""When the next run is due. Pure: the status of the mirror and the clock are arguments.

The rows of ``sync_runs`` decide which run is due, not a process's memory: a restart and a second replica repeat no run,
and a run that was missed is due at once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tpmirror.store.status import MirrorStatus

IDLE: Final = 10
"""How many times longer the pauses between polls are while no job is in flight, or while polls fail."""
RETRY: Final = 30.0
"""Seconds after a full sync that failed; doubles, up to the interval between full syncs."""


def sync_due(status: MirrorStatus, interval: float, now: datetime) -> datetime:
    """When the next full sync is due; a moment in the past or ``now`` means at once."""
    due = now if status.synced_at is None else status.synced_at + timedelta(seconds=interval)
    if status.sync_failures and status.sync_failed_at is not None:
        retry = status.sync_failed_at + timedelta(seconds=pause(status.sync_failures, interval))
        due = max(due, retry) if status.synced_at else retry
    return _sane(due, timedelta(seconds=interval), now)


def poll_due(status: MirrorStatus, interval: float, now: datetime) -> datetime:
    """When the next poll is due. A full sync reads everything that a poll does, so it counts as one."""
    wait = timedelta(seconds=interval * poll_factor(status))
    if status.succeeded_at is None:
        return now + wait  # the mirror is empty: a full sync comes first
    return _sane(max(status.succeeded_at, status.run_failed_at or status.succeeded_at) + wait, wait, now)


def export_due(state: Mapping[str, Any] | None, interval: float, now: datetime) -> datetime:
    """When the next export is due; sooner after one that failed, a little later each time."""
    if state is None:
        return now
    last, wait = state["succeeded_at"], interval
    if state["failures"]:
        last, wait = state["failed_at"], pause(state["failures"], interval)
    return now if last is None else _sane(last + timedelta(seconds=wait), timedelta(seconds=interval), now)


def poll_factor(status: MirrorStatus) -> int:
    """How many poll intervals to wait: one while jobs are in flight, more while none is or polls fail."""
    if status.run_failures:
        return min(IDLE, 1 << min(status.run_failures, 10))
    return 1 if status.in_flight else IDLE


def pause(failures: int, interval: float) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(interval, RETRY * 2.0 ** min(failures - 1, 10)) if failures else 0.0


def _sane(due: datetime, longest: timedelta, now: datetime) -> datetime:
    """``due`` if it is at most ``longest`` away, else ``now``: the clock was set back since the last run."""
    return due if due <= now + longest else now
