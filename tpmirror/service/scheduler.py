"""The schedule of the service: settings become jobs of APScheduler.

A short tick asks the database which run is due, so that a restart repeats no run and replicas share the work. One
thread does all full syncs and polls, because the mirror has one writer; ticks during a run are skipped. Another thread
sends alerts, because a slow alert service must not delay the watchdog; the export has one of its own, and each sink.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from logging import ERROR, WARNING
from typing import Any, Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from tpmirror.errors import TpmirrorError
from tpmirror.log import logger

JITTER: Final = 0.02
"""Share of an interval by which a job may be late, so that installations do not ask the API in the same second."""
LATEST: Final = 5.0
"""Seconds by which a job may be late at most."""
_EVENTS: Final = {EVENT_JOB_ERROR: "failed", EVENT_JOB_MISSED: "missed"}

log: Final = logger(__name__)


def lateness(interval: float) -> float:
    """Seconds by which a job may be late at most, by its interval in seconds."""
    return min(LATEST, JITTER * interval)


class Every(IntervalTrigger):  # type: ignore[misc] # the library ships no types
    """Skips missed runs; APScheduler would enumerate them all when the clock is set ahead by years."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        """The next time; after a pause of more than two intervals, the next one from ``now`` on."""
        long_ago = previous_fire_time is not None and now - previous_fire_time > 2 * self.interval
        return super().get_next_fire_time(None if long_ago else previous_fire_time, now)


class Schedule:
    """The jobs, and the threads they run in."""

    def __init__(self, on_event: Callable[[str, str], None], sinks: int = 0) -> None:
        """``on_event`` is called with a job and what went wrong: missed or failed; ``sinks``: how many are served."""
        self._on_event = on_event
        self._scheduler = BackgroundScheduler(
            jobstores={
                "default": MemoryJobStore()
            },  # a store that fails kills the scheduler's thread without a log line
            executors={
                **{name: ThreadPoolExecutor(1) for name in ("runs", "alerts", "exports", "default")},
                "sinks": ThreadPoolExecutor(max(1, sinks)),
            },
            # The default grace of one second would drop a run, silently, after the machine paused for longer.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._scheduler.add_listener(self._tell, EVENT_JOB_ERROR | EVENT_JOB_MISSED)

    def add(self, name: str, work: Callable[[], object], every: float, executor: str = "default") -> None:
        """Run ``work`` now and every so many seconds."""
        trigger = Every(seconds=every, jitter=lateness(every), timezone=UTC)
        self._scheduler.add_job(work, trigger, id=name, executor=executor, next_run_time=datetime.now(UTC))

    def run_in(self, name: str, seconds: float) -> None:
        """Run a job in so many seconds, in place of its next planned time."""
        if self._scheduler.running and self._scheduler.get_job(name) is not None:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC) + timedelta(seconds=max(0.0, seconds)))

    def run_all_now(self) -> None:
        """Run every job now: after the clock jumped, the planned times are hours off."""
        for job in self._scheduler.get_jobs():
            self.run_in(job.id, 0)

    def start(self) -> None:
        """Start the scheduler's thread."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start no more jobs; those under way go on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def is_alive(self) -> bool:
        """Whether the scheduler's thread lives; APScheduler's ``running`` stays true after the thread died."""
        thread: threading.Thread | None = getattr(self._scheduler, "_thread", None)
        return thread is not None and thread.is_alive()

    def _tell(self, event: Any) -> None:
        what, name = _EVENTS[event.code], event.job_id
        self._on_event(name, what)
        error = getattr(event, "exception", None)
        reason = {} if error is None else {"error": str(error)}
        if error is not None and not isinstance(error, TpmirrorError):  # a bug: its traceback is needed
            reason = {"error": type(error).__name__, "exc_info": error}
        log.log({"failed": ERROR, "missed": WARNING}[what], "job %s", what, job=name, **reason)
