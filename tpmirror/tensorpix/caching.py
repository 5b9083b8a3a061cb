"""Caches between us and the API: which answers come from one, and how to get past it.

A stored page shows jobs as they were once. As evidence it would make the history and each proof wrong, so it is none.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
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
        self._newest: datetime | None = None
        self.is_suspected = self._is_refused = False
        self._lock = threading.Lock()

    def parameters(self, number: int) -> dict[str, str]:
        """What is sent along with a request of this number: nothing before an answer looked stored."""
        return {PARAMETER: f"{self._nonce}{number}"} if self.is_suspected and not self._is_refused else {}

    def suspect(self) -> None:
        """From now on each request has an address of its own: an answer looked stored."""
        self.is_suspected = True

    def refuse(self) -> None:
        """Send nothing along any more: the API does not take it."""
        self._is_refused = True

    def reason(self, headers: Mapping[str, str], now: datetime, *, is_marked: bool = False) -> str | None:
        """Why an answer is no evidence, by its headers; None if it is. Remembers the newest date of those that are.

        One to an address that no cache has seen, ``is_marked``, behind the newest date and not behind our own clock,
        shows whose clock is wrong: one of several servers that is ahead must not refute all others for a whole run.

        The first one is compared with our clock. Whichever of the two is wrong: from then on answers are compared with
        one another, and no cache has seen their addresses.
        """
        date = date_of(headers)
        with self._lock:
            newest = self._newest or (None if self.is_suspected else now)
            reason = staleness(headers.get("age", ""), date, newest)
            if date is not None and reason is None:
                self._newest = max(date, self._newest or date)
            elif date is not None and is_marked and abs((now - date).total_seconds()) <= LAG:
                self._newest = date
        return reason


def staleness(age: str, date: datetime | None, newest: datetime | None) -> str | None:
    """Why an answer with this ``Age`` and ``Date`` was stored; None if it was not, as far as they say. Pure."""
    age = age.strip()
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
