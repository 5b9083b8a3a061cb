"""What is rebuilt at each upgrade from the declaration and the .sql files: comments, dictionary, labels, views."""

from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, inspect, update
from sqlalchemy.schema import SetColumnComment, SetTableComment

from tpmirror import labels, schema

VIEWS: Final = files("tpmirror") / "views"


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
    for name, sql in views("sqlite").items():
        rows.append({"table_name": name, "column_name": "", "description": first_line(sql), "api_path": None})
    return rows


def views(dialect: str) -> dict[str, str]:
    """Every view's SELECT, by name; ``name.postgresql.sql`` stands in for ``name.sql`` where it must."""
    found = {entry.name: entry.read_text(encoding="utf-8") for entry in VIEWS.iterdir() if entry.name.endswith(".sql")}
    plain = {name.removesuffix(".sql"): sql for name, sql in found.items() if name.count(".") == 1}
    return {name: found.get(f"{name}.{dialect}.sql", sql) for name, sql in sorted(plain.items())}


def first_line(sql: str) -> str:
    """What a view is: its file's first line, a comment."""
    return sql.partition("\n")[0].removeprefix("--").strip()


def create_views(conn: Connection) -> None:
    """Create every view, those that others read from first."""
    sources = views(conn.dialect.name)
    for name in _in_order(sources):
        conn.exec_driver_sql(f"CREATE VIEW {name} AS\n{sources[name]}")
        if conn.dialect.supports_comments:
            conn.exec_driver_sql(
                f"COMMENT ON VIEW {name} IS '{first_line(sources[name]).replace(chr(39), chr(39) * 2)}'"
            )


def drop_views(conn: Connection) -> None:
    """Drop our views. Never CASCADE: if somebody built a view on ours, they are told, not robbed."""
    there = set(inspect(conn).get_view_names())
    for name in reversed(_in_order(views(conn.dialect.name))):
        if name in there:
            conn.exec_driver_sql(f"DROP VIEW {name}")


def _in_order(sources: dict[str, str]) -> list[str]:
    graph = {
        name: {other for other in sources if other != name and f" {other}" in sql} for name, sql in sources.items()
    }
    return list(TopologicalSorter(graph).static_order())


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
