"""Credits in money, by the price of their month; reads only.

``credit_prices`` has a row for each month in which the price changed. It counts until the next row; the first one also
counts for all months before it. So months that are over keep their price.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from sqlalchemy import Connection, select

from tpmirror.config import CreditPrice
from tpmirror.db.schema import credit_prices
from tpmirror.db.types import Row

Period: TypeAlias = date | str
"""A day or a month: a date, or text that begins with 2026-10."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices with the month since which each counts, in order; none if no price is known."""

    since: tuple[tuple[str, CreditPrice], ...] = ()

    def __bool__(self) -> bool:
        """Whether a price is known, and with it one for every month."""
        return bool(self.since)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that ``worth`` adds to a row."""
        return ("amount", "currency") if self else ()

    @property
    def vary(self) -> bool:
        """Whether not all months have one price, so that Credits have to be summed by month."""
        return len(self.since) > 1

    def at(self, period: Period) -> CreditPrice | None:
        """The price of the month in which a day or month lies."""
        if not self:
            return None
        begun = [price for since, price in self.since if since <= str(period)[:7]]
        return begun[-1] if begun else self.since[0][1]

    def changed(self, month: str, price: CreditPrice | None) -> "Prices":
        """The prices with this one in force from a month on; None changes nothing."""
        if price is None or price == self.at(month):
            return self
        return Prices(tuple(sorted({**dict(self.since), month: price}.items())))

    def worth(self, credits_: Decimal | None, period: Period) -> Row:
        """Credits of a day or month as exact ``amount`` and its ``currency``; nothing if no price is known."""
        price = self.at(period)
        if price is None:
            return {}
        return {"amount": None if credits_ is None else credits_ * price.amount, "currency": price.currency}

    def added(self, parts: Iterable[Row]) -> Row:
        """The sum of amounts; null if one of them is null, or if those above 0 are in more than one currency."""
        if not self:
            return {}
        found, sums = list(parts), dict[str, Decimal]()
        if any(part["amount"] is None for part in found):
            return {"amount": None, "currency": None}
        for part in found:
            sums[part["currency"]] = sums.get(part["currency"], Decimal(0)) + part["amount"]
        left = {currency: amount for currency, amount in sums.items() if amount}
        if len(left) > 1:
            return {"amount": None, "currency": None}
        currency = next(iter(left), found[-1]["currency"] if found else self.since[-1][1].currency)
        return {"amount": left.get(currency, Decimal(0)), "currency": currency}


UNPRICED: Final = Prices()


def stored(conn: Connection) -> Prices:
    """The prices that syncs and polls recorded."""
    table = credit_prices.c
    found = conn.execute(select(table.month, table.price, table.currency).order_by(table.month))
    return Prices(tuple((row.month, CreditPrice(row.price, row.currency)) for row in found))


def known(conn: Connection, own: CreditPrice | None, today: date) -> Prices:
    """The stored prices; ``own``, which the setting of this process states, counts from this month on."""
    return stored(conn).changed(f"{today:%Y-%m}", own)
