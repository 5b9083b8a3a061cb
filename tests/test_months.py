"""Months of the calendar: across years, and where there is none."""

from datetime import UTC, date, datetime

import pytest

from tpmirror.months import add_months, days_of_month, start_of


@pytest.mark.parametrize(
    ("months", "first"), [(0, "2026-01-01"), (-1, "2025-12-01"), (-13, "2024-12-01"), (11, "2026-12-01")]
)
def test_months_are_counted_across_years(months, first):
    assert add_months(date(2026, 1, 31), months) == date.fromisoformat(first)


def test_a_month_ends_where_the_next_one_begins():
    assert days_of_month("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
    assert start_of(date(2027, 1, 1)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("month", ["2026-13", "9999-12", "x"])
def test_a_month_that_the_calendar_does_not_have_is_refused(month):
    with pytest.raises(ValueError, match=r".+"):
        days_of_month(month)
