"""The work of the service: full syncs and polls, each when the database says that it is due.

Replicas on one database share the work through it. The replica that did the newest run leads; the others wait
``STANDBY`` seconds longer for each run, and then find it done, or the lease held. If the leader dies, the run stays due
and another replica does it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from tpmirror.config import Settings
from tpmirror.db import revision
from tpmirror.db.engine import read, reading
from tpmirror.db.types import Row
from tpmirror.errors import Interrupted, LeaseError, TpmirrorError
from tpmirror.log import logger
from tpmirror.service.due import pause, poll_due, sync_due
from tpmirror.service.metrics import Metrics
from tpmirror.store import history, queries
from tpmirror.store.status import MirrorStatus, read_status
from tpmirror.sync.full import sync
from tpmirror.sync.poll import poll
from tpmirror.tensorpix.control import Control

STANDBY: Final = 5.0
"""Seconds by which a replica lets the leader, which did the newest run, go first."""
TICKS: Final = 20
"""Ticks in the shorter of the two intervals."""
LONGEST_TICK: Final = 5.0
"""Seconds between two ticks at most."""
REST: Final = 0.1
"""Share of its interval for which a kind of run pauses at least, also if runs take longer than the interval."""

log: Final = logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of run, when it is due, and how it is done."""

    kind: str
    interval: float
    due: Callable[[MirrorStatus, float, datetime], datetime]
    do: Callable[[Control], Row]


def tick_interval(settings: Settings) -> float:
    """Seconds between two checks of which run is due."""
    return min(LONGEST_TICK, min(settings.poll_interval, settings.sync_interval) / TICKS)


class Worker:
    """Does the runs, one at a time, and counts failures in a row."""

    def __init__(self, settings: Settings, engine: Engine, metrics: Metrics) -> None:
        self._budgets = settings.budget_daily is not None or settings.budget_monthly is not None
        self._engine = engine
        self._metrics = metrics
        self._sync = Task("full", settings.sync_interval, sync_due, lambda control: sync(settings, control=control))
        # A due poll waits for the next tick, so its interval is shortened by one: the setting is the longest gap.
        self.every = tick_interval(settings)
        pace = settings.poll_interval - self.every
        self._poll = Task("poll", pace, poll_due, lambda control: poll(settings, control=control))
        self._control = Control()
        self._poll_in = 0.0
        self._resting: dict[str, float] = {}
        """By kind of run, until when it pauses, on the monotonic clock."""
        self._due_since: dict[str, float] = {}
        """By kind of run, since when it is due."""
        self._mine: int | None = None
        self._failures = 0
        self.forced = False
        """Whether the next tick does a full sync even if none is due."""
        self.stopping = False
        self.runs = 0
        """Runs tried since the start of the process."""
        self.busy = False
        """Whether a run is under way."""
        self.last_activity = time.monotonic()
        """When the run under way last finished a request, on the monotonic clock."""
        self.leading: bool | None = None
        """Whether this process did the newest run; None before the first check."""
        self.skew: float | None = None
        """Seconds that our clock is ahead of the API's."""

    def tick(self) -> None:
        """Do the run that is due, if one is: a full sync before a poll."""
        task = None
        try:
            task = None if self.stopping else self._due()
            if task is not None:
                self._run(task)
        except LeaseError as error:
            self._lead(False, str(error))
            self._rest(STANDBY, self._sync, self._poll)
        except Interrupted:
            pass
        except TpmirrorError as error:
            self._failures += 1
            task = task or self._poll
            delay = pause(self._failures, task.interval)
            log.warning("trying again later", work=task.kind, error=str(error), in_s=round(delay))
            self._rest(delay, task)

    def head(self) -> None:
        """Log the head of the hash chain: given to ``audit --head``, it shows entries removed from the end."""
        if revision.is_current(self._engine):
            entries, head = read(self._engine, history.head)
            log.info("history", entries=entries, head=head)

    def stop(self) -> None:
        """Ask the run under way to stop, and start no other."""
        self.stopping = True
        self._control.stop.set()

    def status(self) -> MirrorStatus:
        """The status of the mirror; an empty one before it exists. Raises MirrorError."""
        if not revision.is_current(self._engine):
            return MirrorStatus()
        with reading(self._engine) as conn:
            return read_status(conn, datetime.now(UTC).date() if self._budgets else None)

    def jobs_by_status(self) -> list[Row]:
        """Jobs and Credits by status; none before the mirror exists. Raises MirrorError."""
        if not revision.is_current(self._engine):
            return []
        with reading(self._engine) as conn:
            return queries.jobs_by_status(conn)

    def _due(self) -> Task | None:
        """The run that is due now, if it is this replica's turn: the leader goes first."""
        status, now = self.status(), datetime.now(UTC)
        if self.leading and status.last_run != self._mine:
            self._lead(False, "another process did the newest run")
        # A full sync may find the first jobs in flight, so its first poll is timed as if the mirror had some.
        wait = (self._poll.due(status, self._poll.interval, now) - now).total_seconds()
        self._poll_in = min(max(0.0, wait), self._poll.interval)
        if self.forced:
            return self._sync
        return next((task for task in (self._sync, self._poll) if self._is_ready(task, status, now)), None)

    def _is_ready(self, task: Task, status: MirrorStatus, now: datetime) -> bool:
        clock = time.monotonic()
        if clock < self._resting.get(task.kind, 0) or task.due(status, task.interval, now) > now:
            self._due_since.pop(task.kind, None)
            return False
        waited = clock - self._due_since.setdefault(task.kind, clock)
        return self.leading is not False or waited >= STANDBY

    def _rest(self, seconds: float, *tasks: Task) -> None:
        """Start none of these tasks for so many seconds, even if they are due."""
        for task in tasks:
            self._resting[task.kind] = time.monotonic() + seconds

    def _run(self, task: Task) -> None:
        self._control = Control(on_request=self._on_request, poll_at=time.monotonic() + self._poll_in)
        self.busy, self.last_activity = True, time.monotonic()
        if self.stopping:  # checked after busy is set: the daemon exits once no worker is busy
            self.busy = False
            return
        self.forced = False
        outcome, started, retries = "failed", time.monotonic(), 0
        try:
            row = task.do(self._control)
            outcome, retries = ("certified" if row["certified"] else row["outcome"]), row["retries"]
            self._failures = 0
        except LeaseError:
            outcome = "standby"
            raise
        except Interrupted:
            outcome = "interrupted"
            raise
        finally:
            self.busy, self.skew, self.runs = False, self._control.skew, self.runs + 1
            self._rest(REST * task.interval, task)
            self._metrics.on_run(task.kind, outcome, time.monotonic() - started, retries)
            if self._control.run_id is not None:
                self._mine = self._control.run_id
                self._lead(True, "")

    def _on_request(self, status: str, seconds: float) -> None:
        self.last_activity = time.monotonic()
        self._metrics.on_request(status, seconds)

    def _lead(self, leading: bool, why: str) -> None:
        if leading != self.leading:
            log.info("leading") if leading else log.info("standing by", why=why)
        self.leading = leading
