"""Whose account the mirror belongs to, as ``mirror_scope`` has it: its origin, and the owners of its videos."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, insert, select

from tpmirror.db.schema import mirror_scope

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
