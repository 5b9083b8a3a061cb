"""Columns that the connected role may read: the reader role has no SELECT on those with personal data."""

from typing import Any, Final

from sqlalchemy import Column, Connection, Table, text

_READABLE: Final = text("""
SELECT attname::text FROM pg_attribute
WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped
  AND has_column_privilege(attrelid, attnum, 'SELECT')
""")


def readable(conn: Connection, table: Table) -> list[Column[Any]]:
    """The columns of a table or view that the connected role may read, in order; on SQLite all of them."""
    if conn.dialect.name == "sqlite":
        return list(table.columns)
    granted = set(conn.execute(_READABLE, {"name": table.name}).scalars())
    return [column for column in table.columns if column.name in granted]
