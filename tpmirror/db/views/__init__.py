"""The SQL views: one file each, and what is read from their comments.

A view's file begins with a block of comments, the only place where it is explained: the first line says what one row
is, each further one names a column in its order, its kind and its meaning: ``-- day (date): day (UTC)``.
"""

import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Connection, Date, MetaData, Table, Text, inspect
from sqlalchemy.types import TypeEngine

from tpmirror.db.types import Double, Exact, Timestamp

VIEWS: Final = files(__name__)
KINDS: Final[dict[str, TypeEngine[Any]]] = {
    "integer": BigInteger(),
    "real": Double,
    "money": Exact(20, 4),
    "amount": Exact(28, 10),
    "text": Text(),
    "boolean": Boolean(),
    "date": Date(),
    "time": Timestamp(),
}
"""What a view's column may hold, and the type to read it with on both databases. Money is Credits, wider than a job's
cost because views sum it up; an amount is Credits of four decimals times a price of six."""
_COLUMN: Final = re.compile(r"^-- (\w+) \((\w+)\): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view: one of ``KINDS``, and what it means."""

    name: str
    kind: str
    comment: str


def sources(dialect: str) -> dict[str, str]:
    """Every view's SELECT, by name; ``name.postgresql.sql`` stands in for ``name.sql`` where it must."""
    found = {entry.name: entry.read_text(encoding="utf-8") for entry in VIEWS.iterdir() if entry.name.endswith(".sql")}
    plain = {name.removesuffix(".sql"): sql for name, sql in found.items() if name.count(".") == 1}
    return {name: found.get(f"{name}.{dialect}.sql", sql) for name, sql in sorted(plain.items())}


def first_line(sql: str) -> str:
    """What a view is: its file's first line, a comment."""
    return sql.partition("\n")[0].removeprefix("--").strip()


def view_columns(view: str) -> list[ViewColumn]:
    """The columns of a view, in order, as its file's first comments declare them; the same on both databases."""
    header = re.split(r"^(?!--)", sources("sqlite")[view], maxsplit=1, flags=re.MULTILINE)[0]
    return [ViewColumn(*found) for found in _COLUMN.findall(header)]


@cache
def view(name: str) -> Table:
    """A view as a table to select from: values come typed, money exact and times aware, from both databases."""
    columns = [Column(column.name, KINDS[column.kind], comment=column.comment) for column in view_columns(name)]
    return Table(name, MetaData(), *columns, comment=first_line(sources("sqlite")[name]))


def create_views(conn: Connection) -> None:
    """Create every view, those that others read from first."""
    selects = sources(conn.dialect.name)
    for name in _in_order(selects):
        statements = [f"CREATE VIEW {name} AS\n{selects[name]}"]
        if conn.dialect.supports_comments:
            statements.append(f"COMMENT ON VIEW {name} IS {_quoted(first_line(selects[name]))}")
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
    for name in reversed(_in_order(sources(conn.dialect.name))):
        if name in there:
            conn.exec_driver_sql(f"DROP VIEW {name}")


def _in_order(selects: dict[str, str]) -> list[str]:
    graph = {
        name: set(re.findall(r"\b(?:FROM|JOIN) (\w+)", sql)) & selects.keys() - {name} for name, sql in selects.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
