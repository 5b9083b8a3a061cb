"""The work of the service: full syncs and polls, each when the database says that it is due.

Replicas on one database share the work through it: the one that did the newest run leads, the others come a little
later and find nothing to do, or the lease held. When the leader dies, the work is due and theirs.
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
from tpmirror.service.scheduler import STANDBY, lateness
from tpmirror.store import history, queries
from tpmirror.store.status import MirrorStatus, read_status
from tpmirror.sync.full import sync
from tpmirror.sync.poll import poll
from tpmirror.tensorpix.control import Control

REST: Final = 0.1
"""Share of its interval that a kind of run rests at least, also when it takes longer than that."""

log: Final = logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of run, when it is due, and how it is done."""

    kind: str
    interval: float
    due: Callable[[MirrorStatus, float, datetime], datetime]
    do: Callable[[Control], Row]


class Worker:
    """Does the runs, one at a time, and remembers how they went."""

    def __init__(self, settings: Settings, engine: Engine, metrics: Metrics) -> None:
        self._budgets = settings.budget_daily is not None or settings.budget_monthly is not None
        self._engine = engine
        self._metrics = metrics
        self._sync = Task("full", settings.sync_interval, sync_due, lambda control: sync(settings, control=control))
        # The interval is the longest distance between two polls, so what the schedule may add is taken off first.
        pace = settings.poll_interval - lateness(settings.poll_interval)
        self._poll = Task("poll", pace, poll_due, lambda control: poll(settings, control=control))
        self._control = Control()
        self._mine: int | None = None
        self._failures = 0
        self.forced = False
        """Whether the next turn does a full sync even if none is due."""
        self.stopping = False
        self.runs = 0
        """Runs tried since the start of the process."""
        self.busy = False
        """Whether a run is under way."""
        self.last_activity = time.monotonic()
        """When the run under way last gave a sign of life."""
        self.leading: bool | None = None
        """Whether this process did the newest run; None before the first check."""
        self.skew: float | None = None
        """Seconds that our clock is ahead of the API's."""

    def sync(self) -> float | None:
        """Do a full sync, if one is due; seconds to the next one."""
        return self._turn(self._sync)

    def poll(self) -> float | None:
        """A poll, if one is due; seconds to the next one."""
        return self._turn(self._poll)

    def head(self) -> None:
        """Put the head of the history's hash chain into the log: kept there, it shows a tail that was cut off."""
        if revision.is_current(self._engine):
            entries, head = read(self._engine, history.head)
            log.info("history", entries=entries, head=head)

    def stop(self) -> None:
        """Let the run under way end soon, and start none."""
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

    def _turn(self, task: Task) -> float | None:
        if self.stopping:
            return None
        try:
            wait = self._wait(task)
            if wait > 0:
                return wait
            self._run(task)
            return max(self._wait(task), REST * task.interval)
        except LeaseError as error:
            self._lead(False, str(error))
            return STANDBY
        except Interrupted:
            return None
        except TpmirrorError as error:
            self._failures += 1
            delay = pause(self._failures, task.interval)
            log.warning("trying again later", work=task.kind, error=str(error), in_s=round(delay))
            return delay

    def _wait(self, task: Task) -> float:
        """Seconds until a task is due; 0 or less: now."""
        if self.forced and task is self._sync:
            return 0.0
        status, now = self.status(), datetime.now(UTC)
        left = (task.due(status, task.interval, now) - now).total_seconds()
        if status.last_run is not None and status.last_run != self._mine:
            if self.leading:
                self._lead(False, "another process did the newest run")
            # The leading replica goes first; this one runs only if the leader does not.
            left += STANDBY if left > 0 else 0.0
        return left

    def _run(self, task: Task) -> None:
        # A full sync may find the first jobs in flight, so it polls as soon as it would with some known.
        wait = min(max(0.0, self._wait(self._poll)), self._poll.interval)
        self._control = Control(on_request=self._on_request, poll_at=time.monotonic() + wait)
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
