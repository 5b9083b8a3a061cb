"""How fast to ask: the rate all threads share, the pause the API asks for, the backoff after a fault."""

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_BACKOFF: Final = 60.0
LONGEST_RETRY_AFTER: Final = 900.0


class RateLimiter:
    """The rate of requests, shared by all threads, and the pause that the API asked for."""

    def __init__(self, per_second: float, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = self._held = -math.inf

    def wait(self) -> None:
        """Wait for this request's turn."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)
        while (rest := self._held - self._monotonic()) > 0:
            self._sleep(rest)

    def hold(self, seconds: float) -> None:
        """Hold all requests back for so long."""
        with self._lock:
            self._held = max(self._held, self._monotonic() + seconds)
            self._next = max(self._next, self._held)


def backoff(attempt: int, base: float, chance: Callable[[], float]) -> float:
    """Seconds before try ``attempt + 1``: doubling, at most a minute, full jitter."""
    return min(LONGEST_BACKOFF, base * 2.0 ** (attempt - 1)) * chance()


def retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, from 1 to 900; None if it holds nothing usable.

    A date is compared with the answer's own ``Date``: our clock may be wrong.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(max(float(value[:9]), 1.0), LONGEST_RETRY_AFTER)
    try:
        then, now = (parsedate_to_datetime(stamp) for stamp in (value, date or ""))
        seconds = (then.replace(tzinfo=then.tzinfo or UTC) - now.replace(tzinfo=now.tzinfo or UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 1.0), LONGEST_RETRY_AFTER)


def skew(date: str | None, now: datetime) -> float | None:
    """Seconds that ``now`` is ahead of an answer's ``Date``, which is cut to whole seconds; None if it has none."""
    try:
        stated = parsedate_to_datetime(date or "")
        return (now - stated.replace(tzinfo=stated.tzinfo or UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def farthest(*skews: float | None) -> float | None:
    """The one of some skews that is farthest from 0; None if none is known."""
    return max((seconds for seconds in skews if seconds is not None), key=abs, default=None)
