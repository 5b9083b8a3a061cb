"""Keeps the export to ``TPMIRROR_EXPORT_URL`` fresh, in a thread of its own: it must not hold up a full sync or a poll.

Of several replicas the one that claims it in the mirror does it. A process that ends in the middle of it leaves what a
killed export leaves: the old state, which the next one brings up to date.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine

from tpmirror.config import Settings
from tpmirror.db import revision
from tpmirror.db.engine import reading, retry_transient, write
from tpmirror.errors import TpmirrorError
from tpmirror.export import destination as places
from tpmirror.log import logger
from tpmirror.service.due import export_due
from tpmirror.service.metrics import Metrics
from tpmirror.store import exports
from tpmirror.store.status import MirrorStatus

TICK: Final = 30.0
"""Seconds between two looks at whether an export is due, at most."""

log: Final = logger(__name__)


class Exporter:
    """Exports when the mirror says that it is due."""

    def __init__(
        self, settings: Settings, engine: Engine, status: Callable[[], MirrorStatus], metrics: Metrics
    ) -> None:
        """Raises UsageError for a destination that cannot be used, or whose extra is not installed."""
        assert settings.export_url is not None  # noqa: S101 - for the type checker: there is an exporter only if it is set
        self._to = settings.export_url
        self._public = not settings.export_personal
        self._interval = settings.export_interval
        self.every = min(TICK, self._interval / 4)
        self._engine, self._status, self._metrics = engine, status, metrics
        self._export = places.load(self._to, "parquet")
        self._renewed = 0.0

    def tick(self) -> None:
        """Do the export, if it is due and nobody else does it; an empty mirror waits for its first run."""
        if not revision.is_current(self._engine) or self._status().succeeded_at is None:
            return
        now = datetime.now(UTC)
        with reading(self._engine) as conn:
            seen = exports.state(conn, self._to)
        if export_due(seen, self._interval, now) > now:
            return
        if self._note(lambda conn: exports.claim(conn, self._to, seen, now)):
            self._run(now)

    def _run(self, now: datetime) -> None:
        started, outcome = time.monotonic(), "failed"
        self._renewed = started
        try:
            done = self._export(self._engine, self._to, self._progress, public=self._public)
            self._note(lambda conn: exports.succeed(conn, self._to, now))
            outcome = "succeeded"
            seconds = round(time.monotonic() - started, 1)
            log.info("exported", to=self._to, written=len(done.written), removed=len(done.removed), seconds=seconds)
        except Exception as error:
            known = isinstance(error, TpmirrorError)
            message = str(error) if known else f"{type(error).__name__}, see the log"
            self._note(lambda conn: exports.fail(conn, self._to, message, datetime.now(UTC)))
            log.warning("the export failed", error=message)
            if not known:
                raise
        finally:
            self._metrics.on_export(outcome, time.monotonic() - started)

    def _progress(self, _name: str, _rows: int) -> None:
        """Hold on to the claim while there is progress: it must run out where a process hangs or dies."""
        if time.monotonic() - self._renewed > exports.TERM.total_seconds() / 5:
            self._renewed = time.monotonic()
            self._note(lambda conn: exports.renew(conn, self._to, datetime.now(UTC)))

    def _note(self, work: Callable[[Connection], Any]) -> Any:
        return retry_transient(lambda: write(self._engine, work))
