"""Months of the calendar, as days and as text such as ``2026-10``, and where days begin in UTC. Pure."""

from datetime import UTC, date, datetime


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies so many months after that of ``day``. Raises ValueError past year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def days_of_month(month: str) -> tuple[date, date]:
    """The first day of a month, and the day after its last one. Raises ValueError for no month, and for 9999-12."""
    first = date.fromisoformat(f"{month}-01")
    return first, add_months(first, 1)


def start_of(day: date) -> datetime:
    """The first instant of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
