"""Comments, data dictionary and labels: rebuilt at each upgrade, with the views, from what this version declares."""

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, update
from sqlalchemy.schema import SetColumnComment, SetTableComment

from tpmirror.db import labels, schema
from tpmirror.db.views import create_views, first_line, sources, view_columns


def describe(conn: Connection) -> None:
    """Comments, data dictionary, labels, views: as this version declares them."""
    _fill_dictionary(conn)
    _fill_labels(conn)
    if conn.dialect.supports_comments:
        for table in schema.metadata.sorted_tables:
            conn.execute(SetTableComment(table))
            for column in table.columns:
                conn.execute(SetColumnComment(column))
    create_views(conn)


def dictionary() -> list[dict[str, Any]]:
    """The data dictionary: a row per table, column and view."""
    rows = []
    for table in schema.metadata.sorted_tables:
        rows.append(
            {"table_name": table.name, "column_name": "", "description": table.comment, "api_path": _path(table)}
        )
        for column in table.columns:
            path = _path(table, column.info["api"]) if "api" in column.info else None
            rows.append(
                {"table_name": table.name, "column_name": column.name, "description": column.comment, "api_path": path}
            )
    for name, sql in sources("sqlite").items():
        about = {"": first_line(sql), **{column.name: column.comment for column in view_columns(name)}}
        rows += [
            {"table_name": name, "column_name": column, "description": text, "api_path": None}
            for column, text in about.items()
        ]
    return rows


def _path(table: Table, *inner: str) -> str | None:
    """Where in an answer of the API a table's object lies, or a value of it."""
    if "api" not in table.info:
        return None
    return ".".join(part for part in ("results[]", table.info["api"], *inner) if part)


def _fill_dictionary(conn: Connection) -> None:
    conn.execute(delete(schema.data_dictionary))
    conn.execute(insert(schema.data_dictionary), dictionary())


def _fill_labels(conn: Connection) -> None:
    """Labels that this version knows; those of codes that it does not know stay as they are."""
    for name, seeds in labels.SEEDS.items():
        table = schema.metadata.tables[name]
        there = {row["code"]: dict(row) for row in conn.execute(table.select()).mappings()}
        for row in seeds:
            if row["code"] not in there:
                conn.execute(insert(table), row)
            elif there[row["code"]] != row:
                conn.execute(update(table).where(table.c.code == row["code"]).values(row))
