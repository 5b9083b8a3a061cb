"""Caches between us and the API: which answers come from one, and how to get past it.

A stored page shows jobs as they were once. As evidence it would make the history and each proof wrong, so it is none.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LAG: Final = 60.0
"""Seconds that an answer's ``Date`` may be behind the newest one seen: servers' clocks differ, and answers overtake."""
PARAMETER: Final = "_"
"""A parameter that no API reads, and that makes each address a new one for a cache."""


class CacheGuard:
    """Tells stored answers of one run from fresh ones. Its methods may be called from several threads."""

    def __init__(self, nonce: str) -> None:
        """``nonce``: a text that no other run sends."""
        self._nonce = nonce
        self._newest: tuple[datetime, float] | None = None
        """The newest date, and at what second of the steady clock that answer was there."""
        self.is_suspected = self._is_refused = False
        self._lock = threading.Lock()

    def parameters(self, number: int) -> dict[str, str]:
        """Query parameters that make this request unlike any stored one; empty before an answer looked stored."""
        return {PARAMETER: f"{self._nonce}{number}"} if self.is_suspected and not self._is_refused else {}

    def suspect(self) -> None:
        """From now on each request has an address of its own: an answer looked stored."""
        self.is_suspected = True

    def refuse(self) -> None:
        """Send nothing along any more: the API does not take it."""
        self._is_refused = True

    def reason(
        self, headers: Mapping[str, str], asked_at: datetime, seconds: tuple[float, float], *, is_marked: bool = False
    ) -> str | None:
        """Why an answer is no evidence, by its headers; None if it is. Remembers the newest date of those that are.

        ``asked_at`` by our clock; ``seconds``: when it was asked for and when it was there, by the steady one. The
        newest date seen moves on with that: a process that stood still for hours must not take an answer of before.

        One to an address that no cache has seen, ``is_marked``, behind the newest date and not behind our own clock,
        shows whose clock is wrong: one of several servers that is ahead must not refute all others for a whole run.

        The first one is compared with our clock, unless it is marked: no cache has seen its address, so our clock is
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
    """Why an answer with this ``Age`` and ``Date`` was stored; None if it was not, as far as they say. Pure."""
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
