"""What is rebuilt at each upgrade from the declaration and the .sql files: comments, dictionary, labels, views.

A view's file begins with a block of comments, the only place where it is explained: the first line says what one row
is, each further one names a column in its order, its kind and its meaning: ``-- day (date): day (UTC)``.
"""

import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    inspect,
    update,
)
from sqlalchemy.schema import SetColumnComment, SetTableComment
from sqlalchemy.types import TypeEngine

from tpmirror import labels, schema
from tpmirror.columns import Double, Exact, Timestamp

VIEWS: Final = files("tpmirror") / "views"
KINDS: Final[dict[str, TypeEngine[Any]]] = {
    "integer": BigInteger(),
    "real": Double,
    "money": Exact(20, 4),
    "text": Text(),
    "boolean": Boolean(),
    "date": Date(),
    "time": Timestamp(),
}
"""What a view's column may hold, and the type to read it with on both databases. Money is wider than a job's cost,
because views sum it up."""
_COLUMN: Final = re.compile(r"^-- (\w+) \((\w+)\): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view: one of ``KINDS``, and what it means."""

    name: str
    kind: str
    comment: str


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
        about = {"": first_line(sql), **{column.name: column.comment for column in view_columns(name)}}
        rows += [
            {"table_name": name, "column_name": column, "description": text, "api_path": None}
            for column, text in about.items()
        ]
    return rows


def views(dialect: str) -> dict[str, str]:
    """Every view's SELECT, by name; ``name.postgresql.sql`` stands in for ``name.sql`` where it must."""
    found = {entry.name: entry.read_text(encoding="utf-8") for entry in VIEWS.iterdir() if entry.name.endswith(".sql")}
    plain = {name.removesuffix(".sql"): sql for name, sql in found.items() if name.count(".") == 1}
    return {name: found.get(f"{name}.{dialect}.sql", sql) for name, sql in sorted(plain.items())}


def first_line(sql: str) -> str:
    """What a view is: its file's first line, a comment."""
    return sql.partition("\n")[0].removeprefix("--").strip()


def view_columns(view: str) -> list[ViewColumn]:
    """The columns of a view, in order, as its file's first comments declare them; the same on both databases."""
    header = re.split(r"^(?!--)", views("sqlite")[view], maxsplit=1, flags=re.MULTILINE)[0]
    return [ViewColumn(*found) for found in _COLUMN.findall(header)]


@cache
@cache
def view(name: str) -> Table:
    """A view as a table to select from: values come typed, money exact and times aware, from both databases."""
    columns = [Column(column.name, KINDS[column.kind], comment=column.comment) for column in view_columns(name)]
    return Table(name, MetaData(), *columns, comment=first_line(views("sqlite")[name]))


def create_views(conn: Connection) -> None:
    """Create every view, those that others read from first."""
    sources = views(conn.dialect.name)
    for name in _in_order(sources):
        statements = [f"CREATE VIEW {name} AS\n{sources[name]}"]
        if conn.dialect.supports_comments:
            statements.append(f"COMMENT ON VIEW {name} IS {_quoted(first_line(sources[name]))}")
            statements += [
                f'COMMENT ON COLUMN {name}."{column.name}" IS {_quoted(column.comment)}'
                for column in view_columns(name)
            ]
        for statement in statements:
            # Without parameters: a driver that looks for some would stumble over a percent sign.
            conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


def drop_views(conn: Connection) -> None:
    """Drop our views. Never CASCADE: if somebody built a view on ours, they are told, not robbed."""
    there = set(inspect(conn).get_view_names())
    for name in reversed(_in_order(views(conn.dialect.name))):
        if name in there:
            conn.exec_driver_sql(f"DROP VIEW {name}")


def _in_order(sources: dict[str, str]) -> list[str]:
    graph = {
        name: set(re.findall(r"\b(?:FROM|JOIN) (\w+)", sql)) & sources.keys() - {name} for name, sql in sources.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
