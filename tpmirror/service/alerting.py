"""Sends an alert when a problem begins and ends: ``store.health`` finds problems, ``store.alerts`` records alerts."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from tpmirror.config import Settings
from tpmirror.db import revision
from tpmirror.db.engine import display, reading, retry_transient, write
from tpmirror.db.types import Row
from tpmirror.errors import MirrorError
from tpmirror.log import logger
from tpmirror.service.notifier import Notifier
from tpmirror.store import alerts, queries
from tpmirror.store.health import EVENTS, problems_of_failed_jobs, problems_of_mirror
from tpmirror.store.status import MirrorStatus

SILENT: Final = frozenset({"never_certified"})
"""Problems without an alert: a new mirror has no certified full sync yet."""
FAILED_JOBS_SINCE: Final = timedelta(hours=24)
"""How far back a failed job is worth an alert."""
AWAY: Final = 300.0
"""Seconds that the database may be unusable before an alert; this process measures them, as the database cannot."""
MAX_IN_MESSAGE: Final = 10
"""Alerts that one message states in full."""

log: Final = logger(__name__)


class Alerter:
    """Sends each occurrence once. ``send_due`` rereads all problems: replicas with cached ones would disagree."""

    def __init__(
        self, settings: Settings, engine: Engine, status: Callable[[], MirrorStatus], notifier: Notifier
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._status = status
        self._mirror = display(engine)
        self._notifier = notifier
        self._away_since: float | None = None
        self._away_reported = False
        self._logged = False

    def send_due(self) -> None:
        """Send the alerts that are new and those that are over."""
        try:
            if not revision.is_current(self._engine):
                self._miss()
                return
            due = self._due(datetime.now(UTC))
        except MirrorError as error:
            self._miss(str(error))
            return
        self._found()
        for over in (False, True):
            some = [row for row in due if (row["resolved_at"] is not None) == over]
            if some and not self._send(sorted(some, key=_urgency), over=over):
                return  # no service accepted the message, so the next would fail too; a run in a minute retries all

    def _due(self, now: datetime) -> list[Row]:
        with reading(self._engine) as conn:
            failed = problems_of_failed_jobs(queries.failed_jobs(conn, now - FAILED_JOBS_SINCE))
        found = problems_of_mirror(self._status(), self._settings, now)
        problems = [problem for problem in found if problem.code not in SILENT] + failed

        def work(conn: Connection) -> list[Row]:
            alerts.record(conn, problems, now)
            return alerts.claim(conn, now)

        return retry_transient(lambda: write(self._engine, work))

    def _send(self, rows: list[Row], *, over: bool) -> bool:
        """Send all rows in one message: a message for each would flood the recipients on a day when every job fails."""
        title = "tpmirror: " + ("solved: " if over else "") + rows[0]["message"]
        if len(rows) > 1:
            title += f" (and {len(rows) - 1} more)"
        listed = rows[:MAX_IN_MESSAGE]
        lines = [f"{row['message']}\n{'It is over.' if over else 'What to do: ' + row['remedy']}" for row in listed]
        if len(rows) > MAX_IN_MESSAGE:
            lines.append(f"And {len(rows) - MAX_IN_MESSAGE} more: see tpmirror status and tpmirror report failures.")
        body = "\n\n".join([*lines, f"Mirror: {self._mirror}"])
        if not any(self._notifier.send(title, body, good=over).values()):
            return False
        ids = [row["id"] for row in rows]
        retry_transient(lambda: write(self._engine, lambda conn: alerts.mark_sent(conn, ids, datetime.now(UTC))))
        log.info("alert sent", codes=[row["code"] for row in rows], over=over)
        return True

    def _miss(self, error: str = "") -> None:
        """Note that the database is unusable; this object keeps the alert's state, which the database cannot store.

        Without ``error``, the schema is not at this program's revision, as before the first migration: no log line.
        """
        if error and not self._logged:
            log.error("alerts cannot be sent", error=error)
            self._logged = True
        if self._away_since is None:
            self._away_since = time.monotonic()
        error = error or "no mirror of this version yet: see the log for why, and run tpmirror doctor"
        if not self._away_reported and time.monotonic() - self._away_since > AWAY:
            listed = self._notifier.send("tpmirror: the database cannot be used", f"{error}\n\nMirror: {self._mirror}")
            self._away_reported = any(listed.values())

    def _found(self) -> None:
        if self._away_reported:
            self._notifier.send(
                "tpmirror: solved: the database can be used again", f"Mirror: {self._mirror}", good=True
            )
        self._away_since, self._away_reported, self._logged = None, False, False


def _urgency(row: Row) -> tuple[bool, int]:
    """Sort key: lasting problems of the mirror before single events (``EVENTS``), the oldest first."""
    return row["code"].startswith(EVENTS), row["id"]
