"""What a Credit costs: one price a month, kept once the month is over; FOCUS bills by it, to the last digit."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tests.support.account import connected, mirror, rows, settings, tamper
from tpmirror.config import CreditPrice
from tpmirror.db.views import view
from tpmirror.errors import AuthenticationError
from tpmirror.reports.reconcile import disagreements, reconcile
from tpmirror.simulator.http import Response
from tpmirror.store.account import set_price
from tpmirror.store.prices import Prices, stored
from tpmirror.sync.poll import poll

EUR, DEAR, USD = (
    CreditPrice(Decimal("0.100000"), "EUR"), CreditPrice(Decimal("0.123457"), "EUR"),
    CreditPrice(Decimal("9.000001"), "USD"),
)  # fmt: skip


def bill(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """The rows of FOCUS by month."""
    focus, found = view("focus_costs"), defaultdict(list)
    for row in conn.execute(select(focus).order_by(focus.c.x_JobId, focus.c.x_LedgerEntry)).mappings():
        found[f"{row['BillingPeriodStart']:%Y-%m}"].append(dict(row))
    return found


def test_a_price_counts_until_the_next_and_the_first_one_before_it_too():
    prices = Prices().changed("2026-10", EUR).changed("2026-12", USD)
    assert [prices.at(month) for month in ("2025-01", "2026-10", "2026-11-30", "2026-12", "2027-01")] == [
        EUR, EUR, EUR, USD, USD,
    ]  # fmt: skip
    assert prices.changed("2027-01", USD) == prices.changed("2027-01", None) == prices
    assert Prices().at("2026-10") is None


def test_amounts_add_up_in_one_currency_alone():
    prices = Prices((("2026-10", EUR), ("2026-12", USD)))
    euros, dollars = prices.worth(Decimal("1.0001"), "2026-10"), prices.worth(Decimal(2), "2026-12")
    assert (euros, dollars["currency"]) == ({"amount": Decimal("0.1000100000"), "currency": "EUR"}, "USD")
    assert prices.added([euros, euros]) == {"amount": Decimal("0.20002"), "currency": "EUR"}
    assert prices.added([euros, dollars]) == {"amount": None, "currency": None}
    assert prices.added([prices.added([euros, dollars]), euros]) == {"amount": None, "currency": None}
    assert prices.added([euros, prices.worth(Decimal(0), "2026-12")]) == {"amount": euros["amount"], "currency": "EUR"}
    assert Prices().worth(Decimal(1), "2026-10") == Prices().added([]) == {}


def test_syncs_and_polls_note_a_price_in_their_month_and_only_if_it_is_another(sim, mirrored):
    month = f"{datetime.now(UTC):%Y-%m}"
    assert rows(mirrored, "credit_prices") == []
    mirror(sim, mirrored, credit_price="0.10 EUR")
    assert rows(mirrored, "credit_prices") == [{"month": month, "price": EUR.amount, "currency": "EUR"}]
    poll(settings(sim, mirrored, credit_price="0.123457 EUR"))
    poll(settings(sim, mirrored))
    assert rows(mirrored, "credit_prices") == [{"month": month, "price": DEAR.amount, "currency": "EUR"}]
    tamper(mirrored, "UPDATE credit_prices SET month = '2020-01'")
    poll(settings(sim, mirrored, credit_price="0.123457 EUR"))
    with connected(mirrored) as conn:
        assert stored(conn).since == (("2020-01", DEAR),)


def test_a_run_that_fails_and_a_clock_that_is_behind_note_no_price(sim, mirrored):
    mirror(sim, mirrored, credit_price="0.10 EUR")
    sim.respond = lambda _request: Response.detail(401, "Invalid token.")
    with pytest.raises(AuthenticationError):
        mirror(sim, mirrored, credit_price="0.20 USD")
    with connected(mirrored) as conn:
        noted = stored(conn)
        set_price(conn, USD, "2020-01")
        assert (stored(conn), len(noted.since)) == (noted, 1)


def test_focus_bills_by_the_price_of_each_month_and_leaves_months_that_are_over(lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        unpriced = bill(conn)
        *past, now = sorted(unpriced)
        set_price(conn, USD, now)
        assert currencies(bill(conn)) == {"USD"}, "the first price counts for all months"
        set_price(conn, DEAR, now)  # it was mistyped
        first = bill(conn)
        assert currencies(first) == {"EUR"}
        set_price(conn, USD, "9998-01")
        assert bill(conn) == first
        conn.rollback()
        set_price(conn, DEAR, past[-1])
        set_price(conn, USD, now)
        found = bill(conn)
        pairs = reconcile(conn).rows
        assert all(row["agrees"] for row in pairs)
        assert len([row for row in pairs if "BilledCost" in row["right"]]) == len(unpriced)
        conn.rollback()
    assert [found[month] for month in past] == [first[month] for month in past]
    assert currencies({now: found[now]}) == {"USD"}
    for month, some in found.items():
        price = USD if month == now else DEAR
        for row, credit in zip(some, unpriced[month], strict=True):
            check(row, credit, price)


def currencies(found: dict[str, list[dict[str, Any]]]) -> set[str]:
    return {row["BillingCurrency"] for some in found.values() for row in some}


def check(row: dict[str, Any], unpriced: dict[str, Any], price: CreditPrice) -> None:
    """Each cost is Credits times price, exactly; what is in Credits is what it was."""
    costs = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
    assert {name: row[name] for name in costs} == {name: unpriced[name] * price.amount for name in costs}
    for name in ("ListUnitPrice", "ContractedUnitPrice"):
        assert row[name] == (None if unpriced[name] is None else unpriced[name] * price.amount)
    other = {*costs, "BillingCurrency", "ListUnitPrice", "ContractedUnitPrice"}
    assert {name: row[name] for name in row.keys() - other} == {name: unpriced[name] for name in row.keys() - other}


def test_amounts_that_are_not_what_was_charged_are_reported(mirrored):
    columns = ", ".join(f'"{column.name}"' for column in view("focus_costs").c if column.name != "BilledCost")
    tamper(
        mirrored,
        "INSERT INTO credit_prices VALUES ('2026-01', 0.123457, 'EUR')",
        f'CREATE TABLE held AS SELECT ROUND("BilledCost", 4) AS "BilledCost", {columns} FROM focus_costs',
        "DROP VIEW focus_costs",
        "CREATE VIEW focus_costs AS SELECT * FROM held",
    )
    with connected(mirrored) as conn:
        assert any("focus_costs.BilledCost / price in " in pair for pair in disagreements(conn))
