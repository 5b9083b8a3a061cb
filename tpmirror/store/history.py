"""The hash chain over the status history: each row carries the hash of the row before it and of itself.

Anyone who alters, removes, inserts or reorders rows has to recompute every later hash; the head hash, kept elsewhere,
shows even that. Tamper-evident, not tamper-proof.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from tpmirror.db import schema
from tpmirror.db.types import Row

GENESIS: Final = sha256(b"tpmirror job_status_history 1").hexdigest()
"""Stands for the hash before the first row."""
_chained: Final = itemgetter(
    "entry", "job_id", "seq", "from_status", "to_status", "not_before", "observed_at", "occurred_at", "sync_run_id"
)


def head(conn: Connection) -> tuple[int, str]:
    """Place and hash of the last row stored."""
    table = schema.job_status_history.c
    row = conn.execute(select(table.entry, table.row_hash).order_by(table.entry.desc()).limit(1)).first()
    return (row.entry, row.row_hash) if row is not None else (0, GENESIS)


class Heads(NamedTuple):
    """The last row of each append-only table."""

    entry: int
    change: int


_HEADS: Final = select(
    select(func.max(schema.job_status_history.c.entry)).scalar_subquery(),
    select(func.max(schema.field_changes.c.id)).scalar_subquery(),
)


def heads(conn: Connection) -> Heads:
    """The last row of each append-only table, 0 where there is none."""
    entry, change = conn.execute(_HEADS).one()
    return Heads(entry or 0, change or 0)


def count_after(conn: Connection, before: Heads) -> int:
    """How many rows both tables have after ``before``."""
    entry, change = schema.job_status_history.c.entry, schema.field_changes.c.id
    entries = conn.execute(select(func.count()).where(entry > before.entry)).scalar_one()
    changes = conn.execute(select(func.count()).where(change > before.change)).scalar_one()
    return entries + changes


def chain(last: tuple[int, str], rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with their place and hash, after ``last``: place and hash of the last row stored."""
    entry, previous = last
    for row in rows:
        entry += 1
        placed = {**row, "entry": entry}
        previous = row_hash(previous, placed)
        yield {**placed, "row_hash": previous}


def row_hash(previous: str, row: Row) -> str:
    """SHA-256 over the hash before and the row in canonical form: a JSON list, times in UTC to the microsecond."""
    *ids, not_before, observed_at, occurred_at, run_id = _chained(row)
    times = _in_utc(not_before), _in_utc(observed_at), _in_utc(occurred_at)
    return sha256(msgspec.json.encode([previous, *ids, *times, run_id])).hexdigest()


@lru_cache(maxsize=1000)  # all rows of a page share its time
def _in_utc(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")
