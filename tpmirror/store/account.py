"""The account that the mirror belongs to, by its origin and the owners of its videos; and the price of its Credits."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, and_, insert, select

from tpmirror.config import CreditPrice
from tpmirror.db import bulk
from tpmirror.db.schema import credit_prices, input_videos, jobs, mirror_scope, output_videos
from tpmirror.store import prices, runs

Mark: TypeAlias = tuple[str, str]
"""A kind (origin, input_owner, output_owner) and its value."""


def marks(conn: Connection) -> set[Mark]:
    """All marks of the account."""
    return {(row.kind, row.value) for row in conn.execute(select(mirror_scope.c.kind, mirror_scope.c.value))}


def add(conn: Connection, found: Collection[Mark], now: datetime) -> None:
    """Add the marks that are not stored yet."""
    rows = [{"kind": kind, "value": value, "first_seen_at": now} for kind, value in sorted(set(found) - marks(conn))]
    if rows:
        conn.execute(insert(mirror_scope), rows)


def set_price(conn: Connection, price: CreditPrice, month: str) -> None:
    """Record a price from a month on, unless it counts already or a later month has one: past months keep theirs."""
    known = prices.stored(conn)
    if known.at(month) != price and all(since <= month for since, _ in known.since):
        bulk.upsert(conn, credit_prices, [{"month": month, "price": price.amount, "currency": price.currency}])


def owned(conn: Connection, videos: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """The videos among these whose owner the mirror holds; a video is the kind of its owner and its id."""
    found = set[tuple[str, int]]()
    for kind, table in (("input_owner", input_videos), ("output_owner", output_videos)):
        ids = [video_id for of, video_id in videos if of == kind]
        columns = (table.c.id, table.c.owner)
        found |= {(kind, row.id) for row in bulk.find(conn, columns, table.c.id, ids) if row.owner is not None}
    return found


def witnesses(conn: Connection, shown: Collection[int], most: int) -> list[int]:
    """Known jobs, besides those shown, that the API has to answer for if this is the account.

    Jobs listed in the last certified full sync come first, then the newest; gone jobs cannot answer.
    """
    proven = (runs.last(conn, runs.PROVEN) or {}).get("finished_at")
    listed = jobs.c.presence == "listed"
    first = listed if proven is None else and_(listed, jobs.c.first_seen_at <= proven)
    wanted = select(jobs.c.id).where(jobs.c.presence != "gone").order_by(first.desc(), jobs.c.id.desc())
    found = conn.execute(wanted.limit(most + len(shown))).scalars()
    return [job_id for job_id in found if job_id not in shown][:most]


def is_empty(conn: Connection) -> bool:
    """Whether the mirror has no job yet."""
    return conn.execute(select(jobs.c.id).limit(1)).first() is None
