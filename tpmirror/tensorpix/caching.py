"""Detects answers that a cache between us and the API stored, and gets past that cache.

A stored page shows jobs as they once were. As evidence it would make the history and each proof wrong, so it is none.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LAG: Final = 60.0
"""Seconds that an answer's ``Date`` may be behind the newest one seen: servers' clocks differ, and answers overtake."""
PARAMETER: Final = "_"
"""Query parameter that no API reads, and that makes each URL a new one for a cache."""


class CacheGuard:
    """Tells stored answers of one run from fresh ones. Its methods may be called from several threads."""

    def __init__(self, nonce: str) -> None:
        """``nonce``: a text that no other run sends."""
        self._nonce = nonce
        self._newest: tuple[datetime, float] | None = None
        """The newest ``Date``, and the monotonic time at which its answer was complete."""
        self.is_suspected = self._is_refused = False
        self._lock = threading.Lock()

    def parameters(self, number: int) -> dict[str, str]:
        """Query parameters that make this request unlike any stored one; empty before an answer looked stored."""
        return {PARAMETER: f"{self._nonce}{number}"} if self.is_suspected and not self._is_refused else {}

    def suspect(self) -> None:
        """Give each request from now on a URL of its own, because an answer looked stored."""
        self.is_suspected = True

    def refuse(self) -> None:
        """Stop sending the parameter, because the API refuses it."""
        self._is_refused = True

    def reason(
        self, headers: Mapping[str, str], asked_at: datetime, seconds: tuple[float, float], *, is_marked: bool = False
    ) -> str | None:
        """Why an answer is no evidence, by its headers; None if it is. Remembers the newest ``Date`` of those that are.

        ``asked_at``: when it was asked for, by our clock; ``seconds``: when it was asked for and when it was complete,
        by the monotonic clock. The newest ``Date`` moves on with the monotonic clock: a process that stood still for
        hours must not accept an answer stored before.

        ``is_marked``: its URL is one that no cache has seen. A marked answer behind the newest ``Date`` and not behind
        our own clock shows whose clock is wrong, and replaces that ``Date``: one of several servers that is ahead must
        not refute all others for a whole run.

        The first answer is compared with our clock, unless it is marked: no cache has seen its URL, so our clock is
        wrong, if one is. From then on answers are compared with one another.
        """
        date = date_of(headers)
        with self._lock:
            newest = None if is_marked else asked_at
            if self._newest is not None:
                newest = self._newest[0] + timedelta(seconds=seconds[0] - self._newest[1])
            reason = staleness(headers.get("age", ""), date, newest)
            if date is not None and reason is None:
                self._newest = max((date, seconds[1]), self._newest or (date, seconds[1]))
            elif date is not None and is_marked and abs((asked_at - date).total_seconds()) <= LAG:
                self._newest = date, seconds[1]
        return reason


def staleness(age: str, date: datetime | None, newest: datetime | None) -> str | None:
    """Why an answer with this ``Age`` and ``Date`` was stored; None if neither shows it. Pure."""
    age = age.partition(",")[0].strip()  # of several the first counts (RFC 9111, 5.1)
    if age.isascii() and age.isdigit() and int(age[:9]) > 0:
        return f"it is {age[:9]} s old"
    behind = (newest - date).total_seconds() if newest and date else 0
    return f"its date is {behind:,.0f} s old" if behind > LAG else None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """When an answer was made, by its ``Date``; None if it states none."""
    try:
        stated = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return stated.replace(tzinfo=stated.tzinfo or UTC)
