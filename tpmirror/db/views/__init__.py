"""The SQL views: one file each, whose first comments declare the view's columns.

A view's file begins with a block of comments, the only place where it is explained: the first line says what one row
is, each further one names a column in its order, its kind and its meaning: ``-- day (date): day (UTC)``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.resources import files
from threading import Lock
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Connection, Date, MetaData, Table, Text, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from tpmirror.db.dependents import refuse_dependents
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
"""Kinds of a view's columns, and the type to read each with on both databases. Money is Credits, wider than a job's
cost because views sum it up; an amount is Credits of four decimals times a price of six."""
_OTHER_COLUMNS: Final = "42P16"
"""PostgreSQL's SQLSTATE for a view that cannot be replaced: a column is gone, renamed, or of another type."""
_TABLES: Final[dict[str, Table]] = {}
_MAKING: Final = Lock()
_COLUMN: Final = re.compile(r"^-- (\w+) \((\w+)\): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view; ``kind`` is one of ``KINDS``, ``comment`` the column's meaning."""

    name: str
    kind: str
    comment: str


def sources(dialect: str) -> dict[str, str]:
    """Every view's SELECT, by name; ``name.postgresql.sql`` stands in for ``name.sql`` where it must."""
    found = {entry.name: entry.read_text(encoding="utf-8") for entry in VIEWS.iterdir() if entry.name.endswith(".sql")}
    plain = {name.removesuffix(".sql"): sql for name, sql in found.items() if name.count(".") == 1}
    return {name: found.get(f"{name}.{dialect}.sql", sql) for name, sql in sorted(plain.items())}


def first_line(sql: str) -> str:
    """A view's description: the first line of its file, a comment."""
    return sql.partition("\n")[0].removeprefix("--").strip()


def view_columns(view: str) -> list[ViewColumn]:
    """The columns of a view, in order, as its file's first comments declare them; the same on both databases."""
    header = re.split(r"^(?!--)", sources("sqlite")[view], maxsplit=1, flags=re.MULTILINE)[0]
    return [ViewColumn(*found) for found in _COLUMN.findall(header)]


def view(name: str) -> Table:
    """A view as a table to select from: values come typed, money exact and times aware, from both databases.

    The same object at each call: two in one statement would be two tables to SQLAlchemy, and so a cartesian product.
    """
    with _MAKING:
        if name not in _TABLES:
            _TABLES[name] = _table(name)
        return _TABLES[name]


def _table(name: str) -> Table:
    columns = [Column(column.name, KINDS[column.kind], comment=column.comment) for column in view_columns(name)]
    return Table(name, MetaData(), *columns, comment=first_line(sources("sqlite")[name]))


def create_views(conn: Connection) -> None:
    """Create or replace each view that is not as declared, those that other views read from first.

    Raises MirrorError if a view has to be dropped on which a user's object depends.
    """
    selects = sources(conn.dialect.name)
    for name in _in_order(selects):
        if not _is_as_declared(conn, name, selects[name]):
            _replace(conn, name, selects)
        if conn.dialect.supports_comments:
            _comment(conn, name, selects[name])


def drop_views(conn: Connection, *names: str) -> None:
    """Drop the mirror's views, all without ``names``. Never CASCADE: it would drop users' views on them too.

    Raises MirrorError if users' objects depend on them; nothing is dropped then.
    """
    selects = sources(conn.dialect.name)
    fallen = [name for name in reversed(_in_order(selects)) if not names or name in names]
    refuse_dependents(conn, fallen, selects)
    for name in fallen:
        _execute(conn, f"DROP VIEW IF EXISTS {name}")


def _is_as_declared(conn: Connection, name: str, select: str) -> bool:
    """Whether the database defines a view as it would define this SELECT."""
    if name not in inspect(conn).get_view_names():
        return False
    if conn.dialect.name == "sqlite":
        found = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", (name,))
        return found.scalar() == _definition(name, select).rstrip()
    trial = conn.begin_nested()  # pg_get_viewdef prints the parsed query, so compare two of them
    try:
        _execute(conn, _definition("tpmirror_declared", select))
        as_stated = "SELECT pg_get_viewdef('{}'::regclass) = pg_get_viewdef('tpmirror_declared'::regclass)"
        return bool(_execute(conn, as_stated.format(name)).scalar())
    finally:
        trial.rollback()


def _replace(conn: Connection, name: str, selects: Mapping[str, str]) -> None:
    """Create or replace a view. Users' views on it stay if PostgreSQL can replace its columns in place."""
    if conn.dialect.name == "sqlite":
        drop_views(conn, name)
        _execute(conn, _definition(name, selects[name]))
        return
    try:
        with conn.begin_nested():
            _execute(conn, _definition(name, selects[name], "CREATE OR REPLACE VIEW"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _OTHER_COLUMNS:
            raise
        drop_views(conn, name, *_readers(name, selects))
        _execute(conn, _definition(name, selects[name]))


def _comment(conn: Connection, name: str, select: str) -> None:
    _execute(conn, f"COMMENT ON VIEW {name} IS {_quoted(first_line(select))}")
    for column in view_columns(name):
        _execute(conn, f'COMMENT ON COLUMN {name}."{column.name}" IS {_quoted(column.comment)}')


def _definition(name: str, select: str, create: str = "CREATE VIEW") -> str:
    return f"{create} {name} AS\n{select}"


def _execute(conn: Connection, statement: str) -> Any:
    # no_parameters: the driver would take a percent sign for a placeholder.
    return conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _readers(name: str, selects: Mapping[str, str]) -> set[str]:
    """The views that read from this one, directly or through others."""
    found, graph = {name}, _graph(selects)
    for other in _in_order(selects):
        if graph[other] & found:
            found.add(other)
    return found - {name}


def _in_order(selects: Mapping[str, str]) -> list[str]:
    return list(TopologicalSorter(_graph(selects)).static_order())


def _graph(selects: Mapping[str, str]) -> dict[str, set[str]]:
    """The views that each view reads from, by its name."""
    return {
        name: set(re.findall(r"\b(?:FROM|JOIN) (\w+)", sql)) & selects.keys() - {name} for name, sql in selects.items()
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
