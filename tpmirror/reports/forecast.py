"""The month's Credits: month to date, and two forecasts of the total with the mean error of each in past months."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, select

from tpmirror.db.types import CENT_OF_CENT, Row
from tpmirror.db.views import view
from tpmirror.formatting import count
from tpmirror.months import add_months
from tpmirror.reports.model import Report, in_money, money, percent, plain, ratio
from tpmirror.store.prices import UNPRICED, Prices

DAY: Final = timedelta(days=1)
RUN_RATE_DAYS: Final = 28
"""Days that the run rate averages: whole weeks, so that no weekday counts more than another."""
TESTED: Final = 12
"""Past months that a forecast is tested on."""

Days = Mapping[date, Decimal]
Method = Callable[[Days, date, date], Decimal]


def run_rate(days: Days, today: date, after: date) -> Decimal:
    """Credits forecast for the days from ``today`` to before ``after``: each the mean of the last four weeks."""
    known = [days.get(today - n * DAY, Decimal(0)) for n in range(1, RUN_RATE_DAYS + 1)]
    return sum(known, Decimal(0)) / RUN_RATE_DAYS * (after - today).days


def seasonal_naive(days: Days, today: date, after: date) -> Decimal:
    """Credits forecast for the same days: each as the same weekday of the last whole week."""
    ahead = ((today + n * DAY, n % 7) for n in range((after - today).days))
    return sum((days.get(today - (7 - phase) * DAY, Decimal(0)) for _, phase in ahead), Decimal(0))


METHODS: Final[dict[str, Method]] = {"run rate": run_rate, "seasonal naive": seasonal_naive}


def total(days: Days, method: Method, today: date) -> Decimal:
    """The month's total that a method forecasts on the morning of ``today``: Credits spent and those to come."""
    first, after = add_months(today, 0), add_months(today, 1)
    spent = sum((credits_ for day, credits_ in days.items() if first <= day < today), Decimal(0))
    return (spent + method(days, today, after)).quantize(CENT_OF_CENT)


def expected(days: Days, method: Method, today: date) -> Decimal:
    """The month's total forecast in the course of ``today``: Credits of today above its own forecast are added."""
    # The forecasts of the days left stay as they are.
    surplus = days.get(today, Decimal(0)) - method(days, today, today + DAY)
    return (total(days, method, today) + max(surplus, Decimal(0))).quantize(CENT_OF_CENT)


def backtest(days: Days, method: Method, today: date) -> tuple[float | None, int]:
    """Mean error of the totals that a method would have predicted on the same day of past months, and of how many.

    The error is the absolute difference by the month's true total. Only months count that the data cover, the window
    before them included.
    """
    errors = []
    for back in range(1, TESTED + 1):
        first = add_months(today, -back)
        then = min(first + (today.day - 1) * DAY, add_months(first, 1) - DAY)
        truth = sum((value for day, value in days.items() if first <= day < add_months(first, 1)), Decimal(0))
        if truth and min(days) <= then - RUN_RATE_DAYS * DAY:
            errors.append(float(abs(total(days, method, then) - truth) / truth))
    return (round(sum(errors) / len(errors), 4) if errors else None), len(errors)


def forecast(conn: Connection, today: date, budget: float | None = None, prices: Prices = UNPRICED) -> Report:
    """Month to date and the forecasts of the month's total."""
    costs = view("daily_costs")
    found = conn.execute(select(costs.c.day, costs.c.credits).where(costs.c.day <= today))
    return outlook({row.day: row.credits for row in found}, today, budget, prices)


def outlook(days: Days, today: date, budget: float | None, prices: Prices = UNPRICED) -> Report:
    """The report, from Credits by day."""
    first, after = add_months(today, 0), add_months(today, 1)
    spent = sum((credits_ for day, credits_ in days.items() if first <= day <= today), Decimal(0))
    rows: list[Row] = []
    for name, method in METHODS.items():
        predicted = expected(days, method, today)
        error, months = backtest(days, method, today) if days else (None, 0)
        known = {"method": name, "month": f"{today:%Y-%m}", "forecast": predicted, **prices.worth(predicted, today)}
        rows.append(
            {**known, "error": error, "tested": months, "of_budget": ratio(predicted, budget) if budget else None}
        )
    columns = plain(method="method", month="month", forecast="forecast") | money(prices)
    columns |= percent("error", "mean error") | plain(tested="months tested")
    worth = prices.worth(spent, today)
    summary = {"month_to_date": spent, **worth, "days_left": (after - today).days - 1, "budget": budget}
    left = count(summary["days_left"], "day")
    notes = [
        f"Month to date: {spent:,.4f} Credits{in_money(worth)}, {left} left after today (UTC).",
        "mean error: how far off the method would have been on this day of past months.",
    ]
    if budget is not None:
        columns |= percent("of_budget", "of budget")
        notes.append(_against(budget, spent, rows))
    return Report("Forecast of the month's Credits", columns, rows, notes, summary)


def _against(budget: float, spent: Decimal, rows: list[Row]) -> str:
    used = f", {float(spent) / budget:.0%} used" if budget else ""
    over = [row["method"] for row in rows if row["forecast"] > budget]
    if spent > budget:
        judged = "it is exceeded"
    else:
        judged = f"to be exceeded by {' and '.join(over)}" if over else "both forecasts stay within it"
    return f"Budget: {budget:,.2f} Credits{used}; {judged}."
