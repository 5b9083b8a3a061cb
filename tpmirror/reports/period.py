"""Stretches of days as people write them: ``2026-10-05``, ``2026-10``, ``2026``, ``last-month``, ``7d``. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tpmirror.errors import UsageError
from tpmirror.months import add_months, days_of_month, start_of

ACCEPTS: Final = (
    "a day (2026-10-05), a month (2026-10), a year (2026), today, yesterday, this-month, last-month, this-year, "
    "last-year, or a number of days, weeks or months back (7d, 4w, 6m)"
)
_BACK: Final = re.compile(r"(\d{1,4})([dwm])", re.ASCII)
_DATED: Final = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` on and before ``after``, both UTC; None where it is open."""

    first: date | None = None
    after: date | None = None

    def before(self) -> "Period | None":
        """The stretch of the same length that ends where this one begins.

        None if it has no beginning or end, or would begin before the calendar does. Whole months go by months: before
        October comes September, though it is shorter.
        """
        if self.first is None or self.after is None:
            return None
        try:
            if self.first.day == self.after.day == 1:
                months = (self.after.year - self.first.year) * 12 + self.after.month - self.first.month
                return Period(add_months(self.first, -months), self.first)
            return Period(self.first - (self.after - self.first), self.first)
        except (ValueError, OverflowError):
            return None

    def covers(self, key: date | str, today: date) -> bool:
        """Whether a day, week or month is over and lies in the period with all its days."""
        first, after = days_of(key)
        return after <= today and (self.first or first) <= first and after <= (self.after or after)

    def __str__(self) -> str:
        """For a title."""
        if self.first is None and self.after is None:
            return "all time"
        if self.after is None:
            return f"from {self.first}"
        last = self.after - timedelta(days=1)
        return f"until {last}" if self.first is None else f"{self.first} to {last}"


EVER: Final = Period()
"""All days."""


def period(start: str | None, end: str | None, today: date) -> Period:
    """From the first day of ``start`` to the last day of ``end``, both included; None is open.

    Raises UsageError with what is accepted.
    """
    first = None if start is None else _stretch("--from", start, today)[0]
    after = None if end is None else _stretch("--to", end, today)[1]
    if first is not None and after is not None and first >= after:
        raise UsageError(f"--from {start} is after --to {end}; exchange them")
    return Period(first, after)


def days_of(key: date | str) -> tuple[date, date]:
    """The first day of a day, of a week (``2026-W44``) or of a month (``2026-10``), and the day after its last one.

    Where the calendar ends before that, its last day.
    """
    text = str(key)
    is_month, is_week = len(text) == len("2026-10"), "W" in text
    first = date.fromisoformat(f"{text}-01" if is_month else text)
    try:
        return first, add_months(first, 1) if is_month else first + timedelta(days=7 if is_week else 1)
    except (ValueError, OverflowError):
        return first, date.max


def instant(option: str, text: str, today: date) -> datetime:
    """A moment in UTC: ISO 8601, or the end of a stretch of days. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
        moment = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC, the first day of year 1 may lie before it
        moment = None
    if moment is not None and len(text) > len("2026-10-05"):
        return moment
    try:
        after = _stretch(option, text, today)[1]
    except UsageError as error:
        raise UsageError(f"{error}, or a time (2026-10-05T14:30, UTC unless it says otherwise)") from None
    return start_of(after)


def _stretch(option: str, text: str, today: date) -> tuple[date, date]:
    """First day and the day after the last one."""
    try:
        return _named(text.strip().lower(), today) or _dated(text.strip())
    except (ValueError, OverflowError):
        raise UsageError(f"{option} is {text[:40]!r}; it accepts {ACCEPTS}") from None


def _named(text: str, today: date) -> tuple[date, date] | None:
    day, month, january = timedelta(days=1), today.replace(day=1), date(today.year, 1, 1)
    named = {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "this-month": (month, add_months(month, 1)),
        "last-month": (add_months(month, -1), month),
        "this-year": (january, add_months(january, 12)),
        "last-year": (add_months(january, -12), january),
    }
    if back := _BACK.fullmatch(text):
        number = int(back[1])
        if back[2] == "m":
            first = add_months(month, -number)
            return first, first + day
        # Today counts: 7d are today and the six days before it.
        first = today - timedelta(days=number * {"d": 1, "w": 7}[back[2]] - 1)
        return first, first + day
    return named.get(text)


def _dated(text: str) -> tuple[date, date]:
    if not _DATED.fullmatch(text):
        raise ValueError
    if len(text) == len("2026-10"):
        return days_of_month(text)
    if len(text) == len("2026"):
        first = date(int(text), 1, 1)
        return first, add_months(first, 12)
    first = date.fromisoformat(text)
    return first, first + timedelta(days=1)
