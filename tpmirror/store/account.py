"""Whose account the mirror belongs to, by its origin and the owners of its videos; and what its Credits cost."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, insert, select

from tpmirror.config import CreditPrice
from tpmirror.db import bulk
from tpmirror.db.schema import credit_prices, mirror_scope
from tpmirror.store import prices

Mark: TypeAlias = tuple[str, str]
"""A kind (origin, input_owner, output_owner) and its value."""


def marks(conn: Connection) -> set[Mark]:
    """All that is known."""
    return {(row.kind, row.value) for row in conn.execute(select(mirror_scope.c.kind, mirror_scope.c.value))}


def add(conn: Connection, found: Collection[Mark], now: datetime) -> None:
    """Add what is not there yet."""
    rows = [{"kind": kind, "value": value, "first_seen_at": now} for kind, value in sorted(set(found) - marks(conn))]
    if rows:
        conn.execute(insert(mirror_scope), rows)


def set_price(conn: Connection, price: CreditPrice, month: str) -> None:
    """Let a price count from a month on, unless it does already."""
    if prices.stored(conn).at(month) != price:
        bulk.upsert(conn, credit_prices, [{"month": month, "price": price.amount, "currency": price.currency}])
