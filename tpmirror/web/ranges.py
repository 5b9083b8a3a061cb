"""The stretch of days that a page is about, from its address: the forms of ``tpmirror report --from --to``."""

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
"""In an address: from the first day on."""
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
"""Stretches to choose: a label, and both ends as an address has them."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of days, and how it was asked for."""

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
        """The same for ``tpmirror report``, in days."""
        first = ("--from", self.first) if self.first else ()
        return (*first, "--to", self.last)

    @property
    def days(self) -> int | None:
        """How many days it has; None without a beginning."""
        first, after = self.period.first, self.period.after
        return None if first is None or after is None else (after - first).days


def asked(request: Request, today: date, start: str) -> Range:
    """The range of a request, from ``start`` to today unless it says otherwise. Raises HTTPException 400."""
    first = request.query_params.get("from", "").strip() or start
    last = request.query_params.get("to", "").strip() or TODAY
    with refusing():
        return Range(first, last, period(None if first == ALL else first, last, today))


@contextmanager
def refusing() -> Iterator[None]:
    """Answer 400 to what the command line refuses as wrong use, with the same words."""
    try:
        yield
    except UsageError as error:
        raise HTTPException(400, str(error)) from None
