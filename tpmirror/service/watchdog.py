"""The watchdog of the service: is the mirror fresh, can the database be read, did the clock jump?

``check`` reads the mirror and runs as a job of the schedule. ``jumped`` is called from the main thread and reads no
database, whose locks would block the main loop.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tpmirror.config import Settings
from tpmirror.errors import MirrorError
from tpmirror.log import logger
from tpmirror.store.health import Problem, problems_of_mirror
from tpmirror.store.runs import SKEW
from tpmirror.store.status import ExportStatus, MirrorStatus

JUMP: Final = 5.0
"""Seconds by which wall clock and monotonic clock may drift apart from one call of ``jumped`` to the next."""
JUMP_TOLD: Final = 3600.0
"""Seconds for which a jump is listed as a problem."""
OLD: Final = 120.0
"""Seconds after which the last check is too old for /readyz: the schedule makes one every 15."""

log: Final = logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What the process knows of itself, besides what the mirror's rows show."""

    database_error: str | None = None
    """Why the mirror could not be read just now."""
    skew: float | None = None
    """Seconds that our clock is ahead of the API's."""
    jump: float | None = None
    """Seconds that our clock jumped within the last hour."""


def problems_of_process(process: ProcessStatus) -> list[Problem]:
    """The problems that the process itself has."""
    found = []
    if process.database_error is not None:
        found.append(Problem("database", process.database_error, "see that the database runs", critical=True))
    if process.skew is not None and abs(process.skew) > SKEW:
        side = "ahead of" if process.skew > 0 else "behind"
        message = f"this machine's clock is {abs(process.skew):.0f} s {side} the API's"
        found.append(Problem("clock_skew", message, "set the clock, for example with NTP"))
    if process.jump is not None:
        message = f"this machine's clock jumped by {process.jump:+.0f} s within the last hour"
        found.append(Problem("clock_jump", message, "times of that hour may be off; see that the clock is kept by NTP"))
    return found


class Watchdog:
    """The problems of mirror and process, as of the last check."""

    def __init__(self, settings: Settings, read: Callable[[], MirrorStatus], skew: Callable[[], float | None]) -> None:
        self._settings = settings
        self._read = read
        self._skew = skew
        self._clocks = (time.time(), time.monotonic())
        self._jump: tuple[float, float] | None = None
        self._checked = time.monotonic()
        self.status = MirrorStatus()
        self.problems: list[Problem] = []

    def check(self) -> None:
        """Read the mirror's status; log the problems that are new and those that are over."""
        error = None
        try:
            self.status = self._read()
        except MirrorError as reason:
            error = str(reason)
        jump = self._jump[0] if self._jump and time.monotonic() - self._jump[1] < JUMP_TOLD else None
        process = ProcessStatus(database_error=error, skew=self.skew, jump=jump)
        found = problems_of_process(process) + problems_of_mirror(self.status, self._settings, datetime.now(UTC))
        before = {problem.code for problem in self.problems}
        for problem in found:
            if problem.code not in before:
                log.warning("problem", code=problem.code, message=problem.message, remedy=problem.remedy)
        for code in sorted(before - {problem.code for problem in found}):
            log.info("problem solved", code=code)
        self.problems, self._checked = found, time.monotonic()

    @property
    def export(self) -> ExportStatus | None:
        """Where the export stands that this service keeps fresh."""
        return self.status.exports.get(self._settings.export_url or "")

    def jumped(self) -> float | None:
        """By how many seconds the wall clock jumped since the last call; None if it did not."""
        before, self._clocks = self._clocks, (time.time(), time.monotonic())
        jump = (self._clocks[0] - before[0]) - (self._clocks[1] - before[1])
        if abs(jump) < JUMP:
            return None
        self._jump = (jump, time.monotonic())
        return jump

    @property
    def skew(self) -> float | None:
        """Seconds that our clock is ahead of the API's, as far as known."""
        return self._skew()

    @property
    def is_current(self) -> bool:
        """Whether the last check is recent."""
        return time.monotonic() - self._checked < OLD
