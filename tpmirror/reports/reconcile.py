"""Whether all sums of money agree: one line for each pair that must be equal, to the last unit."""

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, literal, select

from tpmirror.db import schema
from tpmirror.db.types import Exact, Row, credits_of
from tpmirror.db.views import view
from tpmirror.formatting import count
from tpmirror.reports.model import Column, Report, plain
from tpmirror.store import prices, queries

_NONE: Final = Decimal("0.0000")


def reconcile(conn: Connection) -> Report:
    """Each pair of sums and whether it agrees; ``summary["agrees"]`` is whether all do."""
    rows = [{**row, "agrees": row["left_credits"] == row["right_credits"]} for row in _pairs(conn)]
    columns = plain(left="this", left_credits="Credits", right="and this", right_credits="Credits ")
    columns["agrees"] = Column("agree", lambda row: "yes" if row["agrees"] else "NO")
    disagreeing = sum(not row["agrees"] for row in rows)
    note = f"Do not agree: {count(disagreeing, 'pair')}. Please report it." if disagreeing else "All sums agree."
    return Report("Sums that must agree", columns, rows, [note], {"agrees": not disagreeing}, whole=True)


def disagreements(conn: Connection) -> list[str]:
    """The pairs that do not agree, a sentence each."""
    return [
        f"{row['left']} sums to {row['left_credits']}, {row['right']} to {row['right_credits']}"
        for row in reconcile(conn).rows
        if not row["agrees"]
    ]


def _pairs(conn: Connection) -> list[Row]:
    days, models, ledger, focus = (view(n).c for n in ("daily_costs", "cost_by_model", "cost_ledger", "focus_costs"))
    restated = _months(conn, func.substr(cast(days.day, Text), 1, 7), days.credits)
    by_model = _months(conn, models.month, models.credits)
    booked = _months(conn, ledger.month, ledger.credits)
    in_focus = _months(conn, _billing_month(), focus.PricingCurrencyEffectiveCost)
    of_charges = {
        "status": sum((row["credits"] for row in queries.jobs_by_status(conn)), _NONE),
        "daily_costs": _added(restated),
        "cost_by_model": _added(by_model),
        "job_model_costs": _total(conn, view("job_model_costs").c.credits),
        "cost_ledger.credits": _added(booked),
        "focus_costs.PricingCurrencyEffectiveCost": _added(in_focus),
    }
    charged, stated = _total(conn, view("job_overview").c.credits), _total(conn, schema.jobs.c.cost_usd)
    return [
        *(_pair("job_overview.credits", charged, name, amount) for name, amount in of_charges.items()),
        _pair("jobs.cost_usd", stated, "cost_ledger.stated", _total(conn, ledger.stated)),
        # By month, only views that restate agree with one another, and only views that book do.
        *_each("daily_costs", restated, "cost_by_model", by_model),
        *_each("cost_ledger", booked, "focus_costs", in_focus),
        *_billed(conn, prices.stored(conn), booked),
    ]


def _billing_month() -> ColumnElement[str]:
    return func.substr(cast(view("focus_costs").c.BillingPeriodStart, Text), 1, 7)


def _billed(conn: Connection, known: prices.Prices, booked: dict[str, Decimal]) -> list[Row]:
    """Months of FOCUS divided by the price in force, which must equal the ledger's Credits; none if no price is known.

    Divided, not multiplied: SQLite holds BilledCost as a double, from which Credits of ten digits come back exactly.
    """
    if not known:
        return []
    month = _billing_month()
    bought = _months(conn, month, view("focus_costs").c.BilledCost / _price(month, known))
    return _each("cost_ledger", booked, "focus_costs.BilledCost / price", bought)


def _price(month: ColumnElement[str], known: prices.Prices) -> ColumnElement[Any]:
    """The price in force in a month: the last one that has begun, else the first."""
    amounts = [(since, literal(price.amount, Exact(10, 6))) for since, price in reversed(known.since)]
    return case(*((month >= since, amount) for since, amount in amounts), else_=amounts[-1][1])


def _each(left: str, one: dict[str, Decimal], right: str, other: dict[str, Decimal]) -> list[Row]:
    return [
        _pair(f"{left} in {month}", one.get(month, _NONE), f"{right} in {month}", other.get(month, _NONE))
        for month in sorted(one.keys() | other.keys())
    ]


def _pair(left: str, one: Decimal, right: str, other: Decimal) -> Row:
    return {"left": left, "left_credits": one, "right": right, "right_credits": other}


def _added(months: dict[str, Decimal]) -> Decimal:
    return sum(months.values(), _NONE)


def _total(conn: Connection, column: Any) -> Decimal:
    total: Decimal = conn.execute(select(credits_of(column))).scalar_one()
    return total


def _months(conn: Connection, month: Any, column: Any) -> dict[str, Decimal]:
    return {row[0]: row[1] for row in conn.execute(select(month, credits_of(column)).group_by(month))}
