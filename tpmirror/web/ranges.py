"""A page's range of days, from the query parameters ``from`` and ``to``, as ``tpmirror report`` takes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from tpmirror.errors import UsageError
from tpmirror.reports.period import Period, period

ALL: Final = "all"
"""The value of ``from`` for a range without a first day."""
TODAY: Final = "today"
PRESETS: Final = (
    ("7 days", "7d", TODAY),
    ("30 days", "30d", TODAY),
    ("90 days", "90d", TODAY),
    ("this month", "this-month", TODAY),
    ("last month", "last-month", "last-month"),
    ("12 months", "11m", TODAY),
    ("this year", "this-year", TODAY),
    ("all", ALL, TODAY),
)
"""Ranges to choose: a label, and the values of ``from`` and ``to``."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of days; ``start`` and ``end`` are the parameters as given."""

    start: str
    end: str
    period: Period
    presets: tuple[tuple[str, str, str], ...] = PRESETS

    @property
    def first(self) -> str:
        """The first day for a form; empty if there is none."""
        return "" if self.period.first is None else str(self.period.first)

    @property
    def last(self) -> str:
        """The last day for a form."""
        return "" if self.period.after is None else str(self.period.after - timedelta(days=1))

    @property
    def options(self) -> tuple[str, ...]:
        """The range as options of ``tpmirror report``, in ISO dates."""
        first = ("--from", self.first) if self.first else ()
        return (*first, "--to", self.last)

    @property
    def days(self) -> int | None:
        """How many days it has; None without a beginning."""
        first, after = self.period.first, self.period.after
        return None if first is None or after is None else (after - first).days


def asked(request: Request, today: date, start: str) -> Range:
    """The range of a request, from ``start`` to today unless its parameters say otherwise. Raises HTTPException 400."""
    first = request.query_params.get("from", "").strip() or start
    last = request.query_params.get("to", "").strip() or TODAY
    with refusing():
        return Range(first, last, period(None if first == ALL else first, last, today))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a UsageError into HTTPException 400 with the message of the command line."""
    try:
        yield
    except UsageError as error:
        raise HTTPException(400, str(error)) from None
